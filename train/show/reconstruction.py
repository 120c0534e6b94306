"""Images of one's own, encoded and decoded by a generator with an encoder."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from train import models, report
from train.data.decoding import register_heic, to_rgb
from train.show.model import Model, ShowError


@torch.inference_mode()
def reconstruction(model: Model, files: Sequence[Path]) -> Image.Image:
    """The images, cropped to a square in the middle and scaled to the size of the model, with their
    reconstructions below.

    Raises ShowError for a generator without an encoder, and for files that are no images.
    """
    if not files:
        raise ShowError(
            "name the images to reconstruct: "
            f"python -m train show {model.folder} reconstruction IMAGE"
        )
    images = torch.stack([_read(file, model.image_size) for file in files])
    shares = [torch.tensor(attribute.frequencies) for attribute in model.attributes]
    condition = torch.cat(shares) if shares else torch.zeros(0)
    decoded = None
    if model.generator is not None:
        decoded = models.reconstruct(
            model.generator, images.float() / 127.5 - 1, condition.expand(len(images), -1)
        )
    if decoded is None:
        raise ShowError(
            f"the generator of {model.folder} has no encoder, so it cannot reconstruct images; the "
            "recipes aegan, aegan-dcgan and aegan-wgan-gp have one"
        )
    pictures = torch.cat([images, report.to_bytes(decoded)])
    return report.sheet(pictures, ["image", "reconstruction"], [""] * len(images))


def _read(file: Path, size: int) -> Tensor:
    """uint8 [3, S, S]."""
    register_heic()
    try:
        with Image.open(file) as stored:
            image = to_rgb(ImageOps.exif_transpose(stored))
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ShowError(f"{file} is not a readable image: {error}") from None
    square = ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)
    return torch.from_numpy(np.array(square)).permute(2, 0, 1)
