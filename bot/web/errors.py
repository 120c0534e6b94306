"""HTTP statuses and headers of refusals."""

import math
from datetime import UTC, datetime

from bot.errors import Busy, ModelUnavailable, NotAllowed, NotFound, Refusal, TooSoon

STATUS: dict[type[Refusal], int] = {
    NotAllowed: 403,
    NotFound: 404,
    TooSoon: 429,
    Busy: 503,
    ModelUnavailable: 503,
}


def status_of(refusal: Refusal) -> int:
    """The HTTP status of a refusal, 400 by default."""
    return STATUS.get(type(refusal), 400)


def headers_of(refusal: Refusal) -> dict[str, str]:
    """`Retry-After`, if waiting helps."""
    match refusal:
        case Busy():
            wait = refusal.retry_after
        case TooSoon():
            wait = (refusal.retry_at - datetime.now(UTC)).total_seconds()
        case _:
            return {}
    return {"Retry-After": str(max(1, math.ceil(wait)))}
