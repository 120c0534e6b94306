"""Rejection sampling (Azadi et al. 2018, arXiv:1810.06758) with a scorer."""

import torch
from torch import Tensor

from export.candidates import best_candidate
from train.metrics.results import GenerateFn


def best_of(generate: GenerateFn, scorer: GenerateFn, candidates: int) -> GenerateFn:
    """Rejection sampling as in the bot: keeps the first candidate of highest score.

    `scorer` maps images [N, 3, S, S] and conditions [N, C] to scores [N]. The returned function
    takes the concatenated latents of all candidates, [N, candidates × Z].
    """

    def choose(latents: Tensor, conditions: Tensor) -> Tensor:
        repeated = conditions.repeat_interleave(candidates, dim=0)
        images = generate(latents.reshape(len(repeated), -1), repeated)
        scores = scorer(images, repeated).view(-1, candidates)
        best = torch.from_numpy(best_candidate(scores.cpu().numpy())).to(images.device)
        return torch.unflatten(images, 0, (-1, candidates))[
            torch.arange(len(conditions), device=images.device), best
        ]

    return choose if candidates > 1 else generate
