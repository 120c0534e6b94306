"""Images of circles, for scorers."""

import torch
from torch import Tensor


def paint(latents: Tensor, conditions: Tensor) -> Tensor:
    """Images uint8 [N, 3, 32, 32] of a bright circle, of a size by the latent [N, 1]; the second
    condition has coarse stripes.
    """
    line = torch.linspace(-1, 1, 32)
    radius = (line[:, None] ** 2 + line**2).sqrt()
    circle = torch.sigmoid((0.6 + 0.05 * latents.view(-1, 1, 1) - radius) * 20)
    stripes = conditions[:, 1].view(-1, 1, 1) * (torch.arange(32) // 8 % 2)
    level = 60 + 120 * circle + 40 * stripes
    return level.to(torch.uint8)[:, None].expand(-1, 3, -1, -1)


def draw(count: int, seed: int, rare: int = 4) -> tuple[Tensor, Tensor]:
    """Latents and conditions; one of `rare` has the second condition."""
    rng = torch.Generator().manual_seed(seed)
    second = torch.arange(count) % rare == 0
    return torch.randn(count, 1, generator=rng), torch.stack([~second, second], dim=1).float()
