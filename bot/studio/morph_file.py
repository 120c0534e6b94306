"""Encodes morphs, seamless loops from face to face, as WebP or GIF."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from bot.errors import BadPrompt
from bot.inference.latents import slerp

Format = Literal["webp", "gif"]

# Tried in this order until one is small enough: WebP quality or number of GIF colors, and scale.
ATTEMPTS: dict[Format, tuple[tuple[int, float], ...]] = {
    "webp": ((82, 1), (60, 1), (60, 0.5), (40, 0.25)),
    "gif": ((256, 1), (96, 1), (96, 0.5), (48, 0.25)),
}


@dataclass(frozen=True, slots=True)
class Pace:
    """Milliseconds of a frame and of each face, and the number of frames between two faces."""

    frame_ms: int = 70  # about 14 a second; GIF counts in hundredths of a second
    hold_ms: int = 700
    steps: int = 11


PACE = Pace()


@dataclass(frozen=True, slots=True)
class Morph:
    """`data` is the file; sizes are in pixels. `ids` are its faces in order;
    `reduced` is True if the limit made it smaller or of lower quality.
    """

    data: bytes
    format: Format
    width: int
    height: int
    frames: int
    seconds: float  # of one loop
    reduced: bool
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FramePlan:
    """The pictures to paint, latents [n, Z] and conditions [n, C]; `shown` are the frames of one
    loop, each the index of a picture and how long it is shown, in ms.
    """

    latents: np.ndarray
    conditions: np.ndarray
    shown: tuple[tuple[int, int], ...]


def plan_frames(
    latents: Sequence[np.ndarray], conditions: Sequence[np.ndarray], pace: Pace = PACE
) -> FramePlan:
    """The frames from each face (latent [Z], condition [C]) to the next, and back to the first.

    Latents are interpolated spherically, conditions linearly. Each leg eases in and out and holds
    on its faces. With two faces the frames of the way back are the first leg's, reversed.
    """
    count = len(latents)
    legs = 1 if count == 2 else count
    steps = pace.steps
    shares = _ease(np.arange(steps + 1) / (steps + 1))  # 0 is the face itself
    poses, colors, shown = [], [], []
    for leg in range(legs):
        following = (leg + 1) % count
        poses.append(slerp(latents[leg], latents[following], shares))
        a, b = conditions[leg], conditions[following]
        colors.append((a + shares[:, None] * (b - a)).astype(np.float32))
        start = leg * (steps + 1)
        shown += [(start, pace.hold_ms)]
        shown += [(start + i, pace.frame_ms) for i in range(1, steps + 1)]
    if count == 2:
        poses.append(latents[1][None])
        colors.append(conditions[1][None])
        shown += [(steps + 1, pace.hold_ms)]
        shown += [(i, pace.frame_ms) for i in range(steps, 0, -1)]
    return FramePlan(np.concatenate(poses), np.concatenate(colors), tuple(shown))


def encode(
    plan: FramePlan, images: np.ndarray, format: Format, limit_bytes: int, ids: tuple[str, ...]
) -> Morph:
    """The plan's pictures, uint8 [n, S, S, 3], as a file of at most `limit_bytes`.

    Raises BadPrompt if even the smallest encoding is larger.
    """
    for attempt, (grade, scale) in enumerate(ATTEMPTS[format]):
        size = max(16, round(images.shape[1] * scale))
        poses = [Image.fromarray(image) for image in images]
        if scale < 1:
            poses = [pose.resize((size, size), Image.Resampling.LANCZOS) for pose in poses]
        data = _file(poses, plan.shown, format, grade)
        if len(data) <= limit_bytes:
            return Morph(
                data=data,
                format=format,
                width=size,
                height=size,
                frames=len(plan.shown),
                seconds=sum(ms for _, ms in plan.shown) / 1000,
                reduced=attempt > 0,
                ids=ids,
            )
    raise BadPrompt("morph-too-large")


def _file(
    poses: list[Image.Image], shown: Sequence[tuple[int, int]], format: Format, grade: int
) -> bytes:
    if format == "gif":
        # one palette for all frames, otherwise the colors flicker
        palette = _sample_strip(poses).quantize(grade)
        poses = [pose.quantize(palette=palette) for pose in poses]
        options = {"optimize": False, "disposal": 1}
    else:
        options = {"quality": grade, "method": 2, "minimize_size": False}
    first, *rest = [poses[pose] for pose, _ in shown]
    file = io.BytesIO()
    first.save(
        file,
        format.upper(),
        save_all=True,
        append_images=rest,
        duration=[ms for _, ms in shown],
        loop=0,
        **options,
    )
    return file.getvalue()


def _sample_strip(poses: list[Image.Image]) -> Image.Image:
    """A strip of some of the pictures, to choose the palette from."""
    some = poses[:: max(1, len(poses) // 8)]
    strip = Image.new("RGB", (64 * len(some), 64))
    for i, pose in enumerate(some):
        strip.paste(pose.resize((64, 64)), (64 * i, 0))
    return strip


def _ease(t: np.ndarray) -> np.ndarray:
    """Smoothstep: starts and ends at rest."""
    eased: np.ndarray = t * t * (3 - 2 * t)
    return eased
