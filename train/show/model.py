"""The generator of a run."""

from pathlib import Path

import torch
from torch import Tensor

from export.manifest import Attribute
from train import models, report
from train.data import one_hot

BATCH = 64


class ShowError(Exception):
    """A picture that a run cannot show."""


class Model:
    """The generator of a run, with random latents and labels from one seed."""

    def __init__(self, run: Path, seed: int = 0) -> None:
        """Raises CheckpointError."""
        self.run = run
        self.generator, self.info = models.load_generator(run)
        self.rng = torch.Generator().manual_seed(seed)

    @property
    def attributes(self) -> tuple[Attribute, ...]:
        return self.info.attributes

    def latents(self, count: int) -> Tensor:
        """Standard normal, [N, Z]."""
        return torch.randn(count, self.info.latent_dim, generator=self.rng)

    def labels(self, count: int) -> Tensor:
        """Random values with the frequencies of the data, int64 [N, A]."""
        columns = [
            torch.multinomial(torch.tensor(a.frequencies), count, True, generator=self.rng)
            for a in self.attributes
        ]
        return torch.stack(columns, dim=1) if columns else torch.zeros(count, 0, dtype=torch.int64)

    def encode(self, labels: Tensor) -> Tensor:
        """Labels int64 [N, A] to conditions float32 [N, C]."""
        return one_hot(labels, tuple(len(a.values) for a in self.attributes))

    def name(self, labels: list[int]) -> str:
        """A description such as "pink hair, blue eyes"; empty without attributes."""
        named = zip(self.attributes, labels, strict=True)
        return ", ".join(f"{a.values[value]} {a.name}" for a, value in named)

    def generate(self, latents: Tensor, conditions: Tensor) -> Tensor:
        """Latents [N, Z] and conditions [N, C] to uint8 [N, 3, S, S]."""
        parts = zip(torch.split(latents, BATCH), torch.split(conditions, BATCH), strict=True)
        return torch.cat([report.generate_images(self.generator, z, c) for z, c in parts])
