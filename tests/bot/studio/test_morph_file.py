import io

import numpy as np
import pytest
from PIL import Image

from bot.errors import BadPrompt
from bot.inference.latents import draw_latent
from bot.studio.morph_file import (
    ATTEMPTS,
    HOLD_MS,
    FramePlan,
    Morph,
    encode,
    plan_frames,
)

LIMIT = 10 * 2**20


def path(faces: int) -> FramePlan:
    conditions = np.eye(faces, dtype=np.float32)
    return plan_frames([draw_latent(i, 32) for i in range(faces)], list(conditions))


def poses(laid: FramePlan, size: int = 64, noise: float = 0.0) -> np.ndarray:
    """A picture uint8 [n, S, S, 3] of each pose: its colours are its latent's first numbers."""
    colours = 128 + 40 * laid.latents[:, :3]
    images = np.ones((len(colours), size, size, 3)) * colours[:, None, None]
    images += noise * np.random.RandomState(0).standard_normal(images.shape)
    return np.clip(images, 0, 255).astype(np.uint8)


def frames(animation: Morph) -> tuple[list[np.ndarray], list[int]]:
    """Pictures and how long each is shown, as a viewer decodes them."""
    image = Image.open(io.BytesIO(animation.data))
    assert image.format.lower() == animation.format
    assert image.size == (animation.width, animation.height)
    assert image.info["loop"] == 0
    pictures, durations = [], []
    for i in range(image.n_frames):
        image.seek(i)
        pictures.append(np.asarray(image.convert("RGB")).astype(int))
        durations.append(int(image.info["duration"]))
    return pictures, durations


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_a_path_passes_every_face_in_small_steps_and_returns(count: int) -> None:
    laid = path(count)
    assert len(laid.latents) == len(laid.conditions)
    assert set(range(len(laid.latents))) == {pose for pose, _ in laid.shown}
    rests = [pose for pose, ms in laid.shown if ms == HOLD_MS]
    assert len(rests) == count
    for face, pose in enumerate(rests):
        np.testing.assert_allclose(laid.latents[pose], draw_latent(face, 32), atol=1e-5)
        np.testing.assert_allclose(laid.conditions[pose], np.eye(count)[face], atol=1e-6)
    # the last frame leads to the first one; what stands still on a face moves off it slowly
    order = [pose for pose, _ in laid.shown]
    around = laid.latents[[*order, order[0]]]
    steps = np.linalg.norm(np.diff(around, axis=0), axis=1)
    legs = np.linalg.norm(draw_latent(0, 32) - draw_latent(1, 32))
    assert steps.max() < 0.4 * legs
    assert steps[0] < steps.mean() / 2
    assert steps[-1] < steps.mean() / 2


def test_conditions_are_interpolated_linearly() -> None:
    laid = path(3)
    np.testing.assert_allclose(laid.conditions.sum(1), 1, atol=1e-6)
    assert (laid.conditions >= 0).all()
    assert (np.sort(laid.conditions, axis=1)[:, 0] == 0).all()  # two of the three at a time


@pytest.mark.parametrize("format", ["webp", "gif"])
@pytest.mark.parametrize("count", [2, 5])
def test_the_file_contains_the_frames_of_the_path(format: str, count: int) -> None:
    laid = path(count)
    images = poses(laid)
    ids = tuple("abcde"[:count])
    animation = encode(laid, images, format, LIMIT, ids)
    assert (animation.width, animation.height, animation.reduced) == (64, 64, False)
    assert animation.ids == ids
    shown, durations = frames(animation)
    assert sum(durations) == round(1000 * animation.seconds) == sum(ms for _, ms in laid.shown)
    assert animation.frames == len(laid.shown)
    # at every moment; encoders make one frame of two that do not differ
    seen = [picture for picture, ms in zip(shown, durations, strict=True) for _ in range(ms)]
    wanted = [images[pose] for pose, ms in laid.shown for _ in range(ms)]
    for moment in range(0, len(seen), 35):
        assert np.abs(seen[moment].mean((0, 1)) - wanted[moment].mean((0, 1))).max() < 20


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_a_file_over_the_limit_is_reduced_and_marked_as_reduced(format: str) -> None:
    laid = path(2)
    images = poses(laid, noise=30)
    whole = encode(laid, images, format, LIMIT, ("a", "b"))
    sizes = []
    limit = len(whole.data) - 1
    for _ in ATTEMPTS[format][1:]:
        smaller = encode(laid, images, format, limit, ("a", "b"))
        assert smaller.reduced
        assert len(smaller.data) <= limit
        assert sum(frames(smaller)[1]) == round(1000 * smaller.seconds)
        sizes.append(smaller.width)
        limit = len(smaller.data) - 1
    assert sizes == [64, 32, 16]
    with pytest.raises(BadPrompt, match="too large"):
        encode(laid, images, format, limit, ("a", "b"))
