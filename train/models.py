"""The trainer and the networks that a run's settings name, of the default or a classical recipe.

The one place where both kinds meet: the default recipe itself knows nothing of the others.
"""

from pathlib import Path
from typing import TypeVar

from torch import nn

from train import checkpoint, state
from train.adversarial import AdversarialTrainer
from train.checkpoint import CheckpointError, RunInfo
from train.data import Faces
from train.distributed import SINGLE_PROCESS, Processes
from train.lineage import build
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
    """With fresh weights. Raises ShareError, FeatureNetworkError."""
    kind = AdversarialTrainer if settings.lineage is None else LineageTrainer
    return kind(settings, faces, processes)


def build_reporter(trainer: Trainer, judge: Judge) -> SampleReporter:
    return (
        LineageReporter(trainer, judge)
        if isinstance(trainer, LineageTrainer)
        else SampleReporter(trainer, judge)
    )


def build_generator(settings: TrainSettings, values: list[int]) -> Generator:
    """With fresh weights, for attributes with so many values each."""
    if settings.lineage is not None:
        return build.build_generator(settings.network, settings.lineage, values)
    network = settings.network
    return irodori.Generator(network.resolution, network.latent_dim, values, network.width)


def build_discriminator(settings: TrainSettings, values: list[int]) -> Discriminator:
    """The pixel discriminator with fresh weights, for attributes with so many values each."""
    if settings.lineage is not None:
        return build.build_discriminator(settings.network, settings.lineage, values)
    group = settings.optimizer.group
    return irodori.Discriminator(
        settings.network.resolution, values, settings.network.width, group=group
    )


def load_generator(run: Path) -> tuple[Generator, RunInfo]:
    """The averaged generator, in eval mode on the CPU. Raises CheckpointError."""
    info = checkpoint.read_run(run)
    return _load(run, "ema", build_generator(_settings(run, info), info.sizes)), info


def load_discriminator(run: Path) -> Discriminator:
    """The pixel discriminator, in eval mode on the CPU. Raises CheckpointError."""
    info = checkpoint.read_run(run)
    return _load(run, "discriminator", build_discriminator(_settings(run, info), info.sizes))


def _settings(run: Path, info: RunInfo) -> TrainSettings:
    try:
        return info.train_settings
    except ValueError as error:
        raise CheckpointError(f"the settings of {run} are wrong: {error}") from None


def _load(run: Path, name: str, network: N) -> N:
    try:
        network.load_state_dict(state.part(checkpoint.restore(run, f"{name}."), f"{name}."))
    except RuntimeError as error:
        raise CheckpointError(f"the checkpoint of {run} is of other networks: {error}") from None
    return network.eval()
