"""Trains the classical recipes one after the other, judges them, and writes `docs/lineage.md`.

    python benchmarks/lineage.py --data faces64.zip --data-96 faces96.zip --threads 1
    python benchmarks/lineage.py --data faces64.zip --data-96 faces96.zip --speed

Each entry of `lineage_entries.py` is trained for its own time (or for `--minutes`), on a CPU in
processor time per thread, so that other programs do not matter, and judged at four points.
It goes on from what is there: finished entries are not repeated, interrupted trainings are resumed
from their last checkpoint, with more minutes a finished one is trained further, and an entry whose
recipe or flags have changed is trained anew. It may be killed at any moment. Results are stored in
`docs/lineage/`. Failures are listed at the end; divergences are in the table. `--speed` only prints
the images per second of each entry. The document, which `lineage_document.py` writes, includes
paragraphs of `docs/lineage/notes.toml`, and answers the claims of `lineage_claims.py`.
"""

import argparse
import ctypes
import hashlib
import json
import os
import platform
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from benchmarks import lineage_document
from benchmarks.lineage_entries import ENTRIES, Entry
from train import checkpoint, recipes, report
from train.command_line import build_parser, read_settings
from train.compare import sheet
from train.compare.table import Row, diverged
from train.data import Faces, load
from train.machine import multiplies_in_bfloat16
from train.metrics import SECOND_SEED, Judge, prepare
from train.metrics.detected import DetectedFaces
from train.metrics.judge import MOST_FAKES
from train.models import build_trainer
from train.settings import LineageSettings, TrainSettings
from train.show.model import Model

ROOT = Path(__file__).parents[1]
FORMAT = 2
"""Of the stored results; those of another format are not of these recipes."""
SHARES = (0.125, 0.25, 0.5, 1.0)
"""Of the time of an entry, after which it is judged."""
LATER = 1.1
"""Factor of a point beyond which a run is not judged for it any more."""
PAUSED = 130
"""Exit status of a training that was paused."""
REPORTS_JUDGE = 4_000
"""Training images of the judge in the reports of the trainings; not used for the results."""
SPEED_STEPS = 10


