"""`python -m train judge`, and the calibration and measurement at the end of a training."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from torch import Tensor

import config
from export.figures import AS_ASKED, REAL, label, number, ordered
from export.manifest import Manifest, ModelError
from export.registry import Registry
from train import checkpoint
from train.arguments import parse
from train.calibrate import calibrate
from train.data import Faces, load
from train.distributed import SINGLE_PROCESS, Processes
from train.loop import Stopped
from train.machine import make_ready
from train.metrics import (
    SECOND_SEED,
    Evaluation,
    GenerateFn,
    Judge,
    find,
    prepare,
    prepare_both,
)
from train.metrics.of_run import faces_of_run
from train.models import load_generator
from train.networks.base import Generator
from train.options import add_flags, given_flags
from train.progress import ProgressCallback, progress_bar
from train.promote import incomparable, onnx_generator
from train.report import save_worst
from train.scorer import DEFECTS_FILE, load_defects, save_defects, save_scorer
from train.settings import JudgeSettings, TrainingSettings, TrainSettings

NO_DATA = """\
No training data: give a folder or a zip of images, at least 64×64 pixels each.
  python -m train --data faces.zip    with images/ and tags.csv, a line each: 17,aqua hair red eyes
  python -m train --data folder       with one folder per class, or images without tags
