"""The training step of the upscaler, and its state."""

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from train import state
from train.settings import UpscalerSettings
from train.upscaler.degrade import degrade
from train.upscaler.network import Upscaler

EMA = 0.999
"""Decay of the averaged network per step."""
LARGEST_NORM = 1.0
"""Limit of the gradient norm, against outliers among the patches."""


def charbonnier(difference: Tensor) -> Tensor:
    """A smooth L1 norm (Lai et al. 2017, LapSRN, equation 3), mean over all values."""
    return (difference.square() + 1e-6).sqrt().mean()


def edges(difference: Tensor) -> Tensor:
    """`charbonnier` of the differences between neighboring pixels: soft or doubled lines have a
    larger loss than a uniform error.
    """
    across = difference[..., :, 1:] - difference[..., :, :-1]
    down = difference[..., 1:, :] - difference[..., :-1, :]
    return charbonnier(across) + charbonnier(down)


class UpscalerTrainer:
    """Trains on images uint8 [N, 3, S, S]; `step` and `images` are the progress."""

    def __init__(self, settings: UpscalerSettings, pictures: Tensor, device: torch.device) -> None:
        self.settings, self.pictures, self.device = settings, pictures, device
        self.rng = torch.Generator().manual_seed(settings.seed)
        with state.seeded(settings.seed):
            network = Upscaler(settings.width, settings.blocks)
        self.network = network.to(device).to(memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=settings.learning_rate, fused=True
        )
        self.step = 0
        self.rate_factor = 1.0
        """Lowered by the loop after a divergence."""

    @property
    def images(self) -> int:
        """Patches shown so far."""
        return self.step * self.settings.batch

    @property
    def data_size(self) -> int:
        """Number of training images."""
        return len(self.pictures)

    def learning_rate(self, progress: float) -> float:
        """Cosine schedule from the full rate to a hundredth."""
        share = 0.5 + 0.5 * math.cos(math.pi * progress)
        return self.settings.learning_rate * self.rate_factor * max(0.01, share)

    def train_step(self, progress: float) -> dict[str, Tensor]:
        """Updates the network on a batch of patches; returns the loss as a tensor on the device."""
        truth = self._patches()
        small = degrade(truth, self.rng).to(self.device).float() / 255
        sharp = truth.to(self.device).float() / 255
        difference = self.network(small.contiguous(memory_format=torch.channels_last)) - sharp
        loss = charbonnier(difference) + self.settings.edge_weight * edges(difference)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), LARGEST_NORM)
        for group in self.optimizer.param_groups:
            group["lr"] = self.learning_rate(progress)
        self.optimizer.step()
        self.step += 1
        with torch.no_grad():
            # A smaller decay at first, to forget the initial weights.
            weight = 1 - min(EMA, self.step / (self.step + 10))
            for average, new in zip(self.ema.parameters(), self.network.parameters(), strict=True):
                average.lerp_(new, weight)
        return {"loss": loss.detach()}

    @torch.inference_mode()
    def enlarge(self, small: Tensor) -> Tensor:
        """Enlarges uint8 [N, 3, H, W] to uint8 [N, 3, 4H, 4W] with the averaged network."""
        pictures: Tensor = self.ema(small.to(self.device).float() / 255)
        return (pictures * 255).round().clamp(0, 255).to(torch.uint8).cpu()

    def state_dict(self) -> dict[str, Tensor]:
        """The named tensors that `load_state_dict` needs to resume exactly."""
        return state.collect(self._networks(), {"network": self.optimizer}, self.rng, {})

    def load_state_dict(self, tensors: Mapping[str, Tensor], step: int) -> None:
        """Raises KeyError or RuntimeError for the state of another network."""
        seed, optimizers = self.settings.seed + step, {"network": self.optimizer}
        state.load(tensors, self._networks(), optimizers, self.rng, seed, {})
        self.step = step

    def _networks(self) -> dict[str, nn.Module]:
        return {"network": self.network, "ema": self.ema}

    def _patches(self) -> Tensor:
        """Random square patches, half of them mirrored, uint8 [N, 3, P, P]."""
        side, count = self.settings.patch, self.settings.batch
        last = self.pictures.shape[2] - side
        which = torch.randint(len(self.pictures), (count,), generator=self.rng).tolist()
        corners = torch.randint(last + 1, (count, 2), generator=self.rng).tolist()
        mirrored = torch.rand(count, generator=self.rng) < 0.5
        cuts = torch.stack(
            [
                self.pictures[index, :, top : top + side, left : left + side]
                for index, (top, left) in zip(which, corners, strict=True)
            ]
        )
        return torch.where(mirrored[:, None, None, None], cuts.flip(3), cuts)