class Lineage:
    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.runs: Path = given.runs
        self.results: Path = given.docs / "lineage"
        self.judges: dict[Path, tuple[Judge, DetectedFaces]] = {}
        self.unconditional_judges: dict[Path, Judge] = {}
        """Judges for unconditional generators, which cache features of real images."""
        self.unit = "minutes" if given.images is None else "images"
        if given.threads:
            torch.set_num_threads(given.threads)

    def run(self, wanted: Sequence[Entry]) -> list[str]:
        """Computes missing results; returns the names of the entries that failed."""
        failed = []
        for entry in wanted:
            if self.is_done(entry):
                continue
            try:
                self.compute(entry)
            except Exception as error:  # the other entries continue
                print(f"{entry.name} failed: {error}", flush=True)
                failed.append(entry.name)
        return failed

    def goal(self, entry: Entry) -> float:
        """Minutes or images of the whole training."""
        whole: float = self.given.minutes or entry.minutes
        return whole if self.given.images is None else float(self.given.images)

    def is_done(self, entry: Entry) -> bool:
        file = self.file(entry)
        if not file.is_file():
            return False
        content = json.loads(file.read_text("utf-8"))
        same = content.get("format") == FORMAT and content["plan"] == self.plan(entry)
        return same and (
            content["diverged"]
            or (content["unit"], content["goal"]) >= (self.unit, self.goal(entry))
        )

    def plan(self, entry: Entry) -> dict[str, Any]:
        """Everything that a training depends on, except its length."""
        plan = {
            "recipe": entry.recipe,
            "settings": _changed(entry.recipe),
            "flags": [*entry.flags, *self.given.flags],
            "data": self.data(entry).name,
        }
        found: dict[str, Any] = json.loads(json.dumps(plan))
        return found

    def data(self, entry: Entry) -> Path:
        """The data; recipes of 96 pixels use `--data-96` if it is given."""
        settings = recipes.read(entry.recipe).settings if entry.recipe else {}
        of_96 = settings.get("network", {}).get("resolution") == 96 and self.given.data_96
        data: Path = self.given.data_96 if of_96 else self.given.data
        return data

    def file(self, entry: Entry) -> Path:
        return self.results / f"{entry.name}.json"

    def folder(self, entry: Entry) -> Path:
        """The folder of the run, which depends on the plan, but not on the length."""
        digest = hashlib.sha256(json.dumps(self.plan(entry), sort_keys=True).encode()).hexdigest()
        return self.runs / f"{entry.name}-{digest[:8]}"

    def compute(self, entry: Entry) -> None:
        """Trains to each point, and measures there. Raises ChildProcessError."""
        run, goal = self.folder(entry), self.goal(entry)
        for share in SHARES:
            measured = run / f"{self.unit}-{share * goal:g}.json"
            # A run that was killed while it was judged is a bit further than the point.
            is_over = share < 1 and self.reached(run) > LATER * share * goal
            if measured.is_file() or is_over:
                continue
            self.train(entry, goal, share)
            temporary = measured.with_suffix(".part")
            temporary.write_text(json.dumps(self.measure(entry, last=share == 1)), "utf-8")
            temporary.replace(measured)
        self.store(entry)

    def reached(self, run: Path) -> float:
        """Minutes or images that a run has been trained for."""
        if not (run / checkpoint.CHECKPOINT_FILE).is_file():
            return 0.0
        progress = checkpoint.read_progress(run)
        return progress.seconds / 60 if self.unit == "minutes" else float(progress.images)

    def train(self, entry: Entry, goal: float, share: float) -> None:
        """Starts or resumes the run. Raises ChildProcessError."""
        run = self.folder(entry)
        if checkpoint.read_divergence(run) or self.reached(run) >= share * goal:
            return
        arguments = ["--data", self.data(entry), "--runs", self.runs]
        arguments += [f"--{self.unit}", f"{goal:g}", "--pause-at", share]
        if (run / checkpoint.CHECKPOINT_FILE).is_file():
            arguments += ["--resume", run]
        else:  # a new run, or one that was interrupted before its first checkpoint
            (run / checkpoint.RUN_FILE).unlink(missing_ok=True)
            arguments += ["--recipe", entry.recipe] if entry.recipe else []
            arguments += ["--name", run.name, *self.plan(entry)["flags"]]
        if self.given.threads:
            arguments += ["--threads", self.given.threads]
        if not torch.cuda.is_available():
            arguments += ["--clock", "processor"]
        print(f"{entry.name}: training in {run} to {share * goal:g} {self.unit}", flush=True)
        log = run.with_name(f"{run.name}.log")  # names such as realness-0.2 have a dot
        code = call([*map(str, arguments), "--no-export"], log)
        if checkpoint.read_divergence(run):
            return
        if code not in (0, PAUSED) or self.reached(run) < share * goal:
            raise ChildProcessError(f"the training ended with {code}; see {log}")

    def judge(self, entry: Entry) -> tuple[Judge, DetectedFaces]:
        """The second judge of the entry's data, at the size `--judged-size`."""
        data = self.data(entry)
        if data not in self.judges:
            faces = load(data, self.given.judged_size)
            console = Console(soft_wrap=True)
            prepare(faces, self.given.runs, images=REPORTS_JUDGE, console=console)
            images = self.given.judge_images
            judge = prepare(
                faces, self.given.runs, images=images, console=console, seed=SECOND_SEED
            )
            self.judges[data] = judge, DetectedFaces(faces)
        return self.judges[data]

    def measure(self, entry: Entry, last: bool) -> dict[str, Any]:
        """A row of the table, and what the document says about the training."""
        run, found = self.folder(entry), checkpoint.read_divergence(self.folder(entry))
        info = checkpoint.read_run(run)
        has_checkpoint = (run / checkpoint.CHECKPOINT_FILE).is_file()
        figures: dict[str, float] = {}
        if has_checkpoint and not found:
            figures = self.evaluate(entry, Model(run), last)
        row = Row(
            name=entry.name,
            recipe=entry.recipe,
            image_size=info.image_size,
            images=found.images if found else info.images,
            seconds=checkpoint.read_progress(run).seconds if has_checkpoint else 0.0,
            fingerprint=info.fingerprint,
            figures={name: float(f"{value:.4g}") for name, value in figures.items()},
            note=diverged(found) if found else "",
        )
        print(f"{entry.name}: {'diverged' if found else 'judged'}", flush=True)
        return asdict(row)

    def evaluate(self, entry: Entry, model: Model, last: bool) -> dict[str, float]:
        """Measures single images with the latent scale of the training, without a critic: the last
        time `--fakes`, before as many as are held out.
        """
        judge, detected = self.judge(entry)
        if not model.attributes:
            data = self.data(entry)
            if data not in self.unconditional_judges:
                self.unconditional_judges[data] = judge.for_unconditional()
            judge = self.unconditional_judges[data]
        size, parts = self.given.judged_size, []

        def generate(latents: Tensor, conditions: Tensor) -> Tensor:
            parts.append(report.scaled(model.generate(latents, conditions), size))
            return parts[-1]

        found = judge.evaluate(generate, model.latent_dim, self.given.fakes if last else 1)
        return found.figures | detected.figures(torch.cat(parts)[: found.fakes])

    def store(self, entry: Entry) -> None:
        """Stores the figures at each point, and a row of images."""
        run = self.folder(entry)
        files = sorted(
            run.glob(f"{self.unit}-*.json"), key=lambda file: float(file.stem[len(self.unit) + 1 :])
        )
        rows = [json.loads(file.read_text("utf-8")) for file in files]
        # A lengthened training may have been measured at the same images for two lengths.
        rows = list({row["images"]: row for row in rows}.values())
        wishes, pictures = sheet.wishes(self.judge(entry)[0].faces.attributes), sheet.blank_row()
        if (run / checkpoint.CHECKPOINT_FILE).is_file():
            pictures = sheet.row(Model(run), wishes)
        settings = checkpoint.read_run(run).train_settings
        other_width = settings.lineage.discriminator_width if settings.lineage else 0
        content = {
            "format": FORMAT,
            "plan": self.plan(entry),
            "unit": self.unit,
            "goal": self.goal(entry),
            "diverged": checkpoint.read_divergence(run) is not None,
            "machine": machine(self.given.threads),
            "bfloat16": multiplies_in_bfloat16(settings.precision, _device(settings)),
            "width": [settings.network.width, other_width or settings.network.width],
            "batch": settings.optimizer.batch,
            "data_size": len(self.judge(entry)[1].training_set),
            "fakes": self.given.fakes,
            "asked": sheet.headings(wishes),
            "rows": rows,
        }
        self.results.mkdir(parents=True, exist_ok=True)
        picture = report.sheet(pictures, [""], [""] * len(pictures))
        picture.save(self.file(entry).with_suffix(".webp"), quality=75, method=6)
        temporary = self.file(entry).with_suffix(".part")
        temporary.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")
        temporary.replace(self.file(entry))  # last: it marks the entry as complete


