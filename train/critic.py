"""The critic: scores generated images with the trained discriminator, for rejection sampling.

Keeping the candidate of highest score reduces diversity, and increases the distance to real images
as a set. The scores are therefore capped at a threshold that most images reach: the first candidate
that reaches it is kept, and only images below it are rejected.
"""

import copy
import math

import torch
from torch import Tensor, nn

from export.candidates import best_candidate
from train.metrics import GenerateFn
from train.networks.base import Discriminator

CANDIDATES = 4
"""Largest number of candidates per image; docs/experiments.md has measurements."""
PROBABILITY_CAP = 0.8
"""Upper limit of the probability of the requested values in the score."""
REJECTED_SHARE = 0.25
"""Share of images below the threshold of realness."""


class Critic(nn.Module):
    """Scores images with a discriminator.

    score = min(log p, log PROBABILITY_CAP) + min(r, threshold), where p is the probability of the
    requested values by the classification heads, and r the realness score under the condition.
    """

    threshold: Tensor

    def __init__(self, discriminator: Discriminator, threshold: float) -> None:
        super().__init__()
        self.discriminator = copy.deepcopy(discriminator).requires_grad_(False).eval()
        # Images are scored one by one: the deviation within a group of one is always 0.
        self.discriminator.group = 1
        self.sizes = list(self.discriminator.class_sizes)
        device = next(discriminator.parameters()).device
        self.register_buffer("threshold", torch.tensor(threshold, device=device))

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """Images uint8 [N, 3, S, S] and conditions float32 [N, C], whose blocks may be mixtures, to
        scores float32 [N]; higher is better.
        """
        realness, log_probability = self.components(image, condition)
        capped = log_probability.clamp(max=math.log(PROBABILITY_CAP))
        return capped + torch.minimum(realness, self.threshold)

    def components(self, image: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Realness, and the log-probability of the requested values, both float32 [N]."""
        realness, logits = self.discriminator(image.float() / 127.5 - 1, condition)
        log_probability = torch.zeros_like(realness)
        # Without classification heads the score is the realness alone.
        blocks = torch.split(condition, self.sizes, dim=1) if self.sizes else ()
        for head, block in zip(logits, blocks, strict=True):
            log_probability = log_probability + (torch.log_softmax(head, dim=1) * block).sum(dim=1)
        return realness, log_probability


@torch.inference_mode()
def fit_critic(
    discriminator: Discriminator, generate: GenerateFn, latents: Tensor, conditions: Tensor
) -> Critic:
    """A critic whose threshold is the REJECTED_SHARE quantile of the realness of images generated
    from latents [N, Z] and conditions [N, C].
    """
    critic = Critic(discriminator, 0.0)
    parts = zip(torch.split(latents, 64), torch.split(conditions, 64), strict=True)
    realness = torch.cat([critic.components(generate(z, c), c)[0] for z, c in parts])
    critic.threshold.copy_(torch.quantile(realness, REJECTED_SHARE))
    return critic


def best_of(generate: GenerateFn, critic: GenerateFn, candidates: int) -> GenerateFn:
    """Rejection sampling as in the bot: keeps the first candidate of highest score.

    `critic` maps images [N, 3, S, S] and conditions [N, C] to scores [N]. The returned function
    takes the concatenated latents of all candidates, [N, candidates × Z].
    """

    def choose(latents: Tensor, conditions: Tensor) -> Tensor:
        repeated = conditions.repeat_interleave(candidates, dim=0)
        images = generate(latents.reshape(len(repeated), -1), repeated)
        scores = critic(images, repeated).view(-1, candidates)
        best = torch.from_numpy(best_candidate(scores.cpu().numpy())).to(images.device)
        return torch.unflatten(images, 0, (-1, candidates))[
            torch.arange(len(conditions), device=images.device), best
        ]

    return choose if candidates > 1 else generate
