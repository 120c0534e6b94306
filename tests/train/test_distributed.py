"""Two processes that share a training, beside one that does it alone."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import team_training
import torch
from safetensors.torch import load_file
from torch import Tensor

from train.distributed import ALONE, ShareError, Team

ROOT = Path(__file__).parents[2]
NETWORKS = ("generator.", "discriminator.", "ema.")


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `team_training` leaves in its folder, after a training of one process in `alone`."""
    folder = tmp_path_factory.mktemp("team")
    team_training.run(folder / "alone")
    team_training.run(folder / "resumed", images=16)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [*("-m", "torch.distributed.run", "--nproc-per-node", "2", "--standalone")]
    result = subprocess.run(
        [sys.executable, *command, str(ROOT / "tests/team_training.py"), str(folder)],
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
    return sum((one[name] - other[name]).square().sum().item() for name in names) ** 0.5


def test_two_processes_learn_what_one_learns(shared: Path, tmp_path: Path) -> None:
    """But for rounding, which the optimiser makes larger where gradients are next to nothing."""
    team_training.run(tmp_path / "begun", images=8, learning_rate=1e-12)
    alone, two = state(shared / "alone"), state(shared / "two")
    assert torch.equal(alone["rng"], two["rng"])
    assert alone["penalty"].item() == pytest.approx(two["penalty"].item(), rel=1e-3)
    assert difference(alone, two) < 0.01 * difference(alone, state(tmp_path / "begun"))


def test_two_processes_go_on_with_what_one_began(shared: Path, tmp_path: Path) -> None:
    whole = team_training.run(tmp_path / "whole", images=40)
    resumed = state(shared / "resumed")
    assert torch.equal(whole.rng.get_state(), resumed["rng"])
    moved = difference(state(shared / "alone"), resumed)
    assert difference(state(tmp_path / "whole"), resumed) < 0.05 * moved
    assert (shared / "rng-0").read_bytes() == (shared / "rng-1").read_bytes()


def test_what_process_0_cannot_do_all_hear_of(shared: Path) -> None:
    for rank in (0, 1):
        assert (shared / f"error-{rank}").read_text() == "process 0 says why"


def test_a_dead_worker_is_named_and_the_last_checkpoint_kept(shared: Path) -> None:
    message = (shared / "lost-0").read_text()
    assert "another process of this training died" in message
    assert f"the last checkpoint is kept, and goes on with --resume {shared}/resumed" in message
    assert team_training.run(shared / "resumed", images=48).step == 6


def test_a_batch_is_shared_in_whole_groups() -> None:
    assert ALONE.part(16, 2) == slice(0, 16)
    assert [Team(rank, 4).part(16, 2) for rank in range(4)] == [
        slice(first, first + 4) for first in (0, 4, 8, 12)
    ]
    with pytest.raises(ShareError, match=r"16 cannot be shared by 3 .* --batch 12 or 18 can"):
        Team(0, 3).part(16, 2)
    with pytest.raises(ShareError, match=r"groups of 2; --batch 32 can"):
        Team(0, 16).part(16, 2)
