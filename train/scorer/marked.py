"""A scorer that is fitted to marked images: a linear function of image features.

A person marks broken ones among generated images (`python -m train defects`). Logistic regression
on the features of a pretrained network then ranks new images.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor
from torch.nn import functional as F

from train.checkpoint import CheckpointError
from train.progress import no_progress
from train.scorer.scorer import BATCH, Scorer

DEFECTS_FILE = "defects.safetensors"
INTACT, DOUBTFUL, BROKEN = 0.0, 0.3, 1.0
"""Targets of the regression."""
DECAY = 1e-4
"""Factor of the squared norm of the weights of standardized features, per feature."""
ITERATIONS = 150
FOLDS = 5
MIN_BROKEN = 2 * FOLDS


class MarkedScorer(Scorer):
    """The anomaly is the log-odds that a person marks the image as broken, up to a constant."""

    candidates = 3
    rejected_share = 0.43
    largest_increase = 1.5  # the marks, not the distance, say what to reject
    relative = False  # the generator breaks images of some values more often than others

    weight: Tensor  # [P, C]

    def __init__(self, condition_dim: int) -> None:
        super().__init__(condition_dim)
        self.register_buffer("weight", torch.zeros(self.positions, self.channels))

    def anomaly(self, image: Tensor) -> Tensor:
        return (self.vectors(image) * self.weight[:, None]).sum(dim=(0, 2))


@dataclass(frozen=True)
class Accuracy:
    """How well the function ranks images that it was not fitted to (cross-validation)."""

    auc: float
    """Share of pairs of a broken and an intact image that are ranked correctly."""
    broken: float
    """Share of broken images."""
    broken_kept: float
    """Share of broken images among those that reach the threshold."""


@torch.inference_mode()
def marked_features(
    images: Tensor, report_progress: Callable[[float], None] = no_progress
) -> Tensor:
    """Features of images uint8 [N, 3, S, S] and of their mirror images: [2, N, P × C]."""
    scorer, parts = MarkedScorer(0), []
    for done, batch in enumerate(torch.split(images, BATCH), 1):
        mirrored = (scorer.vectors(x) for x in (batch, batch.flip(3)))
        parts.append(torch.stack([x.permute(1, 0, 2).flatten(1) for x in mirrored]))
        report_progress(min(1.0, done * BATCH / len(images)))
    return torch.cat(parts, dim=1)


def fit_weight(features: Tensor, targets: Tensor) -> Tensor:
    """Logistic regression from features [2, N, F] to targets [N] in 0…1; returns weights [F]."""
    flat = features.flatten(0, 1)
    mean, deviation = flat.mean(dim=0), flat.std(dim=0) + 1e-6
    inputs, expected = (flat - mean) / deviation, targets.repeat(2)
    weight = torch.zeros(inputs.shape[1], requires_grad=True)
    bias = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=ITERATIONS, line_search_fn="strong_wolfe"
    )

    def loss() -> float:
        optimizer.zero_grad()
        error = F.binary_cross_entropy_with_logits(inputs @ weight + bias, expected)
        total = error + DECAY * len(weight) * weight.square().sum()
        total.backward()  # type: ignore[no-untyped-call]
        return total.item()

    optimizer.step(loss)  # type: ignore[no-untyped-call]
    return weight.detach() / deviation


def cross_validate(features: Tensor, targets: Tensor) -> Accuracy:
    """Measures `fit_weight` on images that it was not fitted to."""
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))
    log_odds = torch.empty(len(targets))
    for fold in range(FOLDS):
        test = order[fold::FOLDS]
        train = torch.cat([order[other::FOLDS] for other in range(FOLDS) if other != fold])
        log_odds[test] = features[0, test] @ fit_weight(features[:, train], targets[train])
        log_odds[test] -= log_odds[test].mean()  # the folds have different constants
    broken = targets == BROKEN
    pairs = log_odds[broken][:, None] > log_odds[targets == INTACT]
    kept = log_odds <= torch.quantile(log_odds, 1 - MarkedScorer.rejected_share)
    return Accuracy(
        pairs.float().mean().item(),
        broken.float().mean().item(),
        broken[kept].float().mean().item(),
    )


def save_defects(file: Path, weight: Tensor) -> None:
    """Stores weights [P × C] or [P, C] in half precision. Raises OSError."""
    file.write_bytes(save({"weight": weight.reshape(MarkedScorer(0).weight.shape).half()}))


def load_defects(file: Path) -> Tensor:
    """The weights [P, C] of a file of `save_defects`. Raises CheckpointError."""
    expected = MarkedScorer(0).weight.shape
    try:
        weight = load_file(file)["weight"].float()
    except (OSError, SafetensorError, KeyError) as error:
        raise CheckpointError(
            f"{file} is not a file of `python -m train defects fit`: {error!r}"
        ) from None
    if weight.shape != expected:
        raise CheckpointError(
            f"{file} has weights of shape {tuple(weight.shape)}, not {tuple(expected)}, as it was "
            "fitted with another feature network: fit it again (python -m train defects fit)"
        )
    return weight
