"""A small classifier of the attributes, or of the rotation of an image."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.augment import flip_and_shift
from train.data import Faces
from train.progress import ProgressCallback

STAGES = (24, 48, 96, 128)
FEATURES = 128
EPOCHS = 9
MIN_IMAGES, MAX_IMAGES = 16_000, 120_000


class Classifier(nn.Module):
    """Four convolutional stages with stride 2, a fully connected layer, a head per attribute."""

    def __init__(self, image_size: int, sizes: tuple[int, ...]) -> None:
        super().__init__()
        channels = (3, *STAGES)
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(a, b, 3, stride=2, padding=1, bias=False),
                nn.BatchNorm2d(b),
                nn.ReLU(inplace=True),
                nn.Conv2d(b, b, 3, padding=1, bias=False),
                nn.BatchNorm2d(b),
                nn.ReLU(inplace=True),
            )
            for a, b in pairwise(channels)
        )
        self.features = nn.Linear(STAGES[-1] * (image_size // 16) ** 2, FEATURES)
        self.heads = nn.ModuleList(nn.Linear(FEATURES, size) for size in sizes)

    def forward(self, image: Tensor) -> tuple[list[Tensor], Tensor, list[Tensor]]:
        """Images uint8 [N, 3, S, S] to the feature maps of each stage, the last features [N, F],
        and the logits of each head.
        """
        x = image.float() / 127.5 - 1
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        features = F.relu(self.features(x.flatten(1)))
        return maps, features, [head(features) for head in self.heads]


def images_for(faces: Faces) -> int:
    """Number of images to train a classifier on: EPOCHS passes, within MIN_IMAGES…MAX_IMAGES."""
    return min(max(EPOCHS * len(faces), MIN_IMAGES), MAX_IMAGES)


def fit(
    faces: Faces, sizes: tuple[int, ...], images: int, seed: int, report_progress: ProgressCallback
) -> Classifier:
    """Trains on `images` images; without attributes the target is one of four rotations."""
    device = faces.images.device
    rng = torch.Generator(device=device).manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = Classifier(faces.images.shape[-1], sizes)
    classifier.to(device).to(memory_format=torch.channels_last)
    batch = min(32, len(faces))
    steps = max(1, images // batch)
    optimizer = torch.optim.AdamW(classifier.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 2e-3, total_steps=steps)
    for step in range(steps):
        rows = torch.randint(len(faces), (batch,), generator=rng, device=device)
        pictures, labels = flip_and_shift(faces.images[rows], rng), faces.labels[rows]
        if not faces.attributes:
            turns = torch.randint(4, (batch,), generator=rng, device=device)
            pictures = torch.stack(
                [p.rot90(int(k), (1, 2)) for p, k in zip(pictures, turns, strict=True)]
            )
            labels = turns.unsqueeze(1)
        _, _, logits = classifier(pictures)
        losses = [
            F.cross_entropy(head, labels[:, i], label_smoothing=0.05)
            for i, head in enumerate(logits)
        ]
        optimizer.zero_grad()
        loss = torch.stack(losses).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        report_progress((step + 1) / steps)
    return classifier.eval()