def _changed(recipe: str) -> dict[str, Any]:
    """The settings of a recipe that differ from the defaults, so that a new setting with a default
    changes no plan.
    """
    if not recipe:
        return {}
    settings = TrainSettings(**recipes.read(recipe).settings).model_dump(mode="json")
    defaults = TrainSettings().model_dump(mode="json")
    defaults["lineage"] = LineageSettings().model_dump(mode="json")
    changed = {}
    for name in recipes.EXPERIMENT:
        table, default = settings[name] or {}, defaults[name]
        changed[name] = {key: value for key, value in table.items() if value != default[key]}
    return changed


def speed(
    entry: Entry, data: Path, faces: dict[tuple[Path, int], Faces], flags: Sequence[str]
) -> str:
    """Images per second of an entry in a few steps, after some to warm up, as a line. On one thread
    these are seconds of CPU time, so that programs beside it do not matter much.
    """
    clock = time.process_time if torch.get_num_threads() == 1 else time.perf_counter
    arguments = ["--recipe", entry.recipe] if entry.recipe else []
    settings: TrainSettings = read_settings(
        build_parser().parse_args([*arguments, *entry.flags, *flags])
    ).train
    key = data, settings.network.resolution
    if key not in faces:
        faces[key] = load(data, settings.network.resolution, enlarge=True)
    trainer = build_trainer(settings, faces[key].split()[0])
    best = 0.0
    for progress in (0.1, 0.9) if entry.recipe == "stackgan" else (0.1,):
        for _ in range(2):
            trainer.train_step(progress)
        start = clock()
        for _ in range(SPEED_STEPS):
            trainer.train_step(progress)
        best += clock() - start
    stages = 2 if entry.recipe == "stackgan" else 1
    rate = stages * SPEED_STEPS * settings.optimizer.batch / best
    thousands = rate * 60 * entry.minutes / 1000
    return f"| {entry.name} | {rate:.1f} | {entry.minutes:g} | {thousands:,.0f} thousand |"


