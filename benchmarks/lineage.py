"""Trains every recipe for an equal budget, judges all by one judge, and writes `docs/lineage.md`.

    python benchmarks/lineage.py --data faces64.zip --data-96 faces96.zip --minutes 25 --rest 5

The recipes that the documents' claims concern, R3GAN and the default get `--minutes` each (or
`--images`), all others `--rest` of the same; the former are judged on the way, too. One process at
a time, or `--jobs 2` with a thread each. What is done is kept in `docs/lineage/`, a few kilobytes a
recipe, and not done again; what was interrupted goes on where it was. What fails is said at the
end; what diverges stands in the table. Paragraphs in `docs/lineage/notes.toml`, by the names in the
table, go into the document, which `lineage_document.py` writes.
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

sys.path.insert(0, str(Path(__file__).parents[1]))  # else `train` would be the benchmark

from benchmarks import lineage_document
from train import checkpoint, recipes, report
from train.compare import sheet
from train.compare.table import Row, diverged
from train.data import load
from train.metrics import SECOND_SEED, Judge, prepare
from train.settings import JudgeSettings, TrainSettings
from train.show.model import Model

ROOT = Path(__file__).parents[1]
SMALL_BATCH = ("--batch", "16")
"""For networks of which a CPU would see but a few hundred batches of their recipes' size."""
DCGAN_ALIKE = ("--width", "32", "--batch", "64")
"""For the same networks and batch wherever they are DCGAN's."""
CLAIMS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("dcgan", "dcgan", DCGAN_ALIKE),
    ("wgan-gp", "wgan-gp", DCGAN_ALIKE),
    ("acgan-srresnet-lambda-1", "acgan-srresnet", ("--class-weight", "1", *SMALL_BATCH)),
    ("acgan-srresnet-lambda-5", "acgan-srresnet", ("--class-weight", "5", *SMALL_BATCH)),
    ("acgan-decoupled", "acgan-decoupled", ("--class-weight", "5", *SMALL_BATCH)),
    ("r3gan", "r3gan", ("--width", "16", *SMALL_BATCH)),
    ("irodori", "irodori", ()),
)
"""Name, recipe and flags of those that get the whole budget: does WGAN-GP converge faster than
DCGAN (with the same networks and batch), does λ trade colour against sharpness, do decoupled heads
cure it?"""
REST = {
    **dict.fromkeys(("cgan", "acgan-dcgan", "dcgan-tricks"), DCGAN_ALIKE),
    **dict.fromkeys(("aegan", "aegan-dcgan", "aegan-wgan-gp"), SMALL_BATCH),
    **dict.fromkeys(("acgan-two-nets", "ebgan", "wgan"), SMALL_BATCH),
    "dcgan-96": ("--batch", "32"),
    "stackgan": ("--width", "16", *SMALL_BATCH),
}
"""Flags of the others, by recipe: with these, five minutes of a CPU show more than grey."""
REPORTS_JUDGE = 4_000
"""Images that the judge of the trainings' own reports learns from; no figure here is its own."""


@dataclass(frozen=True)
class Entry:
    name: str
    recipe: str
    """Empty: what `config.toml` says."""
    flags: tuple[str, ...]
    claim: bool
    """Whether it gets the whole budget."""

    @property
    def settings(self) -> dict[str, Any]:
        return recipes.read(self.recipe).settings if self.recipe else {}

    def plan(self, given: argparse.Namespace) -> dict[str, Any]:
        """All that the outcome depends on; what was done by another plan is done again."""
        budget = "minutes" if given.images is None else "images"
        whole = given.minutes if given.images is None else given.images
        stops = [given.rest, (given.rest + whole) / 2, whole] if self.claim else [given.rest]
        return {
            "recipe": self.recipe,
            "settings": self.settings,
            "half_width": given.half_width,
            "flags": [*self.flags, *given.flags],
            budget: stops if budget == "minutes" else [round(stop) for stop in stops],
            "data": self.data(given).name,
        }

    def data(self, given: argparse.Namespace) -> Path:
        """Those of 96 pixels have their own data, if there is any."""
        of_96 = self.settings.get("network", {}).get("resolution") == 96 and given.data_96
        data: Path = given.data_96 if of_96 else given.data
        return data


def entries() -> list[Entry]:
    """Of all recipes there are, those of the claims first."""
    claims = [Entry(name, recipe, flags, claim=True) for name, recipe, flags in CLAIMS]
    taken = {entry.recipe for entry in claims}
    rest = sorted(set(recipes.NAMES) - taken)
    return claims + [Entry(name, name, REST.get(name, ()), claim=False) for name in rest]


