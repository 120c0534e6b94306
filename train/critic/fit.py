"""Fits a critic to a generator, and stores it with its run."""

from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor

from train.checkpoint import CheckpointError
from train.critic.critic import Critic
from train.critic.marked import MarkedCritic
from train.critic.unusual import MIN_REAL_IMAGES, UnusualCritic
from train.metrics.results import GenerateFn

CRITIC_FILE = "critic.safetensors"


def fit_critic(
    real: Tensor,
    generate: GenerateFn,
    latents: Tensor,
    conditions: Tensor,
    defects: Tensor | None = None,
) -> Critic | None:
    """A critic for the images generated from latents [N, Z] and conditions [N, K].

    With weights `defects` [P, C] it is a MarkedCritic. Without, it is an UnusualCritic of the
    training images `real`, uint8 [M, 3, S, S], or None for fewer than MIN_REAL_IMAGES.
    """
    critic: Critic
    if defects is not None:
        critic = MarkedCritic(conditions.shape[1]).to(real.device)
        critic.weight.copy_(defects)
    elif len(real) >= MIN_REAL_IMAGES:
        critic = UnusualCritic(conditions.shape[1]).to(real.device)
        critic.fit_distributions(real)
    else:
        return None
    critic.fit_threshold(generate, latents, conditions)
    return critic


def save_critic(run: Path, critic: Critic) -> None:
    """Stores a critic in the folder of a run. Raises OSError."""
    tensors = {name: tensor.cpu().contiguous() for name, tensor in critic.state().items()}
    (run / CRITIC_FILE).write_bytes(save(tensors))


def load_critic(run: Path) -> Critic:
    """The critic of a judged run. Raises CheckpointError, FeatureNetworkError."""
    file = run / CRITIC_FILE
    try:
        tensors = load_file(file)
        kind = MarkedCritic if "weight" in tensors else UnusualCritic
        critic = kind(len(tensors["usual"]))
        for name, buffer in critic.state().items():
            buffer.copy_(tensors[name])
    except (OSError, SafetensorError, KeyError, RuntimeError) as error:
        raise CheckpointError(
            f"{file} cannot be read ({error}): judge the run again (python -m train judge {run})"
        ) from None
    return critic
