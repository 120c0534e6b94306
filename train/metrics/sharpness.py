"""How much fine detail a picture has: what blur takes away, and noise adds."""

import torch
from torch import Tensor
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)
LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


def sharpness(images: Tensor) -> float:
    """The mean over pictures uint8 [N, 3, S, S] of their Laplacian's variance ("LAPV",
    Pech-Pacheco et al. 2000), of luminance in 0…1.
    """
    luma = torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)
    kernel = torch.tensor(LAPLACIAN, device=images.device).view(1, 1, 3, 3)
    total = 0.0
    for batch in torch.split(images, 256):
        grey = (batch.float() / 255 * luma).sum(dim=1, keepdim=True)
        total += F.conv2d(grey, kernel).var(dim=(1, 2, 3), correction=0).sum().item()
    return total / len(images)
