"""Builds the trainer and the networks of a run, for the default or a classical recipe.

This is the only module outside `train.lineage` that imports from it.
"""

from pathlib import Path
from typing import TypeVar

from torch import Tensor, nn

from train import checkpoint, state
from train.adversarial import AdversarialTrainer
from train.checkpoint import CheckpointError, RunInfo
from train.data import Faces
from train.distributed import SINGLE_PROCESS, Processes
from train.lineage import build
from train.lineage.networks import autoencoder
from train.lineage.report import LineageReporter
from train.lineage.trainer import LineageTrainer
from train.metrics import Judge
from train.networks import irodori
from train.networks.base import Discriminator, Generator
from train.report import SampleReporter
from train.settings import TrainSettings
from train.trainer import Trainer

N = TypeVar("N", bound=nn.Module)


def build_trainer(
    settings: TrainSettings, faces: Faces, processes: Processes = SINGLE_PROCESS
) -> Trainer:
    """A trainer with initial weights. Raises ShareError, FeatureNetworkError."""
    kind = AdversarialTrainer if settings.lineage is None else LineageTrainer
    return kind(settings, faces, processes)


def build_reporter(trainer: Trainer, held_out: Faces, judge: Judge | None) -> SampleReporter:
    """Without a judge the samples are not measured."""
    if isinstance(trainer, LineageTrainer):
        return LineageReporter(trainer, held_out, judge)
    return SampleReporter(trainer, judge)


def build_generator(settings: TrainSettings, values: list[int]) -> Generator:
    """A generator with initial weights; `values` is the number of values of each attribute."""
    if settings.lineage is not None:
        return build.build_generator(settings.network, settings.lineage, values)
    network = settings.network
    return irodori.IrodoriGenerator(
        network.resolution, network.latent_dim, values, network.width, network.depth
    )


def build_discriminator(settings: TrainSettings, values: list[int]) -> Discriminator:
    """A pixel discriminator with initial weights; `values` as in `build_generator`."""
    if settings.lineage is not None:
        return build.build_discriminator(settings.network, settings.lineage, values)
    group = settings.optimizer.group
    return irodori.IrodoriDiscriminator(
        settings.network.resolution, values, settings.network.width, group=group
    )


def load_generator(run: Path) -> tuple[Generator, RunInfo]:
    """Loads the averaged generator, in eval mode on the CPU. Raises CheckpointError."""
    info = checkpoint.read_run(run)
    return _load(run, "ema", build_generator(_settings(run, info), info.sizes)), info


def reconstruct(generator: Generator, images: Tensor, conditions: Tensor) -> Tensor | None:
    """Encodes and decodes images [N, 3, S, S] in -1…1; None for a generator without an encoder."""
    if not isinstance(generator, autoencoder.AutoencoderGenerator):
        return None
    return generator.reconstruct(images, conditions)


def load_discriminator(run: Path) -> Discriminator:
    """Loads the pixel discriminator, in eval mode on the CPU. Raises CheckpointError."""
    info = checkpoint.read_run(run)
    return _load(run, "discriminator", build_discriminator(_settings(run, info), info.sizes))


def _settings(run: Path, info: RunInfo) -> TrainSettings:
    try:
        return info.train_settings
    except ValueError as error:
        raise CheckpointError(f"the settings of {run} are invalid: {error}") from None


def _load(run: Path, name: str, network: N) -> N:
    try:
        network.load_state_dict(state.part(checkpoint.restore(run, f"{name}."), f"{name}."))
    except RuntimeError as error:
        raise checkpoint.other_networks(run, error) from None
    return network.eval()
