"""`[train]`, `[judge]`, `[promote]` and `[upscaler]` of `config.toml`, each default in one place.

Sections are nested, as `[train.optimizer]`; version 0.2 had all keys of a training in `[train]`
itself, and those are still read (see `train.flat_settings`).
"""

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, get_args, get_origin

from pydantic import Field, model_validator
from pydantic.fields import FieldInfo
from rich.console import Console

from config import ModelsSettings, Section, Settings
from train.flat_settings import nest
from train.networks.base import check_size

RUN_NAME = r"^[A-Za-z0-9._-]*$"


class NetworkSettings(Section):
    """Shape of the generator and the discriminator."""

    resolution: int = 64
    """Side of the images in pixels: 32, 64, 96 or 128."""
    width: int = Field(32, ge=2, multiple_of=2)
    """Channels at half the resolution; networks of other recipes say where."""
    latent_dim: int = Field(96, ge=1)

    @model_validator(mode="after")
    def _check_resolution(self) -> "NetworkSettings":
        check_size(self.resolution)
        return self


class ObjectiveSettings(Section):
    """Weights of the losses."""

    class_weight: float = Field(0.5, ge=0)
    """Weight of the classification loss, for the generator and the discriminator."""
    diversity_weight: float = Field(3.0, ge=0)
    """Weight of the loss on fakes of one condition that differ less than real faces do."""
    unseen_every: int = Field(8, ge=0)
    """Steps between two that also generate conditions which no image shows; 0 = never."""
    penalty: float = Field(0.3, ge=0)
    """Weight of the gradient penalty: γ of R1 and R2, λ of others; 0 = none."""
    penalty_every: int = Field(8, ge=1)
    """Steps between two with a penalty (lazy regularization)."""


class FeatureSettings(Section):
    """Discriminators on the features of a frozen, pretrained network (Projected GAN)."""

    weight: float = Field(3.0, ge=0)
    """Norm of their gradient at the fakes, relative to the pixel discriminator's; 0 = none."""
    network: Literal["lite0", "lite1"] = "lite0"
    """EfficientNet-Lite0 or Lite1; Lite2 judges and never trains."""
    input_size: int = Field(96, ge=32, multiple_of=32)
    """Side in pixels that images are resized to; 128 where time allows."""
    strides: tuple[Literal[2, 4, 8, 16, 32], ...] = Field((4, 8, 16), min_length=1)
    """Strides of the feature maps, a discriminator for each."""
    channels: int = Field(32, ge=4)
    """Half of the channels of each discriminator's convolutions."""
    penalty: float = Field(1.0, ge=0)
    """γ of R1 and R2 on the standardized features, every `penalty_every` steps."""
    warmup_steps: int = Field(100, ge=0)
    """Steps in which they learn and the generator does not learn from them."""


class OptimizerSettings(Section):
    """Batches, Adam, and the averaged generator."""

    batch: int = Field(16, ge=2)
    """Images of a step; many small steps win on a CPU, take 64 and more on a GPU."""
    group: int = Field(2, ge=1)
    """Neighbors in a batch that share a condition; the discriminator compares them."""
    learning_rate: float = Field(4e-4, gt=0)
    beta1: float = Field(0.0, ge=0, lt=1)
    """Momentum; RMSprop has none."""
    beta2: float = Field(0.99, ge=0, lt=1)
    """Decay of the mean of squared gradients."""
    anneal: float = Field(0.4, ge=0, le=1)
    """Last part of the training, over which the learning rate falls to a twentieth."""
    ema_images: int = Field(10_000, ge=0)
    """Half-life of the averaged generator in images; 0 = the generator itself."""

    @model_validator(mode="after")
    def _check_groups(self) -> "OptimizerSettings":
        if self.batch % self.group:
            raise ValueError(f"batch ({self.batch}) must be a multiple of group ({self.group})")
        return self


