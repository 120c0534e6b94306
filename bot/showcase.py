"""What there is to see, by colours: counted for filters, and laid out as a matrix."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from db.store import Colours
from export.manifest import Attribute


@dataclass(frozen=True, slots=True)
class Cell:
    """How many public avatars have a row's and a column's value; `newest` is an id."""

    count: int
    newest: str


def count_matching(colours: Iterable[Colours], wish: Mapping[str, str]) -> int:
    return sum(c.count for c in colours if wish.items() <= c.conditions.items())


def count_facets(
    colours: Sequence[Colours], attributes: Sequence[Attribute], wish: Mapping[str, str]
) -> dict[str, dict[str, int]]:
    """For each value of each attribute how many there are that have it and the rest of the wish."""
    facets = {}
    for attribute in attributes:
        others = {name: value for name, value in wish.items() if name != attribute.name}
        counts = dict.fromkeys(attribute.values, 0)
        for c in colours:
            value = c.conditions.get(attribute.name)
            if value in counts and others.items() <= c.conditions.items():
                counts[value] += c.count
        facets[attribute.name] = counts
    return facets


def lay_matrix(
    colours: Iterable[Colours], rows: Attribute, columns: Attribute
) -> dict[str, dict[str, Cell]]:
    """row's value -> column's value -> cell, for those that there are; `colours` from the newest
    on."""
    cells: dict[str, dict[str, Cell]] = {value: {} for value in rows.values}
    for c in colours:
        row, column = c.conditions.get(rows.name), c.conditions.get(columns.name)
        if row in cells and column in columns.values:
            cell = cells[row].get(column, Cell(0, c.newest))
            cells[row][column] = Cell(cell.count + c.count, cell.newest)
    return cells
