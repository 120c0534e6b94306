"""`python -m train` as an admin runs it."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from export.manifest import ModelError
from export.registry import Registry

ROOT = Path(__file__).parents[2]
SMALL = [
    *("--resolution", "32", "--width", "4", "--latent-dim", "8", "--batch", "8"),
    *("--report-images", "160"),
]


@pytest.fixture
def train_command(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Runs `python -m train` in a folder of its own, with a quickly trained judge."""

    def command(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "train", *map(str, arguments)],
            cwd=tmp_path,
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "IRODORI_JUDGE__IMAGES": "640",
                "OMP_NUM_THREADS": "1",
                "COLUMNS": "200",
                **environment,
            },
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    return command


def test_without_data_it_says_in_five_lines_what_it_takes(train_command) -> None:  # type: ignore[no-untyped-def]
    result = train_command()
    assert result.returncode == 2
    assert len(result.stdout.splitlines()) == 5
    assert "--data" in result.stdout
    assert "README" in result.stdout
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--data", "nowhere.zip"], "there is no nowhere.zip"),
        (["--resolution", "50"], "the networks draw (32, 64, 96, 128) pixels, not 50"),
        (["--batch", "seven"], "train.batch"),
        (["--batch", "15"], "batch (15) must be a multiple of group (2)"),
        (["--resume", "runs/none"], "runs/none is no run"),
        (["--config", "none.toml"], "there is no settings file none.toml"),
        (["judge", "nobody", "--data", "{data}"], "there is no model 'nobody'"),
    ],
)
def test_a_wrong_argument_is_named(
    arguments: list[str],
    message: str,
    train_command,
    faces_zip: Path,  # type: ignore[no-untyped-def]
) -> None:
    result = train_command(*(a.format(data=faces_zip) for a in arguments))
    assert result.returncode == 2
    assert message in result.stdout + result.stderr
    assert "Traceback" not in result.stderr


def test_a_wrong_key_in_the_file_is_named(train_command, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "config.toml").write_text("[train]\nbatchsize = 3\n")
    result = train_command()
    assert result.returncode == 2
    assert "train.batchsize" in result.stdout


def test_from_faces_to_a_model_in_use(train_command, faces_zip: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    registry = Registry(tmp_path / "models")
    first = train_command("--data", faces_zip, "--images", 320, "--name", "first", *SMALL)
    assert first.returncode == 0, first.stdout + first.stderr
    assert "in use; there was no model before it" in first.stdout
    _, manifest = registry.load()
    assert {"generator.onnx", "MODEL_CARD.md", "samples.png"} <= set(manifest.files)
    assert json.loads((tmp_path / "runs/first/judge.json").read_text()) == manifest.metrics
    assert {"q", "near_duplicates_real", "hair_as_asked"} <= set(manifest.metrics)
    with Image.open(tmp_path / "runs/first/samples-000000k.png") as grid:
        assert grid.size == (96, 128)

    # The figures can be had again, of the exported model.
    judged = train_command("judge", "--data", faces_zip, "--resolution", 32)
    assert judged.returncode == 0, judged.stdout
    assert f"model {manifest.name}" in judged.stdout
    line = next(text for text in judged.stdout.splitlines() if text.startswith("q "))
    assert float(line.split()[1]) == pytest.approx(manifest.metrics["q"], rel=0.02)

    # A worse model is registered, and stays unused; --force takes it all the same.
    worse = ["--data", faces_zip, "--images", 8, "--learning-rate", "1e-9", *SMALL]
    second = train_command(*worse, "--name", "second", IRODORI_PROMOTE__MARGIN="0")
    assert second.returncode == 0, second.stdout + second.stderr
    assert f"{manifest.name} stays in use" in second.stdout
    compared = re.search(r"\bq: [\d.]+ \(the model in use: ([\d.]+)\)", second.stdout)
    assert compared
    assert float(compared[1]) == pytest.approx(manifest.metrics["q"], rel=0.02)
    assert registry.current() == manifest.name
    third = train_command(*worse, "--name", "third", "--force")
    assert "nothing was compared (--force)" in third.stdout
    assert registry.current() != manifest.name
    assert len(registry.names()) == 3


def test_going_on_with_a_finished_run(train_command, faces_zip: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    arguments = ["--data", faces_zip, "--images", 80, "--name", "run", "--no-promote", *SMALL]
    assert train_command(*arguments).returncode == 0
    again = train_command(*arguments)
    assert again.returncode == 2
    assert "runs/run exists already; go on with it (--resume runs/run)" in again.stdout
    more = train_command("--resume", "runs/run", "--images", 160, "--no-promote")
    assert more.returncode == 0, more.stdout + more.stderr
    assert "160 images" in more.stdout
    registry = Registry(tmp_path / "models")
    assert registry.names() == ["faces-0k", "faces-0k-2"]
    with pytest.raises(ModelError, match="no model is in use"):
        registry.load()


def test_other_data_is_refused_on_resume(
    train_command,
    faces_zip: Path,
    tmp_path: Path,
    face_files: dict[str, bytes],  # type: ignore[no-untyped-def]
) -> None:
    arguments = ["--data", faces_zip, "--images", 8, "--name", "run", "--no-promote", *SMALL]
    assert train_command(*arguments).returncode == 0
    (tmp_path / "other").mkdir()
    for number in range(16):
        (tmp_path / "other" / f"{number}.png").write_bytes(face_files[f"images/{number}.png"])
    result = train_command("--resume", "runs/run", "--data", "other")
    assert result.returncode == 2
    assert "was trained on other data" in result.stdout
