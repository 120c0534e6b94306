"""Recipes: files, precedence of settings, and invalid combinations."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import torch
from small_recipes import change

import config
from train import recipes
from train.__main__ import main
from train.command_line import build_parser, read_settings
from train.models import build_discriminator, build_generator
from train.settings import LineageSettings, TrainSettings

CLASSICAL = [name for name in recipes.NAMES if name != "irodori"]


def test_all_files_are_listed() -> None:
    assert {file.stem for file in recipes.FOLDER.glob("*.toml")} == set(recipes.NAMES)
    built = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text("utf-8"))
    assert "*.toml" in built["tool"]["setuptools"]["package-data"]["train.recipes"]


def test_the_default_is_a_recipe() -> None:
    assert TrainSettings(**recipes.read("irodori").settings) == TrainSettings()


def test_recipes_contain_only_settings_that_differ() -> None:
    for name in CLASSICAL:
        table = tomllib.loads((recipes.FOLDER / f"{name}.toml").read_text("utf-8"))
        below = recipes.read(table["extends"]).settings if "extends" in table else None
        base = below or TrainSettings().model_dump(mode="json")
        for section, keys in table["train"].items():
            if not isinstance(keys, dict):
                continue
            for key, value in keys.items():
                said = (base.get(section) or {}).get(key)
                assert said != value or (name == "dcgan" and section == "lineage"), (name, key)


def options_in_comments(name: str) -> list[list[str]]:
    """The options that the comments of a recipe name, those that follow each other together."""
    lines = (recipes.FOLDER / f"{name}.toml").read_text("utf-8").splitlines()
    text = " ".join(line.removeprefix("#").strip() for line in lines if line.startswith("#"))
    option = r"--[a-z][\w-]*(?: [\w-]+(?:\.\d+)?)?"
    return [found.split() for found in re.findall(rf"{option}(?: {option})*", text)]


def test_options_in_comments_are_found() -> None:
    assert options_in_comments("r3gan") == [["--width", "384", "--batch", "256"]]
    sgd = ["--optimizer", "sgd", "--learning-rate", "0.01"]
    others = [["--loss", "minimax"], ["--discriminator-steps", "5"]]
    assert options_in_comments("gan") == [*others, sgd]


@pytest.mark.parametrize("name", CLASSICAL)
def test_options_in_comments_are_accepted_with_the_recipe(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # without a config.toml
    for options in options_in_comments(name):
        changed = settings_of("--recipe", name, *options)
        assert changed != settings_of("--recipe", name), options
        with torch.device("meta"):
            build_generator(changed, [12, 10])
            build_discriminator(changed, [12, 10])


# Precedence of settings


def settings_of(*arguments: str) -> TrainSettings:
    return read_settings(build_parser().parse_args(arguments)).train


def test_precedence_of_file_recipe_environment_and_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(
        "[train]\nseed = 5\n[train.optimizer]\nbatch = 4\nlearning_rate = 1.0\n"
        "[train.features]\nweight = 1.0\n"
    )
    assert (settings_of().optimizer.batch, settings_of().features.weight) == (4, 1.0)
    wgan = settings_of("--recipe", "wgan")
    assert wgan.lineage is not None
    assert (wgan.optimizer.batch, wgan.optimizer.learning_rate) == (64, 5e-5)
    assert (wgan.lineage.clip, wgan.lineage.loss) == (0.01, "wasserstein")
    assert (wgan.seed, wgan.recipe) == (5, "wgan"), "what no recipe says is the file's"
    monkeypatch.setenv("IRODORI_TRAIN__OPTIMIZER__BATCH", "8")
    monkeypatch.setenv("IRODORI_TRAIN__WIDTH", "16")  # the key of version 0.2
    changed = settings_of("--recipe", "wgan", "--width", "32")
    assert changed.lineage is not None
    assert (changed.optimizer.batch, changed.network.width) == (8, 32)
    assert settings_of("--recipe", "wgan").network.width == 16
    Path("config.toml").write_text('[train]\nrecipe = "ebgan"\n')
    assert lineage_of().margin == 20
    assert lineage_of("--margin", "10").margin == 10
    assert lineage_of("--recipe", "gan").loss == "nonsaturating"


def lineage_of(*arguments: str) -> LineageSettings:
    lineage = settings_of(*arguments).lineage
    assert lineage is not None
    return lineage


def test_the_flat_settings_of_version_0_2_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text(
        '[train]\ngenerator = "irodori"\nloss = "relativistic"\npenalty_kind = "zero-centred"\n'
        'optimiser = "adam"\nbatch = 4\nwidth = 48\nema_images = 5\nseed = 3\n'
    )
    settings = settings_of("--batch", "6")
    assert settings.lineage is None
    assert (settings.optimizer.batch, settings.optimizer.ema_images) == (6, 5)
    assert (settings.network.width, settings.seed) == (48, 3)
    Path("config.toml").write_text('[train]\ngenerator = "dcgan"\nclip = 0.5\n')
    with pytest.raises(config.SettingsError, match="classical recipes"):
        settings_of()
    assert lineage_of("--recipe", "wgan").clip == 0.01


def test_recipe_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("config.toml").write_text("[train.optimizer]\nbatch = 4\n")
    Path("mine.toml").write_text("[train.network]\nwidth = 48\n")
    mine = settings_of("--recipe", "mine.toml")
    assert (mine.network.width, mine.optimizer.batch) == (48, 4)
    Path("other.toml").write_text('extends = "dcgan"\n[train.network]\nwidth = 8\n')
    other = settings_of("--recipe", "other.toml")
    assert (other.network.width, other.optimizer.batch) == (8, 128)


@pytest.mark.parametrize(
    ("arguments", "content", "message"),
    [
        (["--recipe", "dcgna"], "", r"no recipe 'dcgna'; the nearest: dcgan"),
        (["--recipe", "none.toml"], "", r"no recipe none\.toml"),
        (
            ["--recipe", "r.toml"],
            "[train]\nlearningrate = 1",
            "has no 'learningrate'; the nearest: learning_rate",
        ),
        (["--recipe", "r.toml"], "[trian]\nwidth = 1", "unknown key 'trian'"),
        (["--recipe", "r.toml"], "[train", "not valid TOML"),
        (["--recipe", "r.toml"], 'extends = "dcgna"', "no recipe 'dcgna' to extend"),
        (["--recipe", "wgan", "--generator", "x"], "", "lineage.generator: Input should be"),
    ],
)
def test_errors_suggest_the_nearest_name(
    arguments: list[str],
    content: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("r.toml").write_text(content)
    with pytest.raises(config.SettingsError, match=message):
        settings_of(*arguments)


def test_error_for_a_wrong_key_suggests_the_nearest(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[train]\nlearn_rate = 1\n")
    with pytest.raises(config.SettingsError, match=r"train\.learn_rate.*nearest: learning_rate"):
        settings_of("--config", str(file))


def test_error_for_an_unknown_flag_suggests_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--recipies", "dcgan"])
    assert "there is no --recipies; the nearest: --recipe" in capsys.readouterr().err


def test_recipes_are_listed_with_their_sources(capsys: pytest.CaptureFixture[str]) -> None:
    main(["recipes"])
    listed = capsys.readouterr().out
    for name in recipes.NAMES:
        assert f"{name} " in listed
        assert recipes.read(name).source in " ".join(listed.split())


@pytest.mark.parametrize("command", ["recipes", "settings"])
def test_commands_that_list_have_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"usage: python -m train {command}" in capsys.readouterr().out
    with pytest.raises(SystemExit):
        main([command, "--hlep"])
    assert "there is no --hlep; the nearest: --help" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("recipe", "changed", "reason"),
    [
        ("wgan-gp", {"discriminator_norm": "batch"}, "batch norm"),
        ("r3gan", {"discriminator_norm": "layer"}, "r3gan discriminator has no norm"),
        ("wgan", {"clip": 0}, "unbounded without clip or penalty"),
        ("dcgan", {"loss": "energy"}, "discriminator must be autoencoder"),
        ("ebgan", {"loss": "minimax", "margin": 0, "pulling_away": 0}, "never above 0"),
        ("ebgan", {"conditioning": "projection"}, "no inner product"),
        ("dcgan", {"margin": 1}, "for the energy loss only"),
        ("acgan-dcgan", {"heads": "none"}, "heads must be"),
        ("irodori", {"group": 1}, "group must be 2"),
        ("dcgan", {"diversity_weight": 1.0, "group": 2}, "classical recipes"),
        ("dcgan", {"generator": "stackgan"}, "must both be stackgan"),
        ("stackgan", {"resolution": 64}, "resolution must be 128"),
        ("stackgan", {"reconstruction_weight": 1}, "no encoder"),
        ("acgan-srresnet", {"residual": True}, "residual must be false: the srresnet generator"),
        ("dcgan", {"encoder_blocks": 2}, "encoder_blocks must be 0"),
    ],
)
def test_errors_for_contradictory_settings(
    recipe: str, changed: dict[str, Any], reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        change(recipes.read(recipe).settings, **changed)
