"""Draws the PNG icons of the web manifest from icon.svg, whose circles it reads.

    python docs/make_icons.py [FOLDER]

A maskable icon has a background, and everything in the circle that systems never cut off.
"""

import sys
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image, ImageDraw

STATIC = Path(__file__).parents[1] / "bot" / "web" / "static"
BACKGROUND = "#faf7f2"  # --background in style.css
SMOOTH = 4  # subpixels per side of a pixel
COLORS = 96  # of the palette
SAFE = 0.72  # of a maskable icon's side; its safe circle has a diameter of 0.8


def draw(size: int, *, maskable: bool) -> Image.Image:
    """The icon with a palette, which makes the files small."""
    large = size * SMOOTH
    icon = Image.new("RGBA", (large, large), BACKGROUND if maskable else (0, 0, 0, 0))
    root = ElementTree.parse(STATIC / "icon.svg").getroot()
    side = float(root.attrib["viewBox"].split()[2])
    scale = large / side * (SAFE if maskable else 1)
    start = (large - scale * side) / 2
    for circle in root:
        x, y, r = (float(circle.attrib[name]) * scale for name in ("cx", "cy", "r"))
        opacity = round(255 * float(circle.attrib["fill-opacity"]))
        layer = Image.new("RGBA", icon.size)
        box = (start + x - r, start + y - r, start + x + r, start + y + r)
        ImageDraw.Draw(layer).ellipse(box, fill=f"{circle.attrib['fill']}{opacity:02x}")
        icon.alpha_composite(layer)
    return icon.resize((size, size), Image.Resampling.BOX).quantize(COLORS)


def main(folder: Path) -> None:
    for size in (192, 512):
        draw(size, maskable=False).save(folder / f"icon-{size}.png", optimize=True)
    draw(512, maskable=True).save(folder / "icon-maskable.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else STATIC)
