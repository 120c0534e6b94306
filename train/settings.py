"""`[train]`, `[judge]`, `[promote]` and `[upscaler]` of `config.toml`: all defaults of trainings.

Sections are nested, such as `[train.optimizer]`. The flat `[train]` of version 0.2 is still read,
see `train.flat_settings`.
"""

from collections.abc import Iterator
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from config import ModelsSettings, Section, Settings
from train.flat_settings import nest
from train.networks.base import check_size

RUN_NAME = r"^[A-Za-z0-9._-]*$"


def _parse_digits(value: Any) -> Any:
    """The command line gives text, which Literal does not convert."""
    return int(value) if isinstance(value, str) and value.isdigit() else value


Stride = Annotated[Literal[2, 4, 8, 16, 32], BeforeValidator(_parse_digits)]


class NetworkSettings(Section):
    """Shape of the generator and the discriminator."""

    resolution: int = 64
    """Side of the images in pixels: 32, 64, 96 or 128."""
    width: int = Field(32, ge=2, multiple_of=2)
    """Channels at half the resolution; in other recipes this depends on the network."""
    depth: int = Field(0, ge=0)
    """Refinement blocks of the default recipe's generator at each size; they can be added to a
    model when a training starts from it."""
    latent_dim: int = Field(96, ge=1)
    """Dimensions of the latent."""

    @model_validator(mode="after")
    def _check_resolution(self) -> "NetworkSettings":
        check_size(self.resolution)
        return self


class ObjectiveSettings(Section):
    """Weights of the losses."""

    class_weight: float = Field(0.5, ge=0)
    """Weight of the classification loss, for the generator and the discriminator."""
    diversity_weight: float = Field(3.0, ge=0)
    """Weight of the loss on fakes of one condition that differ less than real images do."""
    unseen_every: int = Field(8, ge=0)
    """Every n-th step also generates conditions that no image has; 0 = never."""
    penalty: float = Field(0.3, ge=0)
    """Weight of the gradient penalty: γ of R1 and R2, λ of others; 0 = none."""
    penalty_every: int = Field(8, ge=1)
    """Every n-th step has a penalty (lazy regularization)."""


class FeatureSettings(Section):
    """Discriminators on the features of a frozen, pretrained network (Projected GAN)."""

    weight: float = Field(3.0, ge=0)
    """Norm of their gradient at the fakes, relative to the pixel discriminator's; 0 = none."""
    network: Literal["lite0", "lite1"] = "lite0"
    """EfficientNet-Lite0 or Lite1; Lite2 judges and never trains."""
    input_size: int = Field(96, ge=32, multiple_of=32)
    """Side in pixels that images are resized to; 128 is slower, and better late in a training."""
    strides: tuple[Stride, ...] = Field((4, 8, 16), min_length=1)
    """Strides of the feature maps; each has a discriminator."""
    channels: int = Field(32, ge=4)
    """Half of the channels of each discriminator's convolutions."""
    penalty: float = Field(1.0, ge=0)
    """γ of R1 and R2 on the standardized features, every `penalty_every` steps."""
    warmup_steps: int = Field(100, ge=0)
    """Number of steps before the generator learns from them."""


