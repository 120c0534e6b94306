"""Precision, recall, density and coverage, from nearest neighbors.

Points are float32 [N, F]. The radius of a point's ball is the distance to its k-th nearest neighbor
in the same set. It depends on the size of the set, so both sets must have the same size.
"""

import torch
from torch import Tensor

PRECISION_RECALL_K = 3
"""k of precision and recall (Kynkäänniemi et al. 2019, section 3)."""
DENSITY_COVERAGE_K = 5
"""k of density and coverage (Naeem et al. 2020, section 3.3)."""


def neighbor_figures(real: Tensor, generated: Tensor) -> dict[str, float]:
    """Figures of generated and real points, both float32 [N, F] with N ≥ 2.

    - `precision`: share of generated points within the ball of a real point; `recall`: share of
      real points within the ball of a generated one (Kynkäänniemi et al. 2019, eq. 2)
    - `density`: mean number of real balls around a generated point, divided by k; less sensitive to
      outliers, and not limited to 1; `coverage`: share of real balls that contain a generated point
      (Naeem et al. 2020, eq. 3)
    """
    apart = torch.cdist(real, generated)
    of_real = radii(real, (PRECISION_RECALL_K, DENSITY_COVERAGE_K))
    (of_generated,) = radii(generated, (PRECISION_RECALL_K,))
    within_real = apart <= of_real[0][:, None]
    dense = apart <= of_real[1][:, None]
    shares = {
        "precision": within_real.any(dim=0),
        "recall": (apart <= of_generated[None]).any(dim=1),
        "density": dense.sum(dim=0) / min(DENSITY_COVERAGE_K, len(real) - 1),
        "coverage": dense.any(dim=1),
    }
    return {name: share.float().mean().item() for name, share in shares.items()}


def radii(points: Tensor, neighbors: tuple[int, ...]) -> list[Tensor]:
    """Distance of each point to its k-th nearest neighbor, [N] for each k; with fewer than k
    neighbors, to the farthest one.
    """
    # The first of the sorted distances is the point's distance to itself.
    most = min(max(neighbors), len(points) - 1)
    nearest = torch.cdist(points, points).topk(most + 1, largest=False).values
    return [nearest[:, min(k, most)] for k in neighbors]
