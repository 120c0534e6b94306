"""`python -m train directions`: finds named latent directions of a model, and adds them to it."""

import argparse
import re
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from rich.console import Console
from torch import Tensor

import config
from export.card import CARD, write_card
from export.directions import DIRECTIONS, DIRECTIONS_SHEET, Direction, Directions
from export.manifest import Manifest, ModelError
from export.registry import Registry
from export.sheet import draw_sheet
from train.arguments import parse, parse_count
from train.directions import find
from train.directions.measure import (
    AS_ASKED,
    FACES,
    IDENTITIES,
    Probe,
    find_range,
    generate_all,
    identity_change,
)
from train.directions.traits import TRAITS, measure_traits
from train.judging import judge_of_model
from train.metrics import GenerateFn, Judge
from train.networks.features import FeatureNetwork
from train.options import add_flags, given_flags
from train.progress import ProgressCallback, progress_bar
from train.promote import onnx_generator
from train.settings import JudgeSettings, TrainingSettings, TrainSettings

PICTURES = 3000
NETWORK_INPUT = 96
"""Side of the images of the feature network in pixels; larger ones are slower."""
COMPONENTS = 12
OFFERED = (
    *("hair_length", "fringe_length", "hair_lightness", "eye_size", "head_turn", "head_tilt"),
    *("skin_lightness", "clothes_lightness", "contrast"),
)
"""The traits kept by default: their directions visibly do one thing in the default model."""
MIN_R2 = 0.25
"""By default, traits that the latent explains less well are left out."""
SHOWN = (-1.0, -0.5, 0.0, 0.5, 1.0)
"""Positions in the sheets."""
ROWS, CARD_ROWS = 6, 2
"""Faces in the sheet of a direction, and of each direction in the model card."""
MAX_SHEET_BYTES = 60_000

_KEEP = re.compile(r"(?:(-?)(c\d+)=)?([a-z][a-z0-9_]*)")


@dataclass(frozen=True)
class Candidates:
    """Directions that were found, by name: measured traits, and components c1, c2, …"""

    vectors: dict[str, np.ndarray]
    r2: dict[str, float]


