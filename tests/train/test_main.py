"""`python -m train` from the command line."""

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import shared_training
import torch
from drawn_faces import draw_face
from PIL import Image
from rich.console import Console
from small_runs import judge_run, make_run

from export.figures import FD_RATIO, label
from export.manifest import ModelError
from export.registry import Registry
from train import checkpoint
from train.__main__ import COMMANDS, main
from train.command_line import build_parser, read_settings
from train.data import load
from train.length import set_length
from train.scorer import MarkedScorer, load_defects, save_defects
from train.settings import TrainingSettings

ROOT = Path(__file__).parents[2]
SMALL = [
    *("--resolution", "32", "--width", "4", "--latent-dim", "8", "--batch", "8"),
    *("--report-images", "160", "--features.weight", "0"),
]


@dataclass
class Result:
    returncode: int
    stdout: str


Command = Callable[..., Result]


@pytest.fixture
def train_command(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    small_features: None,
) -> Command:
    """`python -m train` in a temporary folder, with a quickly trained judge.

    Runs in this process: importing PyTorch in a new process would be slow.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IRODORI_JUDGE__IMAGES", "320")
    monkeypatch.setenv("IRODORI_JUDGE__FAKES", "24")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)

    def command(*arguments: str | int | Path, **environment: str) -> Result:
        with monkeypatch.context() as patch:
            for name, value in environment.items():
                patch.setenv(name, value)
            try:
                main([str(argument) for argument in arguments])
                code = 0
            except SystemExit as end:
                code = int(end.code or 0)
        return Result(code, capsys.readouterr().out)

    return command


def test_without_data_the_message_has_five_lines(train_command: Command) -> None:
    result = train_command()
    assert result.returncode == 2
    assert len(result.stdout.splitlines()) == 5
    assert "--data" in result.stdout
    assert "docs/bring-your-own-images.md" in result.stdout


def test_without_torch_the_message_names_the_extra(tmp_path: Path) -> None:
    (tmp_path / "torch.py").write_text("raise ModuleNotFoundError('no', name='torch')\n")
    result = subprocess.run(
        [sys.executable, "-m", "train"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == "training needs torch: pip install -e '.[train]'\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere.zip"], "there is no nowhere.zip"),
        (["--resolution", "50"], "the networks generate (32, 64, 96, 128) pixels, not 50"),
        (["--batch", "seven"], "train.optimizer.batch"),
        (["--seed", str(2**63)], "train.seed"),
        (["--batch", "15"], "batch (15) must be a multiple of group (2)"),
        (["--resume", "runs/none"], "runs/none is not a run"),
        (["--config", "none.toml"], "there is no settings file none.toml"),
        (["judge", "nobody", "--data", "{data}"], "there is no model 'nobody'"),
        (["--data", "{data}", "--model-name", "my model"], "'my model' is not a valid model name"),
        (["--data", "{data}", "--device", "cuda"], "finds no CUDA device"),
    ],
)
def test_error_for_an_invalid_argument(
    arguments: list[str],
    message: str,
    train_command: Command,
    few_faces_zip: Path,
) -> None:
    result = train_command(*(a.format(data=few_faces_zip) for a in arguments))
    assert result.returncode == 2
    assert message in result.stdout


@pytest.mark.parametrize("dry", [(), ("--dry-run",)])
def test_error_for_a_batch_that_does_not_fit(
    dry: tuple[str, ...],
    train_command: Command,
    few_faces_zip: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def exhaust(*_: object) -> float:
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("train.pipeline.seconds_per_image", exhaust)
    result = train_command("--data", few_faces_zip, *SMALL, "--images", 800, *dry)
    assert result.returncode == 2
    assert "a batch of 8 does not fit into the memory of cpu; start again with --batch 4" in (
        result.stdout
    )


def test_error_for_a_command_that_needs_more_memory(
    train_command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    def exhaust(*_: object) -> None:
        raise MemoryError("Unable to allocate 15 GiB")

    monkeypatch.setitem(COMMANDS, "judge", exhaust)
    result = train_command("judge")
    assert result.returncode == 2
    assert "error: out of memory: Unable to allocate 15 GiB" in result.stdout


@pytest.mark.parametrize("command", [[], ["upscaler"]])
def test_an_unusable_folder_of_runs_is_an_error_before_the_data_is_read(
    command: list[str], train_command: Command, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    result = train_command(*command, "--data", "nowhere.zip", "--runs", "file/runs")
    assert result.returncode == 2
    assert f"runs cannot be stored in file/runs: {tmp_path / 'file'} is not a folder" in (
        result.stdout
    )


def test_a_run_that_another_process_trains_is_not_resumed(
    train_command: Command, tmp_path: Path
) -> None:
    run = tmp_path / "runs/run"
    shared_training.run(run, images=8)
    resume = ["--resume", "runs/run", "--data", "nowhere.zip"]
    with checkpoint.locked(run):
        assert "another process trains or judges runs/run" in train_command(*resume).stdout
        assert "another process trains or judges" in train_command("judge", "runs/run").stdout
    assert "there is no nowhere.zip" in train_command(*resume).stdout


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (("--network.depth", 1), "its depth is 0 and cannot change; start a new run with 1"),
        (
            ("--features.weight", 3),
            "its features.weight is 0 and cannot become 3, which adds networks",
        ),
        (("--images", 4000), "the checkpoint of runs/run is of other networks"),
    ],
)
def test_a_run_that_cannot_be_resumed_stays_as_it_is(
    option: tuple[str | int, ...],
    message: str,
    train_command: Command,
    few_faces_zip: Path,
    tmp_path: Path,
) -> None:
    run = judge_run(make_run(tmp_path / "runs/run", load(few_faces_zip, 32), data=few_faces_zip))
    tensors = {k: t for k, t in checkpoint.restore(run).items() if not k.startswith("generator.")}
    checkpoint.save(run, tensors, checkpoint.read_progress(run))
    before = {name: (run / name).read_bytes() for name in ("run.json", "judge.json")}
    for dry in ((), ("--dry-run",)):
        result = train_command("--resume", "runs/run", *option, *dry)
        assert result.returncode == 2
        assert message in result.stdout
        assert {name: (run / name).read_bytes() for name in before} == before


def test_error_for_an_unknown_key_in_the_file(train_command: Command, tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[train]\nbatchsize = 3\n")
    result = train_command()
    assert result.returncode == 2
    assert "train.batchsize" in result.stdout


def test_images_on_the_command_line_override_minutes_in_the_file(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("[train]\nminutes = 90\n")
    for more, minutes in (((), None), (("--minutes", "5"), 5)):
        arguments = ["--config", str(tmp_path / "config.toml"), "--images", "80", *more]
        settings = read_settings(build_parser().parse_args(arguments)).train
        assert (settings.images, settings.minutes) == (80, minutes)


def test_strides_on_the_command_line_are_numbers() -> None:
    arguments = build_parser().parse_args(["--features.strides", "8", "16"])
    assert read_settings(arguments).train.features.strides == (8, 16)


@pytest.mark.parametrize(
    ("layout", "attributes", "size"),
    [
        ("{n}.png", [], 32),
        ("faces/{kind}/{n}.png", ["class"], 96),
    ],
)
def test_train_with_few_untagged_images(
    layout: str,
    attributes: list[str],
    size: int,
    train_command: Command,
    tmp_path: Path,
) -> None:
    """Fewer images than a batch."""
    rng = np.random.RandomState(0)
    for n in range(20):
        path = tmp_path / "few" / layout.format(n=n, kind="elf" if n % 2 else "cat")
        path.parent.mkdir(parents=True, exist_ok=True)
        draw_face("pink", "blue", rng, size).save(path)
    arguments = ["--width", "2", "--latent-dim", "4", "--batch", "32", "--resolution", size]
    arguments += ["--features.input-size", "32", "--features.channels", "4"]
    result = train_command("--data", "few", "--images", 64, *arguments)
    assert result.returncode == 0, result.stdout
    folder, manifest = Registry(tmp_path / "models").load()
    assert [a.name for a in manifest.attributes] == attributes
    session = onnxruntime.InferenceSession(
        folder / "generator.onnx", providers=["CPUExecutionProvider"]
    )
    feed = {
        "latent": np.zeros((2, 4), np.float32),
        "condition": np.zeros((2, manifest.condition_dim), np.float32),
    }
    assert session.run(None, feed)[0].shape == (2, size, size, 3)


def test_train_judge_export_and_promote(
    train_command: Command,
    few_faces_zip: Path,
    tmp_path: Path,
    few_face_files: dict[str, bytes],
) -> None:
    registry = Registry(tmp_path / "models")
    first = train_command("--data", few_faces_zip, "--images", 320, "--name", "first", *SMALL)
    assert first.returncode == 0, first.stdout
    assert "in use; there was no model before it" in first.stdout
    assert "few images" not in first.stdout
    _, manifest = registry.load()
    assert {"generator.onnx", "MODEL_CARD.md", "samples.png"} <= set(manifest.files)
    first_result = json.loads((tmp_path / "runs/first/judge.json").read_text())
    assert first_result["figures"] == manifest.metrics
    assert manifest.candidates == first_result["candidates"]
    assert ("critic.onnx" in manifest.files) == (manifest.candidates > 1)
    assert {FD_RATIO, "near_duplicates_real", "hair_as_asked"} <= set(manifest.metrics)
    with Image.open(tmp_path / "runs/first/samples-000000k320.png") as grid:
        assert grid.size == (96, 128)
    assert first.stdout.index("training in") < first.stdout.index("training the judge")

    # `judge` reproduces the figures of the exported model.
    judged = train_command("judge", "--data", few_faces_zip)
    assert judged.returncode == 0, judged.stdout
    assert f"model {manifest.name}" in judged.stdout
    line = next(text for text in judged.stdout.splitlines() if text.startswith(label(FD_RATIO)))
    generated = float(line.removeprefix(label(FD_RATIO)).split()[0].replace(",", ""))
    assert generated == pytest.approx(manifest.metrics[FD_RATIO], rel=0.02)

    assert "  aqua" in judged.stdout

    # Directions: sheets of all candidates, and without candidates that keep values no change.
    looked = train_command("directions", "--data", few_faces_zip, "--pictures", 64, "--look")
    assert looked.returncode == 0, looked.stdout
    sheets = tmp_path / "runs" / f"directions-{manifest.name}"
    assert {"head_turn.png", "c1.png"} <= {sheet.name for sheet in sheets.iterdir()}
    assert registry.load()[1] == manifest
    kept = train_command(
        *("directions", "--data", few_faces_zip, "--pictures", 64, "--keep", "head_turn,c1=age")
    )
    assert kept.returncode == 0, kept.stdout
    assert f"added to {manifest.name}: " in kept.stdout
    manifest = registry.load()[1]

    # A run can be judged again, and exported again.
    again = train_command("judge", "runs/first")
    assert again.returncode == 0, again.stdout
    again = json.loads((tmp_path / "runs/first/judge.json").read_text())
    assert again["figures"] == pytest.approx(first_result["figures"], rel=0.01, abs=0.01)
    assert again["candidates"] == first_result["candidates"]
    (tmp_path / "other").mkdir()
    for number in range(40):
        (tmp_path / "other" / f"{number}.png").write_bytes(few_face_files[f"images/{number}.png"])
    wrong = train_command("judge", "runs/first", "--data", "other")
    assert "runs/first was not trained on other" in wrong.stdout

    # Without an export no judge is trained; a cached one measures the samples of later trainings.
    assert "hair_as_asked" not in (tmp_path / "runs/first/log.jsonl").read_text()
    alone = train_command(
        *("--data", few_faces_zip, "--images", 80, "--name", "alone", "--no-export", *SMALL)
    )
    assert alone.returncode == 0, alone.stdout
    assert "training the judge" not in alone.stdout
    assert f"few images: --start {manifest.name} " in alone.stdout
    assert "hair_as_asked" in (tmp_path / "runs/alone/log.jsonl").read_text()

    # A worse model is registered and not put in use, except with --force.
    worse = ["--data", few_faces_zip, "--images", 8, "--learning-rate", "1e-9", *SMALL]
    # Its scorer knows marked images.
    save_defects(tmp_path / "marked", torch.full_like(MarkedScorer(0).weight, 1e-4))
    marked = ["--name", "second", "--model-name", "second", "--judge.defects", "marked"]
    second = train_command(*worse, *marked, IRODORI_PROMOTE__MARGIN="0")
    assert second.returncode == 0, second.stdout
    assert f"{manifest.name} stays in use" in second.stdout
    compared = re.search(
        rf"{re.escape(label(FD_RATIO))}: [\d.,]+ \(the model in use: ([\d.,]+)\)", second.stdout
    )
    assert compared
    # Both are measured in the same way: as a model with a scorer, or without one.
    _, marked_model = registry.load("second")
    single = manifest.training["judged"]["best_of"][0]
    measured = manifest.metrics if marked_model.candidates == 1 else single
    assert float(compared[1].replace(",", "")) == pytest.approx(measured[FD_RATIO], rel=0.02)
    assert registry.current() == manifest.name
    # A run with the weights of the first model is as good; --width must be that of the model.
    start = ["--start", manifest.name, "--name", "third"]
    third = train_command(*worse, *start, "--force")
    assert "nothing was compared (--force)" in third.stdout
    assert "few images" not in third.stdout
    assert registry.current() != manifest.name
    assert len(registry.names()) == 3
    _, like = registry.load()
    assert like.metrics[FD_RATIO] == pytest.approx(manifest.metrics[FD_RATIO], rel=0.1)
    assert f"Initial weights: {manifest.name}" in (
        tmp_path / "models" / like.name / "MODEL_CARD.md"
    ).read_text("utf-8")
    wider = train_command(*worse, "--start", manifest.name, "--width", 8)
    assert f"{manifest.name} has width 4, not 8: add --width 4" in wider.stdout
    # Data with other attributes: the embeddings start with those of known values. The scorer
    # of marked images is kept.
    hair = ["--attributes", "hair", "--name", "hair"]
    other = train_command(*worse, "--start", "second", *hair, "--no-export")
    assert other.returncode == 0, other.stdout
    assert "attributes: hair" in other.stdout
    assert torch.equal(
        load_defects(tmp_path / "runs/hair/defects.safetensors"), load_defects(tmp_path / "marked")
    )
    speeds = re.findall(r"([\d.]+) s/kimg", other.stdout)
    assert speeds
    assert all(float(speed) < 100_000 for speed in speeds)


@pytest.mark.parametrize(
    ("count", "start", "images"),
    [
        (50, "", 60_000),
        (1_000, "", 130_000),
        (100_000, "", 2_000_000),
        (50, "faces", 8_000),
        (300, "faces", 12_000),
        (100_000, "faces", 2_000_000),
    ],
)
def test_the_default_length_fits_the_data(count: int, start: str, images: int) -> None:
    console = Console(record=True, width=200, file=io.StringIO())
    given = TrainingSettings.model_validate({"train": {"start": start}})
    settings = set_length(given, count, console)
    assert settings.train.images == images
    assert f"{images:,} images shown, {images // count:,} passes" in console.export_text()


def test_a_given_length_is_kept() -> None:
    for length in ({"images": 500}, {"minutes": 2.0}):
        settings = TrainingSettings.model_validate({"train": length})
        assert set_length(settings, 1_000, Console(file=io.StringIO())) == settings


def test_resume_a_finished_run(train_command: Command, few_faces_zip: Path, tmp_path: Path) -> None:
    arguments = ["--data", few_faces_zip, "--images", 80, "--name", "run", "--no-promote", *SMALL]
    assert train_command(*arguments).returncode == 0
    again = train_command(*arguments)
    assert again.returncode == 2
    assert "runs/run exists already; resume it (--resume runs/run)" in again.stdout
    # Figures of an earlier checkpoint are deleted when a run is resumed.
    wild = train_command("--resume", "runs/run", "--images", 4000, "--learning-rate", "1e12")
    assert wild.returncode == 2
    assert "the last good checkpoint is kept in runs/run" in wild.stdout
    assert not (tmp_path / "runs/run/judge.json").exists()
    more = train_command(
        *("--resume", "runs/run", "--images", 160, "--learning-rate", "4e-4", "--no-promote")
    )
    assert more.returncode == 0, more.stdout
    assert "160 images" in more.stdout
    other = train_command("--resume", "runs/run", "--width", 8)
    assert "its width is 4 and cannot change" in other.stdout
    registry = Registry(tmp_path / "models")
    assert registry.names() == ["faces-0k", "faces-0k-2"]
    with pytest.raises(ModelError, match="no model is in use"):
        registry.load()


def test_interrupted_while_judging(
    train_command: Command, few_faces_zip: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*arguments: object, **options: object) -> None:
        with (
            pytest.raises(checkpoint.CheckpointError, match="trains or judges"),
            checkpoint.locked(tmp_path / "runs/run"),
        ):
            pass
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("train.judging.calibrate", interrupted)
        stopped = train_command("--data", few_faces_zip, "--images", 8, "--name", "run", *SMALL)
    assert stopped.returncode == 130
    assert (
        "the checkpoint is kept; judge the run with: python -m train judge runs/run"
        in stopped.stdout
    )
    assert Registry(tmp_path / "models").names() == []
    (tmp_path / "runs").rename(tmp_path / "elsewhere")
    assert train_command("judge", "elsewhere/run").returncode == 0
    assert (tmp_path / "elsewhere/run/judge.json").is_file()
    assert not (tmp_path / "runs").exists(), "judges lie beside the run"


def test_judge_skips_the_bad_images_that_the_training_skipped(
    train_command: Command, lay_out: Callable[..., Path], few_face_files: dict[str, bytes]
) -> None:
    data = lay_out({**few_face_files, "images/0.png": b"not an image"})
    arguments = ["--images", 8, "--name", "run", "--no-export", *SMALL]
    assert train_command("--data", data, "--skip-bad", *arguments).returncode == 0
    judged = train_command("judge", "runs/run")
    assert judged.returncode == 0, judged.stdout


def test_resume_with_other_data_is_an_error(
    train_command: Command,
    few_faces_zip: Path,
    tmp_path: Path,
    few_face_files: dict[str, bytes],
) -> None:
    arguments = ["--data", few_faces_zip, "--images", 8, "--name", "run", "--no-export", *SMALL]
    assert train_command(*arguments).returncode == 0
    (tmp_path / "other").mkdir()
    for number in range(16):
        (tmp_path / "other" / f"{number}.png").write_bytes(few_face_files[f"images/{number}.png"])
    result = train_command("--resume", "runs/run", "--data", "other")
    assert result.returncode == 2
    assert "was not trained on" in result.stdout
