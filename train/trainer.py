"""The two players and one step of their game."""

import contextlib
import copy
import math

import torch
from torch import Tensor, nn
from torch._functorch import config as functorch
from torch.nn import functional as F

from train import losses
from train.augment import flip, flip_and_rotate, flip_and_shift
from train.data import Faces, one_hot
from train.distributed import ALONE, ShareError, Team, whole_batch_norms
from train.machine import compiles
from train.networks import autoencoder, stackgan
from train.players import build_discriminator, build_generator
from train.sampler import GroupSampler, unseen_conditions
from train.settings import TrainSettings


class Trainer:
    """Generator, discriminator, their optimisers, the averaged generator, and the random state.

    All randomness comes from one generator, `rng`, so that a restored state goes on exactly.
    """

    def __init__(self, settings: TrainSettings, faces: Faces, team: Team = ALONE) -> None:
        """`faces` are taken without their attributes where the settings do without a condition.

        Raises ShareError where the team cannot share a batch, or these networks.
        """
        if settings.conditioning == "none":
            faces = faces.without_attributes()
        self.settings, self.faces, self.team = settings, faces, team
        self.part = team.part(settings.batch, settings.group)
        self.device = faces.images.device
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(settings.seed)
            self.generator = build_generator(settings, faces.sizes)
            self.discriminator = build_discriminator(settings, faces.sizes)
        self.game = losses.game(settings.loss, settings.margin)
        if team.size > 1 and isinstance(self.generator, autoencoder.Generator | stackgan.Generator):
            raise ShareError(
                "an encoder, or a second stage, is trained by one process, without torchrun"
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
            whole_batch_norms(self.discriminator)
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
        if not self.discriminator.sizes:  # nothing would tell the generator how they look
            self.unseen = self.unseen[:0]
        self.step = 0
        self.done = 0.0
        """How much of the training is over, 0…1: what the loop says."""
        self.painter = self.players["generator"]
        """What of the generator is trained."""
        self.size = settings.resolution
        """Side of its pictures, in pixels."""
        parts = ["generator", "generator_naming", "likeness"]
        parts += ["reconstruction"] if isinstance(self.generator, autoencoder.Generator) else []
        self.painted = {name: torch.zeros((), device=self.device) for name in parts}
        """The generator's last losses: it may have fewer steps than the discriminator."""
        self.penalty = torch.zeros((), device=self.device)
        """The last one measured: most steps have none."""

    @property
    def images(self) -> int:
        """Real images shown so far."""
        return self.step * self.settings.batch

    def _optimiser(self, network: nn.Module) -> torch.optim.Optimizer:
        settings, parameters = self.settings, network.parameters()
        rate, betas = settings.learning_rate, (settings.beta1, settings.beta2)
        match settings.optimiser:
            case "adam":
                return torch.optim.Adam(parameters, rate, betas=betas, fused=True)
            case "rmsprop":
                return torch.optim.RMSprop(parameters, rate, alpha=settings.beta2)
            case "sgd":
                return torch.optim.SGD(parameters, rate, momentum=settings.beta1)

    def train_step(self, learning_rate: float) -> dict[str, Tensor]:
        """One update of the discriminator on one batch, and one of the generator where it is its
        turn; returns the losses, still on the device.

        With simultaneous updates both see the same fakes, and the discriminator's one pass over
        them serves both.
        """
        settings = self.settings
        for optimiser in self.optimisers.values():
            for group in optimiser.param_groups:
                group["lr"] = learning_rate
        # Lazy regularisation (Karras et al. 2020, StyleGAN2): seldom, and as much stronger.
        lazy = settings.penalty > 0 and self.step % settings.penalty_every == 0
        if isinstance(self.generator, stackgan.Generator):
            learning = self.generator.learning(refine=self.done >= settings.first_stage)
            self.painter, self.size = learning, learning.image_size
        real, labels, latent = self._draw()
        condition = one_hot(labels, self.faces.sizes)
        turn = (self.step + 1) % settings.discriminator_steps == 0
        together = turn and settings.updates == "simultaneous"
        others, their_latent = self._draw_unseen(together)
        with torch.set_grad_enabled(together):
            fake = self._paint(
                torch.cat([latent, their_latent]),
                torch.cat([condition, one_hot(others, self.faces.sizes)]),
            )
        shown = fake.detach()
        slope, loss, figures = self._compare(
            real, shown[: len(real)], condition, labels, lazy, together
        )
        if slope is not None:
            if len(others):
                slope = torch.cat([slope, self._name(shown[len(real) :], others)])
            redrawing = self._redrawing(real.detach(), condition)
            self._update("generator", (fake * slope).sum() + redrawing)
        self._update("discriminator", loss)
        self._clip()
        if turn and not together:
            self._paint_anew(real, condition, labels)
        self._average()
        self.step += 1
        return self.painted | figures

    def _draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """This process's part of a batch: pictures in -1…1, labels and latents."""
        rows = self.sampler()[self.part]
        real = self._augment(self.faces.images[rows]).float().div_(127.5).sub_(1)
        if self.size != real.shape[-1]:  # of a first stage
            real = F.interpolate(real, size=self.size, mode="area")
        return real, self.faces.labels[rows], self._latent()

    def _latent(self) -> Tensor:
        size = (self.settings.batch, self.settings.latent_dim)
        return torch.randn(size, generator=self.rng, device=self.device)[self.part]

    def _augment(self, images: Tensor) -> Tensor:
        match self.settings.augmentation:
            case "flip-and-shift":
                return flip_and_shift(images, self.rng, self.settings.batch, self.part)
            case "flip-and-rotate":
                return flip_and_rotate(images, self.rng, self.settings.batch, self.part)
            case "flip":
                return flip(images, self.rng, self.settings.batch, self.part)
            case "none":
                return images

    def _draw_unseen(self, turn: bool) -> tuple[Tensor, Tensor]:
        """Labels that no image has, and latents: as many as in a batch, but seldom, and only when
        it is the generator's turn to learn from them.
        """
        settings, every = self.settings, self.settings.unseen_every
        # Halfway between two penalties, which are dear already.
        if not (turn and every and len(self.unseen)) or self.step % every != every // 2:
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
            fake = self.painter(latent, condition).float()
        if self.settings.augmentation != "flip-and-shift":
            return fake
        rows = self.part.stop - self.part.start
        return torch.cat([self._augment(part) for part in fake.split(rows)])

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
        self,
        real: Tensor,
        fake: Tensor,
        condition: Tensor,
        labels: Tensor,
        lazy: bool,
        together: bool,
    ) -> tuple[Tensor | None, Tensor, dict[str, Tensor]]:
        """The generator's loss, as its slope at the fakes, where both players learn `together`; the
        discriminator's loss; figures.
        """
        settings, discriminator = self.settings, self.players["discriminator"]
        real.requires_grad_(lazy)
        fake.requires_grad_(together or lazy)
        slope = None
        with self._for_second_derivatives() if lazy else self._half_precision():
            real_score, real_logits = discriminator(real, condition)
            fake_score, fake_logits = discriminator(fake, condition)
            telling = self.game.discriminator(real_score, fake_score)
            real_naming = losses.classification(real_logits, labels)
        if together:
            painting = self._painting(real, real_score, fake, fake_score, fake_logits, labels)
            (slope,) = torch.autograd.grad(painting, fake, retain_graph=True)
        loss = telling + settings.class_weight * real_naming
        if lazy:
            penalty = self._penalise(real, real_score, fake, fake_score, condition)
            loss = loss + settings.penalty_every * penalty
        figures = {
            "discriminator": telling,
            "discriminator_naming": real_naming,
            "penalty": self.penalty,
        }
        return slope, loss, {name: value.detach() for name, value in figures.items()}

    def _painting(
        self,
        real: Tensor,
        real_score: Tensor,
        fake: Tensor,
        fake_score: Tensor,
        fake_logits: list[Tensor],
        labels: Tensor,
    ) -> Tensor:
        """The generator's loss; its parts are kept as figures."""
        settings = self.settings
        painting = self.game.generator(real_score.detach(), fake_score)
        fake_naming = losses.classification(fake_logits, labels)
        likeness = torch.zeros_like(painting)
        if settings.diversity_weight:
            likeness = losses.likeness(real.detach(), fake, settings.group, self.team.mean)
        figures = {
            "generator": painting,
            "generator_naming": fake_naming,
            "likeness": likeness,
        }
        self.painted |= {name: value.detach() for name, value in figures.items()}
        return painting + settings.class_weight * fake_naming + settings.diversity_weight * likeness

    def _penalise(
        self,
        real: Tensor,
        real_score: Tensor,
        fake: Tensor,
        fake_score: Tensor,
        condition: Tensor,
    ) -> Tensor:
        """The discriminator's penalty, weighed."""
        settings = self.settings
        if settings.penalty_kind == "zero-centred":
            penalty = losses.zero_centred_penalty(real_score, real).mean()
            if settings.loss == "relativistic":
                penalty = penalty + losses.zero_centred_penalty(fake_score, fake).mean()
            weighed = settings.penalty / 2 * penalty
        else:
            real, fake = real.detach(), fake.detach()
            share = self._uniform(1)
            if settings.penalty_kind == "wgan-gp":
                points = losses.between(real, fake, share)
            else:
                points = losses.around(real, share, self._uniform(*real.shape[1:]))
            points.requires_grad_()
            scores, _ = self.players["discriminator"](points, condition)
            penalty = losses.one_centred_penalty(scores, points).mean()
            weighed = settings.penalty * penalty
        self.penalty = self.team.mean(penalty.detach())
        return weighed

    def _uniform(self, *size: int) -> Tensor:
        """Numbers in 0…1 for each picture of this process's part, [N, …]."""
        whole = (self.settings.batch, *size)
        return torch.rand(whole, generator=self.rng, device=self.device)[self.part]

    def _paint_anew(self, real: Tensor, condition: Tensor, labels: Tensor) -> None:
        """The generator's step after the discriminator's: fresh fakes, and a fresh look at them."""
        settings, discriminator = self.settings, self.discriminator.requires_grad_(False)
        others, their_latent = self._draw_unseen(turn=True)
        painted = self._paint(
            torch.cat([self._latent(), their_latent]),
            torch.cat([condition, one_hot(others, self.faces.sizes)]),
        )
        fake, theirs = painted[: len(real)], painted[len(real) :]
        with self._half_precision():
            fake_score, fake_logits = discriminator(fake, condition)
            real_score = fake_score  # other games do not look at it
            if settings.loss == "relativistic":
                real_score, _ = discriminator(real.detach(), condition)
            loss = self._painting(real, real_score, fake, fake_score, fake_logits, labels)
            if settings.pulling_away:
                code = discriminator.look(discriminator.joined(fake, condition))
                loss = loss + settings.pulling_away * losses.pulling_away(code.float())
        if len(others):
            loss = loss + (theirs * self._name(theirs.detach(), others)).sum()
        self._update("generator", loss + self._redrawing(real.detach(), condition))
        discriminator.requires_grad_(True)

    def _redrawing(self, real: Tensor, condition: Tensor) -> Tensor | float:
        """The loss of images that are encoded and drawn again, weighed."""
        if not isinstance(self.generator, autoencoder.Generator):
            return 0.0
        loss = F.l1_loss(self.generator.reconstruct(real, condition), real)
        self.painted["reconstruction"] = loss.detach()
        return self.settings.reconstruction_weight * loss

    def _clip(self) -> None:
        """Weight clipping (Arjovsky et al. 2017, algorithm 1)."""
        if self.settings.clip:
            with torch.no_grad():
                for parameter in self.discriminator.parameters():
                    parameter.clamp_(-self.settings.clip, self.settings.clip)

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
        keep = math.exp(math.log(0.5) * self.settings.batch / half_life) if half_life else 0.0
        ours, theirs = self.ema.state_dict().values(), self.generator.state_dict().values()
        averaged = [(a, b) for a, b in zip(ours, theirs, strict=True) if a.is_floating_point()]
        torch._foreach_lerp_([a for a, _ in averaged], [b for _, b in averaged], 1 - keep)

    def state(self) -> dict[str, Tensor]:
        """Everything that `restore` needs to go on exactly, by name."""
        tensors = {"rng": self.rng.get_state(), "penalty": self.penalty}
        if self.settings.discriminator_steps > 1:
            tensors |= {f"painted.{name}": value for name, value in self.painted.items()}
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
        if self.settings.discriminator_steps > 1:
            self.painted = {
                name: tensors[f"painted.{name}"].to(self.device) for name in self.painted
            }
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
        self.ema.spread.fill_(self.ema.deviation)  # settled anew when training ends
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