class Lineage:
    def __init__(self, given: argparse.Namespace) -> None:
        self.given = given
        self.runs: Path = given.runs
        self.kept: Path = given.docs / "lineage"
        self.judges: dict[Path, Judge] = {}
        self.judge_locks: defaultdict[Path, Lock] = defaultdict(Lock)
        self.judging = Lock()
        self.unconditional_judges: dict[Judge, Judge] = {}
        """Those of generators that cannot be asked; what they have seen of real faces is kept."""
        if given.jobs > 1:
            torch.set_num_threads(1)  # what is judged here takes the place of a training

    def run(self, wanted: Sequence[Entry]) -> list[str]:
        """Does what is not done yet; returns the names of those that failed."""
        todo = [entry for entry in wanted if not self.is_done(entry)]
        failed = []
        with ThreadPoolExecutor(self.given.jobs) as pool:
            running = {pool.submit(self.do, entry): entry for entry in todo}
            for future in as_completed(running):
                entry = running[future]
                try:
                    future.result()
                except Exception as error:  # the others are worth their time all the same
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
        return self.kept / f"{entry.name}.json"

    def folder(self, entry: Entry) -> Path:
        """The run's; another plan has another one."""
        digest = hashlib.sha256(json.dumps(self.plan(entry), sort_keys=True).encode()).hexdigest()
        return self.runs / f"{entry.name}-{digest[:8]}"

    def do(self, entry: Entry) -> None:
        """Trains from stop to stop, and measures at each. Raises ChildProcessError."""
        self.judge(entry)  # before two trainings of the same data would make theirs at once
        run, budget = self.folder(entry), self.budget_of(entry)
        for stop in self.plan(entry)[budget]:
            measured = run / f"{budget}-{stop:g}.json"
            if measured.is_file():
                continue
            self.train(entry, f"--{budget}", stop)
            found = self.measure(entry)
            measured.write_text(json.dumps(found), "utf-8")
        self.keep(entry)

    def budget_of(self, entry: Entry) -> str:
        return "minutes" if "minutes" in self.plan(entry) else "images"

    def train(self, entry: Entry, budget: str, stop: float) -> None:
        """Begins the run, or goes on with it. Raises ChildProcessError."""
        run, plan = self.folder(entry), self.plan(entry)
        if checkpoint.read_divergence(run):
            return
        arguments = ["--data", entry.data(self.given), "--runs", self.given.runs, budget, stop]
        if (run / checkpoint.CHECKPOINT_FILE).is_file():
            arguments += ["--resume", run]
        else:
            (run / checkpoint.RUN_FILE).unlink(missing_ok=True)  # cut off before any checkpoint
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
        """The second judge of the entry's data, whatever size the entry's pictures have."""
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
        """What the run is now: a row of the table, and all that the judge found."""
        run, judge = self.folder(entry), self.judge(entry)
        info, found = checkpoint.read_run(run), checkpoint.read_divergence(run)
        painted = (run / checkpoint.CHECKPOINT_FILE).is_file()
        examined = self.evaluate(entry, Model(run), judge) if painted and not found else {}
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
            seconds=checkpoint.read_progress(run).seconds if painted else 0.0,
            fingerprint=judge.faces.fingerprint,
            figures=examined.pop("figures", {}),
            note="; ".join(notes),
        )
        print(f"{entry.name}: {'diverged' if found else 'judged'}", flush=True)
        return {"row": asdict(row), "examined": examined}

    def keep(self, entry: Entry) -> None:
        """The figures at each stop, and a strip of pictures."""
        run, budget = self.folder(entry), self.budget_of(entry)
        stops = self.plan(entry)[budget]
        found = [json.loads((run / f"{budget}-{stop:g}.json").read_text("utf-8")) for stop in stops]
        wished, pictures = sheet.wishes(self.judge(entry).faces.attributes), sheet.blank_row()
        if (run / checkpoint.CHECKPOINT_FILE).is_file():
            pictures = sheet.row(Model(run), wished)
        content = {
            "plan": self.plan(entry),
            "machine": machine(self.given.jobs),
            "asked": sheet.headings(wished),
            **found[-1],
            "on_the_way": [one["row"] for one in found[:-1]],
        }
        self.kept.mkdir(parents=True, exist_ok=True)
        strip = report.sheet(pictures, [""], [""] * len(pictures))
        strip.save(self.file(entry).with_suffix(".webp"), quality=90)
        text = json.dumps(content, indent=1, ensure_ascii=False)
        self.file(entry).write_text(text + "\n", "utf-8")  # last: it says that all is done

    def evaluate(self, entry: Entry, model: Model, judge: Judge) -> dict[str, Any]:
        """Of single pictures, as the networks paint them: no wider latents, no critic."""
        if not model.attributes:
            judge = self.unconditional_judges.setdefault(judge, judge.for_unconditional())
        size = judge.faces.images.shape[-1]

        def generate(latents: Tensor, conditions: Tensor) -> Tensor:
            return report.scaled(model.generate(latents, conditions), size)

        fakes = self.given.fakes if entry.claim else self.given.fakes // 2
        with self.judging:  # some of it draws from PyTorch's own random state
            found = judge.evaluate(generate, model.info.latent_dim, fakes)
        shares = [(cluster.real, cluster.painted) for cluster in found.clusters]
        report.save_worst(self.folder(entry), found.worst, shares)
        return found.to_dict()


def call(arguments: Sequence[str], log: Path) -> int:
    """`python -m train` in a process of its own, whose words go into a file; its exit status."""
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
    parser.add_argument("--data-96", type=Path, help="those of the recipes of 96 pixels")
    parser.add_argument("--minutes", type=float, default=25, help="of training for each claim")
    parser.add_argument("--images", type=int, help="shown in training, instead of minutes")
    parser.add_argument("--rest", type=float, default=5, help="minutes or images for all others")
    parser.add_argument("--half-width", action="store_true", help="networks of half the channels")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at once, a thread each")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="no others")
    parser.add_argument("--write", action="store_true", help="only write the document anew")
    parser.add_argument("--runs", type=Path, default=Path("runs/lineage"))
    parser.add_argument("--docs", type=Path, default=ROOT / "docs")
    parser.add_argument(
        "--fakes", type=int, default=JudgeSettings().fakes, help="judged of each; half of the rest"
    )
    parser.add_argument(
        "--judge-images", type=int, default=0, help="for its classifier; 0 = as fits the data"
    )
    parser.add_argument("--judged-size", type=int, default=64, help="pixels that are judged")
    parser.add_argument("flags", nargs="*", help="after --: for every training (--device cuda)")
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
        print(f"failed, and tried again next time: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