class LineageSettings(Section):
    """What only the classical recipes have (`python -m train recipes`)."""

    generator: Literal["mlp", "dcgan", "srresnet", "r3gan", "stackgan"] = "dcgan"
    discriminator: Literal["mlp", "dcgan", "srresnet", "r3gan", "autoencoder", "stackgan"] = "dcgan"
    discriminator_norm: Literal["none", "batch", "layer"] = "batch"
    """Normalization of those discriminators that can have one."""
    blocks: int = Field(16, ge=1)
    """Residual blocks of the srresnet generator."""
    latent_deviation: float = Field(1.0, gt=0)
    """σ of the normal latents in training."""
    conditioning: Literal["none", "input", "auxiliary", "projection"] = "none"
    """How labels condition the discriminator: not at all, joined to its input (conditional GAN), by
    classification alone (ACGAN), by an inner product with its features (projection)."""
    heads: Literal["none", "linear", "deep", "network"] = "none"
    """Classification heads: none, one layer, three layers, a network of its own."""
    loss: Literal["relativistic", "minimax", "nonsaturating", "wasserstein", "energy"] = (
        "nonsaturating"
    )
    margin: float = Field(0.0, ge=0)
    """EBGAN margin."""
    pulling_away: float = Field(0.0, ge=0)
    """Weight of EBGAN's pulling-away term."""
    reconstruction_weight: float = Field(0.0, ge=0)
    """Weight of the reconstruction loss; more than 0 gives the generator an encoder."""
    penalty_kind: Literal["zero-centered", "wgan-gp", "dragan"] = "zero-centered"
    """R1 (and R2 with the relativistic loss), or a gradient norm of 1."""
    clip: float = Field(0.0, ge=0)
    """Bound of the discriminator's weights after each step (WGAN); 0 = none."""
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    augmentation: Literal["none", "flip", "flip-and-rotate", "flip-and-shift"] = "none"
    """Of real images; flip-and-shift is of fakes, too."""
    discriminator_steps: int = Field(1, ge=1)
    """Discriminator steps for each generator step."""
    first_stage: float = Field(0.5, gt=0, lt=1)
    """Part of the training that belongs to StackGAN's first stage."""

    @model_validator(mode="after")
    def _check_combinations(self) -> "LineageSettings":
        for wrong, reason in self._contradictions():
            if wrong:
                raise ValueError(reason)
        return self

    def _contradictions(self) -> Iterator[tuple[bool, str]]:
        """Combinations that make no sense, with the reason."""
        autoencoder = self.discriminator == "autoencoder"
        normalized = ("dcgan", "srresnet", "autoencoder", "stackgan")
        yield (
            self.discriminator_norm != "none" and self.discriminator not in normalized,
            f"the {self.discriminator} discriminator has no norm: discriminator_norm must be none",
        )
        yield (
            self.loss == "energy" and not autoencoder,
            "the energy loss needs scores with a bound: discriminator must be autoencoder",
        )
        yield (
            autoencoder and self.loss in ("minimax", "nonsaturating"),
            f"the {self.loss} loss needs the logit of a probability, and the autoencoder's score "
            "is never above 0: loss must be energy, wasserstein or relativistic",
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
            "nothing would teach the generator the condition: heads must be linear, deep or "
            "network where conditioning is auxiliary",
        )
        yield (
            (self.generator == "stackgan") != (self.discriminator == "stackgan"),
            "stackgan's two stages have a discriminator each: generator and discriminator must "
            "both be stackgan",
        )
        yield (
            self.generator == "stackgan" and self.reconstruction_weight > 0,
            "stackgan has no encoder: reconstruction_weight must be 0",
        )


