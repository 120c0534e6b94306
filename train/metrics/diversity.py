"""How far the pictures of one set are from each other."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F


def layout(maps: list[Tensor]) -> Tensor:
    """Unit-length feature vectors on an 8×8 grid, from the second and third stages, [N, L].

    The comparison of LPIPS (Zhang et al. 2018), without its learnt weights.
    """
    parts = []
    for stage in maps[1:3]:
        grid = F.adaptive_avg_pool2d(stage, 8)
        unit = F.normalize(grid, dim=1)
        parts.append(unit.flatten(1) / 8)
    return torch.cat(parts, dim=1)


def within(layout: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Distances between pictures of one condition: to the nearest one [N'], and their mean.

    Conditions with a single picture are left out; where no two pictures share one (few pictures,
    or many attributes), all count as of one.
    """
    groups = torch.zeros(len(labels), dtype=torch.int64, device=labels.device)
    if labels.shape[1]:
        conditions, inverse = torch.unique(labels, dim=0, return_inverse=True)
        groups = inverse if len(conditions) < len(labels) else groups
    nearest, total, pairs = [], 0.0, 0
    for group in range(int(groups.max()) + 1):
        members = layout[groups == group]
        if len(members) < 2:
            continue
        distances = torch.cdist(members, members)
        total += distances.sum().item()
        pairs += len(members) * (len(members) - 1)
        nearest.append(distances.fill_diagonal_(math.inf).min(dim=1).values)
    return torch.cat(nearest), total / pairs
