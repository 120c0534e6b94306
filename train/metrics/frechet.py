"""The Fréchet distance between normal distributions (Dowson & Landau 1982)."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Normal:
    """A normal distribution: mean and symmetric square root of the covariance."""

    mean: Tensor
    """float64 [F]."""
    root: Tensor
    """float64 [F, F], symmetric."""

    @classmethod
    def of(cls, features: Tensor) -> "Normal":
        """Fits features [N, F] with N ≥ 2."""
        mean, centered = _center(features)
        values, vectors = torch.linalg.eigh(centered.T @ centered)
        return cls(mean, (vectors * values.clamp(min=0).sqrt()) @ vectors.T)

    def distance(self, features: Tensor) -> float:
        """Distance to the normal distribution of features [N, F] with N ≥ 2.

        |m₁ - m₂|² + tr(C₁ + C₂ - 2 (C₁ C₂)^½) (Heusel et al. 2017, eq. 6). The trace of
        (C₁ C₂)^½ is the sum of the singular values of C₁^½ X₂, where C₂ = X₂ X₂ᵀ.
        """
        mean, centered = _center(features)
        product = centered @ self.root
        # The squared singular values are the eigenvalues of the smaller Gram matrix.
        tall = len(product) > product.shape[1]
        gram = product.T @ product if tall else product @ product.T
        singular = torch.linalg.eigvalsh(gram).clamp(min=0).sqrt()
        distance: Tensor = (
            (self.mean - mean).square().sum()
            + self.root.square().sum()
            + centered.square().sum()
            - 2 * singular.sum()
        )
        return max(0.0, distance.item())


def _center(features: Tensor) -> tuple[Tensor, Tensor]:
    """The mean [F], and the rows [N, F] scaled so that XᵀX is the covariance; both float64."""
    features = features.cpu().double()
    mean = features.mean(dim=0)
    return mean, (features - mean) / (len(features) - 1) ** 0.5
