import pytest

from bot.discord import orders


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer is complete when it comes: on a busy machine, too, nobody sees "Painting…"."""
    monkeypatch.setattr(orders, "PATIENCE_SECONDS", 60)
