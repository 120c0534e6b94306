"""Decoding, cropping and scaling of images."""

import io
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image, ImageOps

from train.data.errors import Problem
from train.data.files import Files
from train.data.layouts import Entry


def decode(
    files: Files, entries: list[Entry], size: int, enlarge: bool
) -> tuple[dict[str, np.ndarray], set[str], list[Problem]]:
    """Images uint8 [S, S, 3] by file name, the names of enlarged ones, and problems."""
    enlarged: set[str] = set()

    def decode_entry(entry: Entry) -> np.ndarray | str:
        try:
            image = ImageOps.exif_transpose(Image.open(io.BytesIO(files[entry.file]())))
            if min(image.size) < size:
                enlarged.add(entry.file)
            if min(image.size) < size and not enlarge:
                width, height = image.size
                return f"too small: {width}×{height} pixels for a training size of {size}"
            return np.asarray(_square(image, size))
        except Exception as error:  # decoders and zipfile have many errors for damaged files
            return f"unreadable image {entry.file}: {error}"

    images: dict[str, np.ndarray] = {}
    problems: list[Problem] = []
    with ThreadPoolExecutor() as pool:
        for entry, result in zip(entries, pool.map(decode_entry, entries), strict=True):
            if isinstance(result, str):
                problems.append(Problem(entry.location, result))
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
