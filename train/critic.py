"""Which painted faces are failures: what the trained discriminator thinks of each.

To keep the best of a few pictures by a score narrows what is painted: the more candidates, the more
alike they are, and the farther from real faces as a whole. So the score ends at a bar that most
pictures pass; the first one that does is kept, and only failures are painted anew.
"""

import copy
import math

import torch
from torch import Tensor, nn

from train.metrics import Paint
from train.networks.base import Discriminator

CANDIDATES = 4
"""Painted for each picture: docs/experiments.md says what they buy."""
SURE = 0.8
"""Probability of the values asked for, past which a picture is as asked."""
FAILURES = 0.25
"""Share of pictures that do not look real enough."""


class Critic(nn.Module):
    """Scores pictures by a discriminator.

    score = min(log p, log SURE) + min(r, bar), with p the probability that the heads give to the
    values asked for, and r the realness under the condition.
    """

    bar: Tensor

    def __init__(self, discriminator: Discriminator, bar: float) -> None:
        super().__init__()
        self.discriminator = copy.deepcopy(discriminator).requires_grad_(False).eval()
        # A picture is judged alone; that it deviates from none is the same for all.
        self.discriminator.group = 1
        self.sizes = list(self.discriminator.class_sizes)
        device = next(discriminator.parameters()).device
        self.register_buffer("bar", torch.tensor(bar, device=device))

    def forward(self, image: Tensor, condition: Tensor) -> Tensor:
        """Pictures uint8 [N, 3, S, S] and conditions float32 [N, C], whose blocks may be mixtures,
        to scores float32 [N]; higher is better.
        """
        realness, named = self.look(image, condition)
        return named.clamp(max=math.log(SURE)) + torch.minimum(realness, self.bar)

    def look(self, image: Tensor, condition: Tensor) -> tuple[Tensor, Tensor]:
        """Realness, and the log-probability of the values asked for, both float32 [N]."""
        realness, logits = self.discriminator(image.float() / 127.5 - 1, condition)
        named = torch.zeros_like(realness)
        # Where no heads name the values, what was asked for is not looked at by itself.
        asked_for = torch.split(condition, self.sizes, dim=1) if self.sizes else ()
        for head, asked in zip(logits, asked_for, strict=True):
            named = named + (torch.log_softmax(head, dim=1) * asked).sum(dim=1)
        return realness, named


@torch.inference_mode()
def fit_critic(
    discriminator: Discriminator, paint: Paint, latents: Tensor, conditions: Tensor
) -> Critic:
    """A critic whose bar FAILURES of the pictures miss, of latents [N, Z] and conditions [N, C]."""
    critic = Critic(discriminator, 0.0)
    parts = zip(torch.split(latents, 64), torch.split(conditions, 64), strict=True)
    realness = torch.cat([critic.look(paint(z, c), c)[0] for z, c in parts])
    critic.bar.copy_(torch.quantile(realness, FAILURES))
    return critic


def best_of(paint: Paint, critic: Paint, candidates: int) -> Paint:
    """Paints as the bot does: of `candidates` pictures the first that the critic scores highest.

    `critic` scores pictures [N, 3, S, S] under conditions [N, C]. What it returns takes the latents
    of all candidates side by side, [N, candidates × Z].
    """

    def choose(latents: Tensor, conditions: Tensor) -> Tensor:
        repeated = conditions.repeat_interleave(candidates, dim=0)
        pictures = paint(latents.reshape(len(repeated), -1), repeated)
        # To three decimals, as the bot rounds them: the choice may not depend on the batch.
        scores = critic(pictures, repeated).view(-1, candidates).mul(1000).round()
        return torch.unflatten(pictures, 0, (-1, candidates))[
            torch.arange(len(conditions), device=pictures.device), scores.argmax(dim=1)
        ]

    return choose if candidates > 1 else paint
