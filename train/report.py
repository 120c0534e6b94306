"""Reports of a run: sample grids, the log, the plot."""

import contextlib
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F

from export.manifest import Attribute
from export.sheet import draw_sheet
from train.data import one_hot
from train.metrics import Judge
from train.trainer import Trainer

LOG_FILE = "log.jsonl"
PLOT_FILE = "losses.png"
WORST_FILE = "worst-clusters.png"
MAX_GRID_SIZE = 16
"""Upper limit of the rows and columns of a grid."""
CELL = 64
"""Minimum size in pixels of a picture on a labeled sheet."""
LOSSES = (
    *("generator", "discriminator", "feature_generator", "feature_discriminator"),
    *("generator_classes", "discriminator_classes", "loss"),
)
"""Losses that the plot shows."""


@torch.inference_mode()
def generate_images(generator: nn.Module, latents: Tensor, conditions: Tensor) -> Tensor:
    """Latents [N, Z] and conditions [N, C] to images uint8 [N, 3, S, S], as the ONNX graph."""
    return to_bytes(generator(latents, conditions))


def to_bytes(pictures: Tensor) -> Tensor:
    """Images in -1…1 to uint8."""
    return ((pictures.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def grid_labels(attributes: tuple[Attribute, ...], seed: int = 0) -> tuple[Tensor, int]:
    """Labels [N, A] of a sample grid, and its number of columns.

    Rows are values of the first attribute and columns of the second, up to MAX_GRID_SIZE of each;
    further attributes are random. Without attributes the grid is 8 × 8.
    """
    sizes = [min(len(attribute.values), MAX_GRID_SIZE) for attribute in attributes]
    rows = sizes[0] if sizes else 8
    columns = sizes[1] if len(sizes) > 1 else 8
    rng = torch.Generator().manual_seed(seed)
    labels = torch.zeros(rows * columns, len(sizes), dtype=torch.int64)
    for column, size in enumerate(sizes):
        labels[:, column] = torch.randint(size, (len(labels),), generator=rng)
    if sizes:
        labels[:, 0] = torch.arange(rows).repeat_interleave(columns)
    if len(sizes) > 1:
        labels[:, 1] = torch.arange(columns).repeat(rows)
    return labels, columns


def sheet_name(kind: str, images: int) -> str:
    """File name of a report's sheet: `samples-000020k.png` after 20,000 images shown, and
    `samples-000020k032.png` after 20,032.
    """
    rest = f"{images % 1000:03d}" if images % 1000 else ""
    return f"{kind}-{images // 1000:06d}k{rest}.png"


def save_grid(file: Path, pictures: Tensor, columns: int) -> None:
    """Pictures uint8 [rows × columns, 3, S, S] as one PNG."""
    count, _, size, _ = pictures.shape
    grid = pictures.cpu().view(count // columns, columns, 3, size, size)
    pixels = grid.permute(0, 3, 1, 4, 2).reshape(count // columns * size, columns * size, 3)
    Image.fromarray(pixels.contiguous().numpy()).save(file)


def sheet(pictures: Tensor, rows: Sequence[str], columns: Sequence[str]) -> Image.Image:
    """Pictures uint8 [rows × columns, 3, S, S], labeled at the left and above. Small pictures are
    enlarged to make room for the labels.
    """
    pictures = scaled(pictures, max(CELL, pictures.shape[-1]))
    return draw_sheet(pictures.cpu().permute(0, 2, 3, 1).contiguous().numpy(), rows, columns)


def scaled(pictures: Tensor, size: int) -> Tensor:
    """Resizes uint8 [N, 3, S, S] to uint8 [N, 3, size, size]."""
    if pictures.shape[-1] == size:
        return pictures
    resized = F.interpolate(
        pictures.float(), size=size, mode="bicubic", antialias=True, align_corners=False
    )
    return resized.round().clamp(0, 255).to(torch.uint8)


def save_worst(run: Path, pictures: Tensor, shares: Sequence[tuple[float, float]]) -> None:
    """Saves the images of `Evaluation.worst`, uint8 [K, 2, N, 3, S, S]: two rows for each cluster.

    `shares` [K] are the cluster's shares of the real and of the generated images.
    """
    if not len(pictures):
        return
    labels: list[str] = []
    for real, generated in shares:
        labels += [f"{real:.1%} of real", f"{generated:.1%} of painted"]
    sheet(pictures.flatten(0, 2), labels, [""] * pictures.shape[2]).save(run / WORST_FILE)


class SampleReporter:
    """Saves the grid of samples, and measures how often they show the requested values."""

    command = "python -m train"

    def __init__(self, trainer: Trainer, judge: Judge | None) -> None:
        """Without a judge the samples are not measured."""
        self.trainer, self.judge = trainer, judge
        self.labels, self.columns = grid_labels(trainer.faces.attributes)
        noise = torch.Generator().manual_seed(0)
        latent_dim = trainer.settings.network.latent_dim
        self.latents = torch.randn(len(self.labels), latent_dim, generator=noise)

    def __call__(self, folder: Path, images: int) -> dict[str, float]:
        trainer, labels = self.trainer, self.labels.to(self.trainer.device)
        conditions = one_hot(labels, trainer.faces.sizes)
        pictures = generate_images(trainer.ema, self.latents.to(trainer.device), conditions)
        save_grid(folder / sheet_name("samples", images), pictures, self.columns)
        if self.judge is None:
            return {}
        shares = self.judge.as_asked(pictures, labels)
        names = [attribute.name for attribute in trainer.faces.attributes]
        return {f"{name}_as_asked": share for name, share in zip(names, shares, strict=True)}


def append_log(run: Path, figures: dict[str, Any]) -> None:
    with (run / LOG_FILE).open("a", encoding="utf-8") as stream:
        stream.write(json.dumps(figures) + "\n")


def read_log(run: Path) -> list[dict[str, Any]]:
    """Reads all complete lines; a killed process may leave an incomplete one."""
    file = run / LOG_FILE
    lines = []
    for line in file.read_text("utf-8", errors="replace").splitlines() if file.exists() else ():
        with contextlib.suppress(ValueError):
            lines.append(json.loads(line))
    return lines


def rewind_log(run: Path, images: int) -> None:
    """Removes the lines after the checkpoint from which a run is resumed."""
    kept = [line for line in read_log(run) if line["images"] <= images]
    text = "".join(json.dumps(line) + "\n" for line in kept)
    (run / LOG_FILE).write_text(text, "utf-8")


def save_plot(run: Path, file: Path | None = None) -> None:
    """Plots the losses and the shares of fakes as asked; by default to the folder of the run."""
    log = read_log(run)
    if len(log) < 2:
        return

    from matplotlib.figure import Figure  # takes a second, and most commands plot nothing

    kimg = [line["images"] / 1000 for line in log]
    # The first reports of a run may have been written before the judge was trained.
    shares = list(dict.fromkeys(key for line in log for key in line if key.endswith("_as_asked")))
    panels = 2 if shares else 1
    figure = Figure(figsize=(9, 3 * panels), layout="constrained")
    axes = figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0]
    upper, lower = axes[0], axes[-1]
    for name in LOSSES:
        if any(line.get(name) for line in log):  # without classes their losses are 0
            upper.plot(
                kimg, [line.get(name, math.nan) for line in log], label=name.replace("_", " ")
            )
    upper.set(ylabel="loss")
    upper.legend()
    for name in shares:
        lower.plot(kimg, [line.get(name, math.nan) for line in log], label=name.replace("_", " "))
    if shares:
        lower.set(ylabel="share of fakes", ylim=(0, 1.02))
        lower.legend()
    lower.set(xlabel="thousand images")
    if all(line.get("epochs") for line in log):
        per_epoch = kimg[-1] / log[-1]["epochs"]
        upper.secondary_xaxis("top", (lambda x: x / per_epoch, lambda x: x * per_epoch)).set_xlabel(
            "epochs"
        )
    figure.savefig(file or run / PLOT_FILE, dpi=100)
