"""The generator of a run, or of an exported model."""

from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from export.manifest import MANIFEST, Attribute
from export.registry import Registry
from train import models, report
from train.data import one_hot
from train.metrics import GenerateFn
from train.networks.base import Discriminator, Generator
from train.promote import onnx_networks

BATCH = 64


class ShowError(Exception):
    """A picture that a run or a model cannot show."""


class Model:
    """A generator, with random latents and labels from one seed."""

    def __init__(self, folder: Path, seed: int = 0) -> None:
        """`folder` is that of a run or of an exported model. Raises CheckpointError, ModelError."""
        self.folder = folder
        self.rng = torch.Generator().manual_seed(seed)
        self.generator: Generator | None = None
        """None for an exported model."""
        self.attributes: tuple[Attribute, ...]
        self.latent_dim: int
        self.image_size: int
        self._generate: GenerateFn
        self._scorer: GenerateFn | None = None
        if is_exported(folder):
            _, manifest = Registry(folder.parent).load(folder.name)
            self.attributes = manifest.attributes
            self.latent_dim, self.image_size = manifest.latent_dim, manifest.image_size
            self._generate, self._scorer = onnx_networks(folder, manifest)
        else:
            self.generator, info = models.load_generator(folder)
            self.attributes = info.attributes
            self.latent_dim, self.image_size = info.latent_dim, info.image_size
            self._generate = self._generate_with_run

    def latents(self, count: int) -> Tensor:
        """Standard normal, [N, Z]."""
        return torch.randn(count, self.latent_dim, generator=self.rng)

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
        return torch.cat([self._generate(z, c) for z, c in parts])

    @torch.inference_mode()
    def score(self, pictures: Tensor, conditions: Tensor) -> Tensor:
        """Images uint8 [N, 3, S, S] and conditions [N, C] to scores float32 [N]: the scorer's of an
        exported model. For a run the discriminator's, plus the log-probability of the requested
        values if it has classification heads. Raises ShowError for a model without a scorer.
        """
        if self.generator is not None:
            score: GenerateFn = partial(_score, models.load_discriminator(self.folder))
        elif self._scorer is not None:
            score = self._scorer
        else:
            raise ShowError(f"the model {self.folder} has no scorer to score images")
        batches = zip(torch.split(pictures, BATCH), torch.split(conditions, BATCH), strict=True)
        return torch.cat([score(*batch) for batch in batches])

    def _generate_with_run(self, latents: Tensor, conditions: Tensor) -> Tensor:
        assert self.generator is not None
        return report.generate_images(self.generator, latents, conditions)


def is_exported(folder: Path) -> bool:
    """Whether it is the folder of an exported model."""
    return (folder / MANIFEST).is_file()


def _score(discriminator: Discriminator, pictures: Tensor, conditions: Tensor) -> Tensor:
    # Images are scored one by one: the deviation within a group of one is always 0.
    discriminator.group = 1
    sizes = list(discriminator.class_sizes)
    scores: Tensor
    scores, logits = discriminator(pictures.float() / 127.5 - 1, conditions)
    blocks = torch.split(conditions, sizes, dim=1) if sizes else ()
    for head, block in zip(logits, blocks, strict=True):
        scores = scores + (torch.log_softmax(head, dim=1) * block).sum(dim=1)
    return scores
