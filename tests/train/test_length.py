"""The expected time of a training, and `--dry-run`."""

from pathlib import Path

import pytest
import shared_training
import torch

from train.__main__ import main
from train.checkpoint import Progress
from train.length import expected_time, seconds_per_image
from train.models import build_trainer
from train.settings import TrainSettings


def test_timing_a_trainer_does_not_change_it() -> None:
    timed, other = (
        build_trainer(shared_training.SETTINGS, shared_training.faces()) for _ in range(2)
    )
    for trainer in (timed, other):
        trainer.train_step(0.0)
    assert 0 < seconds_per_image(timed) < 10
    for trainer in (timed, other):
        trainer.train_step(0.0)
    assert timed.step == other.step == 2
    for name, tensor in other.state_dict().items():
        assert torch.equal(tensor, timed.state_dict()[name]), name


@pytest.mark.parametrize(
    ("settings", "done", "text"),
    [
        ({"images": 60_000}, 0, "about 20 minutes for 60,000 images (50 images/s)"),
        ({"images": 60_000}, 59_000, "about 20 seconds for 1,000 images"),
        ({"images": 2_000_000}, 0, "about 11.1 hours for"),
        ({"images": 10_000_000}, 0, "about 2.3 days for"),
        ({"minutes": 15}, 0, "about 45,000 images, 150 epochs, in 15 minutes"),
        ({"minutes": 15}, 36_000, "about 9,000 images, 30 epochs, in 3 minutes"),
        ({"minutes": 15}, 90_000, "about 0 images, 0.0 epochs, in 0 minutes"),
    ],
)
def test_expected_time(settings: dict[str, int], done: int, text: str) -> None:
    progress = Progress(images=done, step=done // 16, seconds=0.02 * done)
    assert text in expected_time(TrainSettings.model_validate(settings), 0.02, 300, progress)


def test_a_dry_run_reports_and_writes_nothing(
    faces_zip: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["--resolution", "32", "--width", "4", "--latent-dim", "8", "--features.weight", "0"]
    main(["--data", str(faces_zip), "--dry-run", "--device", "cpu", *small])
    output = capsys.readouterr().out
    assert "layout: tags.csv" in output
    assert "length: 124,800 images shown" in output
    assert "  --network.width 4" in output
    assert "  --images" not in output  # the length is the default one
    assert "expected time: about " in output
    assert "for 124,800 images" in output
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_lists_a_length_that_is_not_the_default(
    faces_zip: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    small = ["--resolution", "32", "--width", "4", "--latent-dim", "8", "--features.weight", "0"]
    main(["--data", str(faces_zip), "--dry-run", "--images", "960", "--device", "cpu", *small])
    assert "  --images 960\n" in capsys.readouterr().out