This trains a model, judges and exports it, and puts it in use if it is not worse than the present
one. See docs/bring-your-own-images.md; `python -m train settings` lists all settings."""


def main(given: Sequence[str], console: Console) -> None:
    """`python -m train judge`. Raises the errors of judge_model and judge_run."""
    parser = argparse.ArgumentParser(
        prog="python -m train judge",
        description="Print the figures of a model, or calibrate a run again and measure it.",
    )
    parser.add_argument(
        "model", nargs="?", help="a model, or a run's folder; the model in use by default"
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="another config.toml")
    shown = ("data", "runs", "skip_bad", "device", "threads")
    add_flags(parser, "train", TrainSettings, shown)
    add_flags(parser, "judge", JudgeSettings, prefix="judge.")
    arguments = parse(parser, given)
    flags = {name: given_flags(arguments, name) for name in ("train", "judge")}
    settings = config.read(TrainingSettings, arguments.config, flags)
    if arguments.model is not None and (Path(arguments.model) / checkpoint.RUN_FILE).is_file():
        data_given = "data" in flags["train"]
        judge_run(Path(arguments.model), settings, console, data_given=data_given)
    else:
        judge_model(arguments.model, settings, console)


def judge_model(name: str | None, settings: TrainingSettings, console: Console) -> None:
    """Prints the figures of an exported model; by default of the one in use.

    Raises ModelError, DataError.
    """
    registry = Registry(settings.models.dir)
    folder, manifest = registry.load(name)
    judge = judge_of_model(manifest, settings, console)
    console.print(f"model {manifest.name}, judged with {settings.train.data}", highlight=False)
    cache_real_features(judge, console)
    generate, latent_dim = onnx_generator(folder, manifest)
    with progress_bar(console, "judging") as report_progress:
        fakes = judge.count_fakes(settings.judge.fakes)
        found = judge.evaluate(_counted(generate, fakes, report_progress), latent_dim, fakes)
    _print_figures(found.figures, console)
    _print_values(found, console)


def judge_of_model(manifest: Manifest, settings: TrainingSettings, console: Console) -> Judge:
    """The second judge, on data that is read as for the model's training. Raises ModelError,
    DataError.
    """
    trained = manifest.training.get("settings", {})
    network = settings.train.network.model_copy(update={"resolution": manifest.image_size})
    of_model = {
        "network": network,
        "enlarge": trained.get("enlarge", False),
        "skip_bad": settings.train.skip_bad or trained.get("skip_bad", False),
        "attributes": trained.get("attributes") or settings.train.attributes,
    }
    faces = read_faces(settings.train.model_copy(update=of_model), console)
    tagged = bool(manifest.attributes)
    reason = incomparable(manifest, faces if tagged else faces.without_attributes())
    if reason:
        raise ModelError(f"model {manifest.name} {reason}")
    runs, images = settings.train.runs, settings.judge.images
    judge = prepare(faces, runs, images=images, console=console, seed=SECOND_SEED)
    return judge if tagged else judge.for_unconditional()


def judge_run(
    run: Path, settings: TrainingSettings, console: Console, *, data_given: bool = False
) -> None:
    """Calibrates and measures a run again, as at the end of its training. `data_given`: see
    `faces_of_run`.

    Raises CheckpointError, DataError.
    """
    device = make_ready(settings.train.device, settings.train.threads, SINGLE_PROCESS)
    with checkpoint.locked(run):  # a training would go on with other weights than those judged
        generator, info = load_generator(run)
        faces = faces_of_run(run, info, settings.train, str(device), data_given=data_given)
        judge, second = build_judges(
            faces, run.resolve().parent, settings, console, tagged=bool(info.attributes)
        )
        calibrate_run(run, generator.to(device), judge, second, settings.judge, console)


def calibrate_run(
    run: Path,
    generator: Generator,
    judge: Judge,
    second: Judge,
    settings: JudgeSettings,
    console: Console,
) -> None:
    """Calibrates a run, see `calibrate`; stores and prints its figures.

    On a CPU this may take longer than a short training. Raises CheckpointError, Stopped.
    """
    defects = _defects_of_run(run, settings.defects)
    try:
        cache_real_features(second, console)
        with progress_bar(console, "judging") as report_progress:
            judged, worst, scorer = calibrate(
                generator, judge, second, settings.fakes, report_progress, defects=defects
            )
    except KeyboardInterrupt:
        command = f"python -m train judge {run}"
        raise Stopped(
            f"stopped by SIGINT; the checkpoint is kept; judge the run with: {command}"
        ) from None
    (run / checkpoint.JUDGED_FILE).unlink(missing_ok=True)  # figures of another latent scale
    tensors = checkpoint.restore(run) | {"ema.latent_scale": generator.latent_scale}
    checkpoint.save(run, tensors, checkpoint.read_progress(run))
    scale, candidates = generator.latent_scale.item(), judged["candidates"]
    console.print(f"latent scale {scale:g}, best of {candidates}", highlight=False)
    if scorer:
        save_scorer(run, scorer)
    shares = [(cluster["real"], cluster["painted"]) for cluster in judged["clusters"]]
    save_worst(run, worst, shares)
    checkpoint.write_judged(run, judged)  # last: an export needs all of these files
    _print_figures(judged["figures"], console)


def _defects_of_run(run: Path, given: Path | None) -> Tensor | None:
    """Weights of a scorer of marked images: those of the file `given`, which are then stored with
    the run, or those that the run has, if any. Raises CheckpointError.
    """
    kept = run / DEFECTS_FILE
    if given is None:
        return load_defects(kept) if kept.is_file() else None
    defects = load_defects(given)
    save_defects(kept, defects)
    return defects


def read_faces(
    settings: TrainSettings, console: Console, processes: Processes = SINGLE_PROCESS
) -> Faces:
    """Loads the training data and prints a summary. Exits if none is given; raises DataError."""
    if settings.data is None:
        console.print(NO_DATA, highlight=False)
        sys.exit(2)
    device = str(make_ready(settings.device, settings.threads, processes))
    faces = load(
        settings.data,
        settings.network.resolution,
        skip_bad=settings.skip_bad,
        enlarge=settings.enlarge,
        attributes=settings.attributes,
        device=device,
    )
    console.print(faces.summary, highlight=False, markup=False)
    named = ", ".join(f"{a.name} ({len(a.values)})" for a in faces.attributes) or "none"
    console.print(f"{len(faces):,} images, attributes: {named}", highlight=False)
    if faces.enlarged:
        size = f"{settings.network.resolution}×{settings.network.resolution}"
        console.print(
            f"{faces.enlarged:,} of them are smaller than {size} pixels and are enlarged: "
            "images learned from them are not sharper",
            highlight=False,
        )
    return faces


def build_judges(
    faces: Faces, runs: Path, settings: TrainingSettings, console: Console, *, tagged: bool
) -> tuple[Judge, Judge]:
    """The judge that chooses and the one that measures, cached in the folder `runs`; not `tagged`:
    for generators without conditions.
    """
    judges = prepare_both(faces, runs, images=settings.judge.images, console=console)
    if tagged:
        return judges
    return judges[0].for_unconditional(), judges[1].for_unconditional()


def find_judge(faces: Faces, settings: TrainingSettings, *, tagged: bool) -> Judge | None:
    """The first judge of `build_judges`, if its classifier is already trained."""
    judge = find(faces, settings.train.runs, images=settings.judge.images)
    return judge if tagged or judge is None else judge.for_unconditional()


def cache_real_features(judge: Judge, console: Console) -> None:
    """Computes the features of the real images with a progress bar, unless they are cached."""
    with progress_bar(console, "features of the real images") as report_progress:
        judge.fidelity.prepare(report_progress)
        report_progress(1.0)


def _counted(generate: GenerateFn, total: int, report_progress: ProgressCallback) -> GenerateFn:
    """Wraps a function to report the share of `total` images that it has generated."""
    generated = 0

    def counted(latents: Tensor, conditions: Tensor) -> Tensor:
        nonlocal generated
        generated += len(latents)
        report_progress(min(1.0, generated / total))  # the total does not count unseen pairs
        return generate(latents, conditions)

    return counted


def _print_figures(figures: dict[str, float], console: Console) -> None:
    """Prints the figures with those of held-out real images."""
    console.print(f"{'':28}{'painted':>12}{'real':>12}", highlight=False)
    for name in ordered(figures):
        cells = number(name, figures[name]), number(name, figures.get(f"{name}{REAL}"))
        _print_row(label(name), cells, console)


def _print_values(found: Evaluation, console: Console) -> None:
    """Prints the share of images that show each requested value."""
    for attribute, values in found.values.items():
        name = f"{attribute}{AS_ASKED}"
        console.print(label(name), highlight=False)
        for share in values:
            cells = number(name, share.as_asked), number(name, share.as_asked_real)
            _print_row(f"  {share.value}", cells, console)


def _print_row(name: str, cells: tuple[str, str], console: Console) -> None:
    console.print(f"{name:28}" + "".join(f"{cell:>12}" for cell in cells), highlight=False)