class OptimizerSettings(Section):
    """Batches, Adam, and the averaged generator."""

    batch: int = Field(16, ge=2)
    """Images per step; small batches are better on a CPU, 64 and more on a GPU."""
    group: int = Field(2, ge=1)
    """Consecutive images of a batch with the same condition, which the discriminator compares."""
    flip_until: float = Field(0.5, ge=0, le=1)
    """Share of the training after which images are no longer flipped. Flips add variety, but a
    generator that sees flipped images cannot learn from which side the light falls. Classical
    recipes have `augmentation` instead."""
    augment: Literal["auto", "shift", "strong"] = "auto"
    """Changes of real and fake images alike: small shifts, or (strong) also zooms and cut squares,
    which keep the discriminator from memorizing few images; auto is strong below 3,000 images.
    Colors never change, since they are attributes."""
    learning_rate: float = Field(4e-4, gt=0)
    """Learning rate at the start."""
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
    """Settings of the classical recipes (`python -m train recipes`)."""

    generator: Literal["mlp", "dcgan", "srresnet", "r3gan", "stackgan"] = "dcgan"
    """Network that generates."""
    discriminator: Literal["mlp", "dcgan", "srresnet", "r3gan", "autoencoder", "stackgan"] = "dcgan"
    """Network that discriminates."""
    discriminator_width: int = Field(0, ge=0)
    """Channels of the discriminator (`width` is the generator's); 0 = as many."""
    discriminator_norm: Literal["none", "batch", "layer", "spectral"] = "batch"
    """Normalization of the discriminator, if it supports any: layers, or (spectral) of the weights
    of its convolutions."""
    outer_biases: bool = True
    """Biases in the first convolution and the score of the dcgan discriminator."""
    blocks: int = Field(16, ge=1)
    """Residual blocks of the srresnet generator."""
    upscalings: int = Field(0, ge=0, le=4)
    """Sub-pixel convolutions of the srresnet generator; 0 = 3 at 128 pixels, else 2."""
    residual: bool = False
    """Residual blocks instead of single convolutions in the dcgan generator."""
    encoder_blocks: int = Field(0, ge=0)
    """Residual blocks of the dcgan generator's encoder, on its maps of 4 pixels."""
    initialization: Literal["normal", "pytorch"] = "normal"
    """Initial weights: normal with σ = 0.02 (r3gan and mlp: their own), or PyTorch's default."""
    discriminator_deviation: float = Field(0.02, gt=0)
    """σ of the discriminator's initial weights, if they are normal."""
    latents: Literal["normal", "uniform"] = "normal"
    """Distribution of the latents in training."""
    latent_deviation: float = Field(1.0, gt=0)
    """σ of the latents in training; uniform ones are in ±√3 σ."""
    condition_embedding: int = Field(0, ge=0)
    """Dimensions of the random embedding of the condition (stackgan: conditioning augmentation),
    whose noise is the last part of the latent; 0 = the condition itself."""
    embedding_weight: float = Field(0.0, ge=0)
    """Weight of the divergence of that embedding from a standard normal distribution."""
    conditioning: Literal["none", "input", "auxiliary", "projection"] = "none"
    """How labels condition the discriminator: not at all, concatenated with its input (conditional
    GAN), by classification only (ACGAN), by an inner product with its features (projection)."""
    heads: Literal["none", "linear", "deep", "network"] = "none"
    """Classification heads: none, one layer, three layers, a separate network."""
    head_units: tuple[int, int] = (256, 256)
    """Units of the hidden layers of deep heads."""
    realness_weight: float = Field(1.0, gt=0)
    """Weight of the adversarial loss, for the generator and the discriminator."""
    classify_fakes: bool = False
    """Whether the discriminator also learns the classes of fakes."""
    loss: Literal["relativistic", "minimax", "nonsaturating", "wasserstein", "energy"] = (
        "nonsaturating"
    )
    """Adversarial loss."""
    margin: float = Field(0.0, ge=0)
    """EBGAN margin."""
    pulling_away: float = Field(0.0, ge=0)
    """Weight of EBGAN's pulling-away term."""
    reconstruction_weight: float = Field(0.0, ge=0)
    """Weight of the reconstruction loss; more than 0 gives the generator an encoder."""
    penalty_kind: Literal["zero-centered", "wgan-gp", "wgan-gp-channels", "dragan"] = (
        "zero-centered"
    )
    """R1 (and R2 with the relativistic loss), or a gradient norm of 1: of each image, or (channels)
    of the channels of each pixel."""
    clip: float = Field(0.0, ge=0)
    """Bound of the discriminator's weights after each step (WGAN); 0 = none."""
    optimizer: Literal["adam", "rmsprop", "sgd"] = "adam"
    """Optimizer of both networks."""
    augmentation: Literal["none", "flip", "flip-and-rotate", "flip-and-shift"] = "none"
    """Augmentation of real images; flip-and-shift also of fakes."""
    rotation: float = Field(5.0, ge=0, le=180)
    """Largest angle of flip-and-rotate, in degrees."""
    discriminator_steps: int = Field(1, ge=1)
    """Discriminator steps for each generator step."""
    generator_first: bool = False
    """Whether the generator is updated after the first of them instead of the last."""
    reset_epochs: int = Field(0, ge=0)
    """Passes over the data after which the optimizers forget their moments; 0 = never."""
    halve_epochs: int = Field(0, ge=0)
    """Passes over the data after which the learning rate is halved, each time; 0 = never. Each
    stage of StackGAN begins with the full rate."""
    first_stage: float = Field(0.5, gt=0, lt=1)
    """Share of the training for the first stage of StackGAN."""

    @model_validator(mode="after")
    def _check_combinations(self) -> "LineageSettings":
        for wrong, reason in self._contradictions():
            if wrong:
                raise ValueError(reason)
        return self

    def _contradictions(self) -> Iterator[tuple[bool, str]]:
        """Invalid combinations, each with the reason."""
        autoencoder = self.discriminator == "autoencoder"
        normalized = ("dcgan", "srresnet", "autoencoder", "stackgan")
        embedding = self.condition_embedding
        yield (
            self.discriminator_norm != "none" and self.discriminator not in normalized,
            f"the {self.discriminator} discriminator has no norm: discriminator_norm must be none",
        )
        yield (
            self.loss == "energy" and not autoencoder,
            "the energy loss needs bounded scores: discriminator must be autoencoder",
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
            "margin and pulling_away are for the energy loss only: they must be 0 for other losses",
        )
        yield (
            self.conditioning == "auxiliary" and self.heads == "none",
            "the generator could not learn the condition: heads must be linear, deep or network "
            "if conditioning is auxiliary",
        )
        yield (
            (self.generator == "stackgan") != (self.discriminator == "stackgan"),
            "the two stages of stackgan have one discriminator each: generator and discriminator "
            "must both be stackgan",
        )
        yield (
            self.generator == "stackgan" and self.reconstruction_weight > 0,
            "stackgan has no encoder: reconstruction_weight must be 0",
        )
        yield (
            embedding > 0 and (self.generator != "stackgan" or self.conditioning == "none"),
            "only stackgan embeds its condition: condition_embedding must be 0",
        )
        yield (
            self.embedding_weight > 0 and not embedding,
            "there is no embedding to weigh: embedding_weight must be 0, or condition_embedding "
            "more than 0",
        )
        yield (
            self.classify_fakes and self.heads == "none",
            "there are no heads to classify fakes: heads must be linear, deep or network, or "
            "classify_fakes false",
        )
        yield (
            self.residual and self.generator != "dcgan",
            f"residual must be false: the {self.generator} generator is not dcgan's",
        )
        yield (
            self.encoder_blocks > 0
            and not (self.generator == "dcgan" and self.reconstruction_weight),
            "encoder_blocks must be 0: only a dcgan generator with a reconstruction_weight has "
            "that encoder",
        )


