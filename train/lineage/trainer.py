"""The training step of the classical recipes: discriminator steps, and a generator step."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from train.augment import flip, flip_and_rotate, flip_and_shift
from train.data import Faces, one_hot
from train.distributed import SINGLE_PROCESS, Processes, ShareError
from train.lineage import losses
from train.lineage.build import build_discriminator, build_generator
from train.lineage.networks import autoencoder, base, stackgan
from train.losses import classification, zero_centered_penalty
from train.settings import LineageSettings, TrainSettings
from train.state import seeded
from train.trainer import Trainer


class LineageTrainer(Trainer):
    """Alternating updates with the losses, penalties and networks of `[train.lineage]`."""

    def __init__(
        self, settings: TrainSettings, faces: Faces, processes: Processes = SINGLE_PROCESS
    ) -> None:
        """Ignores the attributes of `faces` if the recipe is unconditional.

        Raises ShareError if the recipe does not support several processes.
        """
        assert settings.lineage is not None
        self.lineage: LineageSettings = settings.lineage
        if self.lineage.conditioning == "none":
            faces = faces.without_attributes()
        with seeded(settings.seed):
            networks: dict[str, nn.Module] = {
                "generator": build_generator(settings.network, self.lineage, faces.sizes),
                "discriminator": build_discriminator(settings.network, self.lineage, faces.sizes),
            }
        single_process = autoencoder.AutoencoderGenerator | stackgan.StackGANGenerator
        if processes.world_size > 1 and isinstance(networks["generator"], single_process):
            raise ShareError(
                "an encoder or a second stage needs a single process, without torchrun"
            )
        super().__init__(settings, faces, networks, processes)
        self.loss = losses.adversarial_loss(self.lineage.loss, self.lineage.margin)
        self.image_size = settings.network.resolution
        self.generator_in_training = self.wrapped["generator"]
        names = ["generator", "generator_classes"]
        if self.lineage.reconstruction_weight:
            names.append("reconstruction")
        self.latest = {name: torch.zeros((), device=self.device) for name in (*names, "penalty")}
        """The latest losses, since the generator may have fewer steps than the discriminator."""
        self.tensors |= self.latest
        self.stage_start = torch.zeros((), dtype=torch.int64)
        """The step with which StackGAN's second stage began; 0 before that."""
        if isinstance(self.generator, stackgan.StackGANGenerator):
            self.tensors["stage_start"] = self.stage_start

    def build_optimizer(self, network: nn.Module) -> torch.optim.Optimizer:
        settings, parameters = self.settings.optimizer, network.parameters()
        match self.lineage.optimizer:
            case "adam":
                return super().build_optimizer(network)
            case "rmsprop":
                return torch.optim.RMSprop(parameters, settings.learning_rate, alpha=settings.beta2)
            case "sgd":
                return torch.optim.SGD(parameters, settings.learning_rate, momentum=settings.beta1)

    def augment(self, images: Tensor) -> Tensor:
        """Augments real images; `generate` applies flip-and-shift to fakes, too."""
        arguments = images, self.rng, self.settings.optimizer.batch, self.rows
        match self.lineage.augmentation:
            case "flip-and-shift":
                return flip_and_shift(*arguments)
            case "flip-and-rotate":
                return flip_and_rotate(*arguments, degrees=self.lineage.rotation)
            case "flip":
                return flip(*arguments)
            case "none":
                return images

    def generate(self, latent: Tensor, condition: Tensor) -> Tensor:
        with self.half_precision():
            return self._augment_fakes(self.generator_in_training(latent, condition).float())

    def _augment_fakes(self, images: Tensor) -> Tensor:
        return self.augment(images) if self.lineage.augmentation == "flip-and-shift" else images

    def _generate_and_reconstruct(
        self, latent: Tensor, condition: Tensor, real: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Fakes, and reconstructions of real images by a generator with an encoder."""
        if not isinstance(self.generator, autoencoder.AutoencoderGenerator):
            return self.generate(latent, condition), None
        with self.half_precision():
            fake, decoded = self.generator.generate_and_reconstruct(latent, condition, real)
        return self._augment_fakes(fake.float()), decoded.float()

    def train_step(self, progress: float) -> dict[str, Tensor]:
        """One discriminator step, and a generator step after each `discriminator_steps` steps."""
        self._choose_stage(progress)
        self.set_schedule(progress)
        self._reset_optimizers()
        real, labels, latent = self.draw_batch()
        if self.image_size != real.shape[-1]:  # StackGAN's first stage
            real = F.interpolate(real, size=self.image_size, mode="area")
        condition = one_hot(labels, self.faces.sizes)
        figures = self._discriminator_step(real, latent, condition, labels)
        number = self.step if self.lineage.generator_first else self.step + 1
        if number % self.lineage.discriminator_steps == 0:
            self._generator_step(real.detach(), condition, labels)
        self.average_generator()
        self.step += 1
        return {name: value.clone() for name, value in self.latest.items()} | figures

    def learning_rate(self, progress: float) -> float:
        """Also halved after each `halve_epochs` passes over the data; each stage begins anew."""
        halved: float = 0.5 ** self._passes(self.lineage.halve_epochs)
        return super().learning_rate(progress) * halved

    def _reset_optimizers(self) -> None:
        """Forgets the moments after each `reset_epochs` passes over the data."""
        every = self.lineage.reset_epochs
        if self._passes(every) != self._passes(every, steps_ago=1):
            for optimizer in self.optimizers.values():
                optimizer.state.clear()

    def _passes(self, epochs: int, steps_ago: int = 0) -> int:
        """How often so many passes over the data were completed in this stage, 0 for none."""
        steps = max(0, self.step - int(self.stage_start) - steps_ago)
        images = steps * self.settings.optimizer.batch
        return images // (epochs * self.data_size) if epochs else 0

    def _choose_stage(self, progress: float) -> None:
        if isinstance(self.generator, stackgan.StackGANGenerator):
            refine = progress >= self.lineage.first_stage
            if refine and not self.generator.refining:
                self.stage_start.fill_(self.step)
            self.generator_in_training = self.generator.trainable_stage(refine)
            self.image_size = self.generator_in_training.image_size

    def _discriminator_step(
        self, real: Tensor, latent: Tensor, condition: Tensor, labels: Tensor
    ) -> dict[str, Tensor]:
        objective, discriminator = self.settings.objective, self.wrapped["discriminator"]
        penalized = self.is_penalty_step(objective.penalty)
        fakes_too = self.lineage.classify_fakes
        with torch.no_grad():
            fake, _ = self._generate_and_reconstruct(latent, condition, real)
        real.requires_grad_(penalized)
        fake.requires_grad_(penalized)
        with self.half_precision(not penalized):
            real_score, real_logits = discriminator(real, condition)
            fake_score, fake_logits = discriminator(fake, condition)
        loss = self.loss.discriminator(real_score, fake_score)
        classes = classification(real_logits, labels)
        named = classes + classification(fake_logits, labels) if fakes_too else classes
        whole = self.lineage.realness_weight * loss + objective.class_weight * named
        if penalized:
            penalty = self._penalty(real, real_score, fake, fake_score, condition)
            whole = whole + objective.penalty_every * penalty
        self.update("discriminator", whole)
        if self.lineage.clip:  # weight clipping (Arjovsky et al. 2017, algorithm 1)
            with torch.no_grad():
                for parameter in self.networks["discriminator"].parameters():
                    parameter.clamp_(-self.lineage.clip, self.lineage.clip)
        return {"discriminator": loss.detach(), "discriminator_classes": classes.detach()}

    def _penalty(
        self, real: Tensor, real_score: Tensor, fake: Tensor, fake_score: Tensor, condition: Tensor
    ) -> Tensor:
        """The weighted gradient penalty."""
        weight = self.settings.objective.penalty
        if self.lineage.penalty_kind == "zero-centered":
            penalty = zero_centered_penalty(real_score, real).mean()
            if self.lineage.loss == "relativistic":
                penalty = penalty + zero_centered_penalty(fake_score, fake).mean()
            weighted = weight / 2 * penalty
        else:
            real, fake = real.detach(), fake.detach()
            share = self._uniform(1)
            if self.lineage.penalty_kind == "dragan":
                points = losses.perturb(real, share, self._uniform(*real.shape[1:]))
            else:
                points = losses.interpolate(real, fake, share)
            points.requires_grad_()
            scores, _ = self.wrapped["discriminator"](points, condition)
            by_channels = self.lineage.penalty_kind == "wgan-gp-channels"
            found = losses.channel_penalty if by_channels else losses.one_centered_penalty
            weighted = weight * found(scores, points).mean()
        self.latest["penalty"].copy_(self.processes.mean(weighted.detach()))
        return weighted

    def _uniform(self, *size: int) -> Tensor:
        """Uniform random numbers in 0…1 for this process's rows, [N, …]."""
        whole = (self.settings.optimizer.batch, *size)
        return torch.rand(whole, generator=self.rng, device=self.device)[self.rows]

    def _generator_step(self, real: Tensor, condition: Tensor, labels: Tensor) -> None:
        """Generates new fakes, which are scored by the updated discriminator."""
        discriminator = self.discriminator.requires_grad_(False)
        fake, decoded = self._generate_and_reconstruct(self.draw_latents(), condition, real)
        with self.half_precision():
            fake_score, fake_logits = discriminator(fake, condition)
            real_score = fake_score  # the other losses do not use it
            if self.lineage.loss == "relativistic":
                real_score, _ = discriminator(real, condition)
            found = {"generator": self.loss.generator(real_score.detach(), fake_score)}
            found["generator_classes"] = classification(fake_logits, labels)
            whole = self.lineage.realness_weight * found["generator"]
            whole = whole + self.settings.objective.class_weight * found["generator_classes"]
            if self.lineage.pulling_away:
                assert isinstance(discriminator, base.LineageDiscriminator)
                code = discriminator.extract(discriminator.join_condition(fake, condition))
                whole = whole + self.lineage.pulling_away * losses.pulling_away(code.float())
        if decoded is not None:
            found["reconstruction"] = F.l1_loss(decoded, real)
            whole = whole + self.lineage.reconstruction_weight * found["reconstruction"]
        if self.lineage.embedding_weight and isinstance(self.generator, stackgan.StackGANGenerator):
            divergence = self.generator.divergence(condition)
            whole = whole + self.lineage.embedding_weight * divergence
        self.update("generator", whole)
        discriminator.requires_grad_(True)
        for name, value in found.items():
            self.latest[name].copy_(value.detach())