def call(arguments: Sequence[str], log: Path) -> int:
    """Runs `python -m train` in a new process, with output to a file; returns its exit status. If
    this process is killed, the training writes a checkpoint and ends.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    environment = os.environ | {"IRODORI_JUDGE__IMAGES": str(REPORTS_JUDGE)}
    with log.open("a", encoding="utf-8") as stream:
        return subprocess.run(
            [sys.executable, "-m", "train", *arguments],
            cwd=Path.cwd(),
            env=environment | {"PYTHONPATH": str(ROOT)},
            stdout=stream,
            stderr=subprocess.STDOUT,
            check=False,
            preexec_fn=_end_with_parent if sys.platform == "linux" else None,
        ).returncode


def _end_with_parent() -> None:
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGTERM)


def _device(settings: TrainSettings) -> torch.device:
    """The device that a training with these settings chose."""
    on_gpu = settings.device != "cpu" and torch.cuda.is_available()
    return torch.device("cuda" if on_gpu else "cpu")


def machine(threads: int) -> str:
    if torch.cuda.is_available():
        return f"one {torch.cuda.get_device_name()}"
    cores = f"{os.cpu_count()} CPU cores ({platform.machine()})"
    return f"{threads or 'all'} of {cores}" if threads != 1 else f"one thread of {cores}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="tagged images")
    parser.add_argument("--data-96", type=Path, help="images for the recipes of 96 pixels")
    parser.add_argument("--minutes", type=float, help="of each training, instead of its own time")
    parser.add_argument("--images", type=int, help="images shown, instead of minutes")
    parser.add_argument("--threads", type=int, default=0, help="CPU threads; 0 = all")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these entries")
    parser.add_argument("--speed", action="store_true", help="only measure images per second")
    parser.add_argument("--write", action="store_true", help="only write the document")
    parser.add_argument("--runs", type=Path, default=Path("runs/lineage"))
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    parser.add_argument(
        "--fakes", type=int, default=MOST_FAKES // 2, help="images judged at the end"
    )
    parser.add_argument(
        "--judge-images",
        type=int,
        default=0,
        help="training images of the judge; 0 = depends on the data",
    )
    parser.add_argument("--judged-size", type=int, default=64, help="image size for the judge")
    parser.add_argument(
        "flags", nargs="*", help="after --: options of all trainings (--device cuda)"
    )
    return parser


def main(arguments: Sequence[str] | None = None, entries: Sequence[Entry] = ENTRIES) -> int:
    given = _parser().parse_args(arguments)
    names = [entry.name for entry in entries]
    if unknown := set(given.only or ()) - set(names):
        sys.exit(f"there is no {unknown.pop()!r}; there are: {', '.join(names)}")
    lineage = Lineage(given)
    chosen = [entry for entry in entries if not given.only or entry.name in given.only]
    if given.speed:
        faces: dict[tuple[Path, int], Faces] = {}
        print("| entry | images/s | minutes | images |\n|---|--:|--:|--:|", flush=True)
        for entry in chosen:
            print(speed(entry, lineage.data(entry), faces, given.flags), flush=True)
        return 0
    failed = [] if given.write else lineage.run(chosen)
    document = lineage_document.write(given.docs, names)
    print(f"written: {document}")
    if failed:
        print(f"failed, will be tried again: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
