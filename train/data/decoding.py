"""Decoding, cropping and scaling of images."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from train.data.errors import Problem
from train.data.files import Files
from train.data.layouts import Entry

TOO_SMALL = "smaller than the training size"
UNREADABLE = "unreadable images"


def decode(
    files: Files, entries: list[Entry], size: int, enlarge: bool
) -> tuple[dict[str, np.ndarray], set[str], list[Problem]]:
    """Images uint8 [S, S, 3] by file name, the names of enlarged ones, and problems."""
    enlarged: set[str] = set()

    def decode_entry(entry: Entry) -> np.ndarray | Problem:
        try:
            image = ImageOps.exif_transpose(Image.open(io.BytesIO(files[entry.file]())))
            if min(image.size) < size:
                enlarged.add(entry.file)
            if min(image.size) < size and not enlarge:
                width, height = image.size
                message = f"too small: {width}×{height} pixels for a training size of {size}"
                return Problem(entry.location, message, TOO_SMALL)
            return np.asarray(_square(image, size))
        except UnidentifiedImageError:  # its text names a stream instead of the file
            message = f"unreadable image {entry.file}: not a known image format"
            return Problem(entry.location, message, UNREADABLE)
        except Exception as error:  # decoders and zipfile have many errors for damaged files
            return Problem(entry.location, f"unreadable image {entry.file}: {error}", UNREADABLE)

    images: dict[str, np.ndarray] = {}
    problems: list[Problem] = []
    with ThreadPoolExecutor() as pool:
        for entry, result in zip(entries, pool.map(decode_entry, entries), strict=True):
            if isinstance(result, Problem):
                problems.append(result)
            else:
                images[entry.file] = result
    return images, enlarged, problems


def _square(image: Image.Image, size: int) -> Image.Image:
    """The center square, scaled to `size`; transparent parts become white."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    if image.size == (size, size):
        return image
    return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
