"""The two players and one step of their game."""

import contextlib
import copy
import math

import torch
from torch import Tensor, nn

from train import losses
from train.augment import flip_and_shift
from train.data import Faces, one_hot
from train.networks import Discriminator, Generator
from train.sampler import GroupSampler
from train.settings import TrainSettings


class Trainer:
    """Generator, discriminator, their optimisers, the averaged generator, and the random state.

    All randomness comes from one generator, `rng`, so that a restored state goes on exactly.
    """

    def __init__(self, settings: TrainSettings, faces: Faces) -> None:
        self.settings, self.faces = settings, faces
        self.device = faces.images.device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.generator = Generator(
                settings.resolution, settings.latent_dim, faces.sizes, settings.width
            )
            self.discriminator = Discriminator(
                settings.resolution, faces.sizes, settings.width, group=settings.group
            )
        for network in (self.generator, self.discriminator):
            network.to(self.device).to(memory_format=torch.channels_last)
        self.ema = copy.deepcopy(self.generator).eval().requires_grad_(False)
        self.optimisers = {
            "generator": self._optimiser(self.generator),
            "discriminator": self._optimiser(self.discriminator),
        }
        self.rng = torch.Generator(device=self.device).manual_seed(settings.seed)
        self.sampler = GroupSampler(faces, settings.batch, settings.group, self.rng)
        self.step = 0
        self.penalty = torch.zeros((), device=self.device)
        """The last one measured: most steps have none."""

    @property
    def images(self) -> int:
        """Real images shown so far."""
        return self.step * self.settings.batch

    def _optimiser(self, network: nn.Module) -> torch.optim.Adam:
        # No momentum: the other player moves on between two steps (Karras et al. 2018).
        return torch.optim.Adam(
            network.parameters(), self.settings.learning_rate, betas=(0.0, 0.99), fused=True
        )

    def train_step(self, learning_rate: float) -> dict[str, Tensor]:
        """One update of each player on one batch; returns the losses, still on the device.

        Both see the same fakes: the generator moves first, the discriminator answers it.
        """
        settings = self.settings
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = learning_rate
        rows = self.sampler()
        labels = self.faces.labels[rows]
        condition = one_hot(labels, self.faces.sizes)
        real = flip_and_shift(self.faces.images[rows], self.rng).float() / 127.5 - 1
        latent = torch.randn(
            settings.batch, settings.latent_dim, generator=self.rng, device=self.device
        )
        with self._half_precision():
            fake = flip_and_shift(self.generator(latent, condition), self.rng).float()
            figures = self._generator_step(real, fake, condition, labels)
        # Lazy regularisation (Karras et al. 2020, StyleGAN2): seldom, and as much stronger.
        lazy = settings.penalty > 0 and self.step % settings.penalty_every == 0
        # Gradients of gradients need all their digits.
        with contextlib.nullcontext() if lazy else self._half_precision():
            figures |= self._discriminator_step(real, fake.detach(), condition, labels, lazy)
        self._average()
        self.step += 1
        return figures

    def _generator_step(
        self, real: Tensor, fake: Tensor, condition: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        self.discriminator.requires_grad_(False)
        fake_score, logits = self.discriminator(fake, condition)
        if self.settings.loss == "relativistic":
            with torch.no_grad():
                real_score, _ = self.discriminator(real, condition)
            adversarial = losses.relativistic_generator(real_score, fake_score)
        else:
            adversarial = losses.nonsaturating_generator(fake_score)
        naming = losses.classification(logits, labels)
        likeness = losses.likeness(real, fake, self.settings.group)
        self._update(
            "generator",
            adversarial
            + self.settings.class_weight * naming
            + self.settings.diversity_weight * likeness,
        )
        self.discriminator.requires_grad_(True)
        return {
            "generator": adversarial.detach(),
            "generator_naming": naming.detach(),
            "likeness": likeness.detach(),
        }

    def _discriminator_step(
        self, real: Tensor, fake: Tensor, condition: Tensor, labels: Tensor, lazy: bool
    ) -> dict[str, Tensor]:
        settings = self.settings
        relativistic = settings.loss == "relativistic"
        both = torch.cat([real, fake]).requires_grad_(lazy)
        scores, logits = self.discriminator(both, torch.cat([condition, condition]))
        real_score, fake_score = scores.chunk(2)
        if relativistic:
            adversarial = losses.relativistic_discriminator(real_score, fake_score)
        else:
            adversarial = losses.nonsaturating_discriminator(real_score, fake_score)
        naming = losses.classification([head[: len(real)] for head in logits], labels)
        total = adversarial + settings.class_weight * naming
        figures = {"discriminator": adversarial.detach(), "discriminator_naming": naming.detach()}
        if lazy:
            steepness = losses.zero_centred_penalty(scores, both)
            real_part, fake_part = steepness.chunk(2)
            penalty = real_part.mean() + (fake_part.mean() if relativistic else 0.0)
            total = total + settings.penalty / 2 * settings.penalty_every * penalty
            self.penalty = penalty.detach()
        self._update("discriminator", total)
        return figures | {"penalty": self.penalty}

    def _update(self, player: str, loss: Tensor) -> None:
        optimiser = self.optimisers[player]
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        optimiser.step()

    def _half_precision(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"
        )

    @torch.no_grad()
    def _average(self) -> None:
        """EMA with a half-life in images, shorter at the start; batch statistics included."""
        half_life = min(self.settings.ema_images, self.images / 8 + 1)
        keep = math.exp(math.log(0.5) * self.settings.batch / half_life)
        ours, theirs = self.ema.state_dict().values(), self.generator.state_dict().values()
        averaged = [(a, b) for a, b in zip(ours, theirs, strict=True) if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in averaged], [b for _, b in averaged], 1 - keep)

    def state(self) -> dict[str, Tensor]:
        """Everything that `restore` needs to go on exactly, by name."""
        tensors = {"rng": self.rng.get_state(), "penalty": self.penalty}
        for name, network in self._networks().items():
            tensors |= {f"{name}.{key}": value for key, value in network.state_dict().items()}
        for player, optimiser in self.optimisers.items():
            for number, parameter in enumerate(optimiser.param_groups[0]["params"]):
                for key, value in optimiser.state[parameter].items():
                    tensors[f"{player}_optimiser.{number}.{key}"] = value
        return tensors

    def restore(self, tensors: dict[str, Tensor], step: int) -> None:
        """Takes over a `state` saved after `step` steps; exact on the kind of device it is of.

        Raises KeyError or RuntimeError for that of other networks.
        """
        if tensors["rng"].shape == self.rng.get_state().shape:
            self.rng.set_state(tensors["rng"])
        else:  # a CPU goes on with what a GPU began, or the other way round
            self.rng.manual_seed(self.settings.seed + step)
        self.penalty = tensors["penalty"].to(self.device)
        for name, network in self._networks().items():
            start = f"{name}."
            network.load_state_dict(
                {k.removeprefix(start): v for k, v in tensors.items() if k.startswith(start)}
            )
        for player, optimiser in self.optimisers.items():
            for number, parameter in enumerate(optimiser.param_groups[0]["params"]):
                start = f"{player}_optimiser.{number}."
                optimiser.state[parameter] = {
                    key.removeprefix(start): _like(parameter, value)
                    for key, value in tensors.items()
                    if key.startswith(start)
                }
        self.ema.spread.fill_(1)  # settled anew when training ends
        self.step = step

    def _networks(self) -> dict[str, nn.Module]:
        return {
            "generator": self.generator,
            "discriminator": self.discriminator,
            "ema": self.ema,
        }


def _like(parameter: Tensor, value: Tensor) -> Tensor:
    """A moment in its parameter's memory format, which the fused optimiser relies on."""
    if value.shape != parameter.shape:
        return value.to(parameter.device)
    return torch.empty_like(parameter, requires_grad=False).copy_(value)
