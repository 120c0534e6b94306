"""Morphs: a seamless loop from face to face."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from bot.errors import BadPrompt
from bot.inference.latents import slerp

Format = Literal["webp", "gif"]

FRAME_MS = 70  # about 14 a second; GIF counts in hundredths of a second
HOLD_MS = 700  # on each face
STEPS = 11  # frames between two faces
# From the best one on, until one is small enough: WebP quality or GIF colours, and size.
ATTEMPTS: dict[Format, tuple[tuple[int, float], ...]] = {
    "webp": ((82, 1), (60, 1), (60, 0.5), (40, 0.25)),
    "gif": ((256, 1), (96, 1), (96, 0.5), (48, 0.25)),
}


@dataclass(frozen=True, slots=True)
class Animation:
    """`data` is the file; sizes are in pixels. `ids` are the faces that it shows, in order;
    `reduced` says that it is smaller or coarser than it would be without the limit."""

    data: bytes
    format: Format
    width: int
    height: int
    frames: int
    seconds: float  # of one round
    reduced: bool
    ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Path:
    """Poses to paint: latents [n, Z] and conditions [n, C].

    `shown` are the frames of one round, each a pose and how long it is shown, in ms; a pose may be
    shown several times.
    """

    latents: np.ndarray
    conditions: np.ndarray
    shown: tuple[tuple[int, int], ...]


def lay_path(latents: Sequence[np.ndarray], conditions: Sequence[np.ndarray]) -> Path:
    """Around the given faces, latents [Z] and conditions [C], and back to the first.

    The latent takes the great circle, the condition the straight line. Each leg eases in and out
    and rests on its faces. With two faces the way back is the way there.
    """
    count = len(latents)
    legs = 1 if count == 2 else count
    shares = _ease(np.arange(STEPS + 1) / (STEPS + 1))  # 0 is the face itself
    poses, colours, shown = [], [], []
    for leg in range(legs):
        there = (leg + 1) % count
        poses.append(slerp(latents[leg], latents[there], shares))
        a, b = conditions[leg], conditions[there]
        colours.append((a + shares[:, None] * (b - a)).astype(np.float32))
        start = leg * (STEPS + 1)
        shown += [(start, HOLD_MS)] + [(start + i, FRAME_MS) for i in range(1, STEPS + 1)]
    if count == 2:
        poses.append(latents[1][None])
        colours.append(conditions[1][None])
        shown += [(STEPS + 1, HOLD_MS)] + [(i, FRAME_MS) for i in range(STEPS, 0, -1)]
    return Path(np.concatenate(poses), np.concatenate(colours), tuple(shown))


def encode(
    path: Path, images: np.ndarray, format: Format, limit_bytes: int, ids: tuple[str, ...]
) -> Animation:
    """Poses' images uint8 [n, S, S, 3] to a file of at most so many bytes.

    Raises BadPrompt if even the smallest encoding is larger.
    """
    for attempt, (grade, scale) in enumerate(ATTEMPTS[format]):
        size = max(16, round(images.shape[1] * scale))
        poses = [Image.fromarray(image) for image in images]
        if scale < 1:
            poses = [pose.resize((size, size), Image.Resampling.LANCZOS) for pose in poses]
        data = _file(poses, path.shown, format, grade)
        if len(data) <= limit_bytes:
            return Animation(
                data=data,
                format=format,
                width=size,
                height=size,
                frames=len(path.shown),
                seconds=sum(ms for _, ms in path.shown) / 1000,
                reduced=attempt > 0,
                ids=ids,
            )
    raise BadPrompt("morph-too-large")


def _file(
    poses: list[Image.Image], shown: Sequence[tuple[int, int]], format: Format, grade: int
) -> bytes:
    if format == "gif":
        # one palette for all, or the colours would flicker
        palette = _contact(poses).quantize(grade)
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


def _contact(poses: list[Image.Image]) -> Image.Image:
    """A strip of some of the poses, to choose the colours from."""
    some = poses[:: max(1, len(poses) // 8)]
    strip = Image.new("RGB", (64 * len(some), 64))
    for place, pose in enumerate(some):
        strip.paste(pose.resize((64, 64)), (64 * place, 0))
    return strip


def _ease(t: np.ndarray) -> np.ndarray:
    """Smoothstep: starts and ends at rest."""
    return t * t * (3 - 2 * t)
