"""Decoding, cropping and scaling of images."""

import io
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from pathlib import PurePosixPath

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from config.cores import usable_cores
from train.data.errors import Problem
from train.data.files import HEIC_SUFFIXES, Files
from train.data.records import Entry

TOO_SMALL = "smaller than the training size"
UNREADABLE = "unreadable images"
NO_HEIC = "HEIC images need the extra heic: pip install -e '.[heic]'"
MAX_PIXELS = 150_000_000
"""Upper limit of an image's pixels: more may be a decompression bomb."""
LARGE = 16_000_000
"""Pixels of images that are decoded one at a time, which bounds the memory."""
Image.MAX_IMAGE_PIXELS = None  # MAX_PIXELS instead of Pillow's limits, one of which only warns
_one_large = threading.Lock()


def decode(
    files: Files, entries: list[Entry], size: int, enlarge: bool
) -> tuple[dict[str, np.ndarray], set[str], list[Problem]]:
    """Images uint8 [S, S, 3] by file name, the names of enlarged ones, and problems."""
    enlarged: set[str] = set()
    reads_heic = register_heic()

    def decode_entry(entry: Entry) -> np.ndarray | Problem:
        if not reads_heic and PurePosixPath(entry.file).suffix.lower() in HEIC_SUFFIXES:
            return Problem(entry.location, f"{entry.file}: {NO_HEIC}", NO_HEIC)
        try:
            stored = Image.open(io.BytesIO(files[entry.file]()))
            if stored.width * stored.height > MAX_PIXELS:
                message = f"too large: {stored.width}×{stored.height} pixels"
                return Problem(entry.location, message, f"over {MAX_PIXELS:,} pixels")
            with one_at_a_time(stored):
                return finish(entry, stored)
        except UnidentifiedImageError:  # its text names a stream instead of the file
            message = f"unreadable image {entry.file}: not a known image format"
            return Problem(entry.location, message, UNREADABLE)
        except Exception as error:  # decoders and zipfile have many errors for damaged files
            return Problem(entry.location, f"unreadable image {entry.file}: {error}", UNREADABLE)

    def finish(entry: Entry, stored: Image.Image) -> np.ndarray | Problem:
        if min(stored.size) < size and not enlarge:
            width, height = ImageOps.exif_transpose(stored).size
            message = f"too small: {width}×{height} pixels for a training size of {size}"
            return Problem(entry.location, message, TOO_SMALL, min(width, height))
        image = ImageOps.exif_transpose(stored)
        if min(image.size) < size:
            enlarged.add(entry.file)
        return np.asarray(_square(image, size))

    images: dict[str, np.ndarray] = {}
    problems: list[Problem] = []
    with ThreadPoolExecutor(usable_cores()) as pool:
        for entry, result in zip(entries, pool.map(decode_entry, entries), strict=True):
            if isinstance(result, Problem):
                problems.append(result)
            else:
                images[entry.file] = result
    return images, enlarged, problems


def one_at_a_time(image: Image.Image) -> AbstractContextManager[object]:
    """A context in which no other large image is decoded, if this one is large."""
    return _one_large if image.width * image.height > LARGE else nullcontext()


def register_heic() -> bool:
    """Makes Pillow read HEIC images, with the extra `heic`. Returns whether it is installed."""
    try:
        from pillow_heif import register_heif_opener
    except ImportError:
        return False
    register_heif_opener()
    return True


def _square(image: Image.Image, size: int) -> Image.Image:
    """The center square, scaled to `size`."""
    image = to_rgb(image)
    if image.size == (size, size):
        return image
    return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)


def to_rgb(image: Image.Image) -> Image.Image:
    """Transparent parts become white, and 16-bit gray is scaled to 8 bits.

    Raises ValueError for values whose range is not known.
    """
    if image.mode == "F":  # conversion would make values from 0 to 1 black
        raise ValueError("pixels are floating-point numbers; save it with 8 or 16 bits per channel")
    if image.mode.startswith("I"):  # conversion would clip 16-bit values at 255
        image = _eight_bits(image)
    elif image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("RGB")


def _eight_bits(image: Image.Image) -> Image.Image:
    """An image of integers up to 65,535, scaled to 8 bits; its transparent value becomes white."""
    values = np.asarray(image).astype(np.int64)
    if values.min() < 0 or values.max() > 65_535:
        raise ValueError("values of more than 16 bits; save it with 8 or 16 bits per channel")
    gray = values >> 8 if image.mode != "I" or values.max() > 255 else values
    if "transparency" in image.info:
        gray = np.where(values == image.info["transparency"], 255, gray)
    return Image.fromarray(gray.astype(np.uint8))
