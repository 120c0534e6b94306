"""Compares the upscaler with resizing filters: PSNR and SSIM, and a sheet of generated faces.

    python benchmarks/upscaler.py --data faces256.zip

The figures are of held-out images, once degraded as in training, and once only downscaled. The
sheet shows generated faces, for which there is no ground truth: nearest, bicubic, Lanczos, and the
upscaler.
"""

import argparse
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from bot.inference.model import as_taken
from config import ModelsSettings
from export.manifest import GENERATOR, UPSCALER, Manifest, ModelError
from export.registry import Registry
from train.data import DataError, load
from train.upscaler.measure import RESAMPLING, Enlarge, clean, degraded, measure, resize
from train.upscaler.run import split

FACES = 6
SHEET = Path(__file__).parents[1] / "docs" / "upscaler.webp"


def open_session(path: Path, threads: int = 0) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def onnx_enlarge(session: onnxruntime.InferenceSession) -> Enlarge:
    def enlarge(pictures: Tensor) -> Tensor:
        image = pictures.permute(0, 2, 3, 1).contiguous().numpy()
        [enlarged] = session.run(None, {"image": as_taken(image, session)})
        return torch.from_numpy(enlarged).permute(0, 3, 1, 2)

    return enlarge


def generate(folder: Path, manifest: Manifest) -> Tensor:
    """Generated faces of random conditions with a fixed seed, uint8 [N, 3, S, S]."""
    rng = np.random.RandomState(0)
    latents = rng.standard_normal((FACES, manifest.latent_dim)).astype(np.float32)
    wishes = [{a.name: rng.choice(a.values) for a in manifest.attributes} for _ in range(FACES)]
    conditions = np.stack([manifest.encode(wish) for wish in wishes])
    feeds = {"latent": latents, "condition": conditions}
    [image] = open_session(folder / GENERATOR).run(["image"], feeds)
    return torch.from_numpy(image).permute(0, 3, 1, 2)


def draw_sheet(methods: dict[str, Enlarge], faces: Tensor) -> Image.Image:
    """A row for each face, a labeled column for each method."""
    columns = [enlarge(faces) for enlarge in methods.values()]
    rows = torch.cat(list(torch.cat(columns, dim=3)), dim=1).permute(1, 2, 0)
    top = 24
    sheet = Image.new("RGB", (rows.shape[1], top + rows.shape[0]), "white")
    sheet.paste(Image.fromarray(rows.contiguous().numpy()), (0, top))
    pen, width = ImageDraw.Draw(sheet), rows.shape[1] / len(methods)
    for x, label in enumerate(methods):
        place = ((x + 0.5) * width, top / 2)
        pen.text(place, label, "black", ImageFont.load_default(14), anchor="mm")
    return sheet


def print_speed(path: Path, size: int) -> None:
    """Prints median times for a single image, on one and on two threads."""
    sessions = {threads: open_session(path, threads) for threads in (1, 2)}
    times: dict[int, list[float]] = {threads: [] for threads in sessions}
    picture = np.random.RandomState(0).randint(0, 256, (1, size, size, 3)).astype(np.uint8)
    picture = as_taken(picture, sessions[1])
    for _ in range(20):
        for threads, session in sessions.items():
            start = time.perf_counter()
            session.run(None, {"image": picture})
            times[threads].append(time.perf_counter() - start)
    shown = ", ".join(f"{1000 * np.median(t):.0f} ms on {n}" for n, t in times.items())
    print(f"one picture of {size} pixels: {shown} CPU threads")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", help="name of the model (default: the one in use)")
    parser.add_argument("--models", type=Path, default=ModelsSettings().dir)
    parser.add_argument("--sheet", type=Path, default=SHEET, help="file of the sheet")
    arguments = parser.parse_args()
    try:
        folder, manifest = Registry(arguments.models).load(arguments.model)
        if UPSCALER not in manifest.files:
            sys.exit(f"model {manifest.name} has no {UPSCALER}")
        trained = manifest.training["upscaler"]
        pictures = load(arguments.data, trained["settings"]["resolution"])
    except (ModelError, DataError) as error:
        sys.exit(str(error))
    if pictures.fingerprint != trained["fingerprint"]:
        print("these are not the training images of the upscaler; all of them count as held out")
    _, truth = split(pictures.images)

    session = open_session(folder / UPSCALER)
    methods = {**{name: resize(name) for name in RESAMPLING}, "upscaler": onnx_enlarge(session)}
    print(f"model {manifest.name}, {len(truth)} pictures of {arguments.data.name}")
    print(f"{'':10}{'degraded: PSNR':>14}{'SSIM':>9}{'clean: PSNR':>16}{'SSIM':>9}")
    inputs = (degraded(truth), clean(truth))
    for method, enlarge in methods.items():
        bad, good = (measure(enlarge, small, truth) for small in inputs)
        print(
            f"{method:10}{bad['psnr']:11.2f} dB{bad['ssim']:9.4f}"
            f"{good['psnr']:13.2f} dB{good['ssim']:9.4f}",
            flush=True,
        )
    print_speed(folder / UPSCALER, manifest.image_size)
    draw_sheet(methods, generate(folder, manifest)).save(arguments.sheet, quality=75, method=6)
    print(f"generated faces: {arguments.sheet}")


if __name__ == "__main__":
    main()
