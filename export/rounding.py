"""Weights in int8: each row of a matrix or convolution has a scale."""

import torch
from torch import Tensor, nn


def quantize(tensor: Tensor) -> tuple[Tensor, Tensor]:
    """Quantizes float weights [N, …] to int8; also returns the scales, float16 [N, 1, …]."""
    scale = tensor.abs().amax(dim=tuple(range(1, tensor.dim())), keepdim=True) / 127
    scale = scale.clamp(min=1e-7).half()
    return (tensor / scale.float()).round().clamp(-127, 127).to(torch.int8), scale


def dequantize(steps: Tensor, scale: Tensor) -> Tensor:
    """The inverse of `quantize`, in float32."""
    return steps.float() * scale.float()


@torch.no_grad()
def round_weights(network: nn.Module) -> None:
    """Rounds the weights of linear layers and convolutions to what int8 can store."""
    for module in network.modules():
        if isinstance(module, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            module.weight.copy_(dequantize(*quantize(module.weight)))
