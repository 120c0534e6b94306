"""`python -m train show … --wish`: rows of images of one condition each."""

from pathlib import Path

import pytest
import tiny_model
from PIL import Image

from export.manifest import Attribute
from export.registry import Registry
from train.__main__ import main
from train.show.model import ShowError
from train.show.wishes import read

ATTRIBUTES = (
    Attribute(name="hair", values=("pink", "light blue"), frequencies=(0.5, 0.5)),
    Attribute(name="eyes", values=("red", "green"), frequencies=(0.5, 0.5)),
)


@pytest.fixture(autouse=True)
def _model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_model.add_model(Registry(tmp_path / "models"), "tiny")


def test_a_row_for_each_wish() -> None:
    both = ("--wish", "hair:pink eyes:green", "--wish", "hair:black")
    main(["show", "models/tiny", *both, "--out", "pictures"])
    with Image.open("pictures/wishes.png") as sheet:
        left = sheet.width - 8 * 64
        assert (left > 60, sheet.height) == (True, 2 * 64), "wishes are at the left"
        places = [(left + 64 * column + 32, 64 * row + y) for row, y, column in CELLS]
        colors = [sheet.getpixel(place) for place in places]
    pink, green, black, *open_eyes = colors
    assert near(pink, tiny_model.COLORS["pink"])
    assert near(green, tiny_model.COLORS["green"])
    assert near(black, tiny_model.COLORS["black"])
    assert len(set(open_eyes)) > 1, "what a wish leaves open is random"


CELLS = [(0, 16, 0), (0, 48, 5), (1, 16, 3), *((1, 48, column) for column in range(8))]
"""Row, height in the image and column: upper halves have the color of the hair, lower ones that of
the eyes."""


def near(color: object, other: tuple[int, int, int]) -> bool:
    assert isinstance(color, tuple)
    return all(abs(a - b) < 60 for a, b in zip(color, other, strict=True))


def test_values_with_spaces_are_separated_by_commas() -> None:
    assert read("hair:light blue, eyes:green", ATTRIBUTES) == {0: 1, 1: 1}
    assert read(" eyes:red  hair:pink ", ATTRIBUTES) == {1: 0, 0: 0}


@pytest.mark.parametrize(
    ("wish", "message"),
    [
        ("hat:red", "there is no attribute 'hat'; the attributes are hair, eyes"),
        ("hair:pnk", "hair has no value 'pnk'; the nearest: pink"),
        ("eyes:7", "eyes has no value '7'; there are: red, green"),
        ("pink", "there is no attribute 'pink'"),
    ],
)
def test_error_for_a_wish_that_the_model_cannot_have(wish: str, message: str) -> None:
    with pytest.raises(ShowError, match=message):
        read(wish, ATTRIBUTES)


def test_errors_without_wishes_and_without_attributes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny_model.add_model(Registry(tmp_path / "models"), "plain", ())
    for given, message in (
        (["models/tiny", "wishes"], 'as --wish "hair:aqua eyes:aqua"'),
        (["models/plain", "--wish", "hair:pink"], "was trained without attributes"),
    ):
        with pytest.raises(SystemExit):
            main(["show", *given])
        assert message in " ".join(capsys.readouterr().out.split())