class RunSettings(Section):
    """What every training has: data, a run folder, a goal, a device."""

    data: Path | None = None
    """Folder or zip of images."""
    runs: Path = Path("runs")
    """A folder for each training."""
    name: str = Field("", pattern=RUN_NAME)
    """Name of the run; made from the data's name and the time where empty."""
    skip_bad: bool = False
    """Leave out bad images and lines with a warning, instead of stopping."""
    images: int = Field(2_000_000, ge=1)
    """Number of images shown in all."""
    minutes: float | None = Field(None, gt=0)
    """Time to train for; takes the place of `images`."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    threads: int = Field(0, ge=0)
    """CPU threads; 0 = all cores, shared among the processes."""
    seed: int = Field(0, ge=0)
    report_images: int = Field(20_000, ge=1)
    """Images between two reports: sample grid, log line, plot."""
    checkpoint_minutes: float = Field(4, gt=0)


class TrainSettings(RunSettings):
    """One training. Everything that a checkpoint needs to go on is in here."""

    start: str = ""
    """Model whose weights the training begins with, in place of random ones."""
    enlarge: bool = False
    """Enlarge images that are smaller than the resolution, instead of refusing them."""
    recipe: str = ""
    """A recipe of `python -m train recipes`, or a file like those."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Compile the generator; auto does so on a GPU that Triton supports."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Of the forward passes; auto takes bfloat16 where the hardware multiplies in it."""
    network: NetworkSettings = NetworkSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    features: FeatureSettings = FeatureSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    lineage: LineageSettings | None = None
    """What only the classical recipes have; `recipe` chooses one."""

    @classmethod
    def upgrade(cls, table: dict[str, Any]) -> dict[str, Any]:
        return nest(table)

    @model_validator(mode="before")
    @classmethod
    def _nest(cls, table: Any) -> Any:
        return nest(table) if isinstance(table, dict) else table

    @model_validator(mode="after")
    def _check_combinations(self) -> "TrainSettings":
        for wrong, reason in self._contradictions():
            if wrong:
                raise ValueError(reason)
        return self

    def _contradictions(self) -> Iterator[tuple[bool, str]]:
        """Combinations that make no sense, with the reason."""
        objective, lineage = self.objective, self.lineage
        yield (
            objective.diversity_weight > 0 and self.optimizer.group < 2,
            "diversity_weight compares neighbors of a group: group must be 2 or more",
        )
        if lineage is None:
            return
        yield (
            bool(self.features.weight or objective.diversity_weight or objective.unseen_every),
            "[train.lineage] is for the classical recipes (--recipe dcgan, …), which have no "
            "feature discriminators, diversity loss or unseen conditions: features.weight, "
            "diversity_weight and unseen_every must be 0",
        )
        yield (
            lineage.discriminator_norm == "batch" and objective.penalty > 0,
            "with batch norm an image's score depends on the others of its batch, so that a "
            "gradient penalty makes no sense (Gulrajani et al. 2017, section 4): "
            "discriminator_norm must be layer or none, or penalty 0",
        )
        yield (
            lineage.loss == "wasserstein" and not (lineage.clip or objective.penalty),
            "the wasserstein loss has no bound without clip or penalty: one must be more than 0",
        )
        yield (
            lineage.generator == "stackgan" and self.network.resolution != 128,
            "stackgan generates 128 pixels from 64: resolution must be 128, not "
            f"{self.network.resolution}",
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


class UpscalerSettings(RunSettings):
    """One training of an upscaler on sharp images of 256×256 pixels or more; tags are ignored."""

    images: int = Field(150_000, ge=1)
    """Number of patches shown in all."""
    resolution: int = Field(256, ge=16, multiple_of=4)
    """Side in pixels that images are scaled to; the upscaler enlarges a quarter of it."""
    patch: int = Field(128, ge=16, multiple_of=4)
    """Side of the training patches, in pixels of the sharp image."""
    batch: int = Field(8, ge=1)
    width: int = Field(48, ge=2, multiple_of=2)
    """Channels of the blocks."""
    blocks: int = Field(8, ge=1)
    edge_weight: float = Field(0.5, ge=0)
    """Weight of the loss on differences between neighboring pixels; more makes sharper lines."""
    learning_rate: float = Field(1e-3, gt=0)
    report_images: int = Field(10_000, ge=1)
    """Patches between two reports."""
    checkpoint_minutes: float = Field(3, gt=0)

    @model_validator(mode="after")
    def _check_patch(self) -> "UpscalerSettings":
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


SHORT_SECTIONS = ("network", "objective", "optimizer", "lineage")
"""Nested sections whose keys have a flag without the section's name: `--batch`."""


