"""Losses of the default recipe, as pure functions.

Scores are logits [N], or [N, L] for L logits per image. Row i of `real` and row i of `fake` have
the same condition.
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

NORM_DECAY = 0.98
"""Decay of the moving averages of gradient norms."""


def relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    """f(D(real) − D(fake)) with f = softplus: RpGAN, Jolicoeur-Martineau 2018, eq. 5."""
    return F.softplus(real - fake).mean()


def relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    """f(D(fake) − D(real)), the discriminator's loss (R3GAN, Huang et al. 2024, eq. 2)."""
    return F.softplus(fake - real).mean()


def over_maps(
    loss: Callable[[Tensor, Tensor], Tensor], real: Sequence[Tensor], fake: Sequence[Tensor]
) -> Tensor:
    """Mean of a loss over several maps of logits [N, L]."""
    return torch.stack([loss(*pair) for pair in zip(real, fake, strict=True)]).mean()


def classification(logits: Sequence[Tensor], labels: Tensor) -> Tensor:
    """Cross-entropy summed over the attributes' heads, float32; labels int64 [N, A] (Odena et al.
    2017).
    """
    losses = [F.cross_entropy(head.float(), labels[:, i]) for i, head in enumerate(logits)]
    return torch.stack(losses).sum() if losses else torch.zeros((), device=labels.device)


def diversity(
    real: Tensor, fake: Tensor, group: int, mean: Callable[[Tensor], Tensor] = lambda x: x
) -> Tensor:
    """relu(1 − σ(fake) / σ(real)), where σ is the pixels' mean deviation within groups of images.

    Images [N, 3, S, S], in groups of consecutive images with the same condition. A mode seeking
    loss (Mao et al. 2019) whose target is the deviation of the data. `mean` averages over
    processes, because the mean of their ratios would differ from the ratio of means.
    """

    def deviation(images: Tensor) -> Tensor:
        grouped = torch.unflatten(images, 0, (-1, group))
        # Not var(dim=1), which is 25 times slower on a CPU.
        variance = (grouped - grouped.mean(dim=1, keepdim=True)).square().mean(dim=(1, 2, 3, 4))
        return (variance + 1e-8).sqrt().mean()

    of_fake, of_real = mean(torch.stack([deviation(fake), deviation(real)])).unbind()
    return F.relu(1 - of_fake / of_real)


def zero_centered_penalty(scores: Tensor, inputs: Tensor) -> Tensor:
    """‖∇ₓ D(x)‖² of each input, [N], for scores [N] and inputs [N, C, H, W]: R1 on real images, R2
    on fakes (Mescheder et al. 2018, eq. 9).
    """
    (gradient,) = torch.autograd.grad(scores.sum(), inputs, create_graph=True)
    return gradient.square().sum(dim=(1, 2, 3))


def r1_r2(scores: Sequence[Tensor], inputs: Sequence[Tensor]) -> Tensor:
    """Sum of the mean zero-centered penalties of real and of fake inputs."""
    pairs = zip(scores, inputs, strict=True)
    return torch.stack([zero_centered_penalty(*pair).mean() for pair in pairs]).sum()


def norm_ratio(
    gradient: Tensor, other: Tensor, norms: Tensor, mean: Callable[[Tensor], Tensor]
) -> Tensor:
    """Ratio of the norms of two gradients, from moving averages that `norms` [2] stores.

    `mean` averages over all processes.
    """
    squares = torch.stack([gradient.square().sum(), other.square().sum()])
    new = mean(squares).sqrt()
    norms.copy_(torch.where(norms > 0, torch.lerp(new, norms, NORM_DECAY), new))
    return norms[0] / norms[1].clamp(min=1e-12)
