"""The baseline of `benchmarks/train.py`: a straightforward implementation of the training step."""

import copy
from collections.abc import Iterator
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from train.data import Faces, one_hot
from train.losses import (
    classification,
    relativistic_discriminator,
    relativistic_generator,
    zero_centered_penalty,
)
from train.networks.irodori import IrodoriDiscriminator, IrodoriGenerator
from train.settings import TrainSettings

WORKERS = 2
"""Workers of the baseline's DataLoader."""


class Files(Dataset[tuple[Tensor, Tensor]]):
    """The images as PNG files."""

    def __init__(self, folder: Path, labels: Tensor, size: int) -> None:
        self.folder, self.labels = folder, labels
        shift = max(1, 4 * size // 64)
        self.change = transforms.Compose(
            [
                transforms.RandomHorizontalFlip(),
                transforms.RandomCrop(size, padding=shift, padding_mode="edge"),
                transforms.ToTensor(),
                transforms.Normalize((0.5,) * 3, (0.5,) * 3),
            ]
        )

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        image = Image.open(self.folder / f"{index}.png").convert("RGB")
        return self.change(image), self.labels[index]


class PlainTrainer:
    """A straightforward implementation of AdversarialTrainer without feature discriminators."""

    def __init__(self, settings: TrainSettings, faces: Faces, folder: Path) -> None:
        self.settings, self.sizes = settings, faces.sizes
        self.device = faces.images.device
        network, self.batch = settings.network, settings.optimizer.batch
        self.generator = IrodoriGenerator(
            network.resolution, network.latent_dim, faces.sizes, network.width
        ).to(self.device)
        self.discriminator = IrodoriDiscriminator(
            network.resolution, faces.sizes, network.width, group=settings.optimizer.group
        ).to(self.device)
        self.ema = copy.deepcopy(self.generator).eval()
        self.optimizers = {
            trained: torch.optim.Adam(
                trained.parameters(), settings.optimizer.learning_rate, betas=(0.0, 0.99)
            )
            for trained in (self.generator, self.discriminator)
        }
        self.step = 0
        files = Files(folder, faces.labels.cpu(), network.resolution)
        self.loader = DataLoader(
            files,
            self.batch,
            shuffle=True,
            drop_last=True,
            num_workers=WORKERS,
            persistent_workers=True,
            pin_memory=self.device.type == "cuda",
        )
        self.batches = self._batches()

    def _batches(self) -> Iterator[tuple[Tensor, Tensor]]:
        while True:
            yield from self.loader

    def train_step(self) -> None:
        settings, objective = self.settings, self.settings.objective
        real, labels = (tensor.to(self.device, non_blocking=True) for tensor in next(self.batches))
        condition = one_hot(labels, self.sizes)
        latent = torch.randn(self.batch, settings.network.latent_dim, device=self.device)
        fake = self.generator(latent, condition)

        # The discriminator.
        optimizer = self.optimizers[self.discriminator]
        optimizer.zero_grad()
        real_score, real_logits = self.discriminator(real, condition)
        fake_score, _ = self.discriminator(fake.detach(), condition)
        loss = relativistic_discriminator(real_score, fake_score)
        loss = loss + objective.class_weight * classification(real_logits, labels)
        loss.backward()  # type: ignore[no-untyped-call]
        if self.step % objective.penalty_every == 0:
            penalty = torch.zeros((), device=self.device)
            for images in (real, fake):
                images = images.detach().requires_grad_()
                score, _ = self.discriminator(images, condition)
                penalty = penalty + zero_centered_penalty(score, images).mean()
            weighted = objective.penalty / 2 * objective.penalty_every * penalty
            weighted.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

        # The generator.
        optimizer = self.optimizers[self.generator]
        optimizer.zero_grad()
        self.discriminator.requires_grad_(False)
        fake_score, fake_logits = self.discriminator(fake, condition)
        with torch.no_grad():
            real_score, _ = self.discriminator(real, condition)
        loss = relativistic_generator(real_score, fake_score)
        loss = loss + objective.class_weight * classification(fake_logits, labels)
        loss = loss + objective.diversity_weight * plain_diversity(
            real, fake, settings.optimizer.group
        )
        loss.backward()  # type: ignore[no-untyped-call]
        self.discriminator.requires_grad_(True)
        optimizer.step()

        keep = 0.5 ** (self.batch / settings.optimizer.ema_images)
        with torch.no_grad():
            theirs = self.generator.state_dict()
            for name, value in self.ema.state_dict().items():
                if value.is_floating_point():
                    value.copy_(keep * value + (1 - keep) * theirs[name])
        self.step += 1


def plain_diversity(real: Tensor, fake: Tensor, group: int) -> Tensor:
    def deviation(images: Tensor) -> Tensor:
        grouped = images.reshape(-1, group, images[0].numel())
        return grouped.std(dim=1, unbiased=False).mean(dim=1).mean()

    return F.relu(1 - deviation(fake) / deviation(real))
