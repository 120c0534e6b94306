"""Losses of the classical recipes, as pure functions.

Scores are logits [N]. Row i of `real` and row i of `fake` have the same condition.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from train.losses import relativistic_discriminator, relativistic_generator

LossName = Literal["relativistic", "minimax", "nonsaturating", "wasserstein", "energy"]


def minimax_generator(_: Tensor, fake: Tensor) -> Tensor:
    """log(1 − D(fake)): Goodfellow et al. 2014, eq. 1."""
    return -F.softplus(fake).mean()


def nonsaturating_generator(_: Tensor, fake: Tensor) -> Tensor:
    """−log D(fake): Goodfellow et al. 2014, section 3."""
    return F.softplus(-fake).mean()


def logistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """−log D(real) − log(1 − D(fake)): Goodfellow et al. 2014, eq. 1."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def wasserstein_generator(_: Tensor, fake: Tensor) -> Tensor:
    """−D(fake): Arjovsky et al. 2017, algorithm 1."""
    return -fake.mean()


def wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """D(fake) − D(real): Arjovsky et al. 2017, eq. 2, negated."""
    return fake.mean() - real.mean()


def energy_discriminator(real: Tensor, fake: Tensor, margin: float) -> Tensor:
    """E(real) + max(0, m − E(fake)), with energy E = −D (Zhao et al. 2017, eq. 1)."""
    return -real.mean() + F.relu(margin + fake).mean()


@dataclass(frozen=True)
class AdversarialLoss:
    """The losses of both networks, as functions of the scores [N] of real and fake images."""

    generator: Callable[[Tensor, Tensor], Tensor]
    discriminator: Callable[[Tensor, Tensor], Tensor]


def adversarial_loss(name: LossName, margin: float = 0.0) -> AdversarialLoss:
    """`margin` is used by the energy loss only."""
    return {
        "relativistic": AdversarialLoss(relativistic_generator, relativistic_discriminator),
        "minimax": AdversarialLoss(minimax_generator, logistic_discriminator),
        "nonsaturating": AdversarialLoss(nonsaturating_generator, logistic_discriminator),
        "wasserstein": AdversarialLoss(wasserstein_generator, wasserstein_discriminator),
        # The generator minimizes the energy of fakes (Zhao et al. 2017, eq. 2).
        "energy": AdversarialLoss(
            wasserstein_generator, partial(energy_discriminator, margin=margin)
        ),
    }[name]


def one_centered_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """(‖∇ₓ D(x)‖ − 1)² of each image, [N] (WGAN-GP, Gulrajani et al. 2017, eq. 3)."""
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return (gradient.square().sum(dim=(1, 2, 3)).add(1e-12).sqrt() - 1).square()


def channel_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """(‖∇ₓ D(x)‖ − 1)² of the channels of each pixel, the mean of each image, [N].

    As in the report on WGAN-GP for anime faces, whose code takes the norm of the gradients over
    `dim=1`. A critic with a norm of 1 at all S² pixels has a norm of S for the whole image.
    """
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    norms = gradient.square().sum(dim=1).add(1e-12).sqrt()
    return (norms - 1).square().mean(dim=(1, 2))


def interpolate(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Points of the penalty of WGAN-GP: ε·real + (1 − ε)·fake, with ε = `share` [N] uniform in 0…1
    (Gulrajani et al. 2017, algorithm 1).
    """
    return torch.lerp(fake, real, share.view(-1, 1, 1, 1))


def perturb(real: Tensor, share: Tensor, noise: Tensor) -> Tensor:
    """Points of the penalty of DRAGAN: real + α·δ, with α = `share` [N] and δ half the standard
    deviation of the pixels times `noise` [N, 3, S, S], both uniform in 0…1 (code of Kodali et al.
    2017).
    """
    return real + share.view(-1, 1, 1, 1) * 0.5 * real.std() * noise


def pulling_away(code: Tensor) -> Tensor:
    """Mean squared cosine between the codes [N, F] of different images (Zhao et al. 2017, eq. 4).

    It is lower for a generator with more diverse images.
    """
    unit = F.normalize(code, dim=1)
    similarity = (unit @ unit.T).square()
    count = len(code)
    return (similarity.sum() - similarity.diagonal().sum()) / (count * (count - 1))
