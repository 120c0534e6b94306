"""The folder of a running training."""

import json
from pathlib import Path

from PIL import Image


def begin(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps({"settings": {"images": 4000, "batch": 16}}))
    report(folder, 1000, generator=1.5, discriminator=0.5, hair_as_asked=0.25)
    return folder


def report(folder: Path, images: int, **figures: float) -> None:
    """Adds samples and a log line, as a training does."""
    Image.new("RGB", (64, 32), "pink").save(folder / f"samples-{images // 1000:06d}k.png")
    line = {"images": images, "seconds": images / 50, "images_per_second": 50} | figures
    with (folder / "log.jsonl").open("a") as log:
        log.write(json.dumps(line) + "\n")
