"""Training of the face detector, on a few composites."""

import numpy as np
import pytest
from drawn_faces import draw_face
from PIL import Image

from train.crop.composites import SIZE, Face, composite
from train.crop.fit import fit, mirrored
from train.crop.network import Box


@pytest.fixture(scope="module")
def faces() -> list[Face]:
    rng = np.random.RandomState(0)
    pictures = [draw_face("pink", "blue", rng, 64), draw_face("red", "green", rng, 64)]
    return [Face.of(picture, 1.0) for picture in pictures]


def test_composites_have_the_requested_number_of_faces(faces: list[Face]) -> None:
    rng = np.random.RandomState(0)
    for count in (0, 1, 1):
        picture, boxes = composite(faces, rng, count)
        assert picture.shape == (SIZE, SIZE, 3)
        assert len(boxes) == count


def test_a_mirrored_composite_has_mirrored_boxes() -> None:
    picture = np.zeros((SIZE, SIZE, 3), np.uint8)
    picture[10:30, 5:25] = 255
    flipped, (box,) = mirrored(picture, [Box(5, 10, 20, 1.0)])
    assert (flipped[10:30, int(box.x) : int(box.x) + 20] == 255).all()


def test_training_is_reproducible(faces: list[Face], capsys: pytest.CaptureFixture[str]) -> None:
    first, second = (fit(faces, 64).state_dict() for _ in range(2))
    assert all((first[name] == second[name]).all() for name in first)
    assert "64 composites · loss" in capsys.readouterr().out


def test_only_heads_before_white_are_cut_out() -> None:
    rng = np.random.RandomState(0)
    face = draw_face("pink", "blue", rng, 64)
    assert Face.of(face, 1.0).mask is not None
    on_gray = Image.blend(face, Image.new("RGB", face.size, "black"), 0.5)
    assert Face.of(on_gray, 1.0).mask is None
