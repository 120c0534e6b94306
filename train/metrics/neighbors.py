"""Precision, recall, density and coverage: which pictures lie among which others' neighbors.

Points are float32 [N, F]; a point's ball reaches as far as its k-th nearest neighbor in its own
set. Sets of other sizes have other balls: compare equally many real and painted ones.
"""

import torch
from torch import Tensor

OF_MANIFOLDS = 3
"""k of precision and recall, as in their paper's section 3."""
OF_DENSITIES = 5
"""k of density and coverage, as in their paper's section 3.3."""


def neighbor_figures(real: Tensor, painted: Tensor) -> dict[str, float]:
    """How painted points lie among real ones, both float32 [N, F], two of each at least.

    - `precision`: share of painted points within some real point's ball, and `recall`: share of
      real points within some painted one's (Kynkäänniemi et al. 2019, eq. 2)
    - `density`: how many real balls a painted point lies in, over k; outliers count little, and
      it may pass 1; `coverage`: share of real balls with a painted point (Naeem et al. 2020, eq. 3)
    """
    apart = torch.cdist(real, painted)
    of_real = radii(real, (OF_MANIFOLDS, OF_DENSITIES))
    (of_painted,) = radii(painted, (OF_MANIFOLDS,))
    within_real = apart <= of_real[0][:, None]
    dense = apart <= of_real[1][:, None]
    shares = {
        "precision": within_real.any(dim=0),
        "recall": (apart <= of_painted[None]).any(dim=1),
        "density": dense.sum(dim=0) / min(OF_DENSITIES, len(real) - 1),
        "coverage": dense.any(dim=1),
    }
    return {name: share.float().mean().item() for name, share in shares.items()}


def radii(points: Tensor, neighbors: tuple[int, ...]) -> list[Tensor]:
    """How far each point's k-th nearest neighbor is, [N] for each k; in small sets the farthest's
    distance."""
    # The nearest of all is the point itself.
    most = min(max(neighbors), len(points) - 1)
    nearest = torch.cdist(points, points).topk(most + 1, largest=False).values
    return [nearest[:, min(k, most)] for k in neighbors]
