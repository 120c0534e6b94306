import io

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from bot.errors import BadPrompt
from bot.inference.latents import draw_latent
from bot.studio.morph_file import (
    ATTEMPTS,
    PACE,
    Format,
    FramePlan,
    Morph,
    encode,
    plan_frames,
)

LIMIT = 10 * 2**20
Images = npt.NDArray[np.uint8]


def path(faces: int) -> FramePlan:
    conditions = np.eye(faces, dtype=np.float32)
    return plan_frames([draw_latent(i, 32) for i in range(faces)], list(conditions))


def paint_poses(plan: FramePlan, size: int = 64, noise: float = 0.0) -> Images:
    """Pictures uint8 [n, S, S, 3] of the poses; the color is made of the first latent numbers."""
    colors = 128 + 40 * plan.latents[:, :3]
    images = np.ones((len(colors), size, size, 3)) * colors[:, None, None]
    images += noise * np.random.RandomState(0).standard_normal(images.shape)
    clipped: Images = np.clip(images, 0, 255).astype(np.uint8)
    return clipped


def frames(animation: Morph) -> tuple[list[npt.NDArray[np.int64]], list[int]]:
    """The decoded frames and their durations in milliseconds."""
    image = Image.open(io.BytesIO(animation.data))
    assert str(image.format).lower() == animation.format
    assert image.size == (animation.width, animation.height)
    assert image.info["loop"] == 0
    pictures, durations = list[npt.NDArray[np.int64]](), list[int]()
    for i in range(getattr(image, "n_frames", 1)):
        image.seek(i)
        pictures.append(np.asarray(image.convert("RGB")).astype(np.int64))
        durations.append(int(image.info["duration"]))
    return pictures, durations


@pytest.mark.parametrize("count", [2, 3, 4, 5])
def test_a_path_passes_every_face_in_small_steps_and_returns(count: int) -> None:
    plan = path(count)
    assert len(plan.latents) == len(plan.conditions)
    assert set(range(len(plan.latents))) == {pose for pose, _ in plan.shown}
    holds = [pose for pose, ms in plan.shown if ms == PACE.hold_ms]
    assert len(holds) == count
    for face, pose in enumerate(holds):
        np.testing.assert_allclose(plan.latents[pose], draw_latent(face, 32), atol=1e-5)
        np.testing.assert_allclose(plan.conditions[pose], np.eye(count)[face], atol=1e-6)
    # the last frame leads to the first one, and the motion starts slowly at a face
    order = [pose for pose, _ in plan.shown]
    loop = plan.latents[[*order, order[0]]]
    steps = np.linalg.norm(np.diff(loop, axis=0), axis=1)
    distance = np.linalg.norm(draw_latent(0, 32) - draw_latent(1, 32))
    assert steps.max() < 0.4 * distance
    assert steps[0] < steps.mean() / 2
    assert steps[-1] < steps.mean() / 2


def test_conditions_are_interpolated_linearly() -> None:
    plan = path(3)
    np.testing.assert_allclose(plan.conditions.sum(1), 1, atol=1e-6)
    assert (plan.conditions >= 0).all()
    assert (np.sort(plan.conditions, axis=1)[:, 0] == 0).all()  # at most two of the three are mixed


@pytest.mark.parametrize("format", ["webp", "gif"])
@pytest.mark.parametrize("count", [2, 5])
def test_the_file_contains_the_frames_of_the_path(format: Format, count: int) -> None:
    plan = path(count)
    images = paint_poses(plan)
    ids = tuple("abcde"[:count])
    animation = encode(plan, images, format, LIMIT, ids)
    assert (animation.width, animation.height, animation.reduced) == (64, 64, False)
    assert animation.ids == ids
    shown, durations = frames(animation)
    assert sum(durations) == round(1000 * animation.seconds) == sum(ms for _, ms in plan.shown)
    assert animation.frames == len(plan.shown)
    # compared over time, since encoders merge equal frames
    seen = [picture for picture, ms in zip(shown, durations, strict=True) for _ in range(ms)]
    expected = [images[pose] for pose, ms in plan.shown for _ in range(ms)]
    for moment in range(0, len(seen), 35):
        assert np.abs(seen[moment].mean((0, 1)) - expected[moment].mean((0, 1))).max() < 20


@pytest.mark.parametrize("format", ["webp", "gif"])
def test_a_file_over_the_limit_is_reduced_and_marked_as_reduced(format: Format) -> None:
    plan = path(2)
    images = paint_poses(plan, noise=30)
    full = encode(plan, images, format, LIMIT, ("a", "b"))
    sizes = []
    limit = len(full.data) - 1
    for _ in ATTEMPTS[format][1:]:
        smaller = encode(plan, images, format, limit, ("a", "b"))
        assert smaller.reduced
        assert len(smaller.data) <= limit
        assert sum(frames(smaller)[1]) == round(1000 * smaller.seconds)
        sizes.append(smaller.width)
        limit = len(smaller.data) - 1
    assert sizes == [64, 32, 16]
    with pytest.raises(BadPrompt, match="too large"):
        encode(plan, images, format, limit, ("a", "b"))