class RunSettings(Section):
    """Common settings of all trainings: data, folder of the run, length, device."""

    data: Path | None = None
    """Folder, zip file or tar file of images."""
    runs: Path = Path("runs")
    """Folder of the runs, with a folder for each training."""
    name: str = Field("", pattern=RUN_NAME)
    """Name of the run; by default the name of the data and the time."""
    skip_bad: bool = False
    """Omit bad images and lines with a warning instead of an error."""
    images: int = Field(2_000_000, ge=1)
    """Total number of images shown."""
    minutes: float | None = Field(None, gt=0)
    """Duration of the training; overrides `images`."""
    clock: Literal["wall", "processor"] = "wall"
    """What `minutes` count: wall time, or the processor time per thread, which does not depend on
    other programs (for a training on the CPU)."""
    pause_at: float = Field(1.0, gt=0, le=1)
    """Share of the length at which the training stops with a checkpoint, to be resumed later."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Device that trains; auto uses CUDA if it is available."""
    threads: int = Field(0, ge=0)
    """CPU threads; 0 = all cores that the process may use, divided among the processes."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of the initial weights, the batches and the latents."""
    report_images: int = Field(20_000, ge=1)
    """Images between two reports: sample grid, log line, plot. The first one is after 1,000."""
    tensorboard: bool = False
    """Write event files for TensorBoard, too; needs the extra `tensorboard`."""
    checkpoint_minutes: float = Field(4, gt=0)
    """Minutes between two checkpoints."""

    @model_validator(mode="after")
    def _check_clock(self) -> "RunSettings":
        if self.clock == "processor" and self.device == "cuda":
            raise ValueError("clock = processor needs device = cpu, since a GPU works beside it")
        return self


