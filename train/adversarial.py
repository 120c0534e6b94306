"""The default training step: discriminators on pixels and on the features of a frozen network.

A discriminator runs forward once per step. Its scores serve its own loss and the gradient at the
fakes, from which the generator is updated.
"""

import torch
from torch import Tensor

from train import losses
from train.data import Faces, one_hot
from train.distributed import SINGLE_PROCESS, Processes
from train.networks.feature_discriminator import build_feature_discriminators
from train.networks.irodori import build_networks
from train.sampler import UnseenSampler
from train.settings import TrainSettings
from train.state import seeded
from train.trainer import Trainer


class AdversarialTrainer(Trainer):
    """Relativistic pairing loss with R1 and R2 (R3GAN, Huang et al. 2024), classification of the
    attributes (ACGAN, Odena et al. 2017), a diversity loss, and feature discriminators (Projected
    GAN, Sauer et al. 2021).
    """

    def __init__(
        self, settings: TrainSettings, faces: Faces, processes: Processes = SINGLE_PROCESS
    ) -> None:
        with seeded(settings.seed):
            networks = build_networks(settings.network, faces.sizes, settings.optimizer.group)
            if settings.features.weight:
                built = build_feature_discriminators(settings.features, faces)
                self.features, networks["feature_discriminators"] = built
        super().__init__(settings, faces, networks, processes)
        self.draw_unseen = UnseenSampler(faces, settings, self.rng, self.rows)
        for name in ("gradient_norms", "penalties"):  # of the pixel and the feature discriminators
            self.tensors[name] = torch.zeros(2, device=self.device)

    def train_step(self, progress: float) -> dict[str, Tensor]:
        self.set_schedule(progress)
        real, labels, latent = self.draw_batch()
        unseen_labels, unseen_latent = self.draw_unseen(self.step)
        condition = one_hot(torch.cat([labels, unseen_labels]), self.faces.sizes)
        images = self.generate(torch.cat([latent, unseen_latent]), condition)
        fake, unseen = torch.tensor_split(images.detach(), [len(real)])
        condition, unseen_condition = torch.tensor_split(condition, [len(real)])

        unseen_gradient = self._classification_gradient(unseen, unseen_condition, unseen_labels)
        gradient, figures = self._pixel_step(real, fake, condition, labels)
        if "feature_discriminators" in self.networks:
            feature_gradient, feature_figures = self._feature_step(real, fake, condition)
            norms, mean = self.tensors["gradient_norms"], self.processes.mean
            ratio = losses.norm_ratio(gradient, feature_gradient, norms, mean)
            if self.step >= self.settings.features.warmup_steps:
                gradient = gradient + self.settings.features.weight * ratio * feature_gradient
            figures |= feature_figures
        self.update("generator", (images * torch.cat([gradient, unseen_gradient])).sum())
        self.average_generator()
        self.step += 1
        return figures

    def _pixel_step(
        self, real: Tensor, fake: Tensor, condition: Tensor, labels: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Updates the pixel discriminator. Returns the gradient of the generator's loss at the
        fakes, [N, 3, S, S], and the losses.
        """
        objective, discriminator = self.settings.objective, self.wrapped["discriminator"]
        penalized = self.is_penalty_step(objective.penalty)
        real, fake = real.detach().requires_grad_(penalized), fake.detach().requires_grad_()
        with self.half_precision(not penalized):
            real_score, real_logits = discriminator(real, condition)
            fake_score, fake_logits = discriminator(fake, condition)

        generator_loss = losses.relativistic_generator(real_score.detach(), fake_score)
        fake_classes = losses.classification(fake_logits, labels)
        group = self.settings.optimizer.group
        diversity = losses.diversity(real.detach(), fake, group, self.processes.mean)
        whole = generator_loss + objective.class_weight * fake_classes
        whole = whole + objective.diversity_weight * diversity
        (gradient,) = torch.autograd.grad(whole, fake, retain_graph=True)

        loss = losses.relativistic_discriminator(real_score, fake_score)
        real_classes = losses.classification(real_logits, labels)
        whole = loss + objective.class_weight * real_classes
        if penalized:
            penalty = losses.r1_r2([real_score, fake_score], [real, fake])
            whole = whole + objective.penalty_every * objective.penalty / 2 * penalty
            self.tensors["penalties"][0] = self.processes.mean(penalty.detach())
        self.update("discriminator", whole)
        figures = {
            "generator": generator_loss,
            "generator_classes": fake_classes,
            "diversity": diversity,
            "discriminator": loss,
            "discriminator_classes": real_classes,
            "penalty": objective.penalty / 2 * self.tensors["penalties"][0],
        }
        return gradient, {name: value.detach() for name, value in figures.items()}

    def _feature_step(
        self, real: Tensor, fake: Tensor, condition: Tensor
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Updates the feature discriminators; returns the same as `_pixel_step`."""
        settings, every = self.settings.features, self.settings.objective.penalty_every
        discriminators = self.wrapped["feature_discriminators"]
        penalized = self.is_penalty_step(settings.penalty)
        fake = fake.detach().requires_grad_()
        with self.half_precision():
            with torch.no_grad():
                real_maps = self.features(real)
            fake_maps = self.features(fake)
        real_inputs = [features.requires_grad_(penalized) for features in real_maps]
        fake_inputs = [features.detach().requires_grad_() for features in fake_maps]
        with self.half_precision(not penalized):
            real_logits = discriminators(real_inputs, condition)
            fake_logits = discriminators(fake_inputs, condition)

        generator_loss = losses.over_maps(losses.relativistic_generator, real_logits, fake_logits)
        map_gradients = torch.autograd.grad(generator_loss, fake_inputs, retain_graph=True)
        (gradient,) = torch.autograd.grad(fake_maps, fake, map_gradients)

        loss = losses.over_maps(losses.relativistic_discriminator, real_logits, fake_logits)
        whole = loss
        if penalized:
            scores = [logits.mean(dim=1) for logits in (*real_logits, *fake_logits)]
            penalty = losses.r1_r2(scores, [*real_inputs, *fake_inputs])
            whole = loss + every * settings.penalty / 2 * penalty
            self.tensors["penalties"][1] = self.processes.mean(penalty.detach())
        self.update("feature_discriminators", whole)
        return gradient, {
            "feature_generator": generator_loss.detach(),
            "feature_discriminator": loss.detach(),
            "feature_penalty": settings.penalty / 2 * self.tensors["penalties"][1],
        }

    def _classification_gradient(self, fake: Tensor, condition: Tensor, labels: Tensor) -> Tensor:
        """The gradient at fakes of unseen conditions, whose only loss is the classification loss.

        No real images have these conditions, so the discriminator would recognize the fakes by
        them: realness is not scored. The heads are trained on real images only.
        """
        if not len(fake):
            return fake
        fake.requires_grad_()
        with self.half_precision():
            _, logits = self.discriminator(fake, condition)
            loss = self.settings.objective.class_weight * losses.classification(logits, labels)
        return torch.autograd.grad(loss, fake)[0]
