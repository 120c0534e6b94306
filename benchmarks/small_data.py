"""Few images become a model in use: starting with a model, and from scratch for the same time.

    python benchmarks/small_data.py --data faces64.zip [--images 300] [--start faces64-1595k-2] \
        [--minutes 11 | --shown 28000] [--folder PATH]

The images are a random part of the data, with an attribute of their own, `tone`, which the model
does not know: warm, cool or plain, from the color of the hair. One command trains, judges and
exports the model, and puts it in use in a copy of the registry; the bot's studio then paints each
value. A second training takes as long, but starts from scratch. A judge of other images of the
data, which neither training has seen, measures both. On a busy machine `--shown` is better than
`--minutes`: both trainings do the same work. Further options are passed to both. With `--folder`,
all files are kept, and trainings whose runs are in it already are not repeated.
"""

import argparse
import asyncio
import io
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from bot.inference.engine import Engine
from bot.settings import EngineSettings
from bot.studio import Request, Studio
from db.records import Owner
from db.store import Store
from export.figures import FD_RATIO, REAL, label, number
from export.manifest import Attribute
from export.registry import Registry
from train.checkpoint import read_run
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
PAINTED = 32
"""Pictures of each value that the studio paints."""
PRECISION = "lite2_precision"
RECALL = "lite2_recall"
SHOWN = (PRECISION, RECALL, "lite2_coverage", FD_RATIO, "tone_as_asked")
MODEL = "small"
MEMBER = Owner("discord", "1", "Nelly")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="images with the attribute hair")
    parser.add_argument("--images", type=int, default=300, help="number of training images")
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", default="11", help="duration of each training")
    length.add_argument("--shown", help="images that each training shows, instead of minutes")
    parser.add_argument("--start", default="faces64-1595k-2", help="the model to start with")
    parser.add_argument("--judge-images", type=int, default=0, help="see judge.images")
    parser.add_argument("--folder", type=Path, help="keep all files in this folder")
    options, further = parser.parse_known_args()
    faces = with_tones(load(options.data, 64))
    order = torch.randperm(len(faces), generator=torch.Generator().manual_seed(0))
    few, others = order[: options.images], order[options.images :][:JUDGED]
    with tempfile.TemporaryDirectory() as temporary:
        folder = (options.folder or Path(temporary)).resolve()
        folder.mkdir(parents=True, exist_ok=True)
        write(select(faces, few), folder / "few.zip")
        registry = copy_registry(options.start, folder / "models")
        judge = prepare(
            select(faces, others),
            folder,
            images=options.judge_images,
            console=Console(),
            seed=SECOND_SEED,
        )
        judge.fidelity.prepare()
        common = ["--data", folder / "few.zip", "--runs", folder]
        common += ["--images", options.shown] if options.shown else ["--minutes", options.minutes]
        train(
            folder / options.start,
            *(*common, "--start", options.start, "--model-name", MODEL, "--force", *further),
        )
        train(folder / "scratch", *common, "--no-export", *further)
        columns = {name: measure(folder / name, judge) for name in (options.start, "scratch")}
        pictures, tones = asyncio.run(paint(registry, folder))
        shown = judge.as_asked(pictures, tones)[0]
        save_sheet(pictures, folder / "painted.png")
    each = f"{options.shown} shown" if options.shown else f"{options.minutes} minutes"
    print(f"\n{options.images} images, {each} in each training")
    columns["real"] = {name: columns["scratch"][f"{name}{REAL}"] for name in SHOWN}
    print(f"{'':28}" + "".join(f"{title:>16}" for title in columns))
    for name in SHOWN:
        cells = "".join(f"{number(name, figures[name]):>16}" for figures in columns.values())
        print(f"{label(name):28}{cells}")
    trained, scratch = columns[options.start], columns["scratch"]
    for name in (PRECISION, RECALL):
        if scratch[name]:
            times = trained[name] / scratch[name]
            print(f"{label(name)}: {times:.1f} times that of the training from scratch")
    print(f"the studio paints with {MODEL}: {shown:.1%} of {len(pictures)} pictures as asked")


def train(run: Path, *arguments: str | Path) -> None:
    """One command of the user; prints the time it took. Does nothing if the run exists."""
    if run.exists():
        return
    command = [sys.executable, "-m", "train", "--name", run.name, *arguments]
    environment = os.environ | {"IRODORI_MODELS__DIR": str(run.parent / "models")}
    start, before = time.monotonic(), processor_seconds()
    subprocess.run(command, cwd=ROOT, env=environment, check=True)
    minutes = (time.monotonic() - start) / 60
    used = (processor_seconds() - before) / 60
    print(
        f"{run.name}: {minutes:.1f} minutes, {used:.1f} processor minutes, "
        f"{read_run(run).images:,} images shown",
        flush=True,
    )


def processor_seconds() -> float:
    """Time of all cores that finished child processes have used."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def copy_registry(start: str, folder: Path) -> Registry:
    """A registry with the model to start with, which is in use."""
    registry = Registry(folder)
    if not (folder / start).exists():
        shutil.copytree(ROOT / "models" / start, folder / start)
        registry.use(start)
    return registry


async def paint(registry: Registry, folder: Path) -> tuple[Tensor, Tensor]:
    """Pictures uint8 [N, 3, 64, 64] of the bot's studio, and the requested values int64 [N, 1].

    The model in use must be MODEL, and its attribute must be the one that the data has.
    """
    engine = await Engine.open(registry, EngineSettings())
    store = await Store.open(f"sqlite+aiosqlite:///{folder}/irodori.db")
    studio = Studio(engine, store)
    if studio.model_name != MODEL or [a.values for a in studio.attributes] != [TONES]:
        raise SystemExit(f"the model in use is {studio.model_name}, with {studio.attributes}")
    pictures = []
    for tone in TONES:
        for seed in range(PAINTED):
            (avatar,) = await studio.painting.create(tone, Request(MEMBER), seed=seed, size=64)
            picture = await studio.avatars.picture(avatar.id, MEMBER)
            image = np.array(Image.open(io.BytesIO(picture.data)).convert("RGB"))
            pictures.append(torch.from_numpy(image).permute(2, 0, 1))
    await store.close()
    await engine.close()
    return torch.stack(pictures), torch.arange(len(TONES)).repeat_interleave(PAINTED)[:, None]


def save_sheet(pictures: Tensor, file: Path) -> None:
    """One row for each value."""
    rows = torch.unflatten(pictures, 0, (len(TONES), -1))
    pixels = rows.permute(0, 3, 1, 4, 2).flatten(0, 1).flatten(1, 2)
    Image.fromarray(pixels.contiguous().numpy()).save(file)


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
