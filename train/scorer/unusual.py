"""A scorer that needs no marked images: broken images have unusual features.

Real images give a normal distribution of features for each position of the face (PaDiM, Defard et
al. 2021, arXiv:2011.08785). Broken faces have positions that are far from it.
"""

import torch
from torch import Tensor

from train.scorer.scorer import BATCH, Scorer

MIN_REAL_IMAGES = 200
REAL_IMAGES = 8000
"""Upper limit of the real images that the distributions are computed from."""
SHRINKAGE = 0.05
"""Share of the mean variance that is added to the diagonal of each covariance."""
UNUSUAL_SHARE = 1 / 3
"""Share of the positions, those with the largest distances, whose mean is the anomaly."""


class UnusualScorer(Scorer):
    """The anomaly is the mean of the largest Mahalanobis distances around the center."""

    candidates = 2
    rejected_share = 0.25
    largest_increase = 1.15
    relative = True

    mean: Tensor  # [P, C], for each position around the center
    whitening: Tensor  # [P, C, C], the Cholesky factor of each inverse covariance

    def __init__(self, condition_dim: int) -> None:
        super().__init__(condition_dim)
        self.worst = round(self.positions * UNUSUAL_SHARE)
        self.register_buffer("mean", torch.zeros(self.positions, self.channels))
        self.register_buffer("whitening", torch.eye(self.channels).repeat(self.positions, 1, 1))

    def anomaly(self, image: Tensor) -> Tensor:
        offsets = self.vectors(image) - self.mean[:, None]
        distances: Tensor = torch.bmm(offsets, self.whitening).norm(dim=2)  # [P, N]
        return distances.topk(self.worst, dim=0).values.mean(dim=0)

    @torch.inference_mode()
    def fit_distributions(self, real: Tensor) -> None:
        """Computes the distributions from training images uint8 [M, 3, S, S]."""
        rng = torch.Generator().manual_seed(0)
        rows = torch.randperm(len(real), generator=rng)[:REAL_IMAGES].to(real.device)
        vectors = torch.cat([self.vectors(real[r]) for r in torch.split(rows, BATCH)], dim=1)
        self.mean.copy_(vectors.mean(dim=1))
        offsets = vectors - self.mean[:, None]
        covariance = offsets.transpose(1, 2) @ offsets / len(rows)
        diagonal = covariance.diagonal(dim1=1, dim2=2)
        # The constant is for features that are zero in all images.
        diagonal += SHRINKAGE * diagonal.mean(dim=1, keepdim=True) + 1e-6
        self.whitening.copy_(torch.linalg.cholesky(torch.linalg.inv(covariance)))
