"""Ways through latent space. Latents are float32, [Z] or [N, Z]."""

import torch
from torch import Tensor


def linear(one: Tensor, other: Tensor, steps: int) -> Tensor:
    """The straight way between two latents [Z], both included, [steps, Z].

    Its middle is nearer to the origin than latents that are drawn: such faces are rarely learnt.
    """
    part: Tensor = torch.linspace(0, 1, steps).unsqueeze(1)
    return (1 - part) * one + part * other


def spherical(one: Tensor, other: Tensor, steps: int) -> Tensor:
    """The way along the great circle (Shoemake 1985; White 2016), [steps, Z]: latents of one norm
    keep it, others go evenly from one norm to the other.

    Where there is no such circle, of opposite latents or the origin, it is the straight way.
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
    way: Tensor = unit / torch.sin(angle) * ((1 - part) * norms[0] + part * norms[1])
    return way


def along(latents: Tensor, direction: Tensor, offsets: Tensor) -> Tensor:
    """Latents [N, Z] moved along a direction [Z] of any length by offsets [K], in deviations of a
    latent, [N, K, Z].
    """
    unit: Tensor = direction / direction.norm().clamp(min=1e-9)
    return latents.unsqueeze(1) + offsets.unsqueeze(1) * unit
