"""Counts of public avatars by value, for the filters of a gallery and for the matrix."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from db.records import ConditionCount
from export.manifest import Attribute


@dataclass(frozen=True, slots=True)
class Cell:
    """Number of public avatars with the values of a row and a column; `newest` is an id."""

    count: int
    newest: str


def count_matching(counts: Iterable[ConditionCount], wish: Mapping[str, str]) -> int:
    return sum(c.count for c in counts if wish.items() <= c.conditions.items())


def count_facets(
    counts: Sequence[ConditionCount], attributes: Sequence[Attribute], wish: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """attribute -> value -> number of avatars that have it and match the rest of the wish."""
    facets = {}
    for attribute in attributes:
        others = {name: value for name, value in wish.items() if name != attribute.name}
        facet = dict.fromkeys(attribute.values, 0)
        for c in counts:
            value = c.conditions.get(attribute.name)
            if value in facet and others.items() <= c.conditions.items():
                facet[value] += c.count
        facets[attribute.name] = facet
    return facets


def build_matrix(
    counts: Iterable[ConditionCount], rows: Attribute, columns: Attribute
) -> dict[str, dict[str, Cell]]:
    """row's value -> column's value -> cell, without empty cells. `counts` are sorted by their
    newest avatar, the newest first.
    """
    cells: dict[str, dict[str, Cell]] = {value: {} for value in rows.values}
    for c in counts:
        row, column = c.conditions.get(rows.name), c.conditions.get(columns.name)
        if row in cells and column in columns.values:
            cell = cells[row].get(column, Cell(0, c.newest))
            cells[row][column] = Cell(cell.count + c.count, cell.newest)
    return cells
