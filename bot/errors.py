"""Errors that are shown to users, in their language."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from bot.i18n.messages import Fact, say


class Refusal(Exception):  # noqa: N818 (a refusal is no fault)
    """A request that is refused; `key` names the message, `facts` are its variables."""

    def __init__(self, key: str, /, **facts: Fact) -> None:
        super().__init__(key)
        self.key = key
        self.facts = facts

    def __str__(self) -> str:
        return self.text()

    def text(self, language: str = "en", escape: Callable[[str], str] = str) -> str:
        """The message; `escape` neutralizes markup in what users typed."""
        facts = {
            name: escape(fact) if isinstance(fact, str) else fact
            for name, fact in self.facts.items()
        }
        return say(self.key, language, **facts)


class BadPrompt(Refusal):
    """An invalid wish; `suggestions` are similar valid ones."""

    def __init__(self, key: str, /, suggestions: Sequence[str] = (), **facts: Fact) -> None:
        super().__init__(key, **facts)
        self.suggestions = tuple(suggestions)


class Busy(Refusal):
    """Too many pictures are waiting; `retry_after` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__("busy", seconds=max(1, round(retry_after)))
        self.retry_after = retry_after


class TooSoon(Refusal):
    """Asked too much for now; the message's `$when` is `retry_at`, an aware datetime."""

    def __init__(self, key: str, /, *, retry_at: datetime, **facts: Fact) -> None:
        when = f"{retry_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        super().__init__(key, when=when, **facts)
        self.retry_at = retry_at


class Blocked(Refusal):
    """The one who asked is blocked in this server."""


class WrongChannel(Refusal):
    """The bot does not answer in this channel."""


class NotFound(Refusal):
    """There is no such avatar, or none that the one who asked may see."""


class NotAllowed(Refusal):
    """The one who asked may not do this."""


class ModelUnavailable(Refusal):
    """The model that this needs is missing, broken or shutting down."""
