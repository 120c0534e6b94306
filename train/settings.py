"""`[train]`, `[judge]`, `[promote]` and `[upscaler]` of `config.toml`."""

import argparse
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from config import ModelsSettings, Section, Settings
from train.networks import check_size


class TrainSettings(Section):
    """One training. Everything that a checkpoint needs to go on is in here."""

    data: Path | None = None
    """Folder or zip of images."""
    runs: Path = Path("runs")
    name: str = Field("", pattern=r"^[A-Za-z0-9._-]*$")
    """Of the run; made from the data's name and the time where empty."""
    start: str = ""
    """Model whose weights the training begins with, in place of random ones."""
    skip_bad: bool = False
    """Leave out bad images and lines with a warning, instead of stopping."""

    images: int = Field(2_000_000, ge=1)
    """How many real images are shown in all."""
    minutes: float | None = Field(None, gt=0)
    """Time to train for; takes the place of `images`."""
    resolution: int = 64
    batch: int = Field(16, ge=2)
    group: int = Field(2, ge=2)
    """Neighbours of one condition in a batch, whose likeness the discriminator sees."""
    width: int = Field(32, ge=2, multiple_of=2)
    latent_dim: int = Field(96, ge=1)

    loss: Literal["relativistic", "nonsaturating"] = "relativistic"
    class_weight: float = Field(0.5, ge=0)
    """Of the classification heads, for both players."""
    diversity_weight: float = Field(3.0, ge=0)
    """Of the generator's loss for fakes of one condition that are more alike than real faces."""
    unseen_every: int = Field(8, ge=0)
    """Steps between two that also ask for conditions that no image shows; 0 = never."""
    penalty: float = Field(0.3, ge=0)
    """γ of R1 (and R2, with the relativistic loss)."""
    penalty_every: int = Field(8, ge=1)
    learning_rate: float = Field(4e-4, gt=0)
    anneal: float = Field(0.4, ge=0, le=1)
    """The last part of the training, over which the learning rate falls to a twentieth."""
    ema_images: int = Field(10_000, ge=1)
    """Half-life of the averaged generator, in images."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(0, ge=0)
    """CPU threads; 0 = all cores, shared among the processes."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Compile the networks; auto does so on a GPU that Triton knows."""
    seed: int = Field(0, ge=0)
    report_images: int = Field(20_000, ge=1)
    checkpoint_minutes: float = Field(4, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> "TrainSettings":
        check_size(self.resolution)
        if self.batch % self.group:
            raise ValueError(f"batch ({self.batch}) must be a multiple of group ({self.group})")
        return self


class JudgeSettings(Section):
    images: int = Field(120_000, ge=1)
    """How many images the judge is trained on."""
    fakes: int = Field(10_000, ge=1)
    """How many pictures of a finished model it looks at."""


class PromoteSettings(Section):
    margin: float = Field(0.02, ge=0)
    """How much worse, as a share, a figure may be and still count as not worse."""


class UpscalerSettings(Section):
    """One training of an upscaler."""

    data: Path | None = None
    """Folder or zip of sharp images, 256×256 pixels or more; tags are not looked at."""
    runs: Path = Path("runs")
    name: str = Field("", pattern=r"^[A-Za-z0-9._-]*$")
    """Of the run; made from the data's name and the time where empty."""
    skip_bad: bool = False
    """Leave out bad images with a warning, instead of stopping."""

    images: int = Field(150_000, ge=1)
    """How many patches are shown in all."""
    minutes: float | None = Field(None, gt=0)
    """Time to train for; takes the place of `images`."""
    resolution: int = Field(256, ge=16, multiple_of=4)
    """Pixels that the images are cropped and scaled to; the upscaler makes a quarter into it."""
    patch: int = Field(128, ge=16, multiple_of=4)
    """Side of the cuts that it learns from, in pixels of the sharp image."""
    batch: int = Field(8, ge=1)
    width: int = Field(48, ge=2, multiple_of=2)
    """Channels of the blocks."""
    blocks: int = Field(8, ge=1)
    edge_weight: float = Field(0.5, ge=0)
    """Of the loss on steps between neighbouring pixels; more makes lines sharper."""
    learning_rate: float = Field(1e-3, gt=0)

    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(0, ge=0)
    """CPU threads; 0 = all cores."""
    seed: int = Field(0, ge=0)
    report_images: int = Field(10_000, ge=1)
    checkpoint_minutes: float = Field(3, gt=0)

    @model_validator(mode="after")
    def _fits(self) -> "UpscalerSettings":
        if self.patch > self.resolution:
            raise ValueError(
                f"patch ({self.patch}) must not be larger than resolution ({self.resolution})"
            )
        return self


class TrainingSettings(Settings):
    models: ModelsSettings = ModelsSettings()
    train: TrainSettings = TrainSettings()
    judge: JudgeSettings = JudgeSettings()
    promote: PromoteSettings = PromoteSettings()
    upscaler: UpscalerSettings = UpscalerSettings()


def add_flags(parser: argparse.ArgumentParser, name: str, section: type[Section]) -> None:
    """A flag `--key` for every key of a section; its value goes to `name.key` of the arguments."""
    for key, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, UnionType):
            kind = next(t for t in get_args(kind) if t is not NoneType)
        flag, target = f"--{key.replace('_', '-')}", f"{name}.{key}"
        shown = field.description or f"[{name}] {key}"
        if kind is bool:
            parser.add_argument(
                flag, dest=target, action=argparse.BooleanOptionalAction, help=shown
            )
        else:
            parser.add_argument(flag, dest=target, metavar=key.upper(), help=shown)


def given_flags(arguments: argparse.Namespace, name: str) -> dict[str, Any]:
    """What the command line said for the section `name`."""
    given = {
        key.removeprefix(f"{name}."): value
        for key, value in vars(arguments).items()
        if key.startswith(f"{name}.") and value is not None
    }
    if "images" in given:
        given.setdefault("minutes", None)  # else those of the file, or of the run, would win
    return given
