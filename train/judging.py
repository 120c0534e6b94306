"""`python -m train judge`, and what a training ends with: how a run or model paints, in figures."""

import json
import sys
from pathlib import Path

from rich.console import Console

from export.convert import JUDGED
from export.manifest import ModelError
from export.registry import Registry
from train import checkpoint
from train.calibrate import calibrate
from train.data import Faces, load
from train.distributed import ALONE, Team
from train.judge import SECOND, Examination, Judge, prepare
from train.judge.of_run import faces_of_run, judge_of_run
from train.loop import Stopped
from train.machine import make_ready
from train.networks.base import Discriminator, Generator
from train.progress import bar
from train.promote import incomparable, onnx_paint
from train.report import save_worst
from train.settings import TrainingSettings, TrainSettings

NO_DATA = """\
There is nothing to learn from yet: name a folder or a zip of images, at least 64×64 pixels each.
  python -m train --data faces.zip    with images/ and tags.csv, a line each: 17,aqua hair red eyes
  python -m train --data folder       with one folder a class, or untagged images alone
It trains, judges, exports, and puts the new model in use if it is not worse than the present one.
The README says more under "Bring your own images"; `python -m train --help` lists all settings."""


def judge_model(name: str | None, settings: TrainingSettings, console: Console) -> None:
    """Prints the figures of an exported model, of the one in use by default.

    Raises ModelError, DataError.
    """
    registry = Registry(settings.models.dir)
    folder, manifest = registry.load(name)
    trained = manifest.training.get("settings", {})
    size = {"resolution": manifest.image_size, "enlarge": trained.get("enlarge", False)}
    faces = read_faces(settings.train.model_copy(update=size), console)
    tagged = bool(manifest.attributes)
    reason = incomparable(manifest, faces if tagged else faces.without_attributes())
    if reason:
        raise ModelError(f"model {manifest.name} {reason}")
    judge = judge_of(faces, settings, console, tagged=tagged, seed=SECOND)
    console.print(f"model {manifest.name}, judged with {settings.train.data}", highlight=False)
    found = judge.examine(*onnx_paint(folder, manifest), settings.judge.fakes)
    _print_figures(found.figures, console)
    _print_values(found, console)


def judge_run(run: Path, settings: TrainingSettings, console: Console) -> None:
    """What the end of a training does, once more, on the run's own data.

    Raises CheckpointError, DataError.
    """

    def say(text: str) -> None:
        console.print(text, highlight=False)

    generator, info = checkpoint.load_generator(run)
    discriminator = checkpoint.load_discriminator(run)
    device = make_ready(settings.train.device, settings.train.threads, ALONE)
    faces = faces_of_run(run, info, settings.train, str(device))
    judge, second = (
        judge_of_run(run, info, faces, settings, say, seed=seed) for seed in (0, SECOND)
    )
    players = generator.to(device), discriminator.to(device)
    settle(run, *players, judge, second, settings.judge.fakes, console)


def settle(
    run: Path,
    generator: Generator,
    discriminator: Discriminator,
    judge: Judge,
    second: Judge,
    fakes: int,
    console: Console,
) -> None:
    """Settles how the run paints, see `calibrate`; keeps that and its figures, and prints them.

    A CPU may need longer for it than for a short training. Raises Stopped.
    """
    try:
        with bar(console, "judging") as tell:
            judged, worst = calibrate(generator, discriminator, judge, second, fakes, tell)
    except KeyboardInterrupt:
        judge_it = f"judge it with: python -m train judge {run}"
        raise Stopped(f"stopped by SIGINT; what was learnt is kept; {judge_it}") from None
    learnt = checkpoint.restore(run) | {"ema.spread": generator.spread}
    checkpoint.save(run, learnt, checkpoint.read_progress(run))
    spread, candidates = generator.spread.item(), judged["candidates"]
    console.print(
        f"latents are spread by {spread:g}, the best of {candidates} is kept", highlight=False
    )
    (run / JUDGED).write_text(json.dumps(judged, indent=2, ensure_ascii=False) + "\n", "utf-8")
    shares = [(cluster["real"], cluster["painted"]) for cluster in judged["clusters"]]
    save_worst(run, worst, shares)
    _print_figures(judged["figures"], console)


def read_faces(settings: TrainSettings, console: Console, team: Team = ALONE) -> Faces:
    """Says what there is to learn from. Exits where nothing is named; raises DataError."""
    if settings.data is None:
        console.print(NO_DATA, highlight=False)
        sys.exit(2)
    device = str(make_ready(settings.device, settings.threads, team))
    faces = load(
        settings.data,
        settings.resolution,
        skip_bad=settings.skip_bad,
        enlarge=settings.enlarge,
        device=device,
    )
    named = ", ".join(f"{a.name} ({len(a.values)})" for a in faces.attributes) or "none"
    console.print(f"{len(faces):,} images, attributes: {named}", highlight=False)
    if faces.enlarged:
        size = f"{settings.resolution}×{settings.resolution}"
        console.print(
            f"{faces.enlarged:,} of them are smaller than {size} pixels, and are enlarged: what is "
            "learnt from them is no sharper than they are",
            highlight=False,
        )
    return faces


def judge_of(
    faces: Faces, settings: TrainingSettings, console: Console, *, tagged: bool, seed: int = 0
) -> Judge:
    """Of pictures that are painted as asked, or, not `tagged`, of whatever pictures."""

    def say(text: str) -> None:
        console.print(text, highlight=False)

    runs, images = settings.train.runs, settings.judge.images
    judge = prepare(faces, runs, images=images, report=say, seed=seed)
    return judge if tagged else judge.of_unconditional()


def _print_figures(figures: dict[str, float], console: Console) -> None:
    """Every figure beside that of held-out real faces."""
    console.print(f"{'':24}{'painted':>12}{'real':>12}", highlight=False)
    for name, value in figures.items():
        if not name.endswith("_real"):
            real = figures.get(f"{name}_real")
            _print_row(name.replace("_", " "), value, real, console)


def _print_values(found: Examination, console: Console) -> None:
    """How often each value shows where it is asked for."""
    for attribute, values in found.values.items():
        console.print(f"{attribute} as asked", highlight=False)
        for share in values:
            _print_row(f"  {share.value}", share.as_asked, share.as_asked_real, console)


def _print_row(name: str, value: float | None, real: float | None, console: Console) -> None:
    cells = ("" if number is None else f"{number:.4f}" for number in (value, real))
    console.print(f"{name:24}" + "".join(f"{cell:>12}" for cell in cells), highlight=False)
