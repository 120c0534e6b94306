"""Files of a run: `run.json` with its settings, `checkpoint.safetensors` with its state, and
`diverged.json` if the training diverged.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from export.manifest import Attribute
from train.settings import TrainSettings

RUN_FILE = "run.json"
CHECKPOINT_FILE = "checkpoint.safetensors"
DIVERGED_FILE = "diverged.json"
JUDGED_FILE = "judge.json"
LOCK_FILE = ".lock"
FORMAT = 2


class CheckpointError(Exception):
    """A run cannot be read or resumed."""


@dataclass(frozen=True)
class RunInfo:
    run: str
    attributes: tuple[Attribute, ...]
    latent_dim: int
    image_size: int
    fingerprint: str
    """Hash of the training data."""
    settings: dict[str, Any]
    """The section `[train]`."""
    images: int = 0
    """Real images shown so far."""

    @property
    def train_settings(self) -> TrainSettings:
        """Raises ValueError for settings that this version does not support."""
        return TrainSettings(**self.settings)

    @property
    def sizes(self) -> list[int]:
        """The number of values of each attribute."""
        return [len(attribute.values) for attribute in self.attributes]


@dataclass(frozen=True)
class Progress:
    """Progress of a training at a checkpoint."""

    images: int
    step: int
    seconds: float
    rate_factor: float = 1.0
    """Factor of the learning rate; less than 1 after a divergence."""
    fallbacks: int = 0
    """Number of returns to a checkpoint after a divergence."""


@dataclass(frozen=True)
class Divergence:
    """Where a run diverged, stored until the run is resumed."""

    step: int
    images: int
    sign: str
    """The symptom, such as "generator loss is nan"."""


def write_divergence(folder: Path, found: Divergence) -> None:
    _replace(folder / DIVERGED_FILE, (json.dumps(asdict(found)) + "\n").encode())


def read_divergence(folder: Path) -> Divergence | None:
    """Returns None if the run has not diverged. Raises CheckpointError."""
    file = folder / DIVERGED_FILE
    try:
        return Divergence(**json.loads(file.read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise CheckpointError(f"{file} is damaged: {error}") from None


def write_judged(folder: Path, judged: dict[str, Any]) -> None:
    """Writes `judge.json`, the last file of a judged run."""
    content = json.dumps(judged, indent=2, ensure_ascii=False) + "\n"
    _replace(folder / JUDGED_FILE, content.encode())


def write_run(folder: Path, info: RunInfo) -> None:
    content = {
        "format": FORMAT,
        "run": info.run,
        "attributes": [attribute.model_dump(mode="json") for attribute in info.attributes],
        "latent_dim": info.latent_dim,
        "image_size": info.image_size,
        "fingerprint": info.fingerprint,
        "settings": info.settings,
    }
    write_content(folder, content)


def write_content(folder: Path, content: dict[str, Any]) -> None:
    """Writes `run.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    _replace(folder / RUN_FILE, (json.dumps(content, indent=2) + "\n").encode())


def read_content(folder: Path, of_upscaler: bool = False) -> dict[str, Any]:
    """Reads `run.json` of a training of a generator, or of an upscaler.

    Raises CheckpointError, also if the run is of the other kind.
    """
    file = folder / RUN_FILE
    if not file.is_file():
        raise CheckpointError(f"{folder} is not a run: it has no {RUN_FILE}")
    try:
        content: dict[str, Any] = json.loads(file.read_text("utf-8"))
        found, upscales = content["format"], content.get("trains") == "upscaler"
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise CheckpointError(f"{file} is damaged: {error}") from None
    if found != FORMAT:
        raise CheckpointError(
            f"{file} has format {found!r}, but this version reads format {FORMAT}: judge and "
            "export the run with the version that made it; its model can still be served"
        )
    if upscales != of_upscaler:
        what = "an upscaler, not a generator" if upscales else "a generator, not an upscaler"
        raise CheckpointError(f"{folder} is a run that trains {what}")
    return content


def read_run(folder: Path) -> RunInfo:
    """Raises CheckpointError."""
    file = folder / RUN_FILE
    content = read_content(folder)
    try:
        return RunInfo(
            run=content["run"],
            attributes=tuple(Attribute(**attribute) for attribute in content["attributes"]),
            latent_dim=content["latent_dim"],
            image_size=content["image_size"],
            fingerprint=content["fingerprint"],
            settings=content["settings"],
            images=find_progress(folder).images,
        )
    except (ValueError, KeyError, TypeError) as error:
        raise CheckpointError(f"{file} is damaged: {error}") from None


def check_runs(folder: Path) -> None:
    """Checks that runs can be stored in this folder, which may not exist yet. Raises
    CheckpointError.
    """
    path = folder.absolute()
    existing = next(path for path in (path, *path.parents) if path.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        reason = "cannot be written to" if existing.is_dir() else "is not a folder"
        raise CheckpointError(
            f"runs cannot be stored in {folder}: {existing} {reason}; --runs chooses another folder"
        )


def other_networks(folder: Path, error: Exception) -> CheckpointError:
    """The error for a checkpoint whose tensors are not those of the networks of its settings."""
    return CheckpointError(
        f"the checkpoint of {folder} is of other networks than this version builds for its "
        "settings; train it again, or use it with the version that trained it (an exported model "
        f"can still be served): {error}"
    )


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keeps other processes from training or judging the run in this folder meanwhile; the lock
    ends with the process. Raises CheckpointError if another process holds it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK_FILE).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CheckpointError(
                f"another process trains or judges {folder}; wait for it, or stop it first"
            ) from None
        except OSError:  # a file system without locks
            pass
        yield


def save(folder: Path, tensors: dict[str, Tensor], progress: Progress) -> None:
    """Replaces the checkpoint atomically: an interruption leaves the previous one intact.

    Raises CheckpointError.
    """
    temporary = folder / f".{CHECKPOINT_FILE}"
    flat = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    try:
        save_file(flat, temporary, metadata={"progress": json.dumps(asdict(progress))})
    except SafetensorError as error:  # a full disk
        raise CheckpointError(f"{temporary} cannot be written: {error}") from None
    with temporary.open("rb+") as file:
        os.fsync(file.fileno())
    temporary.replace(folder / CHECKPOINT_FILE)


def restore(folder: Path, prefix: str = "") -> dict[str, Tensor]:
    """Reads tensors whose names start with `prefix`, on the CPU. Raises CheckpointError."""
    with _open(folder) as file:
        return {name: file.get_tensor(name) for name in file.keys() if name.startswith(prefix)}  # noqa: SIM118


def read_progress(folder: Path) -> Progress:
    """Raises CheckpointError."""
    with _open(folder) as file:
        try:
            return Progress(**json.loads(file.metadata()["progress"]))
        except (KeyError, TypeError, ValueError) as error:
            raise CheckpointError(f"{folder / CHECKPOINT_FILE} is damaged: {error}") from None


def find_progress(folder: Path) -> Progress:
    """The progress at the checkpoint of a run, none before the first. Raises CheckpointError."""
    if (folder / CHECKPOINT_FILE).exists():
        return read_progress(folder)
    return Progress(images=0, step=0, seconds=0.0)


def _open(folder: Path) -> safe_open:
    file = folder / CHECKPOINT_FILE
    if not file.is_file():
        raise CheckpointError(f"{folder} has no {CHECKPOINT_FILE} yet: it was stopped too early")
    try:
        return safe_open(file, framework="pt")
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{file} is damaged: {error}") from None


def _replace(file: Path, content: bytes) -> None:
    temporary = file.with_name(f".{file.name}")
    with temporary.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(file)
