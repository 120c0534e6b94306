"""Which HTTP status says what went wrong."""

from bot.errors import Busy, ModelUnavailable, NotAllowed, NotFound, Refusal, TooSoon

STATUS: dict[type[Refusal], int] = {
    NotAllowed: 403,
    NotFound: 404,
    TooSoon: 429,
    Busy: 503,
    ModelUnavailable: 503,
}


def status_of(refusal: Refusal) -> int:
    """400, the asker's mistake, unless it is a refusal of another kind."""
    return STATUS.get(type(refusal), 400)
