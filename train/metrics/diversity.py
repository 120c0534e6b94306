"""Distances between the images of one set."""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from train.metrics.classifier import Classifier

BATCH = 256


@torch.inference_mode()
def layouts(classifier: Classifier, images: Tensor, device: torch.device) -> Tensor:
    """Spatial features of images uint8 [N, 3, S, S], float32 [N, L], for pairwise distances.

    They are 37 KB per image: to be computed of as many images as are held out, not of a whole set.
    """
    parts = [layout(classifier(batch.to(device))[0]) for batch in torch.split(images, BATCH)]
    return torch.cat(parts)


def layout(maps: list[Tensor]) -> Tensor:
    """Unit-length feature vectors on an 8×8 grid, from the second and third stages, [N, L].

    As in LPIPS (Zhang et al. 2018), without its learned weights.
    """
    parts = []
    for stage in maps[1:3]:
        grid = F.adaptive_avg_pool2d(stage, 8)
        unit = F.normalize(grid, dim=1)
        parts.append(unit.flatten(1) / 8)
    return torch.cat(parts, dim=1)


def within(layout: Tensor, labels: Tensor) -> tuple[Tensor, float]:
    """Distances between images of the same condition: to the nearest one [N'], and their mean.

    Conditions with a single image are omitted. If no two images share a condition (few images, or
    many attributes), all images are treated as one condition.
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
