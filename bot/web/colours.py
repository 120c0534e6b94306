"""How the words for colours look on the page. A value that is no colour is shown as its word."""

# Tags are one painter's words for another painter's pots: these are hues of hair and eyes as such
# pictures have them, not the pure colours of the same names.
COLOURS = {
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
