"""Mode dropping: which kinds of real faces a generator never or hardly paints.

Pictures fall into bins, and a bin is dropped when painted pictures come there less than HARDLY as
often as real faces do (after the bins of Richardson & Weiss 2018, section 3). There are two kinds
of bins: conditions, as the judge reads them off the pictures, and clusters of real faces among all
that it sees of them.
"""

import torch
from torch import Tensor

HARDLY = 0.1
CLUSTERS = 50
OF_A_CLUSTER = 20
"""Real faces at the least, on average: fewer faces make fewer clusters."""
EXPECTED = 5
"""Pictures that a bin should get; where fewer are, none at all may be chance."""
ROUNDS = 30


def cluster(points: Tensor, seed: int = 0) -> Tensor:
    """Centres [K, F] of up to CLUSTERS clusters of points [N, F], by k-means (Lloyd 1982), begun as
    k-means++ (Arthur & Vassilvitskii 2007). The same points and seed give the same centres.
    """
    rng = torch.Generator().manual_seed(seed)
    count = max(1, min(CLUSTERS, len(points) // OF_A_CLUSTER))
    chosen = [int(torch.randint(len(points), (), generator=rng))]
    nearest = (points - points[chosen[0]]).square().sum(dim=1)
    while len(chosen) < count and nearest.max() > 0:  # copies of one face are one cluster
        chosen.append(int(torch.multinomial(nearest.cpu(), 1, generator=rng)))
        nearest = nearest.minimum((points - points[chosen[-1]]).square().sum(dim=1))
    centres = points[chosen]
    for _ in range(ROUNDS):
        bins = assign(points, centres)
        sums = torch.zeros_like(centres).index_add_(0, bins, points)
        sizes = torch.bincount(bins, minlength=len(centres)).unsqueeze(1)
        moved = torch.where(sizes > 0, sums / sizes.clamp(min=1), centres)
        if torch.allclose(moved, centres):
            break
        centres = moved
    return centres


def assign(points: Tensor, centres: Tensor) -> Tensor:
    """The nearest centre of each point, int64 [N]."""
    return torch.cdist(points, centres).argmin(dim=1)


def shares(bins: Tensor, count: int) -> Tensor:
    """Which share of the pictures each bin has, float32 [count], of bins int64 [N]."""
    return torch.bincount(bins, minlength=count).float() / len(bins)


def reach(real: Tensor, painted: Tensor, pictures: int) -> Tensor:
    """How often `pictures` come into each bin, in units of how often real faces do, [K].

    Both are shares [K]. Not a number where real faces would fill a bin too seldom to tell.
    """
    return torch.where(real * pictures >= EXPECTED, painted / real, torch.nan)


def dropped(reached: Tensor) -> float:
    """The share of the bins that can be told about which are hardly reached or not at all."""
    told = reached[~reached.isnan()]
    return (told < HARDLY).float().mean().item() if len(told) else 0.0
