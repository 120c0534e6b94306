"""Fits a scorer to a generator, and stores it with its run."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from train.checkpoint import CheckpointError
from train.metrics.results import GenerateFn
from train.scorer.marked import MarkedScorer
from train.scorer.scorer import Scorer
from train.scorer.unusual import MIN_REAL_IMAGES, UnusualScorer

SCORER_FILE = "scorer.safetensors"


def fit_scorer(
    real: Tensor,
    generate: GenerateFn,
    latents: Tensor,
    conditions: Tensor,
    defects: Tensor | None = None,
) -> Scorer | None:
    """A scorer for the images generated from latents [N, Z] and conditions [N, K].

    With weights `defects` [P, C] it is a MarkedScorer. Without, it is an UnusualScorer of the
    training images `real`, uint8 [M, 3, S, S], or None for fewer than MIN_REAL_IMAGES.
    """
    scorer: Scorer
    if defects is not None:
        scorer = MarkedScorer(conditions.shape[1]).to(real.device)
        scorer.weight.copy_(defects)
    elif len(real) >= MIN_REAL_IMAGES:
        scorer = UnusualScorer(conditions.shape[1]).to(real.device)
        scorer.fit_distributions(real)
    else:
        return None
    scorer.fit_threshold(generate, latents, conditions)
    return scorer


def save_scorer(run: Path, scorer: Scorer) -> None:
    """Stores a scorer in the folder of a run. Raises OSError."""
    tensors = {name: tensor.cpu().contiguous() for name, tensor in scorer.state().items()}
    (run / SCORER_FILE).write_bytes(save(tensors))


def load_scorer(run: Path) -> Scorer:
    """The scorer of a judged run. Raises CheckpointError, FeatureNetworkError."""
    file = run / SCORER_FILE
    try:
        tensors = load_file(file)
        kind = MarkedScorer if "weight" in tensors else UnusualScorer
        scorer = kind(len(tensors["usual"]))
        for name, buffer in scorer.state().items():
            buffer.copy_(tensors[name])
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{file} cannot be read ({error}): judge the run again (python -m train judge {run})"
        ) from None
    return scorer
