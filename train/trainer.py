"""The two players and one step of their game."""

import contextlib
import copy
import math

import torch
from torch import Tensor, nn
from torch._functorch import config as functorch

from train import losses
from train.augment import flip_and_shift
from train.data import Faces, one_hot
from train.distributed import ALONE, Team, whole_batch_norms
from train.machine import compiles
from train.networks import Discriminator, Generator
from train.sampler import GroupSampler, unseen_conditions
from train.settings import TrainSettings


class Trainer:
    """Generator, discriminator, their optimisers, the averaged generator, and the random state.

    All randomness comes from one generator, `rng`, so that a restored state goes on exactly.
    """

    def __init__(self, settings: TrainSettings, faces: Faces, team: Team = ALONE) -> None:
        """Raises ShareError where the team cannot share a batch."""
        self.settings, self.faces, self.team = settings, faces, team
        self.part = team.part(settings.batch, settings.group)
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
        if team.size > 1:
            whole_batch_norms(self.generator)
        self.compiled = compiles(settings.compile, self.device)
        if self.compiled:
            # What the discriminator's pass keeps is needed twice, once for each player.
            functorch.donated_buffer = False
            self.generator.compile()
            self.discriminator.compile()
        self.players = {
            "generator": team.share(self.generator),
            "discriminator": team.share(self.discriminator),
        }
        """The two networks, as they are trained."""
        self.rng = torch.Generator(device=self.device).manual_seed(settings.seed)
        self.sampler = GroupSampler(faces, settings.batch, settings.group, self.rng)
        self.unseen = unseen_conditions(faces)
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

        Both see the same fakes, and the discriminator's one pass over them serves both.
        """
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = learning_rate
        # Lazy regularisation (Karras et al. 2020, StyleGAN2): seldom, and as much stronger.
        lazy = self.settings.penalty > 0 and self.step % self.settings.penalty_every == 0
        real, labels, latent = self._draw()
        condition = one_hot(labels, self.faces.sizes)
        others, their_latent = self._draw_unseen()
        fake = self._paint(
            torch.cat([latent, their_latent]),
            torch.cat([condition, one_hot(others, self.faces.sizes)]),
        )
        shown = fake.detach()
        slope, loss, figures = self._compare(real, shown[: len(real)], condition, labels, lazy)
        if len(others):
            slope = torch.cat([slope, self._name(shown[len(real) :], others)])
        self._update("generator", fake, slope)
        self._update("discriminator", loss)
        self._average()
        self.step += 1
        return figures

    def _draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """This process's part of a batch: pictures in -1…1, labels and latents."""
        batch, part = self.settings.batch, self.part
        rows = self.sampler()[part]
        real = flip_and_shift(self.faces.images[rows], self.rng, batch, part)
        latent = torch.randn(
            batch, self.settings.latent_dim, generator=self.rng, device=self.device
        )
        return real.float().div_(127.5).sub_(1), self.faces.labels[rows], latent[part]

    def _draw_unseen(self) -> tuple[Tensor, Tensor]:
        """Labels that no image has, and latents: as many as in a batch, but seldom."""
        settings, every = self.settings, self.settings.unseen_every
        # Halfway between two penalties, which are dear already.
        if not (every and len(self.unseen)) or self.step % every != every // 2:
            empty = torch.zeros(0, settings.latent_dim, device=self.device)
            return self.faces.labels[:0], empty
        rows = torch.randint(
            len(self.unseen), (settings.batch,), generator=self.rng, device=self.device
        )
        latent = torch.randn(
            settings.batch, settings.latent_dim, generator=self.rng, device=self.device
        )
        return self.unseen[rows[self.part]], latent[self.part]

    def _paint(self, latent: Tensor, condition: Tensor) -> Tensor:
        with self._half_precision():
            fake = self.players["generator"](latent, condition).float()
        rows = self.part.stop - self.part.start
        parts = [
            flip_and_shift(part, self.rng, self.settings.batch, self.part)
            for part in fake.split(rows)
        ]
        return torch.cat(parts)

    def _name(self, fake: Tensor, labels: Tensor) -> Tensor:
        """The slope, at fakes of unseen conditions, of the one loss that they have.

        Nothing real is like them, so how real they look is not judged: the discriminator would
        soon know them by their colours. The heads learn from real faces alone.
        """
        fake.requires_grad_()
        with self._half_precision():
            _, logits = self.discriminator(fake, one_hot(labels, self.faces.sizes))
            naming = losses.classification(logits, labels)
        (slope,) = torch.autograd.grad(self.settings.class_weight * naming, fake)
        return slope

    def _compare(
        self, real: Tensor, fake: Tensor, condition: Tensor, labels: Tensor, lazy: bool
    ) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
        """The generator's loss, as its slope at the fakes; the discriminator's loss; figures."""
        settings, discriminator = self.settings, self.players["discriminator"]
        relativistic = settings.loss == "relativistic"
        real.requires_grad_(lazy)
        fake.requires_grad_()
        with self._for_second_derivatives() if lazy else self._half_precision():
            real_score, real_logits = discriminator(real, condition)
            fake_score, fake_logits = discriminator(fake, condition)
            if relativistic:
                painting = losses.relativistic_generator(real_score.detach(), fake_score)
                telling = losses.relativistic_discriminator(real_score, fake_score)
            else:
                painting = losses.nonsaturating_generator(fake_score)
                telling = losses.nonsaturating_discriminator(real_score, fake_score)
            fake_naming = losses.classification(fake_logits, labels)
            real_naming = losses.classification(real_logits, labels)
        likeness = losses.likeness(real.detach(), fake, settings.group, self.team.mean)
        (slope,) = torch.autograd.grad(
            painting + settings.class_weight * fake_naming + settings.diversity_weight * likeness,
            fake,
            retain_graph=True,
        )
        loss = telling + settings.class_weight * real_naming
        if lazy:
            penalty = losses.zero_centred_penalty(real_score, real).mean()
            if relativistic:
                penalty = penalty + losses.zero_centred_penalty(fake_score, fake).mean()
            loss = loss + settings.penalty / 2 * settings.penalty_every * penalty
            self.penalty = self.team.mean(penalty.detach())
        figures = {
            "generator": painting,
            "generator_naming": fake_naming,
            "likeness": likeness,
            "discriminator": telling,
            "discriminator_naming": real_naming,
            "penalty": self.penalty,
        }
        return slope, loss, {name: value.detach() for name, value in figures.items()}

    def _update(self, player: str, output: Tensor, gradient: Tensor | None = None) -> None:
        optimiser = self.optimisers[player]
        optimiser.zero_grad(set_to_none=True)
        output.backward(gradient)
        optimiser.step()

    def _half_precision(self) -> torch.autocast:
        return torch.autocast(
            self.device.type, dtype=torch.bfloat16, enabled=self.device.type == "cuda"
        )

    def _for_second_derivatives(self) -> contextlib.AbstractContextManager[object]:
        """They need all their digits, and compiled code has none."""
        if self.compiled:
            return torch.compiler.set_stance("force_eager")
        return contextlib.nullcontext()

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

    def begin(self, weights: dict[str, Tensor]) -> None:
        """Takes the weights of `generator` and `discriminator` by name, in place of random ones.

        Raises RuntimeError for those of other networks.
        """
        for network, name in (
            (self.generator, "generator"),
            (self.ema, "generator"),
            (self.discriminator, "discriminator"),
        ):
            start = f"{name}."
            network.load_state_dict(
                {k.removeprefix(start): v for k, v in weights.items() if k.startswith(start)}
            )

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