def add_flags(
    parser: argparse.ArgumentParser,
    name: str,
    section: type[Section],
    shown: Sequence[str] | None = None,
    prefix: str = "",
) -> None:
    """Adds a flag for each key of a section, `--<prefix>key` or `--nested.key`; values go to
    `name.key` and `name.nested.key` of the arguments. `--help` lists the keys in `shown`; all by
    default.
    """
    for key, field in section.model_fields.items():
        nested = nested_section(field.annotation)
        if nested is None:
            about, flag = _help(key, field, shown), _flag(prefix + key)
            _add_flag(parser, f"{name}.{key}", [flag], field.annotation, about)
            continue
        for inner, its_field in nested.model_fields.items():
            flags = [_flag(inner)] if key in SHORT_SECTIONS else []
            flags.append(f"--{key}.{inner.replace('_', '-')}")
            about = _help(inner if flags[1:] else "", its_field, shown)
            _add_flag(parser, f"{name}.{key}.{inner}", flags, its_field.annotation, about)


def _help(key: str, field: FieldInfo, shown: Sequence[str] | None) -> str | None:
    if shown is not None and key not in shown:
        return argparse.SUPPRESS
    return (field.description or "").replace("\n", " ")


def nested_section(annotation: Any) -> type[Section] | None:
    """The section class of a field, optional or not; None for a plain value."""
    if isinstance(annotation, UnionType):
        annotation = next(kind for kind in get_args(annotation) if kind is not NoneType)
    is_section = isinstance(annotation, type) and issubclass(annotation, Section)
    return annotation if is_section else None


def _flag(key: str) -> str:
    return f"--{key.replace('_', '-')}"


def _add_flag(
    parser: argparse.ArgumentParser,
    target: str,
    flags: list[str],
    annotation: Any,
    about: str | None,
) -> None:
    metavar = target.split(".")[-1].upper()
    if annotation is bool:
        action = argparse.BooleanOptionalAction
        parser.add_argument(*flags, dest=target, action=action, help=about)
    elif get_origin(annotation) is tuple:
        parser.add_argument(*flags, dest=target, nargs="+", metavar=metavar, help=about)
    else:
        parser.add_argument(*flags, dest=target, metavar=metavar, help=about)


def main(_: Sequence[str], console: Console) -> None:
    """`python -m train settings`: every option of a training, with its default."""
    for key, field in TrainSettings.model_fields.items():
        nested = nested_section(field.annotation)
        if nested is None:
            console.print(_line([_flag(key)], field), markup=False, highlight=False)
            continue
        console.print(f"\n[train.{key}]  {nested.__doc__}", markup=False, highlight=False)
        for inner, its_field in nested.model_fields.items():
            flags = [_flag(inner)] if key in SHORT_SECTIONS else []
            flags.append(f"--{key}.{inner.replace('_', '-')}")
            console.print(_line(flags, its_field), markup=False, highlight=False)


def _line(flags: list[str], field: FieldInfo) -> str:
    about = (field.description or "").replace("\n", " ")
    return f"  {flags[0]:24} {field.default!s:12} {about}"


def given_flags(arguments: argparse.Namespace, name: str) -> dict[str, Any]:
    """The settings of section `name` that the command line gives, nested."""
    given: dict[str, Any] = {}
    for target, value in vars(arguments).items():
        if target.startswith(f"{name}.") and value is not None:
            *sections, key = target.split(".")[1:]
            table = given
            for section in sections:
                table = table.setdefault(section, {})
            table[key] = value
    if "images" in given and name != "judge":
        given.setdefault("minutes", None)  # else those of the file, or of the run, would win
    return given


def deep_update(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of a nested table with changes made to it."""
    result = dict(table)
    for key, value in changes.items():
        old = result.get(key)
        both = isinstance(value, dict) and isinstance(old, dict)
        result[key] = deep_update(old, value) if both else value  # type: ignore[arg-type]
    return result
