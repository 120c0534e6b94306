"""The command that writes config.toml."""

import tomllib
from pathlib import Path

from pydantic import Field

import config
from bot.settings import Settings as BotSettings
from config.__main__ import SETTINGS, main, render
from train.settings import TrainingSettings

FILE = Path(__file__).parents[2] / "config.toml"


def test_the_committed_file_equals_the_generated_one(tmp_path: Path) -> None:
    written = tmp_path / "config.toml"
    assert main(["--output", str(written)]) == 0
    assert FILE.read_text("utf-8") == written.read_text("utf-8"), "run: python -m config"


def test_the_file_lists_every_setting_with_its_default() -> None:
    text = render()
    table = tomllib.loads(text)
    for settings in (BotSettings(), TrainingSettings()):
        for section, values in settings.model_dump(mode="json").items():
            defaults = {key: value for key, value in values.items() if value is not None}
            assert table[section] == defaults
            for key in values.keys() - defaults.keys():
                heading = f"\n# [{section}.{key}]:"  # a section without defaults
                assert f"\n# {key} =" in text or heading in text, f"{section}.{key}"


def test_reading_the_file_gives_the_defaults(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(render(), "utf-8")
    for settings in SETTINGS:
        assert config.read(settings, file).model_dump() == settings().model_dump()


class LossSettings(config.Section):
    """Loss function."""

    weight: float = 0.5
    """Weight of the loss."""


class EngineSettings(config.Section):
    """Engine."""

    loss: LossSettings = LossSettings()
    minutes: float | None = Field(default=None, examples=[90])
    """Minutes to run."""
    names: tuple[str, ...] = ("a", 'b"')
    """Names."""
    images: int = 2_000_000
    fast: bool = False


class NestedSettings(config.Settings):
    engine: EngineSettings = EngineSettings()


def test_nested_sections_become_nested_tables_after_the_keys() -> None:
    text = render([NestedSettings])
    _, _, body = text.partition("# Engine.\n")
    assert body == (
        "[engine]\n"
        "# Minutes to run.\n"
        "# minutes = 90\n"
        "# Names.\n"
        'names = ["a", "b\\""]\n'
        "images = 2_000_000\n"
        "fast = false\n"
        "\n"
        "# Loss function.\n"
        "[engine.loss]\n"
        "# Weight of the loss.\n"
        "weight = 0.5\n"
    )
