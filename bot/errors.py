"""Refusals: errors that are shown to users, in their language."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from bot.i18n.messages import Fact, say


class Refusal(Exception):  # noqa: N818 (not a defect of the program)
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
    """Too many pictures are waiting, or what another message says; `retry_after` is in seconds."""

    def __init__(self, retry_after: float, key: str = "busy") -> None:
        super().__init__(key, seconds=max(1, round(retry_after)))
        self.retry_after = retry_after


class TooSoon(Refusal):
    """A limit is reached until `retry_at`, an aware datetime; the message shows it as `$when`."""

    def __init__(self, key: str, /, *, retry_at: datetime, **facts: Fact) -> None:
        when = f"{retry_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        super().__init__(key, when=when, **facts)
        self.retry_at = retry_at


class Blocked(Refusal):
    """The requester is blocked in this server."""


class WrongChannel(Refusal):
    """The server's limits exclude this channel."""


class NotFound(Refusal):
    """There is no such avatar, or the requester may not see it."""


class NotAllowed(Refusal):
    """The requester may not do this."""


class ModelUnavailable(Refusal):
    """The model is missing, cannot be used, or is shutting down."""
