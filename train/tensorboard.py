"""Event files for TensorBoard, in the folder of a run."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter

FOLDER = "tensorboard"


class TensorBoardError(Exception):
    """TensorBoard is not installed."""


def check() -> None:
    """Raises TensorBoardError if the extra is not installed."""
    try:
        import torch.utils.tensorboard  # noqa: F401
    except ImportError:
        raise TensorBoardError(
            "--tensorboard needs the extra tensorboard: pip install -e '.[tensorboard]'"
        ) from None


def open_events(run: Path, images: int) -> "SummaryWriter":
    """A writer of events after `images` images shown; later events of an earlier process are
    hidden.
    """
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(run / FOLDER, purge_step=images + 1)


def write_report(
    writer: "SummaryWriter", images: int, figures: Mapping[str, float], grid: Path
) -> None:
    """Writes the figures of a report, and its sample grid if there is one."""
    for name, value in figures.items():
        writer.add_scalar(name, value, images)
    if grid.exists():
        with Image.open(grid) as picture:
            pixels = np.asarray(picture.convert("RGB"))
        writer.add_image("samples", pixels, images, dataformats="HWC")
    writer.flush()
