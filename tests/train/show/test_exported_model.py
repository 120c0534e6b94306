"""`python -m train show MODEL`: pictures of an exported model."""

from pathlib import Path

import pytest
import tiny_model
from PIL import Image

from export.registry import Registry
from train.__main__ import main


@pytest.fixture(autouse=True)
def _models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    registry = Registry(tmp_path / "models")
    tiny_model.add_model(registry, "tiny", candidates=2)
    tiny_model.add_model(registry, "uncritical")


def test_a_model_shows_all_but_its_training(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = sorted((tmp_path / "models/tiny").iterdir())
    main(["show", "tiny"])
    said = capsys.readouterr().out
    shown = tmp_path / "runs/show-tiny"
    assert sorted(file.stem for file in shown.iterdir()) == [
        *("best", "grid", "interpolation", "samples")
    ]
    for name in ("epochs", "animation", "losses"):
        assert f"no {name}: models/tiny is an exported model without reports" in said
    assert "no arithmetic: the judge needs the images of models/tiny" in said
    assert sorted((tmp_path / "models/tiny").iterdir()) == files, "its folder is left alone"


def test_the_scorer_of_a_model_chooses_the_best() -> None:
    """It prefers bright pictures, and dark ones with the first hair color."""
    main(["show", "models/tiny", "--best", "4", "--of", "64", "--out", "shown"])
    main(["show", "models/tiny", "samples", "--out", "shown"])
    with Image.open("shown/best.png") as best, Image.open("shown/samples.png") as samples:
        assert best.size == (2 * 64, 2 * 64)
        assert brightness(best) > brightness(samples) + 20


def brightness(picture: Image.Image) -> float:
    gray = picture.convert("L").resize((1, 1), Image.Resampling.BOX)
    value = gray.getpixel((0, 0))
    assert isinstance(value, int)
    return value


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["uncritical", "best"], "has no scorer to score images"),
        (["tiny", "losses"], "is an exported model without reports; give its run"),
        (["tiny", "reconstruction", "photo.png"], "has no encoder"),
        (["tny", "samples"], "tny is neither the folder of a run nor a model in models"),
    ],
)
def test_error_for_a_picture_that_a_model_cannot_show(
    given: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Image.new("RGB", (64, 64)).save("photo.png")
    with pytest.raises(SystemExit):
        main(["show", *given])
    assert message in " ".join(capsys.readouterr().out.split())
