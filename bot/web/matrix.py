"""Chooses the two attributes of the matrix, for the API and the page."""

from collections.abc import Sequence

from bot.errors import BadPrompt
from export.manifest import Attribute


def choose_axes(attributes: Sequence[Attribute], rows: str, columns: str) -> tuple[str, str]:
    """Names of the attributes of rows and columns; an empty name means the model's next attribute.

    Raises BadPrompt for a model with fewer than two attributes.
    """
    names = [attribute.name for attribute in attributes]
    if len(names) < 2:
        raise BadPrompt("matrix-none")
    rows = rows or next(name for name in names if name != columns)
    columns = columns or next(name for name in names if name != rows)
    return rows, columns
