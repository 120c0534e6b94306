"""Trains every recipe for an equal budget, judges all by one judge, and writes `docs/lineage.md`.

    python benchmarks/lineage.py --data faces64.zip --data-96 faces96.zip --minutes 25 --rest 5

The recipes in CLAIMS are trained for `--minutes` each (or `--images`), and judged at three points;
all others are trained for `--rest`. One training runs at a time, or several with `--jobs`, one
thread each. Results are stored in `docs/lineage/` and not computed again; interrupted trainings are
resumed. Failures are listed at the end; divergences are in the table. The document, which
`lineage_document.py` writes, includes paragraphs of `docs/lineage/notes.toml`.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from rich.console import Console
from torch import Tensor

sys.path.insert(0, str(Path(__file__).parents[1]))  # so that `train` is the package

from benchmarks import lineage_document
from train import checkpoint, recipes, report
from train.compare import sheet
from train.compare.table import Row, diverged
from train.data import load
from train.metrics import SECOND_SEED, Judge, prepare
from train.metrics.judge import MOST_FAKES
from train.settings import TrainSettings
from train.show.model import Model

ROOT = Path(__file__).parents[1]
SMALL_BATCH = ("--batch", "16")
"""For networks that a CPU would train for only a few hundred batches of the recipe's size."""
DCGAN_ALIKE = ("--width", "32", "--batch", "64")
"""The same width and batch for all recipes with DCGAN networks."""
CLAIMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("dcgan", "dcgan", DCGAN_ALIKE),
    ("wgan-gp", "wgan-gp", DCGAN_ALIKE),
    ("acgan-srresnet-lambda-1", "acgan-srresnet", ("--class-weight", "1", *SMALL_BATCH)),
    ("acgan-srresnet-lambda-5", "acgan-srresnet", ("--class-weight", "5", *SMALL_BATCH)),
    ("acgan-decoupled", "acgan-decoupled", ("--class-weight", "5", *SMALL_BATCH)),
    ("r3gan", "r3gan", ("--width", "16", *SMALL_BATCH)),
    ("irodori", "irodori", ()),
)
"""Name, recipe and flags of the trainings with the whole budget, for three questions: Does WGAN-GP
converge faster than DCGAN with the same networks and batch? Does λ trade color against sharpness?
Do decoupled heads improve this?"""
REST = {
    **dict.fromkeys(("cgan", "acgan-dcgan", "dcgan-tricks"), DCGAN_ALIKE),
    **dict.fromkeys(("aegan", "aegan-dcgan", "aegan-wgan-gp"), SMALL_BATCH),
    **dict.fromkeys(("acgan-two-nets", "ebgan", "wgan"), SMALL_BATCH),
    "dcgan-96": ("--batch", "32"),
    "stackgan": ("--width", "16", *SMALL_BATCH),
}
"""Flags of the other recipes, chosen so that five minutes on a CPU show a result."""
REPORTS_JUDGE = 4_000
"""Training images of the judge in the reports of the trainings; not used for the results."""


@dataclass(frozen=True)
class Entry:
    name: str
    recipe: str
    """Empty: the settings of `config.toml`."""
    flags: tuple[str, ...]
    claim: bool
    """Whether it has the whole budget."""

    @property
    def settings(self) -> dict[str, Any]:
        return recipes.read(self.recipe).settings if self.recipe else {}

    def plan(self, given: argparse.Namespace) -> dict[str, Any]:
        """Everything that the result depends on; a result of another plan is replaced."""
        budget = "minutes" if given.images is None else "images"
        whole = given.minutes if given.images is None else given.images
        milestones = [given.rest, (given.rest + whole) / 2, whole] if self.claim else [given.rest]
        return {
            "recipe": self.recipe,
            "settings": self.settings,
            "half_width": given.half_width,
            "flags": [*self.flags, *given.flags],
            budget: milestones
            if budget == "minutes"
            else [round(milestone) for milestone in milestones],
            "data": self.data(given).name,
        }

    def data(self, given: argparse.Namespace) -> Path:
        """The data; recipes of 96 pixels use `--data-96` if it is given."""
        of_96 = self.settings.get("network", {}).get("resolution") == 96 and given.data_96
        data: Path = given.data_96 if of_96 else given.data
        return data


def entries() -> list[Entry]:
    """Entries for CLAIMS, and for all other recipes."""
    claims = [Entry(name, recipe, flags, claim=True) for name, recipe, flags in CLAIMS]
    claimed = {entry.recipe for entry in claims}
    rest = sorted(set(recipes.NAMES) - claimed)
    return claims + [Entry(name, name, REST.get(name, ()), claim=False) for name in rest]


