"""The folder of all models, `models/`: one folder a model, and a pointer to the one in use.

Nothing is ever half there: a model is written beside and renamed, the pointer moves last. Plain
Python: the serving side reads this without torch.
"""

import os
import shutil
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from export.manifest import (
    MANIFEST,
    Manifest,
    ModelError,
    file_entry,
    is_safe_name,
    read_manifest,
    verify,
    write_manifest,
)

POINTER = "current"
HISTORY = "history"


class Registry:
    """Models under `root`, which need not exist yet.

    `current` holds the name of the model in use; `history` the names that led to it, one a line,
    the oldest first.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Folders with a manifest, a broken one too, the oldest first."""
        if not self.root.is_dir():
            return []
        found = [
            path.name
            for path in self.root.iterdir()
            if is_safe_name(path.name) and (path / MANIFEST).is_file()
        ]
        return sorted(found, key=lambda name: (self._created(name), name))

    def current(self) -> str | None:
        """The name in the pointer, None where there is no pointer."""
        try:
            return (self.root / POINTER).read_text("utf-8").strip() or None
        except FileNotFoundError:
            return None

    def folder(self, name: str) -> Path:
        """Raises ModelError, listing what exists, for a name that is unknown or unsafe."""
        path = self.root / name
        if not is_safe_name(name) or not (path / MANIFEST).is_file():
            raise ModelError(f"there is no model {name!r} in {self.root}; {self._what_exists()}")
        return path

    def load(self, name: str | None = None) -> tuple[Path, Manifest]:
        """Folder and manifest of a model (the one in use if no name is given), its files verified.

        Raises ModelError.
        """
        if name is None:
            name = self.current()
        if name is None:
            raise ModelError(f"no model is in use in {self.root}; {self._what_exists()}")
        folder = self.folder(name)
        manifest = read_manifest(folder)
        if manifest.name != name:
            raise ModelError(f"{folder / MANIFEST} names {manifest.name}, its folder {name}")
        verify(folder, manifest)
        return folder, manifest

    def new_folder(self, name: str) -> Path:
        """Where a model of that name will go. Raises ModelError for one taken or unsafe."""
        target = self.root / name
        if not is_safe_name(name):
            raise ModelError(f"{name!r} is no name for a model: letters, digits, '.', '_', '-'")
        if name.lower() in (POINTER, HISTORY) or target.exists():
            raise ModelError(f"{target} exists already: choose another name")
        return target

    def add(self, manifest: Manifest, build: Callable[[Path], None]) -> Manifest:
        """Adds the model `manifest.name`; returns its manifest with the files' sums.

        `build` writes the model's files, all but the manifest, into the empty folder that it gets.
        What it raises goes through, and nothing is left behind. Does not touch what is in use.
        Raises ModelError when the name is taken or the files are no model.
        """
        target = self.new_folder(manifest.name)
        self.root.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=self.root))
        try:
            staging.chmod(0o755)  # mkdtemp's is closed to the account that the bot runs under
            build(staging)
            files = {path.name: file_entry(path) for path in sorted(staging.iterdir())}
            manifest = Manifest.model_validate(manifest.model_dump() | {"files": files})
            write_manifest(staging, manifest)
            verify(staging, read_manifest(staging))
            for path in staging.iterdir():
                _sync(path)
            _sync(staging)
            try:
                staging.rename(target)
            except OSError as error:  # somebody else was quicker
                raise ModelError(f"{target} cannot be written: {error.strerror}") from error
            _sync(self.root)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return manifest

    def use(self, name: str) -> None:
        """Verifies a model and points to it. Raises ModelError, and then nothing has changed."""
        self.load(name)
        path_here = self._path_to_current()
        if path_here[-1:] != [name]:
            self._point([*path_here, name])

    def rollback(self) -> str:
        """Back to the model that was used before; again, to the one before that.

        Models that have been deleted since are passed over. Returns the name.
        Raises ModelError when there is none, or when it cannot be used.
        """
        path_back = self._path_back()
        if not path_back:
            raise ModelError(f"no model was used before {self.current()}; {self._what_exists()}")
        self.load(path_back[-1])
        self._point(path_back)
        return path_back[-1]

    def previous(self) -> str | None:
        """Where `rollback` would go back to, None where there is none."""
        return next(reversed(self._path_back()), None)

    def _path_back(self) -> list[str]:
        """History as far as the model before the one in use that is still there."""
        current = self.current()
        path_back = self._path_to_current()
        existing = self.names()
        while path_back and (path_back[-1] == current or path_back[-1] not in existing):
            path_back.pop()
        return path_back

    def _path_to_current(self) -> list[str]:
        """History as far as the model in use.

        It goes further only when a crash came between the history and the pointer, and ends short
        of it when the pointer was written by hand.
        """
        try:
            history = (self.root / HISTORY).read_text("utf-8").split()
        except FileNotFoundError:
            history = []
        current = self.current()
        if current is None:
            return []
        while current in history and history[-1] != current:
            history.pop()
        return history if current in history else [*history, current]

    def _point(self, history: list[str]) -> None:
        self._replace(HISTORY, "".join(f"{name}\n" for name in history))
        self._replace(POINTER, f"{history[-1]}\n")

    def _replace(self, name: str, text: str) -> None:
        beside = self.root / f".{name}.{os.getpid()}"
        try:
            beside.write_text(text, "utf-8")
            _sync(beside)
            beside.replace(self.root / name)
        finally:
            beside.unlink(missing_ok=True)
        _sync(self.root)

    def _created(self, name: str) -> datetime:
        try:
            return read_manifest(self.root / name).created
        except ModelError:
            return datetime.min.replace(tzinfo=UTC)

    def _what_exists(self) -> str:
        names = self.names()
        return f"there are: {', '.join(names)}" if names else "there is none yet"


def _sync(path: Path) -> None:
    if os.name != "posix":
        return  # elsewhere a folder cannot be opened, nor a file synced that was opened to read
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
