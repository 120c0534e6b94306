"""What the studio answers when it cannot grant a wish. Each message is fit to show to a member."""

from collections.abc import Sequence


class Refusal(Exception):  # noqa: N818 (a refusal is no fault)
    """A wish that cannot be granted; `str(error)` says why, in words for the one who asked."""


class BadPrompt(Refusal):
    """A wish that cannot be understood; `suggestions` are the nearest things that can be asked."""

    def __init__(self, message: str, suggestions: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.suggestions = tuple(suggestions)


class Busy(Refusal):
    """Too many pictures are waiting; `retry_after` is in seconds."""

    def __init__(self, retry_after: float) -> None:
        super().__init__(
            f"Too many pictures are being painted right now. "
            f"Please ask again in about {max(1, round(retry_after))} s."
        )
        self.retry_after = retry_after


class NotFound(Refusal):
    """There is no such avatar, or none that the one who asked may see."""


class NotAllowed(Refusal):
    """The one who asked may not do this."""


class ModelUnavailable(Refusal):
    """The model that this needs is missing, broken or shutting down."""
