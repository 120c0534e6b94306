"""Errors in training data."""

from dataclasses import dataclass

SHOWN = 5
"""Number of bad entries that a message lists."""


class DataError(Exception):
    """Training data that cannot be used. The message says how to correct it."""


@dataclass(frozen=True)
class Problem:
    location: str
    message: str
