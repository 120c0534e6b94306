import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from export.__main__ import main
from export.manifest import GENERATOR, MANIFEST
from export.registry import Registry
from train.checkpoint import JUDGED_FILE


@pytest.fixture(autouse=True)
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


Output = pytest.CaptureFixture[str]


def test_exports_uses_lists_and_rolls_back(
    unconditional_run: Path, registry: Registry, capsys: Output
) -> None:
    registry.use("a")
    assert main([str(unconditional_run), "--name", "new"]) == 0
    assert "python -m export use new" in capsys.readouterr().out
    assert registry.current() == "a"

    assert main(["use", "new"]) == 0
    assert registry.current() == "new"
    capsys.readouterr()

    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["b", "a", "c", "*"]
    assert lines[-1].startswith("* new")
    assert "32×32  FD ratio (Lite2) 4.5" in lines[-1]

    folder, manifest = registry.load()
    assert manifest.condition_dim == 0
    session = onnxruntime.InferenceSession(folder / GENERATOR, providers=["CPUExecutionProvider"])
    latents = np.random.RandomState(0).standard_normal((2, 8)).astype(np.float32)
    feeds = {"latent": latents, "condition": np.zeros((2, 0), np.float32)}
    [image] = session.run(["image"], feeds)
    assert image.shape == (2, 32, 32, 3)

    assert main(["rollback"]) == 0
    assert registry.current() == "a"
    assert "a is in use again" in capsys.readouterr().out


def test_models_are_listed_if_the_one_in_use_cannot_be_read(
    registry: Registry, capsys: Output
) -> None:
    (registry.root / "current").unlink(missing_ok=True)
    (registry.root / "current").mkdir()
    assert main(["list"]) == 0
    output = capsys.readouterr()
    assert [line.split()[0] for line in output.out.splitlines()] == ["b", "a", "c"]
    assert "models/current cannot be read: " in output.err


def test_models_folder_comes_from_the_settings_or_the_command_line(
    registry: Registry, capsys: Output, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert main(["list", "--models", str(elsewhere)]) == 0
    assert f"there are no models in {elsewhere} yet" in capsys.readouterr().out
    (tmp_path / "config.toml").write_text('[models]\ndir = "other"\n')
    registry.root.rename(tmp_path / "other")
    assert main(["use", "b"]) == 0
    assert Registry(tmp_path / "other").current() == "b"
    (tmp_path / "config.toml").rename(tmp_path / "another.toml")
    assert main(["use", "c", "--config", "another.toml"]) == 0
    assert Registry(tmp_path / "other").current() == "c"
    monkeypatch.setenv("IRODORI_MODELS__DIRECTORY", "x")
    assert main(["list"]) == 1
    assert "models.directory" in capsys.readouterr().err


def test_list_shows_a_broken_model(registry: Registry, capsys: Output) -> None:
    (registry.root / "c" / MANIFEST).write_text("{")
    assert main(["list"]) == 0
    assert "cannot be used" in capsys.readouterr().out.splitlines()[0]


def test_errors_are_one_line(run: Path, registry: Registry, capsys: Output, tmp_path: Path) -> None:
    registry.use("a")
    (registry.root / "b" / GENERATOR).write_text("tampered with")
    (run / JUDGED_FILE).unlink()
    for arguments, message in (
        (["use", "z"], "there is no model 'z'"),
        (["use", "b"], "copy the model again"),
        (["rollback"], "no model was used before a"),
        ([str(tmp_path / "nothing")], "is not a run"),
        ([str(run)], "the run is not judged"),
        ([str(run), "--about", "nowhere.md"], "nowhere.md"),
    ):
        assert main(arguments) == 1
        errors = capsys.readouterr().err
        assert message in errors
        assert errors.count("\n") == 1
    assert registry.current() == "a"


@pytest.mark.parametrize("arguments", [["use", "b"], ["rollback"]])
def test_a_file_that_cannot_be_read_or_written_is_named_in_one_line(
    registry: Registry, capsys: Output, arguments: list[str]
) -> None:
    registry.use("a")
    (registry.root / "history").unlink()
    (registry.root / "history").mkdir()  # even root cannot replace it with a file
    assert main(arguments) == 1
    errors = capsys.readouterr().err
    assert f"not a regular file: '{Path('models', 'history')}'" in errors
    assert errors.count("\n") == 1


@pytest.mark.parametrize("arguments", [[], ["use"], ["use", "a", "b"], ["list", "a"]])
def test_wrong_commands_show_the_usage(arguments: list[str], capsys: Output) -> None:
    with pytest.raises(SystemExit) as exit_info:
        main(arguments)
    assert exit_info.value.code == 2
    assert "python -m export RUN" in capsys.readouterr().err


def test_serving_machines_can_switch_models_but_not_export(
    run: Path, registry: Registry, capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [n for n in sys.modules if n.split(".")[0] in ("train", "export", "torch")]:
        if name in ("export.convert", "train.checkpoint", "torch"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "torch", None)
    assert main(["use", "a"]) == 0
    assert main([str(run)]) == 1
    assert "exporting needs torch: pip install" in capsys.readouterr().err
