"""A small training for one process, or for several by `torchrun … shared_training.py FOLDER`."""

import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from judged_once import judged_once
from rich.console import Console

from export.manifest import Attribute
from train import checkpoint, recipes
from train.adversarial import AdversarialTrainer
from train.data import Faces
from train.distributed import SINGLE_PROCESS, Processes, WorkerLostError, join
from train.loop import train
from train.metrics import Classifier, Fidelity, Judge, fidelity
from train.models import build_reporter, build_trainer
from train.settings import (
    FeatureSettings,
    NetworkSettings,
    ObjectiveSettings,
    OptimizerSettings,
    TrainSettings,
    deep_update,
)
from train.trainer import Trainer

SETTINGS = TrainSettings(
    images=32,
    device="cpu",
    precision="float32",  # the same on every CPU
    network=NetworkSettings(width=4, latent_dim=8, resolution=32),
    objective=ObjectiveSettings(penalty_every=2, unseen_every=2),
    features=FeatureSettings(weight=0),
    # A constant learning rate and flips throughout, so that the length does not matter.
    optimizer=OptimizerSettings(batch=8, anneal=0, flip_until=1, augment="shift"),
)
"""Four steps, alternately with penalty and with unseen conditions; constant learning rate."""
WITH_FEATURES = SETTINGS.model_copy(
    update={"features": FeatureSettings(input_size=32, channels=4, warmup_steps=1)}
)


def recipe(name: str) -> TrainSettings:
    """A recipe with small networks and batches, and four steps."""
    small = {
        "images": 32,
        "device": "cpu",
        "precision": "float32",
        "network": {"width": 4, "latent_dim": 8, "resolution": 32},
        "optimizer": {"batch": 8, "anneal": 0.0},
        "lineage": {"discriminator_width": 4},
    }
    return TrainSettings(**deep_update(recipes.read(name).settings, small))


RECIPES = ("dcgan", "wgan-gp-report")
"""Batch norm with scales and shifts; the second also has a penalty on gradients through it."""


def faces() -> Faces:
    """Noise around a gray that depends on hair and eyes; no face has both first values."""
    rng = torch.Generator().manual_seed(0)
    sizes = {"hair": 4, "eyes": 3}
    labels = torch.stack([torch.randint(n, (64,), generator=rng) for n in sizes.values()], dim=1)
    labels[(labels == 0).all(dim=1)] = 1
    noise = torch.randint(60, (64, 3, 32, 32), generator=rng)
    gray = 40 * labels.sum(dim=1).view(-1, 1, 1, 1)
    attributes = tuple(
        Attribute(name=name, values=tuple(f"{name}{i}" for i in range(n)), frequencies=(1 / n,) * n)
        for name, n in sizes.items()
    )
    return Faces("noise", (gray + noise).clamp(max=255).to(torch.uint8), labels, attributes)


def run(
    folder: Path,
    processes: Processes = SINGLE_PROCESS,
    settings: TrainSettings = SETTINGS,
    **changed: Any,
) -> Trainer:
    """Trains or resumes in `folder`; `changed` are settings of [train] or its optimizer."""
    optimizer = {k: v for k, v in changed.items() if k in OptimizerSettings.model_fields}
    own = {k: v for k, v in changed.items() if k not in optimizer}
    own["optimizer"] = settings.optimizer.model_copy(update=optimizer)
    settings, data = settings.model_copy(update=own), faces()
    if processes.is_main:
        info = checkpoint.RunInfo(
            run=folder.name,
            attributes=data.attributes,
            latent_dim=settings.network.latent_dim,
            image_size=settings.network.resolution,
            fingerprint=data.fingerprint,
            settings=settings.model_dump(mode="json"),
        )
        checkpoint.write_run(folder, info)
    judge = Judge(Classifier(32, data.sizes), data, Fidelity(data))
    trainer = build_trainer(settings, data, processes)
    console = Console(file=io.StringIO())
    train(
        folder,
        settings,
        trainer,
        build_reporter(trainer, judge.held_out, judge),
        console,
        processes,
    )
    return trainer


def _fail() -> None:
    raise checkpoint.CheckpointError("rank 0 says why")


def main(folder: Path) -> None:
    """Runs two trainings, resumes one of another process, and kills a worker of the last one."""
    torch.set_num_threads(1)
    fidelity.INPUT_SIZE = 64  # faster; nobody looks at the figures
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # sent by torchrun after a worker has died
    with join() as processes, judged_once():
        run(folder / "two", processes)
        run(folder / "two-features", processes, WITH_FEATURES)
        for name in RECIPES:
            run(folder / f"two-{name}", processes, recipe(name))
        run(folder / "resumed", processes)
        try:
            processes.on_main(_fail)
        except checkpoint.CheckpointError as error:
            (folder / f"error-{processes.rank}").write_text(str(error))
        (folder / f"rng-{processes.rank}").write_bytes(
            bytes(run(folder / "resumed", processes, images=40).rng.get_state().tolist())
        )

        step = AdversarialTrainer.train_step

        def killed(self: AdversarialTrainer, progress: float) -> dict[str, torch.Tensor]:
            if processes.rank == 1 and self.step == 7:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(self, progress)

        AdversarialTrainer.train_step = killed  # type: ignore[method-assign]
        try:
            run(folder / "resumed", processes, images=400)
        except WorkerLostError as error:
            (folder / f"lost-{processes.rank}").write_text(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
