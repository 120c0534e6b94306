"""`python -m train judge`: the data that runs and models are judged on, and the files it writes."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import drawn_faces
import pytest
import torch
from rich.console import Console
from small_runs import TINY, make_run

from export.manifest import Manifest, ModelError
from train import checkpoint, judging
from train.data import DataError, Faces, load
from train.judging import calibrate_run, judge_of_model
from train.metrics.of_run import faces_of_run
from train.networks.irodori import IrodoriGenerator
from train.scorer import SCORER_FILE
from train.settings import JudgeSettings, TrainingSettings

QUIET = Console(file=io.StringIO())


@pytest.fixture(scope="module")
def faces(few_faces_zip: Path) -> Faces:
    return load(few_faces_zip, 32)


@pytest.fixture
def run(faces: Faces, few_faces_zip: Path, tmp_path: Path) -> Path:
    return make_run(tmp_path / "runs/first", faces, data=few_faces_zip)


@pytest.fixture
def other_data(few_face_files: dict[str, bytes], tmp_path: Path) -> Path:
    """The data that config.toml names meanwhile."""
    files = dict(list(few_face_files.items())[:40])
    return drawn_faces.write_zip(tmp_path / "other.zip", files)


def test_a_run_is_judged_on_its_own_data(run: Path, faces: Faces, other_data: Path) -> None:
    info = checkpoint.read_run(run)
    settings = TINY.model_copy(update={"data": other_data})
    assert faces_of_run(run, info, settings).fingerprint == faces.fingerprint
    with pytest.raises((DataError, checkpoint.CheckpointError)):
        faces_of_run(run, info, settings, data_given=True)


def test_data_that_was_moved_is_that_of_the_settings(
    run: Path, faces: Faces, few_faces_zip: Path, tmp_path: Path
) -> None:
    moved = make_run(tmp_path / "runs/moved", faces, data=tmp_path / "gone.zip")
    info = checkpoint.read_run(moved)
    settings = TINY.model_copy(update={"data": few_faces_zip})
    assert faces_of_run(moved, info, settings).fingerprint == faces.fingerprint
    with pytest.raises(DataError, match=r"gone\.zip, does not exist"):
        faces_of_run(moved, info, TINY)


def test_the_command_line_names_other_data_for_a_run(
    run: Path, other_data: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """`--data` comes before the run's data, and these before config.toml."""
    config, asked = tmp_path / "config.toml", []

    def judge_run(run: Path, settings: TrainingSettings, _: Console, *, data_given: bool) -> None:
        asked.append((settings.train.data, data_given))

    monkeypatch.setattr(judging, "judge_run", judge_run)
    config.write_text(f'[train]\ndata = "{other_data}"\n')
    judging.main([str(run), "--config", str(config)], QUIET)
    judging.main([str(run), "--config", str(config), "--data", "given.zip"], QUIET)
    assert asked == [(other_data, False), (Path("given.zip"), True)]


def test_a_model_is_judged_on_the_attributes_of_its_training(
    few_face_files: dict[str, bytes], faces: Faces, tmp_path: Path
) -> None:
    """Other columns of the table are not read, and neither are bad lines that it has skipped."""
    lines = few_face_files["tags.csv"].decode().splitlines()
    tags = "".join(f"{line} artist{n // 8} artist\n" for n, line in enumerate(lines))
    files = few_face_files | {"tags.csv": f"{tags}none.png,a b c d\n".encode()}
    data = drawn_faces.write_zip(tmp_path / "artists.zip", files)
    trained = {"attributes": "hair,eyes", "skip_bad": True}
    manifest = Manifest(
        name="new",
        created=datetime(2026, 1, 1, tzinfo=UTC),
        attributes=faces.attributes,
        latent_dim=8,
        image_size=32,
        training={"settings": trained},
    )
    train = TINY.model_copy(update={"data": data, "runs": tmp_path})
    settings = TrainingSettings().model_copy(
        update={"train": train, "judge": JudgeSettings(images=64)}
    )
    judge = judge_of_model(manifest, settings, QUIET)
    assert [attribute.name for attribute in judge.faces.attributes] == ["hair", "eyes"]
    whole = manifest.model_copy(update={"training": {"settings": {"skip_bad": True}}})
    with pytest.raises(ModelError, match="has other attributes"):
        judge_of_model(whole, settings, QUIET)


def test_an_interrupted_judgement_leaves_no_figures_of_another_calibration(
    run: Path, faces: Faces, monkeypatch: pytest.MonkeyPatch
) -> None:
    figures = {"lite2_fd_ratio": 2.0}
    judged: dict[str, Any] = {"candidates": 1, "clusters": [], "figures": figures}
    worst = torch.zeros(0, 2, 8, 3, 32, 32, dtype=torch.uint8)
    scorer: Any = "scorer"
    fails = True

    def save_scorer(folder: Path, scorer: Any) -> None:
        if fails:
            raise OSError("no space left on device")
        (folder / SCORER_FILE).write_text(scorer)

    monkeypatch.setattr(judging, "calibrate", lambda *_, **__: (judged, worst, scorer))
    monkeypatch.setattr(judging, "save_scorer", save_scorer)
    monkeypatch.setattr(judging, "cache_real_features", lambda *_: None)
    (run / checkpoint.JUDGED_FILE).write_text("{}")
    generator = IrodoriGenerator(32, 8, faces.sizes, width=4)
    unused: Any = None
    with pytest.raises(OSError, match="no space"):
        calibrate_run(run, generator, unused, unused, JudgeSettings(), QUIET)
    assert not (run / checkpoint.JUDGED_FILE).exists()
    fails = False
    calibrate_run(run, generator, unused, unused, JudgeSettings(), QUIET)
    assert json.loads((run / checkpoint.JUDGED_FILE).read_text()) == judged
    assert (run / SCORER_FILE).read_text() == "scorer"
