"""The adversarial game, as small pure functions.

Realness scores are [N] logits; `real` and `fake` at one place share a condition.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """f(D(real) − D(fake)) with f = softplus: RpGAN, Jolicoeur-Martineau 2018, eq. 5."""
    return F.softplus(real - fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """The other side of the same pairing (R3GAN, Huang et al. 2024, eq. 2)."""
    return F.softplus(fake - real).mean()


def nonsaturating_generator(fake: Tensor) -> Tensor:
    """−log D(fake): Goodfellow et al. 2014, section 3."""
    return F.softplus(-fake).mean()


def nonsaturating_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """−log D(real) − log(1 − D(fake))."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


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
