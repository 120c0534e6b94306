from pathlib import Path

import pytest

import config
from bot.settings import Settings, discord_token


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_command_line_overrides_environment_overrides_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("config.toml").write_text("[engine]\nqueue = 1\nmax_batch = 2\nmax_wait_ms = 3\n")
    monkeypatch.setenv("IRODORI_ENGINE__MAX_BATCH", "20")
    monkeypatch.setenv("IRODORI_ENGINE__MAX_WAIT_MS", "30")
    engine = config.read(Settings, overrides={"engine": {"max_wait_ms": "300"}}).engine
    assert (engine.queue, engine.max_batch, engine.max_wait_ms) == (1, 20, 300)


@pytest.mark.parametrize(
    ("section", "key", "value"),
    [
        ("engine", "provider", '"tpu"'),
        ("engine", "queue", "0"),
        ("engine", "treads", "2"),
        ("web", "port", "70000"),
        ("web", "paint", '"closed"'),
        ("discord", "token", '"secret"'),
    ],
)
def test_errors_name_the_wrong_key_or_value(section: str, key: str, value: str) -> None:
    Path("config.toml").write_text(f"[{section}]\n{key} = {value}\n")
    with pytest.raises(config.SettingsError, match=rf"{section}\.{key}"):
        config.read(Settings)


def test_the_token_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DISCORD_TOKEN", raising=False)
    assert discord_token() is None
    monkeypatch.setenv("DISCORD_TOKEN", " ")
    assert discord_token() is None
    monkeypatch.setenv("DISCORD_TOKEN", "a.b.c\n")
    assert discord_token() == "a.b.c"


def test_a_password_instead_of_its_hash_is_rejected_and_not_shown() -> None:
    Path("config.toml").write_text('[web]\nadmin_password_hash = "hunter2"\n')
    with pytest.raises(config.SettingsError) as error:
        config.read(Settings)
    assert "web.admin_password_hash" in str(error.value)
    assert "python -m bot password" in str(error.value)
    assert "hunter2" not in str(error.value)
