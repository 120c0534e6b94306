"""Compares trainings on few images: starting with a model, and from scratch for the same time.

    python benchmarks/small_data.py --data faces64.zip [--images 300] [--minutes 12] \
        [--start faces64-1199k]

The images are a random part of the data, with an attribute of their own, `tone`, which the model
does not know: warm, cool or plain, from the color of the hair. Each training is the command
`python -m train … --minutes M`. The judge measures both with other images of the data, which
neither training has seen. Further options are passed to both trainings.
"""

import argparse
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import replace
from pathlib import Path

import torch
from PIL import Image
from rich.console import Console
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from export.figures import FD_RATIO, label, number
from export.manifest import Attribute
from train.data import Faces, load
from train.metrics import SECOND_SEED, Judge, prepare
from train.models import load_generator
from train.report import generate_images

ROOT = Path(__file__).parents[1]
WARM = {"pink", "red", "orange", "blonde", "yellow", "brown"}
COOL = {"aqua", "blue", "green", "purple"}
TONES = ("cool", "plain", "warm")
JUDGED = 4_000
"""Number of images that the judge is built from."""
FAKES = 1_000
SHOWN = ("lite2_precision", "lite2_recall", FD_RATIO, "tone_as_asked")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="images with the attribute hair")
    parser.add_argument("--images", type=int, default=300, help="number of training images")
    parser.add_argument("--minutes", default="12", help="duration of each training")
    parser.add_argument("--start", default="faces64-1199k", help="the model to start with")
    parser.add_argument("--judge-images", type=int, default=0, help="see judge.images")
    options, further = parser.parse_known_args()
    faces = with_tones(load(options.data, 64))
    order = torch.randperm(len(faces), generator=torch.Generator().manual_seed(0))
    few, others = order[: options.images], order[options.images :][:JUDGED]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write(select(faces, few), folder / "few.zip")
        judge = prepare(
            select(faces, others),
            folder,
            images=options.judge_images,
            console=Console(),
            seed=SECOND_SEED,
        )
        columns = {}
        for title, start in ((options.start, ["--start", options.start]), ("scratch", [])):
            command = [sys.executable, "-m", "train", "--data", folder / "few.zip", "--name", title]
            command += ["--runs", folder, "--no-export", "--minutes", options.minutes, *start]
            subprocess.run([*command, *further], cwd=ROOT, check=True)
            columns[title] = measure(folder / title, judge)
    print(f"\n{options.images} images, {options.minutes} minutes each")
    print(f"{'':28}" + "".join(f"{title:>16}" for title in columns))
    for name in SHOWN:
        cells = "".join(f"{number(name, figures[name]):>16}" for figures in columns.values())
        print(f"{label(name):28}{cells}")


def with_tones(faces: Faces) -> Faces:
    """The same images with the attribute `tone` only."""
    (column,) = (i for i, a in enumerate(faces.attributes) if a.name == "hair")
    tones = torch.tensor([TONES.index(tone(hair)) for hair in faces.attributes[column].values])
    labels = tones[faces.labels[:, column]].unsqueeze(1)
    return replace(faces, labels=labels, attributes=(attribute(labels),))


def tone(hair: str) -> str:
    return "warm" if hair in WARM else "cool" if hair in COOL else "plain"


def attribute(labels: Tensor) -> Attribute:
    shares = labels[:, 0].bincount(minlength=len(TONES)) / len(labels)
    return Attribute(name="tone", values=TONES, frequencies=tuple(shares.tolist()))


def select(faces: Faces, rows: Tensor) -> Faces:
    labels = faces.labels[rows]
    return replace(faces, images=faces.images[rows], labels=labels, attributes=(attribute(labels),))


def write(faces: Faces, file: Path) -> None:
    """Writes a zip as users have it: images, and `tags.csv` with a header."""
    lines = ["file,tone"]
    with zipfile.ZipFile(file, "w") as archive:
        for row, image in enumerate(faces.images):
            with archive.open(f"images/{row}.png", "w") as stream:
                Image.fromarray(image.permute(1, 2, 0).numpy()).save(stream, "PNG")
            lines.append(f"{row}.png,{TONES[faces.labels[row, 0]]}")
        archive.writestr("tags.csv", "\n".join(lines))


def measure(run: Path, judge: Judge) -> dict[str, float]:
    """The figures of a run's averaged generator, without rejection sampling."""
    generator, _ = load_generator(run)

    def generate(latents: Tensor, conditions: Tensor) -> Tensor:
        return generate_images(generator, latents, conditions)

    return judge.evaluate(generate, generator.latent_dim, FAKES).figures


if __name__ == "__main__":
    main()