class TrainSettings(RunSettings):
    """One training, including all settings that a resumed run needs."""

    images: int = Field(0, ge=0)
    """Total number of images shown; 0 = 130 passes over the data, but 60,000 images at least; with
    `start` 40 passes, but 8,000 at least; 2,000,000 at most."""
    start: str = ""
    """Model whose weights the training starts with, instead of random ones."""
    attributes: str = ""
    """Attributes to learn, separated by commas, such as hair,eyes; by default all that the data
    has, and hair and eyes of captions."""
    enlarge: bool = False
    """Accept images smaller than the resolution, and enlarge them."""
    recipe: str = ""
    """A recipe of `python -m train recipes`, or the path of a recipe file."""
    compile: Literal["auto", "on", "off"] = "auto"
    """Whether to compile the generator; auto does so on GPUs that Triton supports."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of forward passes; auto uses bfloat16 if the hardware supports it."""
    network: NetworkSettings = NetworkSettings()
    objective: ObjectiveSettings = ObjectiveSettings()
    features: FeatureSettings = FeatureSettings()
    optimizer: OptimizerSettings = OptimizerSettings()
    lineage: LineageSettings | None = None
    """Settings of a classical recipe; `recipe` sets them."""

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
        """Invalid combinations, each with the reason."""
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
            lineage.discriminator_norm == "batch"
            and objective.penalty > 0
            and lineage.penalty_kind != "wgan-gp-channels",  # the report's, which has both
            "with batch norm the score of an image depends on the other images of the batch, so "
            "a gradient penalty is not defined per image (Gulrajani et al. 2017, section 4): "
            "discriminator_norm must be layer or none, or penalty 0",
        )
        yield (
            lineage.loss == "wasserstein" and not (lineage.clip or objective.penalty),
            "the wasserstein loss is unbounded without clip or penalty: one must be more than 0",
        )
        yield (
            lineage.generator == "stackgan" and self.network.resolution != 128,
            "stackgan generates 128 pixels from 64: resolution must be 128, not "
            f"{self.network.resolution}",
        )
        yield (
            lineage.condition_embedding >= self.network.latent_dim,
            f"the noise of the embedding is a part of the latent: latent_dim must be more than "
            f"condition_embedding ({lineage.condition_embedding})",
        )


class JudgeSettings(Section):
    images: int = Field(0, ge=0)
    """Number of images that the judge's classifier is trained on; 0 = 9 passes over the data, but
    16,000 at least and 120,000 at most."""
    fakes: int = Field(0, ge=0)
    """Number of images that are generated to measure a finished model; 0 = four for each image of
    the data, but 1,000 at least and 10,000 at most."""
    defects: Path | None = None
    """File of `python -m train defects fit` for the scorer; by default that of the model that the
    training started with, if it has one."""


class PromoteSettings(Section):
    margin: float = Field(0.02, ge=0)
    """Tolerance within which a figure counts as not worse, as a share."""


class UpscalerSettings(RunSettings):
    """One training of an upscaler on sharp images of 256×256 pixels or more; tags are ignored."""

    images: int = Field(150_000, ge=1)
    """Total number of patches shown."""
    resolution: int = Field(256, ge=16, multiple_of=4)
    """Side in pixels that images are scaled to; the input of the upscaler has a quarter of it."""
    patch: int = Field(128, ge=16, multiple_of=4)
    """Side of the training patches, in pixels of the sharp image."""
    batch: int = Field(8, ge=1)
    """Patches per step."""
    width: int = Field(48, ge=2, multiple_of=2)
    """Channels of the blocks."""
    blocks: int = Field(8, ge=1)
    """Number of residual blocks."""
    edge_weight: float = Field(0.5, ge=0)
    """Weight of the loss on differences between neighboring pixels; higher gives sharper lines."""
    learning_rate: float = Field(1e-3, gt=0)
    """Adam's learning rate at the start."""
    report_images: int = Field(10_000, ge=1)
    """Patches between two reports."""
    checkpoint_minutes: float = Field(3, gt=0)
    """Minutes between two checkpoints."""

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


def nested_section(annotation: Any) -> type[Section] | None:
    """The section class of a (possibly optional) field; None for a plain value."""
    if isinstance(annotation, UnionType):
        annotation = next(kind for kind in get_args(annotation) if kind is not NoneType)
    is_section = isinstance(annotation, type) and issubclass(annotation, Section)
    return annotation if is_section else None


def deep_update(table: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """A copy of a nested table with `changes` applied."""
    result = dict(table)
    for key, value in changes.items():
        old = result.get(key)
        both = isinstance(value, dict) and isinstance(old, dict)
        result[key] = deep_update(old, value) if both else value  # type: ignore[arg-type]
    return result