def main(given: Sequence[str], console: Console) -> None:
    """Raises ModelError, DataError, SettingsError, FeatureNetworkError."""
    parser = argparse.ArgumentParser(
        prog="python -m train directions",
        description="Find named latent directions of a model (hair length, turn of the head, …),"
        " and add them to its folder. Look at the sheets before you keep a direction.",
    )
    parser.add_argument("model", nargs="?", help="a model; the model in use by default")
    parser.add_argument(
        "--keep",
        metavar="NAMES",
        help="directions to keep, by commas: names of measured traits, and components with a name"
        " for them, such as c1=age or -c1=age to reverse it (default: the traits that visibly"
        f" change one thing in the default model, where R² is at least {MIN_R2})",
    )
    parser.add_argument(
        "--look", action="store_true", help="draw sheets of all candidates; change nothing"
    )
    parser.add_argument(
        "--pictures", type=parse_count, default=PICTURES, help=f"default {PICTURES}"
    )
    parser.add_argument(
        "--out", type=Path, metavar="FOLDER", help="folder of the sheets (default: in that of runs)"
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    add_flags(parser, "train", TrainSettings, ("data", "runs", "skip_bad", "device", "threads"))
    add_flags(parser, "judge", JudgeSettings, prefix="judge.")
    arguments = parse(parser, given)
    flags = {name: given_flags(arguments, name) for name in ("train", "judge")}
    settings = config.read(TrainingSettings, arguments.config, flags)
    registry = Registry(settings.models.dir)
    folder, manifest = registry.load(arguments.model)
    judge = judge_of_model(manifest, settings, console)
    generate, _ = onnx_generator(folder, manifest, candidates=1)
    with progress_bar(console, "candidates") as report_progress:
        candidates = find_candidates(generate, manifest, judge, arguments.pictures, report_progress)
    chosen = (
        {name: (name, 1) for name in candidates.vectors}
        if arguments.look
        else choose(candidates, arguments.keep)
    )
    if arguments.look:
        _print_candidates(candidates, console)
        directions = Directions()
        drawn = [_direction(*item, candidates) for item in chosen.items()]
    else:
        with progress_bar(console, "measuring") as report_progress:
            directions = measure(candidates, chosen, generate, judge, report_progress)
        drawn = list(directions.directions)
        missing = sorted(chosen.keys() - set(directions.names))
        if missing:
            console.print(
                f"left out, because requested values change: {', '.join(missing)}", highlight=False
            )
    out = arguments.out or settings.train.runs / f"directions-{manifest.name}"
    out.mkdir(parents=True, exist_ok=True)
    for direction in drawn:
        sheet = draw(Directions(directions=(direction,)), generate, judge, manifest, ROWS)
        sheet.save(out / f"{direction.name}.png")
    console.print(f"sheets: {out}", highlight=False)
    if not arguments.look:
        _print(directions, console)
        save(directions, generate, judge, registry, manifest)
        console.print(f"added to {manifest.name}: {len(directions.names)} directions")


def find_candidates(
    generate: GenerateFn,
    manifest: Manifest,
    judge: Judge,
    pictures: int,
    report_progress: ProgressCallback,
) -> Candidates:
    """Regresses measured traits, and principal components of pooled features of
    EfficientNet-Lite0, on the latent; what the condition explains is removed before.
    """
    probe = Probe.draw(judge, manifest.latent_dim, pictures, seed=0)
    network = FeatureNetwork("lite0", NETWORK_INPUT, (), pooled=True)
    features, traits = [], []
    for start in range(0, pictures, 64):
        rows = slice(start, start + 64)
        images = generate(probe.latents[rows], probe.conditions[rows]).cpu()
        traits.append(measure_traits(images.permute(0, 2, 3, 1).numpy()))
        features.append(_pooled(network, images))
        report_progress(min(1.0, (start + 64) / pictures))
    conditions = np.hstack([np.ones((pictures, 1)), probe.conditions.cpu().numpy()])
    latents = probe.latents.cpu().numpy()
    named = find.regress(latents, find.remove_condition(np.concatenate(traits), conditions))
    rest = find.remove_condition(np.concatenate(features), conditions)
    components = find.regress(latents, find.principal_components(rest, COMPONENTS))
    names = [*TRAITS, *(f"c{number}" for number in range(1, COMPONENTS + 1))]
    vectors = np.concatenate([named.vectors, components.vectors])
    r2 = np.concatenate([named.r2, components.r2])
    # A trait that does not vary has no direction.
    found = [row for row, vector in enumerate(vectors) if vector.any()]
    return Candidates(
        {names[row]: vectors[row] for row in found}, {names[row]: float(r2[row]) for row in found}
    )


@torch.inference_mode()
def _pooled(network: FeatureNetwork, images: Tensor) -> np.ndarray:
    (features,) = network(images.float() / 127.5 - 1)
    return np.asarray(features.numpy(), np.float64)


def choose(candidates: Candidates, keep: str | None) -> dict[str, tuple[str, int]]:
    """The directions to keep: the candidate and sign of each, by its name.

    Raises ModelError for a candidate that does not exist.
    """
    if keep is None:
        return {name: (name, 1) for name in OFFERED if candidates.r2.get(name, 0) >= MIN_R2}
    chosen = {}
    for said in filter(None, (part.strip() for part in keep.split(","))):
        match = _KEEP.fullmatch(said)
        if match is None:
            raise ModelError(f"--keep {said!r} is neither a trait nor a component as in c1=age")
        sign, component, name = match.groups()
        source = component or name
        if source not in candidates.vectors:
            raise ModelError(
                f"there is no direction {source}; there are {', '.join(candidates.vectors)}"
            )
        chosen[name] = source, -1 if sign else 1
    return chosen


def measure(
    candidates: Candidates,
    chosen: dict[str, tuple[str, int]],
    generate: GenerateFn,
    judge: Judge,
    report_progress: ProgressCallback,
) -> Directions:
    """The chosen directions, orthonormal, with ranges and figures. Those along which requested
    values change even within the smallest range are left out.
    """
    if not chosen:
        return Directions()
    vectors = find.orthonormalize(
        np.stack([sign * candidates.vectors[source] for source, sign in chosen.values()])
    )
    latent_dim = vectors.shape[1]
    probe = Probe.draw(judge, latent_dim, FACES)
    few = Probe.draw(judge, latent_dim, IDENTITIES)
    found = []
    for number, (name, (source, _)) in enumerate(chosen.items(), 1):
        direction = Direction(
            name=name,
            vector=tuple(round(x, 6) for x in vectors[number - 1].tolist()),
            range=1,
            figures={"r2": candidates.r2[source]},
        )
        ranged = find_range(direction, generate, judge, probe)
        if ranged is not None:
            figures = {"identity_change": identity_change(ranged, generate, judge, few)}
            figures = {key: round(value, 4) for key, value in (ranged.figures | figures).items()}
            found.append(ranged.model_copy(update={"figures": figures}))
        report_progress(number / len(chosen))
    return Directions(directions=tuple(found))


def draw(
    directions: Directions, generate: GenerateFn, judge: Judge, manifest: Manifest, rows: int
) -> Image.Image:
    """A sheet: rows are faces, columns positions."""
    probe = Probe.draw(judge, manifest.latent_dim, rows, seed=2)
    images, labels = [], []
    for name in directions.names:
        for row in range(rows):
            latents = np.repeat(probe.latents[row : row + 1].numpy(), len(SHOWN), axis=0)
            moved = np.concatenate(
                [
                    directions.move(latent[None], {name: position})
                    for latent, position in zip(latents, SHOWN, strict=True)
                ]
            )
            conditions = probe.conditions[row : row + 1].expand(len(SHOWN), -1)
            images.append(generate_all(generate, torch.from_numpy(moved), conditions))
            labels.append(name.replace("_", " ") if row == 0 else "")
    pictures = torch.cat(images).permute(0, 2, 3, 1).cpu().numpy()
    columns = [f"{position:+g}" if position else "0" for position in SHOWN]
    return draw_sheet(pictures, labels, columns)


def save(
    directions: Directions,
    generate: GenerateFn,
    judge: Judge,
    registry: Registry,
    manifest: Manifest,
) -> None:
    """Adds the directions, their sheet and their figures to the model's folder."""
    files: dict[str, bytes | None] = {DIRECTIONS: None, DIRECTIONS_SHEET: None}
    if directions.names:
        files[DIRECTIONS] = (directions.model_dump_json(indent=1) + "\n").encode()
        files[DIRECTIONS_SHEET] = _encode(draw(directions, generate, judge, manifest, CARD_ROWS))
    files[CARD] = write_card(manifest, directions).encode()
    registry.replace_files(manifest.name, files)


def _encode(sheet: Image.Image) -> bytes:
    """A WebP of at most MAX_SHEET_BYTES, if any quality suffices."""
    for quality in (80, 65, 50, 35, 20):
        buffer = BytesIO()
        sheet.save(buffer, "WEBP", quality=quality, method=6)
        if buffer.tell() <= MAX_SHEET_BYTES:
            break
    return buffer.getvalue()


def _direction(name: str, source: tuple[str, int], candidates: Candidates) -> Direction:
    return Direction(name=name, vector=tuple(candidates.vectors[source[0]].tolist()), range=4)


def _print_candidates(candidates: Candidates, console: Console) -> None:
    traits = {name: v for name, v in candidates.vectors.items() if name in TRAITS}
    for name, r2 in candidates.r2.items():
        line = f"{name:22} R² {r2:5.2f}"
        if traits and name not in traits:
            other, cosine = find.nearest(candidates.vectors[name], traits)
            line += f"   {'-' if cosine < 0 else ''}{other} ({abs(cosine):.2f})"
        console.print(line, highlight=False, markup=False)


def _print(directions: Directions, console: Console) -> None:
    console.print(
        f"at both ends, at least {AS_ASKED:.0%} of the pictures show each requested value",
        highlight=False,
    )
    for one in directions.directions:
        figures = "  ".join(f"{key} {value:.3f}" for key, value in one.figures.items())
        console.print(f"{one.name:22} ±{one.range:g}  {figures}", highlight=False, markup=False)
