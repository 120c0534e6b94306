"""Counts of public avatars by value, for the filters of a gallery and for the matrix."""

from collections.abc import Mapping, Sequence

from db.count_table import CountTable
from db.records import PairCount
from export.manifest import Attribute


def count_facets(
    counts: CountTable, attributes: Sequence[Attribute], wish: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """attribute -> value -> number of avatars that have it and match the rest of the wish."""
    facets = {}
    for attribute in attributes:
        others = {name: value for name, value in wish.items() if name != attribute.name}
        found = counts.count_values(attribute.name, others)
        facets[attribute.name] = {value: found.get(value, 0) for value in attribute.values}
    return facets


def build_matrix(
    pairs: Mapping[tuple[str, str], PairCount], rows: Attribute, columns: Attribute
) -> dict[str, dict[str, PairCount]]:
    """row's value -> column's value -> count, without empty cells."""
    return {
        row: {column: pairs[row, column] for column in columns.values if (row, column) in pairs}
        for row in rows.values
    }
