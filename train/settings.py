"""`[train]`, `[judge]`, `[promote]` and `[upscaler]` of `config.toml`."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args

from pydantic import Field, model_validator

from config import ModelsSettings, Section, Settings
from train.augment import Augmentation
from train.losses import Loss
from train.networks.base import Conditioning, Heads, Norm, check_size

NORMED = ("dcgan", "srresnet", "autoencoder", "stackgan")
"""Discriminators that can have a norm."""


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
    recipe: str = ""
    """Of `python -m train recipes`, or a file like those: takes the place of what follows."""

    generator: Literal["irodori", "mlp", "dcgan", "srresnet", "r3gan", "stackgan"] = "irodori"
    discriminator: Literal[
        "irodori", "mlp", "dcgan", "srresnet", "r3gan", "autoencoder", "stackgan"
    ] = "irodori"
    discriminator_norm: Norm = "none"
    """Of those discriminators that can have one."""
    resolution: int = 64
    enlarge: bool = False
    """Images that are smaller than the resolution are made larger, instead of refused."""
    width: int = Field(32, ge=2, multiple_of=2)
    """Channels; each network says where."""
    blocks: int = Field(16, ge=1)
    """Residual blocks of the srresnet generator."""
    latent_dim: int = Field(96, ge=1)
    latent_deviation: float = Field(1.0, gt=0)
    """σ of the normal latents that the generator learns from."""

    conditioning: Conditioning = "projection"
    """How the discriminator hears of the condition; with "none" the tags are not used at all."""
    heads: Heads = "linear"
    """What names the values: nothing, a layer, three layers, a network of its own."""
    class_weight: float = Field(0.5, ge=0)
    """λ of the classification heads, for both players."""

    loss: Loss = "relativistic"
    margin: float = Field(0.0, ge=0)
    """Of the energies, with the energy loss."""
    pulling_away: float = Field(0.0, ge=0)
    """Weight of the pulling-away term, with the energy loss."""
    reconstruction_weight: float = Field(0.0, ge=0)
    """Of images that the generator's encoder encodes and the generator draws again; 0 for a
    generator without one."""
    diversity_weight: float = Field(3.0, ge=0)
    """Of the generator's loss for fakes of one condition that are more alike than real faces."""
    unseen_every: int = Field(8, ge=0)
    """Steps between two that also ask for conditions that no image shows; 0 = never."""
    penalty_kind: Literal["zero-centred", "wgan-gp", "dragan"] = "zero-centred"
    """Of the discriminator's slope: R1 (and R2, with the relativistic loss), or about 1."""
    penalty: float = Field(0.3, ge=0)
    """γ of R1 and R2, λ of the others; 0 for none."""
    penalty_every: int = Field(8, ge=1)
    clip: float = Field(0.0, ge=0)
    """The discriminator's weights are clipped to so much either way after each step; 0: are not."""

    optimiser: Literal["adam", "rmsprop", "sgd"] = "adam"
    learning_rate: float = Field(4e-4, gt=0)
    beta1: float = Field(0.0, ge=0, lt=1)
    """Momentum; RMSprop has none."""
    beta2: float = Field(0.99, ge=0, lt=1)
    """Of the squared gradients' mean."""

    augmentation: Augmentation = "flip-and-shift"
    batch: int = Field(16, ge=2)
    group: int = Field(2, ge=1)
    """Neighbours of one condition in a batch, whose likeness the discriminator sees."""
    updates: Literal["simultaneous", "alternating"] = "simultaneous"
    """Both players by one look of the discriminator, or the generator after it, by a fresh one."""
    discriminator_steps: int = Field(1, ge=1)
    """Of the discriminator for each one of the generator."""
    first_stage: float = Field(0.5, gt=0, lt=1)
    """Part of the training that is the first stage's, of a generator of two."""
    anneal: float = Field(0.4, ge=0, le=1)
    """The last part of the training, over which the learning rate falls to a twentieth."""
    ema_images: int = Field(10_000, ge=0)
    """Half-life of the averaged generator, in images; 0: the generator itself."""

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
        for nonsense, reason in self._nonsense():
            if nonsense:
                raise ValueError(reason)
        return self

    def _nonsense(self) -> Iterator[tuple[bool, str]]:
        """The few pairs of settings that make no sense together, with the reason."""
        autoencoder = self.discriminator == "autoencoder"
        yield (
            self.discriminator_norm != "none" and self.discriminator not in NORMED,
            f"the {self.discriminator} discriminator has no norm: discriminator_norm must be none",
        )
        yield (
            self.discriminator_norm == "batch" and self.penalty > 0,
            "with batch norm a picture's score depends on the others of its batch, so that a "
            "penalty of its slope makes no sense (Gulrajani et al. 2017, section 4): "
            "discriminator_norm must be layer or none, or penalty 0",
        )
        yield (
            self.loss == "wasserstein" and not (self.clip or self.penalty),
            "the wasserstein loss has no bound without clip or penalty: one must be more than 0",
        )
        yield (
            self.loss == "energy" and not autoencoder,
            "the energy loss needs scores with a bound: discriminator must be autoencoder",
        )
        yield (
            autoencoder and self.loss in ("minimax", "nonsaturating"),
            f"the {self.loss} loss needs the autoencoder's score to be a probability's logit, and "
            "it is never above 0: loss must be energy, wasserstein or relativistic",
        )
        yield (
            autoencoder and self.conditioning == "projection",
            "the autoencoder's score is an energy, which has no inner product with a condition: "
            "conditioning must be input, auxiliary or none",
        )
        yield (
            self.loss != "energy" and (self.margin or self.pulling_away) > 0,
            "margin and pulling_away belong to the energy loss: they must be 0 with others",
        )
        yield (
            self.conditioning == "auxiliary" and self.heads == "none",
            "nothing would tell the generator of the condition: heads must be linear, deep or "
            "network where conditioning is auxiliary",
        )
        yield (
            self.diversity_weight > 0 and self.group < 2,
            "diversity_weight compares neighbours of a group: group must be 2 or more",
        )
        yield (
            (self.generator == "stackgan") != (self.discriminator == "stackgan"),
            "stackgan's two stages have a discriminator each: generator and discriminator must "
            "both be stackgan",
        )
        yield (
            self.generator == "stackgan" and self.resolution != 128,
            f"stackgan draws 128 pixels, from 64: resolution must be 128, not {self.resolution}",
        )
        yield (
            self.generator == "stackgan" and self.reconstruction_weight > 0,
            "stackgan has no encoder: reconstruction_weight must be 0",
        )


class JudgeSettings(Section):
    images: int = Field(0, ge=0)
    """How many images the judge's classifier learns from; 0 = 9 times all that there are, between
    16,000 and 120,000."""
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


def add_flags(
    parser: argparse.ArgumentParser, name: str, section: type[Section], prefix: str = ""
) -> None:
    """A flag `--<prefix>key` for every key of a section; its value goes to `name.key` of the
    arguments.
    """
    for key, field in section.model_fields.items():
        kind = field.annotation
        if isinstance(kind, UnionType):
            kind = next(t for t in get_args(kind) if t is not NoneType)
        flag, target = f"--{prefix}{key.replace('_', '-')}", f"{name}.{key}"
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
    if "images" in given and name != "judge":
        given.setdefault("minutes", None)  # else those of the file, or of the run, would win
    return given
