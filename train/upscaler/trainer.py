"""One step of the upscaler's training, and all that has to be kept to go on with it."""

import copy

import torch
from torch import Tensor

from train.settings import UpscalerSettings
from train.upscaler.degrade import degrade
from train.upscaler.network import Upscaler

EMA = 0.999
"""How much of the averaged network is kept at a step."""
LONGEST = 1.0
"""Norm that a step's gradients are cut to: a rare odd patch must not undo what has been learnt."""


def charbonnier(difference: Tensor) -> Tensor:
    """A smooth L1 norm (Lai et al. 2017, LapSRN, equation 3), the mean over everything."""
    return (difference.square() + 1e-6).sqrt().mean()


def edges(difference: Tensor) -> Tensor:
    """`charbonnier` of the steps between neighbours, across and down: lines that are soft or
    doubled cost more than an even tone that is slightly off."""
    across = difference[..., :, 1:] - difference[..., :, :-1]
    down = difference[..., 1:, :] - difference[..., :-1, :]
    return charbonnier(across) + charbonnier(down)


class UpscalerTrainer:
    """Learns from uint8 pictures [N, 3, S, S]; `step` and `images` count what has been done."""

    def __init__(self, settings: UpscalerSettings, pictures: Tensor, device: torch.device) -> None:
        self.settings, self.pictures, self.device = settings, pictures, device
        self.rng = torch.Generator().manual_seed(settings.seed)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            network = Upscaler(settings.width, settings.blocks)
        self.network = network.to(device).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.ema = copy.deepcopy(self.network).eval().requires_grad_(False)
        self.optimiser = torch.optim.Adam(self.network.parameters(), lr=settings.learning_rate)
        self.step = 0

    @property
    def images(self) -> int:
        """Patches shown so far."""
        return self.step * self.settings.batch

    def train_step(self, learning_rate: float) -> Tensor:
        """Returns the loss, a scalar on the device."""
        truth = self._patches()
        small = degrade(truth, self.rng).to(self.device).float() / 255
        sharp = truth.to(self.device).float() / 255
        difference = self.network(small.contiguous(memory_format=torch.channels_last)) - sharp
        loss = charbonnier(difference) + self.settings.edge_weight * edges(difference)
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), LONGEST)
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate
        self.optimiser.step()
        self.step += 1
        with torch.no_grad():
            # The first steps weigh more, else the start would stay in the average for long.
            weight = 1 - min(EMA, self.step / (self.step + 10))
            for average, new in zip(self.ema.parameters(), self.network.parameters(), strict=True):
                average.lerp_(new, weight)
        return loss.detach()

    @torch.inference_mode()
    def enlarge(self, small: Tensor) -> Tensor:
        """With the averaged network: uint8 [N, 3, H, W] to uint8 [N, 3, 4H, 4W], on the CPU."""
        pictures = self.ema(small.to(self.device).float() / 255)
        return (pictures * 255).round().clamp(0, 255).to(torch.uint8).cpu()

    def state(self) -> dict[str, Tensor]:
        """Everything that the next step depends on, by name."""
        state = {f"network.{name}": t for name, t in self.network.state_dict().items()}
        state |= {f"ema.{name}": t for name, t in self.ema.state_dict().items()}
        for index, moments in self.optimiser.state_dict()["state"].items():
            state |= {f"optimiser.{index}.{name}": t for name, t in moments.items()}
        return state | {"rng": self.rng.get_state()}

    def restore(self, state: dict[str, Tensor], step: int) -> None:
        """Raises KeyError and RuntimeError for the state of another network."""
        self.network.load_state_dict(_part(state, "network."))
        self.ema.load_state_dict(_part(state, "ema."))
        moments: dict[int, dict[str, Tensor]] = {}
        for name, tensor in _part(state, "optimiser.").items():
            index, key = name.split(".")
            moments.setdefault(int(index), {})[key] = tensor
        self.optimiser.load_state_dict(self.optimiser.state_dict() | {"state": moments})
        self.rng.set_state(state["rng"])
        self.step = step

    def _patches(self) -> Tensor:
        """Square cuts, half of them mirrored, uint8 [N, 3, P, P]."""
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


def _part(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    return {n.removeprefix(prefix): t for n, t in state.items() if n.startswith(prefix)}
