"""Event files for TensorBoard."""

import sys
from pathlib import Path

import pytest
import shared_training

from train.__main__ import main
from train.report import read_log


def test_event_files_have_the_figures_and_the_samples(tmp_path: Path) -> None:
    reader = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run = tmp_path / "run"
    shared_training.run(run, images=16, report_images=8, tensorboard=True)
    shared_training.run(run, images=24, report_images=8, tensorboard=True)
    events = reader.EventAccumulator(str(run / "tensorboard"), {"scalars": 0, "images": 0})
    events.Reload()
    assert [event.step for event in events.Images("samples")] == [8, 16, 24]
    for name in ("generator", "epochs", "seconds_per_kimg"):
        found = [(event.step, event.value) for event in events.Scalars(name)]
        logged = [(line["images"], pytest.approx(line[name])) for line in read_log(run)]
        assert found == logged


def test_without_the_extra_the_message_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    for command in ([], ["upscaler"]):
        with pytest.raises(SystemExit, match="2"):
            main([*command, "--data", "nowhere.zip", "--tensorboard"])
        assert "--tensorboard needs the extra tensorboard: pip" in capsys.readouterr().out
