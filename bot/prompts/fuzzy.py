"""Similarity of short texts, for suggestions and typos."""

from collections.abc import Iterable

from rapidfuzz import fuzz, process

MAX_TEXT = 100  # characters that are compared; Discord allows 6000 in an option being typed


def similarity(text: str, other: str) -> float:
    """0 to 1: twice the length of the longest common subsequence, divided by both lengths."""
    return float(fuzz.ratio(text[:MAX_TEXT], other[:MAX_TEXT])) / 100


def closest(text: str, choices: Iterable[str], count: int, cutoff: float) -> list[str]:
    """The choices with at least this similarity, the most similar first, at most `count`."""
    found = process.extract(
        text[:MAX_TEXT], list(choices), scorer=fuzz.ratio, limit=count, score_cutoff=100 * cutoff
    )
    return [choice for choice, _, _ in found]
