"""Trainings by two processes, compared with one process."""

import math
import os
import subprocess
import sys
from pathlib import Path

import pytest
import shared_training
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from train.distributed import (
    SINGLE_PROCESS,
    Processes,
    SharedBatchNorm,
    ShareError,
    share_batch_norms,
)

ROOT = Path(__file__).parents[2]
NETWORKS = ("generator.", "discriminator.", "ema.", "feature_discriminators.")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of `shared_training`, and a training by a single process in `alone`."""
    folder = tmp_path_factory.mktemp("team")
    shared_training.run(folder / "alone")
    shared_training.run(folder / "alone-features", settings=shared_training.WITH_FEATURES)
    for name in shared_training.RECIPES:
        shared_training.run(folder / f"alone-{name}", settings=shared_training.recipe(name))
    shared_training.run(folder / "resumed", images=16)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*("-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone")]
    result = subprocess.run(
        [sys.executable, *command, str(ROOT / "tests/shared_training.py"), str(folder)],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert (folder / "lost-0").exists(), result.stderr
    assert result.returncode != 0, "one was killed"
    return folder


def state(run: Path) -> dict[str, Tensor]:
    return load_file(run / "checkpoint.safetensors")


def difference(one: dict[str, Tensor], other: dict[str, Tensor]) -> float:
    names = [name for name in one if name.startswith(NETWORKS) and one[name].is_floating_point()]
    return math.sqrt(sum((one[name] - other[name]).square().sum().item() for name in names))


@pytest.mark.parametrize("kind", ["", "-features"])
def test_two_processes_train_like_one(kind: str, shared: Path, tmp_path: Path) -> None:
    """Except for rounding, which the optimizer amplifies for very small gradients."""
    settings = shared_training.WITH_FEATURES if kind else shared_training.SETTINGS
    shared_training.run(tmp_path / "begun", settings=settings, images=8, learning_rate=1e-12)
    alone, two = state(shared / f"alone{kind}"), state(shared / f"two{kind}")
    assert torch.equal(alone["rng"], two["rng"])
    assert alone["penalties"].tolist() == pytest.approx(two["penalties"].tolist(), rel=1e-3)
    assert difference(alone, two) < 0.01 * difference(alone, state(tmp_path / "begun"))


@pytest.mark.parametrize("name", shared_training.RECIPES)
def test_two_processes_train_a_recipe_like_one(name: str, shared: Path, tmp_path: Path) -> None:
    settings = shared_training.recipe(name)
    shared_training.run(tmp_path / "begun", settings=settings, images=8, learning_rate=1e-12)
    alone, two = state(shared / f"alone-{name}"), state(shared / f"two-{name}")
    begun = state(tmp_path / "begun")
    assert difference(alone, two) < 0.01 * difference(alone, begun)
    # Batch statistics change more than weights: weights are also compared by themselves.
    weights = {key: tensor for key, tensor in alone.items() if ".running_" not in key}
    assert difference(weights, two) < 0.05 * difference(weights, begun)


def test_shared_batch_norms_keep_the_tensors_that_optimizers_know() -> None:
    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.BatchNorm2d(4)))
    plain = nn.Sequential(nn.BatchNorm2d(4, affine=False))
    for example in (network, plain):
        before = {**dict(example.named_parameters()), **dict(example.named_buffers())}
        share_batch_norms(example)
        after = {**dict(example.named_parameters()), **dict(example.named_buffers())}
        assert isinstance([*example.modules()][-1], SharedBatchNorm)
        assert before.keys() == after.keys()
        assert all(after[name] is tensor for name, tensor in before.items())


def test_two_processes_resume_a_run_of_one(shared: Path, tmp_path: Path) -> None:
    whole = shared_training.run(tmp_path / "whole", images=40)
    resumed = state(shared / "resumed")
    assert torch.equal(whole.rng.get_state(), resumed["rng"])
    moved = difference(state(shared / "alone"), resumed)
    assert difference(state(tmp_path / "whole"), resumed) < 0.05 * moved
    assert (shared / "rng-0").read_bytes() == (shared / "rng-1").read_bytes()


def test_failure_on_rank_0_stops_all_ranks(shared: Path) -> None:
    for rank in (0, 1):
        assert (shared / f"error-{rank}").read_text() == "rank 0 says why"


def test_error_for_a_dead_worker_keeps_the_checkpoint(shared: Path) -> None:
    message = (shared / "lost-0").read_text()
    assert "another process of this training died" in message
    assert f"the last checkpoint is kept; resume it with --resume {shared}/resumed" in message
    assert shared_training.run(shared / "resumed", images=48).step == 6


def test_batches_are_divided_into_whole_groups() -> None:
    assert SINGLE_PROCESS.rows(16, 2) == slice(0, 16)
    assert [Processes(rank, 4).rows(16, 2) for rank in range(4)] == [
        slice(first, first + 4) for first in (0, 4, 8, 12)
    ]
    with pytest.raises(ShareError, match=r"16 cannot be shared by 3 .* use --batch 12 or 18"):
        Processes(0, 3).rows(16, 2)
    with pytest.raises(ShareError, match=r"groups of 2; use --batch 32"):
        Processes(0, 16).rows(16, 2)