class Lineage:
    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.runs: Path = given.runs
        self.results: Path = given.docs / "lineage"
        self.judges: dict[Path, Judge] = {}
        self.judge_locks: defaultdict[Path, Lock] = defaultdict(Lock)
        self.judging = Lock()
        self.unconditional_judges: dict[Judge, Judge] = {}
        """Judges for unconditional generators, which cache features of real images."""
        if given.jobs > 1:
            torch.set_num_threads(1)  # evaluations count as one of the jobs

    def run(self, wanted: Sequence[Entry]) -> list[str]:
        """Computes missing results; returns the names of the entries that failed."""
        todo = [entry for entry in wanted if not self.is_done(entry)]
        failed = []
        with ThreadPoolExecutor(self.given.jobs) as pool:
            running = {pool.submit(self.compute, entry): entry for entry in todo}
            for future in as_completed(running):
                entry = running[future]
                try:
                    future.result()
                except Exception as error:  # the other entries continue
                    print(f"{entry.name} failed: {error}", flush=True)
                    failed.append(entry.name)
        return failed

    def is_done(self, entry: Entry) -> bool:
        file = self.file(entry)
        return file.is_file() and json.loads(file.read_text("utf-8"))["plan"] == self.plan(entry)

    def plan(self, entry: Entry) -> dict[str, Any]:
        plan: dict[str, Any] = json.loads(json.dumps(entry.plan(self.given)))
        return plan

    def file(self, entry: Entry) -> Path:
        return self.results / f"{entry.name}.json"

    def folder(self, entry: Entry) -> Path:
        """The folder of the run, which depends on the plan."""
        digest = hashlib.sha256(json.dumps(self.plan(entry), sort_keys=True).encode()).hexdigest()
        return self.runs / f"{entry.name}-{digest[:8]}"

    def compute(self, entry: Entry) -> None:
        """Trains to each milestone, and measures there. Raises ChildProcessError."""
        self.judge(entry)  # built first, so that two trainings do not build it at the same time
        run, budget = self.folder(entry), self.budget_of(entry)
        for milestone in self.plan(entry)[budget]:
            measured = run / f"{budget}-{milestone:g}.json"
            if measured.is_file():
                continue
            self.train(entry, f"--{budget}", milestone)
            found = self.measure(entry)
            measured.write_text(json.dumps(found), "utf-8")
        self.store(entry)

    def budget_of(self, entry: Entry) -> str:
        return "minutes" if "minutes" in self.plan(entry) else "images"

    def train(self, entry: Entry, budget: str, milestone: float) -> None:
        """Starts or resumes the run. Raises ChildProcessError."""
        run, plan = self.folder(entry), self.plan(entry)
        if checkpoint.read_divergence(run):
            return
        arguments = ["--data", entry.data(self.given), "--runs", self.given.runs, budget, milestone]
        if (run / checkpoint.CHECKPOINT_FILE).is_file():
            arguments += ["--resume", run]
        else:
            (run / checkpoint.RUN_FILE).unlink(
                missing_ok=True
            )  # interrupted before the first checkpoint
            arguments += ["--recipe", entry.recipe] if entry.recipe else []
            if plan["half_width"]:
                network = entry.settings.get("network", {})
                width = network.get("width", TrainSettings().network.width)
                arguments += ["--width", max(2, width // 4 * 2)]
            arguments += ["--name", run.name, *plan["flags"]]
        if self.given.jobs > 1:
            arguments += ["--threads", 1]
        print(f"{entry.name}: training in {run}", flush=True)
        code = call([*map(str, arguments), "--no-export"], run.with_suffix(".log"))
        if code and not checkpoint.read_divergence(run):
            raise ChildProcessError(
                f"the training ended with {code}; see {run.with_suffix('.log')}"
            )

    def judge(self, entry: Entry) -> Judge:
        """The second judge of the entry's data, at the size `--judged-size`."""
        data = entry.data(self.given)
        with self.judge_locks[data]:
            if data not in self.judges:
                images = self.given.judge_images
                faces = load(data, self.given.judged_size)
                console = Console(soft_wrap=True)
                prepare(faces, self.given.runs, images=REPORTS_JUDGE, console=console)
                judge = prepare(
                    faces, self.given.runs, images=images, console=console, seed=SECOND_SEED
                )
                self.judges[data] = judge
        return self.judges[data]

    def measure(self, entry: Entry) -> dict[str, Any]:
        """Measures the run: a row of the table, and the evaluation of the judge."""
        run, judge = self.folder(entry), self.judge(entry)
        info, found = checkpoint.read_run(run), checkpoint.read_divergence(run)
        has_checkpoint = (run / checkpoint.CHECKPOINT_FILE).is_file()
        examined = self.evaluate(entry, Model(run), judge) if has_checkpoint and not found else {}
        notes = [diverged(found)] if found else []
        if entry.flags:
            notes.append(f"`{' '.join(entry.flags)}`")
        if examined and info.image_size != judge.faces.images.shape[-1]:
            notes.append(f"scaled to {judge.faces.images.shape[-1]} pixels to be judged")
        row = Row(
            name=entry.name,
            recipe=entry.recipe,
            image_size=info.image_size,
            images=found.images if found else info.images,
            seconds=checkpoint.read_progress(run).seconds if has_checkpoint else 0.0,
            fingerprint=judge.faces.fingerprint,
            figures=examined.pop("figures", {}),
            note="; ".join(notes),
        )
        print(f"{entry.name}: {'diverged' if found else 'judged'}", flush=True)
        return {"row": asdict(row), "examined": examined}

    def store(self, entry: Entry) -> None:
        """Stores the figures at each milestone, and a row of images."""
        run, budget = self.folder(entry), self.budget_of(entry)
        milestones = self.plan(entry)[budget]
        found = [
            json.loads((run / f"{budget}-{milestone:g}.json").read_text("utf-8"))
            for milestone in milestones
        ]
        wishes, pictures = sheet.wishes(self.judge(entry).faces.attributes), sheet.blank_row()
        if (run / checkpoint.CHECKPOINT_FILE).is_file():
            pictures = sheet.row(Model(run), wishes)
        content = {
            "plan": self.plan(entry),
            "machine": machine(self.given.jobs),
            "asked": sheet.headings(wishes),
            **found[-1],
            "on_the_way": [one["row"] for one in found[:-1]],
        }
        self.results.mkdir(parents=True, exist_ok=True)
        picture = report.sheet(pictures, [""], [""] * len(pictures))
        picture.save(self.file(entry).with_suffix(".webp"), quality=75, method=6)
        text = json.dumps(content, indent=1, ensure_ascii=False)
        self.file(entry).write_text(
            text + "\n", "utf-8"
        )  # written last: it marks the entry as complete

    def evaluate(self, entry: Entry, model: Model, judge: Judge) -> dict[str, Any]:
        """Evaluates single images with the latent scale of the training, without a critic."""
        if not model.attributes:
            judge = self.unconditional_judges.setdefault(judge, judge.for_unconditional())
        size = judge.faces.images.shape[-1]

        def generate(latents: Tensor, conditions: Tensor) -> Tensor:
            return report.scaled(model.generate(latents, conditions), size)

        fakes = self.given.fakes if entry.claim else self.given.fakes // 2
        with self.judging:  # parts of it use the global random state of PyTorch
            found = judge.evaluate(generate, model.info.latent_dim, fakes)
        shares = [(cluster.real, cluster.painted) for cluster in found.clusters]
        report.save_worst(self.folder(entry), found.worst, shares)
        return found.to_dict()


def call(arguments: Sequence[str], log: Path) -> int:
    """Runs `python -m train` in a new process, with output to a file; returns its exit status."""
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
        ).returncode


def machine(jobs: int) -> str:
    if torch.cuda.is_available():
        return f"one {torch.cuda.get_device_name()}"
    cores = f"{os.cpu_count()} CPU cores ({platform.machine()})"
    return f"a thread each of {cores}, {jobs} trainings at a time" if jobs > 1 else cores


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="tagged images")
    parser.add_argument("--data-96", type=Path, help="images for the recipes of 96 pixels")
    parser.add_argument(
        "--minutes", type=float, default=25, help="duration of each training in CLAIMS"
    )
    parser.add_argument("--images", type=int, help="images shown, instead of minutes")
    parser.add_argument("--rest", type=float, default=5, help="minutes or images for all others")
    parser.add_argument("--half-width", action="store_true", help="networks with half the channels")
    parser.add_argument("--jobs", type=int, default=1, help="concurrent trainings, one thread each")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="only these entries")
    parser.add_argument("--write", action="store_true", help="only write the document")
    parser.add_argument("--runs", type=Path, default=Path("runs/lineage"))
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    parser.add_argument(
        "--fakes", type=int, default=MOST_FAKES, help="images judged; half for --rest"
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


def main(arguments: Sequence[str] | None = None, all_of_them: Sequence[Entry] | None = None) -> int:
    given = _parser().parse_args(arguments)
    wanted = list(all_of_them if all_of_them is not None else entries())
    unknown = set(given.only or ()) - {entry.name for entry in wanted}
    if unknown:
        sys.exit(f"there is no {unknown.pop()!r}; there are: {', '.join(e.name for e in wanted)}")
    lineage = Lineage(given)
    chosen = [entry for entry in wanted if not given.only or entry.name in given.only]
    failed = [] if given.write else lineage.run(chosen)
    whole, smaller = (
        [entry.name for entry in wanted if entry.claim == claim] for claim in (True, False)
    )
    document = lineage_document.write(given.docs, whole, smaller, given.flags)
    print(f"written: {document}")
    if failed:
        print(f"failed, will be tried again: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
