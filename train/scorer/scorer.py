"""Scores generated images by their features, for rejection sampling.

Keeping the image of highest score would keep the most usual faces only. The score is therefore
capped at a threshold that most images reach: the first candidate that reaches it is kept.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn

from train.metrics.results import GenerateFn
from train.networks.features import FeatureNetwork, FeatureNetworkName

NETWORK: FeatureNetworkName = "lite0"
INPUT_SIZE, STRIDE = 128, 8
BATCH = 64


class Scorer(nn.Module, ABC):
    """Scores images: min(0, threshold + usual(condition) - anomaly(image)).

    An image with a score of 0 is acceptable. If the scorer is `relative`, the linear function
    `usual` predicts the anomaly from the condition, so that images of rare values are not rejected
    for these values; otherwise it is zero.
    """

    candidates: ClassVar[int]
    """Number of candidates per image; docs/experiments.md has measurements."""
    rejected_share: ClassVar[float]
    """Share of images below the threshold."""
    largest_increase: ClassVar[float]
    """Upper limit of the FD ratio with rejection sampling, relative to that of single images. Above
    it, too many unusual faces are rejected, and not only broken ones."""

    relative: ClassVar[bool]
    """Whether anomalies are compared with those of other images of the condition."""

    usual: Tensor  # [K], a weight for each element of a condition
    threshold: Tensor  # []

    def __init__(self, condition_dim: int) -> None:
        """Raises FeatureNetworkError without the weights of the feature network."""
        super().__init__()
        self.features = FeatureNetwork(NETWORK, INPUT_SIZE, (STRIDE,))
        self.channels, side = self.features.channels[0], INPUT_SIZE // STRIDE
        self.rows = slice(side // 4, side * 13 // 16)
        self.columns = slice(side // 8, side * 7 // 8)
        self.positions = len(range(side)[self.rows]) * len(range(side)[self.columns])
        self.register_buffer("usual", torch.zeros(condition_dim))
        self.register_buffer("threshold", torch.zeros(()))
        self.requires_grad_(False).eval()

    @abstractmethod
    def anomaly(self, image: Tensor) -> Tensor:
        """Images uint8 [N, 3, S, S] to float32 [N]; higher is worse."""

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """Images uint8 [N, 3, S, S] and conditions float32 [N, K], whose blocks may be mixtures, to
        scores float32 [N]; higher is better.
        """
        usual = (condition * self.usual).sum(dim=1)
        score: Tensor = (self.threshold + usual - self.anomaly(image)).clamp(max=0)
        return score

    def vectors(self, image: Tensor) -> Tensor:
        """The features of each position around the center: uint8 [N, 3, S, S] to [P, N, C]."""
        (features,) = self.features(image.float() / 127.5 - 1)
        center: Tensor = features[:, :, self.rows, self.columns]
        return center.flatten(2).permute(2, 0, 1)

    @torch.inference_mode()
    def fit_threshold(self, generate: GenerateFn, latents: Tensor, conditions: Tensor) -> None:
        """Chooses `threshold`, and `usual` if relative, so that `rejected_share` of the images
        generated from latents [N, Z] and conditions [N, K] do not reach the threshold.
        """
        parts = zip(torch.split(latents, BATCH), torch.split(conditions, BATCH), strict=True)
        anomaly = torch.cat([self.anomaly(generate(z, c)) for z, c in parts])
        if self.relative:
            # The constant lets the regression work for values that no condition has.
            squares = conditions.T @ conditions + 1e-3 * torch.eye(len(self.usual)).to(conditions)
            self.usual.copy_(torch.linalg.solve(squares, conditions.T @ anomaly))
        unexpected = anomaly - conditions @ self.usual
        self.threshold.copy_(torch.quantile(unexpected, 1 - self.rejected_share))

    def state(self) -> dict[str, Tensor]:
        """Everything but the pretrained network."""
        return dict(self.named_buffers(recurse=False))
