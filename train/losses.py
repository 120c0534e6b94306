"""The adversarial game, as small pure functions.

Realness scores are [N] logits; `real` and `fake` at one place share a condition.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Literal["relativistic", "minimax", "nonsaturating", "wasserstein", "energy"]


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """f(D(real) − D(fake)) with f = softplus: RpGAN, Jolicoeur-Martineau 2018, eq. 5."""
    return F.softplus(real - fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The other side of the same pairing (R3GAN, Huang et al. 2024, eq. 2)."""
    return F.softplus(fake - real).mean()


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
class Game:
    """What each player wants to be small, of the scores of real and fake pictures, [N] each."""

    generator: Callable[[Tensor, Tensor], Tensor]
    discriminator: Callable[[Tensor, Tensor], Tensor]


def game(loss: Loss, margin: float = 0.0) -> Game:
    """`margin` is that of the energies; other games have none."""
    return {
        "relativistic": Game(relativistic_generator, relativistic_discriminator),
        "minimax": Game(minimax_generator, logistic_discriminator),
        "nonsaturating": Game(nonsaturating_generator, logistic_discriminator),
        "wasserstein": Game(wasserstein_generator, wasserstein_discriminator),
        # The generator wants fakes of low energy (Zhao et al. 2017, eq. 2).
        "energy": Game(wasserstein_generator, partial(energy_discriminator, margin=margin)),
    }[loss]


def classification(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
    """Cross-entropy summed over the attributes' heads; labels int64 [N, A] (Odena et al. 2017)."""
    losses = [F.cross_entropy(head, labels[:, i]) for i, head in enumerate(logits)]
    return torch.stack(losses).sum() if losses else torch.zeros((), device=labels.device)


def likeness(
    real: Tensor, fake: Tensor, group: int, mean: Callable[[Tensor], Tensor] = lambda x: x
) -> Tensor:
    """How much less fakes of one condition differ than real faces do, as a share; 0 if not less.

    Images [N, 3, S, S], in groups of neighbours that share a condition. Asks of the generator what
    mode seeking does (Mao et al. 2019), but no more than the data shows. `mean` is that over all
    processes, where others have other parts of the batch: this is no mean of their ratios.
    """

    def spread(images: Tensor) -> Tensor:
        grouped = images.unflatten(0, (-1, group))
        # Not var(dim=1), which is 25 times slower on a CPU.
        variance = (grouped - grouped.mean(dim=1, keepdim=True)).square().mean(dim=(1, 2, 3, 4))
        return (variance + 1e-8).sqrt().mean()

    faked, found = mean(torch.stack([spread(fake), spread(real)])).unbind()
    return F.relu(1 - faked / found)


def zero_centred_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """‖∇ₓ D(x)‖² of each picture, [N] (R1 on reals, R2 on fakes; Mescheder et al. 2018, eq. 9)."""
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))


def one_centred_penalty(scores: Tensor, images: Tensor) -> Tensor:
    """(‖∇ₓ D(x)‖ − 1)² of each picture, [N] (WGAN-GP, Gulrajani et al. 2017, eq. 3)."""
    (gradient,) = torch.autograd.grad(scores.sum(), images, create_graph=True)
    return (gradient.square().sum(dim=(1, 2, 3)).add(1e-12).sqrt() - 1).square()


def between(real: Tensor, fake: Tensor, share: Tensor) -> Tensor:
    """Where WGAN-GP takes its penalty: at ε·real + (1 − ε)·fake, with ε the share [N], uniform in
    0…1 (Gulrajani et al. 2017, algorithm 1).
    """
    return torch.lerp(fake, real, share.view(-1, 1, 1, 1))


def around(real: Tensor, share: Tensor, noise: Tensor) -> Tensor:
    """Where DRAGAN takes its penalty: at real + α·δ, with α the share [N] and δ half the pixels'
    deviation times noise [N, 3, S, S], both uniform in 0…1 (Kodali et al. 2017, the authors' code).
    """
    return real + share.view(-1, 1, 1, 1) * 0.5 * real.std() * noise


def pulling_away(code: Tensor) -> Tensor:
    """Mean squared cosine between the codes [N, F] of different pictures (Zhao et al. 2017, eq. 4).

    Asks of the generator that its pictures differ.
    """
    unit = F.normalize(code, dim=1)
    alike = (unit @ unit.T).square()
    count = len(code)
    return (alike.sum() - alike.diagonal().sum()) / (count * (count - 1))
