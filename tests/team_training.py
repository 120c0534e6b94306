"""A small training that processes share: by `torchrun … team_training.py FOLDER`, or alone."""

import io
import os
import signal
import sys
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from export.manifest import Attribute
from train import checkpoint
from train.data import Faces
from train.distributed import ALONE, Team, WorkerLostError, join
from train.loop import train
from train.metrics import Classifier, Fidelity, Judge
from train.settings import TrainSettings
from train.trainer import Trainer

SETTINGS = TrainSettings(
    images=32,
    batch=8,
    width=4,
    latent_dim=8,
    resolution=32,
    penalty_every=2,
    unseen_every=2,
    anneal=0,
    device="cpu",
)
"""Four steps, in turn with a penalty and with unseen conditions, all at one learning rate."""


def faces() -> Faces:
    """Noise about a grey that hair and eyes decide on; none has the first hair and eyes."""
    rng = torch.Generator().manual_seed(0)
    sizes = {"hair": 4, "eyes": 3}
    labels = torch.stack([torch.randint(n, (64,), generator=rng) for n in sizes.values()], dim=1)
    labels[(labels == 0).all(dim=1)] = 1
    noise = torch.randint(60, (64, 3, 32, 32), generator=rng)
    grey = 40 * labels.sum(dim=1).view(-1, 1, 1, 1)
    attributes = tuple(
        Attribute(name=name, values=tuple(f"{name}{i}" for i in range(n)), frequencies=(1 / n,) * n)
        for name, n in sizes.items()
    )
    return Faces("noise", (grey + noise).clamp(max=255).to(torch.uint8), labels, attributes)


def run(folder: Path, team: Team = ALONE, **changed: Any) -> Trainer:
    """Trains in `folder`, or goes on there."""
    settings, data = SETTINGS.model_copy(update=changed), faces()
    if team.first:
        info = checkpoint.RunInfo(
            run=folder.name,
            attributes=data.attributes,
            latent_dim=settings.latent_dim,
            image_size=settings.resolution,
            fingerprint=data.fingerprint,
            settings=settings.model_dump(mode="json"),
        )
        checkpoint.write_run(folder, info)
    judge = Judge(Classifier(32, data.sizes), data, Fidelity(data))
    return train(folder, settings, data, judge, Console(file=io.StringIO()), team)


def _fail() -> None:
    raise checkpoint.CheckpointError("process 0 says why")


def main(folder: Path) -> None:
    """A training, one that goes on with another's checkpoint, and one whose worker is killed."""
    torch.set_num_threads(1)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun's, once one has died
    with join() as team:
        run(folder / "two", team)
        run(folder / "resumed", team)
        try:
            team.once(_fail)
        except checkpoint.CheckpointError as error:
            (folder / f"error-{team.rank}").write_text(str(error))
        (folder / f"rng-{team.rank}").write_bytes(
            bytes(run(folder / "resumed", team, images=40).rng.get_state().tolist())
        )

        step = Trainer.train_step

        def killed(self: Trainer, learning_rate: float) -> dict[str, torch.Tensor]:
            if team.rank == 1 and self.step == 7:
                os.kill(os.getpid(), signal.SIGKILL)
            return step(self, learning_rate)

        Trainer.train_step = killed  # type: ignore[method-assign]
        try:
            run(folder / "resumed", team, images=400)
        except WorkerLostError as error:
            (folder / f"lost-{team.rank}").write_text(str(error))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
