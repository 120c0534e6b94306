"""Paths through latent space. Latents are float32, [Z] or [N, Z]."""

import torch
from torch import Tensor


def linear(one: Tensor, other: Tensor, steps: int) -> Tensor:
    """Linear interpolation between two latents [Z], endpoints included, [steps, Z].

    Its middle has a smaller norm than random latents, so the generator rarely learned such latents.
    """
    part: Tensor = torch.linspace(0, 1, steps).unsqueeze(1)
    return (1 - part) * one + part * other


def spherical(one: Tensor, other: Tensor, steps: int) -> Tensor:
    """Spherical interpolation (Shoemake 1985; White 2016), [steps, Z]; norms are interpolated
    linearly.

    Falls back to `linear` where it is undefined, for opposite latents and the origin.
    """
    norms = one.norm(), other.norm()
    cosine = (one @ other / (norms[0] * norms[1]).clamp(min=1e-9)).clamp(-1, 1)
    angle = torch.acos(cosine)
    if torch.sin(angle) < 1e-4 or min(norms) == 0:
        return linear(one, other, steps)
    part = torch.linspace(0, 1, steps).unsqueeze(1)
    unit = (
        torch.sin((1 - part) * angle) * one / norms[0] + torch.sin(part * angle) * other / norms[1]
    )
    path: Tensor = unit / torch.sin(angle) * ((1 - part) * norms[0] + part * norms[1])
    return path


def along(latents: Tensor, direction: Tensor, offsets: Tensor) -> Tensor:
    """Latents [N, Z] moved along a direction [Z] by offsets [K], in deviations, to [N, K, Z]."""
    unit: Tensor = direction / direction.norm().clamp(min=1e-9)
    return latents.unsqueeze(1) + offsets.unsqueeze(1) * unit
