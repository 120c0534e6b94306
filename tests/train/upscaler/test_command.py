"""`python -m train upscaler` from the command line."""

import json
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from train import checkpoint
from train.__main__ import main
from train.report import read_log
from train.upscaler.run import load_upscaler, read_run
from train.upscaler.trainer import UpscalerTrainer

SMALL = [
    *("--resolution", "64", "--patch", "32", "--batch", "4", "--width", "8", "--blocks", "1"),
    *("--report-images", "16", "--images", "32"),
]
Command = Callable[..., tuple[int, str]]


@pytest.fixture
def train_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Command:
    """Runs the command in a temporary folder; returns exit status and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    def command(*arguments: str | Path) -> tuple[int, str]:
        try:
            main(["upscaler", *map(str, arguments)])
            code = 0
        except SystemExit as end:
            code = int(end.code or 0)
        return code, capsys.readouterr().out

    return command


def test_command_trains_reports_and_measures(train_command: Command, sharp: Path) -> None:
    code, output = train_command("--data", sharp, "--name", "first", *SMALL)
    assert code == 0, output
    assert "python -m export RUN --upscaler runs/first" in output
    run = Path("runs/first")
    assert [line["images"] for line in read_log(run)] == [16, 32]
    with Image.open(run / "upscaled-000000k032.png") as sheet:
        assert sheet.size == (4 * 64, 3 * 64), "nearest, bicubic, ours, real; three held out"
    figures = json.loads((run / "figures.json").read_text())
    assert (figures["images"], figures["pictures"]) == (32, 3)
    assert {"psnr", "psnr_bicubic", "ssim", "clean_psnr", "clean_ssim_bicubic"} <= figures.keys()
    network, info = load_upscaler(run)
    assert info.settings.width == 8
    assert network(torch.rand(1, 3, 16, 16)).shape == (1, 3, 64, 64)


def test_stopped_training_resumes_exactly(
    train_command: Command, sharp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert train_command("--data", sharp, "--name", "whole", *SMALL)[0] == 0
    step = UpscalerTrainer.train_step

    def interrupted(self: UpscalerTrainer, progress: float) -> dict[str, Tensor]:
        if self.step == 3:
            os.kill(os.getpid(), signal.SIGTERM)
        return step(self, progress)

    with monkeypatch.context() as patch:
        patch.setattr(UpscalerTrainer, "train_step", interrupted)
        code, output = train_command("--data", sharp, "--name", "cut", *SMALL)
    assert code == 130
    assert "stopped by SIGTERM at 16 images" in output
    assert "python -m train upscaler --resume runs/cut" in output
    assert not Path("runs/cut/figures.json").exists()
    assert train_command("--resume", "runs/cut")[0] == 0

    whole, cut = (checkpoint.restore(Path("runs") / name) for name in ("whole", "cut"))
    assert whole.keys() == cut.keys()
    for name, tensor in whole.items():
        assert torch.equal(cut[name], tensor), name
    assert [line["images"] for line in read_log(Path("runs/cut"))] == [16, 32]


def test_tags_are_ignored(train_command: Command, sharp: Path, tmp_path: Path) -> None:
    data = tmp_path / "artists"
    shutil.copytree(sharp, data)
    lines = [f"{number}.png,artist{number}" for number in range(20)]
    (data / "tags.csv").write_text("\n".join(["file,artist", *lines]))
    code, output = train_command("--data", data, *SMALL)
    assert code == 0, output
    assert "24 images; training an upscaler" in output


def test_resumed_run_keeps_its_settings_except_those_given(
    train_command: Command, sharp: Path
) -> None:
    assert train_command("--data", sharp, "--name", "first", *SMALL)[0] == 0
    assert train_command("--resume", "runs/first", "--images", "48")[0] == 0
    settings = read_run(Path("runs/first")).settings
    assert (settings.images, settings.width, settings.data) == (48, 8, sharp)
    code, output = train_command("--resume", "runs/first", "--width", "16")
    assert code == 2
    assert "its width is 8 and cannot change" in output
    # A run whose checkpoint cannot be restored stays as it is.
    run = Path("runs/first")
    before = {name: (run / name).read_bytes() for name in ("run.json", "figures.json")}
    (run / "checkpoint.safetensors").write_bytes(b"damaged")
    code, output = train_command("--resume", "runs/first", "--images", "64")
    assert code == 2
    assert "is damaged" in output
    assert {name: (run / name).read_bytes() for name in before} == before


def test_without_data_the_message_explains_the_command(train_command: Command) -> None:
    code, output = train_command()
    assert code == 2
    assert "python -m train upscaler --data sharp.zip" in output


def test_errors_for_invalid_input(train_command: Command, sharp: Path, tmp_path: Path) -> None:
    assert train_command("--data", sharp, "--name", "first", *SMALL)[0] == 0
    other = tmp_path / "other"
    other.mkdir()
    for image in sorted(sharp.iterdir())[:9]:
        (other / image.name).write_bytes(image.read_bytes())
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "0.png").write_bytes((sharp / "0.png").read_bytes())
    for arguments, message in (
        (["--data", sharp], "every image is smaller than 256×256"),
        (["--data", tmp_path / "nowhere"], "there is no"),
        (["--data", tmp_path / "one", *SMALL], "holds 1 image; an upscaler needs at least 2"),
        (["--data", sharp, "--name", "first", *SMALL], "exists already"),
        (["--data", other, "--resume", "runs/first"], "was not trained on"),
        (["--data", sharp, *SMALL, "--patch", "128"], "patch (128) must not be larger"),
        (["--data", sharp, *SMALL, "--patch", "33"], "multiple of 4"),
        (["--resume", tmp_path], "is not a run"),
        (["--data", sharp, *SMALL, "--device", "cuda"], "finds no CUDA device"),
    ):
        code, output = train_command(*arguments)
        assert (code, message in output) == (2, True), output
        assert "Traceback" not in output


def test_runs_of_generators_and_upscalers_are_distinguished(
    train_command: Command, sharp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert train_command("--data", sharp, "--name", "first", *SMALL)[0] == 0
    with pytest.raises(SystemExit):
        main(["--data", str(sharp), "--resume", "runs/first"])
    assert "trains an upscaler, not a generator" in capsys.readouterr().out
    generators = checkpoint.RunInfo("g", (), 8, 64, "0" * 16, {})
    checkpoint.write_run(Path("runs/g"), generators)
    code, output = train_command("--resume", "runs/g")
    assert code == 2
    assert "trains a generator, not an upscaler" in output


def test_error_for_a_batch_that_does_not_fit(
    train_command: Command, sharp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(self: UpscalerTrainer, progress: float) -> dict[str, Tensor]:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(UpscalerTrainer, "train_step", exhaust)
    code, output = train_command("--data", sharp, "--name", "first", *SMALL)
    assert code == 2
    assert "a batch of 4 patches of 32 pixels does not fit into memory" in output


def test_error_for_several_processes(
    train_command: Command, sharp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    code, output = train_command("--data", sharp, *SMALL)
    assert code == 2
    assert "by one process only, without torchrun" in output


def test_weights_that_are_not_finite_are_not_saved(
    train_command: Command, sharp: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    step = UpscalerTrainer.train_step

    def spoil(self: UpscalerTrainer, progress: float) -> dict[str, Tensor]:
        loss = step(self, progress)
        if self.step == 6:
            with torch.no_grad():
                self.network.head.weight[0, 0, 0, 0] = torch.nan
        return loss

    monkeypatch.setattr(UpscalerTrainer, "train_step", spoil)
    code, output = train_command("--data", sharp, "--name", "first", *SMALL)
    assert code == 2
    assert "training diverged at 32 images" in output
    assert "lower --learning-rate" in output
    assert not Path("runs/first/checkpoint.safetensors").exists()
