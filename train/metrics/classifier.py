"""A small classifier of the attributes, or of which way up a picture is."""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.augment import flip_and_shift
from train.data import Faces
from train.progress import Tell

STAGES = (24, 48, 96, 128)
FEATURES = 128
EPOCHS = 9
FEWEST_IMAGES, MOST_IMAGES = 16_000, 120_000


class Classifier(nn.Module):
    """Four stages that halve the picture, a fully connected layer, and a head per attribute."""

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
        """uint8 [N, 3, S, S] to each stage's maps, the last features, and the heads' logits."""
        x = image.float() / 127.5 - 1
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        features = F.relu(self.features(x.flatten(1)))
        return maps, features, [head(features) for head in self.heads]


def images_for(faces: Faces) -> int:
    """How many images a classifier of these faces learns from: EPOCHS times all, within bounds."""
    return min(max(EPOCHS * len(faces), FEWEST_IMAGES), MOST_IMAGES)


def fit(faces: Faces, sizes: tuple[int, ...], images: int, seed: int, tell: Tell) -> Classifier:
    """Learns from so many images, or, without attributes, which of four ways up they are."""
    device = faces.images.device
    rng = torch.Generator(device=device).manual_seed(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        classifier = Classifier(faces.images.shape[-1], sizes)
    classifier.to(device).to(memory_format=torch.channels_last)
    batch = min(32, len(faces))
    steps = max(1, images // batch)
    optimiser = torch.optim.AdamW(classifier.parameters(), lr=2e-3, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
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
        optimiser.zero_grad()
        loss = torch.stack(losses).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
        schedule.step()
        tell((step + 1) / steps)
    return classifier.eval()
