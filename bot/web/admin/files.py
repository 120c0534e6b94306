"""Serves files of models and runs, which may change while they are shown."""

from pathlib import Path

from aiohttp import web
from PIL import Image, UnidentifiedImageError


def file_response(path: Path) -> web.FileResponse:
    """The file, which the browser revalidates each time."""
    return web.FileResponse(path, headers={"Cache-Control": "private, no-cache"})


def image_size(path: Path) -> tuple[int, int] | None:
    """Width and height of an image; None if it cannot be read, for example while it is written."""
    try:
        with Image.open(path) as image:
            return image.size
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError):
        return None
