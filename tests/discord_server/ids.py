"""Ids and times in Discord's formats."""

import itertools
import time
from datetime import UTC, datetime

EPOCH_MS = 1420070400000

_increment = itertools.count()


def snowflake() -> int:
    """A new id; its upper 42 bits are the milliseconds since Discord's epoch."""
    return ((time.time_ns() // 1_000_000 - EPOCH_MS) << 22) | (next(_increment) & 0x3FFFFF)


def now_iso() -> str:
    return datetime.now(UTC).isoformat()
