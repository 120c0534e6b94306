"""Colors of values such as pink or blonde. Values that are not colors have none."""

import math

from bot.prompts.words import SYNONYMS

# Typical colors of hair and eyes in anime pictures, not the pure colors of the same names.
COLORS = {
    "aqua": "#5bc6cc",
    "beige": "#e6d5b8",
    "black": "#2f2c36",
    "blonde": "#efd48a",
    "blue": "#4f78d8",
    "brown": "#84573d",
    "cyan": "#5bc6cc",
    "gold": "#e3b341",
    "gray": "#9c9ca6",
    "green": "#5cab6c",
    "grey": "#9c9ca6",
    "indigo": "#4a4f9e",
    "lavender": "#b9a8e0",
    "magenta": "#d0559f",
    "maroon": "#7a2f3b",
    "navy": "#2f3e73",
    "orange": "#f0924b",
    "pink": "#f2a3bf",
    "purple": "#9069c9",
    "red": "#d2474d",
    "silver": "#c6c9d2",
    "tan": "#d2ac82",
    "teal": "#3a938f",
    "violet": "#9069c9",
    "white": "#f7f5f1",
    "yellow": "#f3d250",
}


def color_of(value: str) -> str | None:
    """The color of a model's value as #rrggbb; "dark blue" has that of blue."""
    for word in (value.casefold(), value.casefold().split()[-1]):
        for name in (word, *SYNONYMS.get(word, ())):
            if name in COLORS:
                return COLORS[name]
    return None


def color_distance(a: str, b: str) -> float | None:
    """Euclidean distance of two values' colors in RGB (0 to 441); None if one has no color."""
    one, other = color_of(a), color_of(b)
    if one is None or other is None:
        return None
    parts = [(int(one[i : i + 2], 16), int(other[i : i + 2], 16)) for i in (1, 3, 5)]
    return math.sqrt(sum((x - y) ** 2 for x, y in parts))
