"""Measures rejection sampling: generate several candidates, keep the one with the highest score.

    python benchmarks/best_of.py --data faces64.zip

Prints the figures of the second judge, which is not used for any choice, and the processor time per
image. With `--sheet faces.webp` it generates a sheet of 400 images instead, as the bot does for
empty prompts; compare with `--candidates 1`.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from config import ModelsSettings
from export.figures import AS_ASKED, FD_RATIO, FD_RATIO_POOLED, label
from export.manifest import Manifest, ModelError
from export.registry import Registry
from train.data import DataError, load, one_hot
from train.metrics import SECOND_SEED, GenerateFn, Judge, prepare
from train.promote import incomparable, onnx_generator

COUNTS = (1, 2, 4, 8)
SIDE = 20
"""Rows and columns of the sheet."""


def generate_all(generate: GenerateFn, latents: Tensor, conditions: Tensor) -> Tensor:
    parts = zip(torch.split(latents, 32), torch.split(conditions, 32), strict=True)
    return torch.cat([generate(z, c) for z, c in parts])


def draw_sheet(generate: GenerateFn, latent_dim: int, manifest: Manifest) -> Image.Image:
    """Images of empty wishes: conditions have the frequencies of the data."""
    rng = np.random.RandomState(0)
    wishes = [
        {
            a.name: a.values[
                rng.choice(len(a.values), p=np.array(a.frequencies) / sum(a.frequencies))
            ]
            for a in manifest.attributes
        }
        for _ in range(SIDE**2)
    ]
    conditions = torch.from_numpy(np.stack([manifest.encode(wish) for wish in wishes]))
    # As in the bot, one seed for each image.
    latents = np.stack(
        [np.random.RandomState(n).standard_normal(latent_dim) for n in range(SIDE**2)]
    )
    pictures = generate_all(generate, torch.from_numpy(latents.astype(np.float32)), conditions)
    rows = (
        torch.unflatten(pictures, 0, (SIDE, SIDE))
        .permute(0, 3, 1, 4, 2)
        .flatten(0, 1)
        .flatten(1, 2)
    )
    return Image.fromarray(rows.contiguous().numpy())


def row(judge: Judge, generate: GenerateFn, latent_dim: int, labels: Tensor) -> dict[str, float]:
    latents = torch.randn(len(labels), latent_dim, generator=torch.Generator().manual_seed(1))
    conditions = one_hot(labels, judge.faces.sizes)
    started = time.process_time()
    pictures = generate_all(generate, latents, conditions)
    seconds = time.process_time() - started
    figures = judge.compare(pictures, labels)
    shares = {name: figures[name] for name in figures if name.endswith(AS_ASKED)}
    names = (FD_RATIO, FD_RATIO_POOLED, "near_duplicates", "diversity")
    measured = {name: figures[name] for name in names}
    return shares | measured | {"ms": 1000 * seconds / len(labels)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, help="training data of the model")
    parser.add_argument("--model", help="name of the model (default: the one in use)")
    parser.add_argument("--models", type=Path, default=ModelsSettings().dir)
    parser.add_argument(
        "--runs", type=Path, default=Path("runs"), help="folder in which judges are cached"
    )
    parser.add_argument("--images", type=int, default=4000, help="number of images to measure")
    parser.add_argument("--sheet", type=Path, help="write a sheet of 400 images to this file")
    parser.add_argument(
        "--candidates", type=int, help="candidates for the sheet (default: as the model)"
    )
    given = parser.parse_args()
    try:
        folder, manifest = Registry(given.models).load(given.model)
        if given.sheet:
            sheet = draw_sheet(*onnx_generator(folder, manifest, given.candidates), manifest)
            sheet.save(given.sheet, quality=32, method=6)
            return
        if given.data is None:
            parser.error("--data is needed for a measurement")
        faces = load(given.data, manifest.image_size)
        if reason := incomparable(manifest, faces):
            raise ModelError(f"model {manifest.name} {reason}")
        judge = prepare(faces, given.runs, console=Console(), seed=SECOND_SEED)
    except (DataError, ModelError) as error:
        sys.exit(str(error))
    measure(judge, lambda count: onnx_generator(folder, manifest, count), given.images)


def measure(judge: Judge, generators: Callable[[int], tuple[GenerateFn, int]], images: int) -> None:
    rng = torch.Generator().manual_seed(1)
    labels = judge.training_set.labels[
        torch.randint(len(judge.training_set), (images,), generator=rng)
    ]
    for count in COUNTS:
        figures = row(judge, *generators(count), labels)
        if count == COUNTS[0]:
            print("best of " + "".join(f"{label(name):>26}" for name in figures))
        print(f"{count:7} " + "".join(f"{value:26.3f}" for value in figures.values()), flush=True)


if __name__ == "__main__":
    main()
