"""Files for other programs: circles, Discord's emoji and stickers, and a zip file of all sizes."""

import io
import zipfile
from collections.abc import Callable, Mapping
from functools import partial

from PIL import Image, ImageDraw

from bot.studio.images import PNG, scaled_png

PACK_SIZES = (16, 24, 32, 48, 64, 96, 128, 192, 256)  # pixels
EMOJI, STICKER = 128, 320  # pixels; Discord wants a sticker of exactly this size
OVERSAMPLING = 4  # of a circle's edge


def circle(data: bytes, size: int | None = None) -> bytes:
    """A square picture's file to a PNG with transparent pixels around its inscribed circle; in its
    own size, or scaled down or up to `size` pixels.
    """
    image = Image.open(io.BytesIO(data)).convert("RGB")
    if size is not None:
        image = image.resize((size, size), Image.Resampling.LANCZOS)
    side = OVERSAMPLING * image.width
    mask = Image.new("L", (side, side))
    ImageDraw.Draw(mask).ellipse((0, 0, side - 1, side - 1), fill=255)
    image.putalpha(mask.reduce(OVERSAMPLING))
    image.paste((0, 0, 0, 0), mask=image.getchannel("A").point(lambda alpha: 255 * (alpha == 0)))
    file = io.BytesIO()
    image.save(file, **PNG)
    return file.getvalue()


# Even uncompressed, emoji and stickers of these sizes are smaller than Discord's limits.
CROPS: Mapping[str, Callable[[bytes], bytes]] = {
    "circle": circle,
    "emoji": partial(circle, size=EMOJI),
    "sticker": partial(circle, size=STICKER),
}


def pack(data: bytes, name: str) -> bytes:
    """A zip file of a square PNG: the file itself, its PACK_SIZES up to its own size, and its
    CROPS. Equal pictures give equal bytes.
    """
    width = Image.open(io.BytesIO(data)).width
    files = {f"{name}.png": data}
    for size in PACK_SIZES:
        if size <= width:
            files[f"{name}-{size}.png"] = scaled_png(data, size)
    for crop, make in CROPS.items():
        files[f"{name}-{crop}.png"] = make(data)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zip:
        for file, content in files.items():
            zip.writestr(zipfile.ZipInfo(file), content)  # dated 1980; PNGs are compressed already
    return archive.getvalue()
