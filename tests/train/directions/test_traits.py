"""Traits measured in drawn faces, of which one property changes at a time."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image, ImageDraw

from train.directions.traits import TRAITS, measure_traits

SIZE = 64
SKIN, WHITE, HAIR = (250, 222, 200), (255, 255, 255), (90, 60, 160)


def face(
    *,
    hair: tuple[int, int, int] = HAIR,
    skin: tuple[int, int, int] = SKIN,
    background: tuple[int, int, int] = WHITE,
    clothes: tuple[int, int, int] = (120, 120, 140),
    length: int = 44,
    fringe: int = 22,
    eye: int = 5,
    shift: int = 0,
    tilt: int = 0,
) -> np.ndarray:
    """A frontal face; lengths are in pixels."""
    image = Image.new("RGB", (SIZE, SIZE), background)
    pen = ImageDraw.Draw(image)
    pen.rectangle((4, 4, 60, length), fill=hair)
    pen.rectangle((16, 56, 48, 64), fill=clothes)
    pen.ellipse((14 + shift, 12, 50 + shift, 58), fill=skin)
    pen.rectangle((14, 10, 50, fringe), fill=hair)
    for x, y in ((21, 36 - tilt), (43, 36 + tilt)):
        pen.ellipse((x - 5 + shift, y - eye, x + 5 + shift, y + eye), fill=(40, 60, 120))
    return np.asarray(image)


def trait(name: str, image: np.ndarray) -> float:
    return float(measure_traits(image[None])[0, [*TRAITS].index(name)])


@pytest.mark.parametrize(
    ("name", "less", "more"),
    [
        ("hair_length", {"length": 44}, {"length": 62}),
        ("hair_lightness", {"hair": (40, 30, 60)}, {"hair": (180, 160, 240)}),
        ("fringe_length", {"fringe": 16}, {"fringe": 28}),
        ("eye_size", {"eye": 3}, {"eye": 7}),
        ("head_turn", {"shift": -4}, {"shift": 4}),
        ("head_tilt", {"tilt": -3}, {"tilt": 3}),
        ("skin_lightness", {"skin": (170, 120, 90)}, {"skin": SKIN}),
        ("clothes_lightness", {"clothes": (20, 20, 30)}, {"clothes": (230, 230, 240)}),
        ("background_lightness", {"background": (60, 60, 60)}, {"background": WHITE}),
    ],
)
def test_a_trait_grows_with_its_property(
    name: str, less: dict[str, object], more: dict[str, object]
) -> None:
    draw: Callable[..., np.ndarray] = face
    assert trait(name, draw(**less)) < trait(name, draw(**more))


def test_traits_of_any_picture_are_finite() -> None:
    random = np.random.RandomState(0)
    pictures = np.stack(
        [
            np.zeros((SIZE, SIZE, 3), np.uint8),
            np.full((SIZE, SIZE, 3), 255, np.uint8),
            random.randint(256, size=(SIZE, SIZE, 3)).astype(np.uint8),
        ]
    )
    found = measure_traits(pictures)
    assert found.shape == (3, len(TRAITS))
    assert np.isfinite(found).all()
    assert np.isfinite(measure_traits(pictures[:, ::2, ::2])).all()
