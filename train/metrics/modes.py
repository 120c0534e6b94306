"""Dropped modes: kinds of real images that a generator rarely or never generates.

Images are assigned to bins. A bin is dropped if its share of the generated images is less than
DROPPED_BELOW times its share of the real ones (after Richardson & Weiss 2018, section 3). There are
two kinds of bins: the conditions that the judge's classifier predicts, and clusters of real images
in its feature space.
"""

import torch
from torch import Tensor

DROPPED_BELOW = 0.1
CLUSTERS = 50
MIN_FACES_PER_CLUSTER = 20
"""Minimum of the mean cluster size: with fewer images there are fewer clusters."""
MIN_EXPECTED_IMAGES = 5
"""Minimum of a bin's expected number of images: with fewer, an empty bin may be chance."""
MAX_ITERATIONS = 30


def cluster(points: Tensor, seed: int = 0) -> Tensor:
    """Centers [K, F] of up to CLUSTERS clusters of points [N, F], by k-means (Lloyd 1982) with
    k-means++ initialization (Arthur & Vassilvitskii 2007). Deterministic for points and seed.
    """
    rng = torch.Generator().manual_seed(seed)
    count = max(1, min(CLUSTERS, len(points) // MIN_FACES_PER_CLUSTER))
    chosen = [int(torch.randint(len(points), (), generator=rng))]
    nearest = (points - points[chosen[0]]).square().sum(dim=1)
    while len(chosen) < count and nearest.max() > 0:  # copies of one image are one cluster
        chosen.append(int(torch.multinomial(nearest.cpu(), 1, generator=rng)))
        nearest = nearest.minimum((points - points[chosen[-1]]).square().sum(dim=1))
    centers = points[chosen]
    for _ in range(MAX_ITERATIONS):
        bins = assign(points, centers)
        sums = torch.zeros_like(centers).index_add_(0, bins, points)
        sizes = torch.bincount(bins, minlength=len(centers)).unsqueeze(1)
        moved = torch.where(sizes > 0, sums / sizes.clamp(min=1), centers)
        if torch.allclose(moved, centers):
            break
        centers = moved
    return centers


def assign(points: Tensor, centers: Tensor) -> Tensor:
    """The index of the nearest center of each point, int64 [N]."""
    return torch.cdist(points, centers).argmin(dim=1)


def shares(bins: Tensor, count: int) -> Tensor:
    """Share of the images in each bin, float32 [count]; bins are int64 [N]."""
    return torch.bincount(bins, minlength=count).float() / len(bins)


def relative_frequency(real: Tensor, generated: Tensor, images: int) -> Tensor:
    """Share of generated images in each bin, divided by that of real images, [K].

    `real` and `generated` are shares [K], `images` is the number of generated images. NaN where
    fewer than MIN_EXPECTED_IMAGES are expected.
    """
    return torch.where(real * images >= MIN_EXPECTED_IMAGES, generated / real, torch.nan)


def dropped_share(frequencies: Tensor) -> float:
    """Share of the bins with a relative frequency below DROPPED_BELOW; NaN bins do not count."""
    known = frequencies[~frequencies.isnan()]
    return (known < DROPPED_BELOW).float().mean().item() if len(known) else 0.0
