"""A tiny drawn data set: faces of 32 pixels with 4 hair and 3 eye colors."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

HAIR = {"aqua": "#30c0c0", "black": "#202020", "pink": "#ff80b0", "red": "#c02020"}
EYES = {"blue": "#2040ff", "green": "#20a040", "orange": "#ff9020"}


def draw_face(hair: str, eyes: str, rng: np.random.RandomState, size: int = 32) -> Image.Image:
    """Draws a face with random position, width and fringe."""
    big = size * 4
    image = Image.new("RGB", (big, big), "white")
    pen = ImageDraw.Draw(image)
    x, y = rng.uniform(0.44, 0.56, 2) * big
    w, h = rng.uniform(0.24, 0.32) * big, rng.uniform(0.28, 0.36) * big
    pen.ellipse((x - 1.4 * w, y - 1.5 * h, x + 1.4 * w, y + 1.3 * h), HAIR[hair])
    pen.ellipse((x - w, y - 0.7 * h, x + w, y + h), "#ffe0d0")
    for strand in np.linspace(-1, 1, rng.randint(4, 8)):
        tip = y - rng.uniform(-0.1, 0.35) * h
        root = x + strand * w
        pen.polygon([(root - w / 4, y - h), (root + w / 4, y - h), (root, tip)], HAIR[hair])
    r = rng.uniform(0.13, 0.2) * w
    for side in (-0.45, 0.45):
        pen.ellipse((x + side * w - r, y, x + side * w + r, y + 2.6 * r), EYES[eyes])
    pen.arc((x - w / 4, y + h / 2, x + w / 4, y + 0.75 * h), 20, 160, "#803030", max(1, big // 64))
    return image.resize((size, size), Image.Resampling.LANCZOS)


def face_files(count: int = 960) -> dict[str, bytes]:
    """`images/<id>.png` and an MLDS `tags.csv` of the first faces."""
    rng = np.random.RandomState(0)
    files, lines = {}, []
    pairs = [(hair, eyes) for hair in HAIR for eyes in EYES]
    for number in range(count):
        hair, eyes = pairs[number % len(pairs)]
        stream = io.BytesIO()
        draw_face(hair, eyes, rng).save(stream, "PNG")
        files[f"images/{number}.png"] = stream.getvalue()
        lines.append(f"{number},{hair} hair {eyes} eyes\n")
    return files | {"tags.csv": "".join(lines).encode()}


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return path
