"""The amount of fine detail in an image, which blur removes and noise adds."""

import torch
from torch import Tensor
from torch.nn import functional as F

LUMA = (0.299, 0.587, 0.114)
LAPLACIAN = ((0.0, 1.0, 0.0), (1.0, -4.0, 1.0), (0.0, 1.0, 0.0))


def sharpness(images: Tensor) -> float:
    """Variance of the Laplacian of the luminance in 0…1 ("LAPV", Pech-Pacheco et al. 2000), mean
    over images uint8 [N, 3, S, S].
    """
    luma = torch.tensor(LUMA, device=images.device).view(1, 3, 1, 1)
    kernel = torch.tensor(LAPLACIAN, device=images.device).view(1, 1, 3, 3)
    total = 0.0
    for batch in torch.split(images, 256):
        gray = (batch.float() / 255 * luma).sum(dim=1, keepdim=True)
        total += F.conv2d(gray, kernel).var(dim=(1, 2, 3), correction=0).sum().item()
    return total / len(images)
