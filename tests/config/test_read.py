"""Reading of settings from file, environment and command line."""

from pathlib import Path

import pytest

import config
from train.settings import TrainingSettings


def test_errors_name_a_wrong_section_or_environment_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "config.toml"
    file.write_text("[trian]\nbatch = 3\n")
    with pytest.raises(config.SettingsError, match=r"unknown section \[trian\]"):
        config.read(TrainingSettings, file)
    file.write_text("[train\n")
    with pytest.raises(config.SettingsError, match="not valid TOML"):
        config.read(TrainingSettings, file)
    file.write_text("[train]\nbatch = 4\nimages = 7\n")
    monkeypatch.setenv("IRODORI_TRAIN__BATCH", "6")
    read = config.read(TrainingSettings, file, {"train": {"images": 9}}).train
    assert (read.optimizer.batch, read.images) == (6, 9), "file < environment < command line"
    monkeypatch.setenv("IRODORI_TRAIN", "batch=6")
    with pytest.raises(config.SettingsError, match='"train"'):
        config.read(TrainingSettings, file)
    monkeypatch.delenv("IRODORI_TRAIN")
    monkeypatch.setenv("IRODORI_TRIAN__BATCH", "6")
    with pytest.raises(config.SettingsError, match="IRODORI_TRIAN__BATCH"):
        config.read(TrainingSettings, file)
