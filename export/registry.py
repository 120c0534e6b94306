"""The registry of models, `models/`: one folder for each model, and a pointer to the one in use.

Changes are atomic: files and folders are written under a temporary name and renamed, and the
pointer changes last. Plain Python: the serving side uses this module without PyTorch.
"""

import errno
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

from export.directions import read_directions
from export.manifest import (
    FORMAT_VERSION,
    MANIFEST,
    FileEntry,
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
    """Models in the folder `root`, which may not exist yet.

    The file `current` holds the name of the model in use; `history` holds the names of the models
    used before and of this one, one per line, oldest first.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def names(self) -> list[str]:
        """Names of all folders with a manifest, even an invalid one; oldest first."""
        if not self.root.is_dir():
            return []
        found = [
            path.name
            for path in self.root.iterdir()
            if is_safe_name(path.name) and _has_manifest(path)
        ]
        return sorted(found, key=lambda name: (self._created(name), name))

    def current(self) -> str | None:
        """The name of the model in use, or None."""
        try:
            return self._read(POINTER).strip() or None
        except FileNotFoundError:
            return None

    def folder(self, name: str) -> Path:
        """The folder of a model. Raises ModelError for an unknown or invalid name."""
        path = self.root / name
        if not is_safe_name(name) or not _has_manifest(path):
            raise ModelError(f"there is no model {name!r} in {self.root}; {self._list_names()}")
        return path

    def load(self, name: str | None = None) -> tuple[Path, Manifest]:
        """Verifies a model, by default the one in use; returns its folder and manifest.

        Raises ModelError.
        """
        if name is None:
            name = self.current()
        if name is None:
            raise ModelError(f"no model is in use in {self.root}; {self._list_names()}")
        folder = self.folder(name)
        manifest = read_manifest(folder)
        if manifest.name != name:
            raise ModelError(
                f"{folder / MANIFEST} has the name {manifest.name}, but its folder is {name}"
            )
        verify(folder, manifest)
        read_directions(folder, manifest)
        return folder, manifest

    def new_folder(self, name: str) -> Path:
        """The folder for a new model. Raises ModelError for an existing or invalid name."""
        target = self.root / name
        if not is_safe_name(name):
            raise ModelError(
                f"{name!r} is not a valid model name: use letters, digits, '.', '_', '-'"
            )
        if name.lower() in (POINTER, HISTORY) or target.exists():
            raise ModelError(f"{target} exists already: choose another name")
        return target

    def add(self, manifest: Manifest, build: Callable[[Path], None]) -> Manifest:
        """Adds the model `manifest.name`; returns its manifest with the entries of its files.

        `build` writes all files except the manifest into an empty folder. Its errors are
        propagated, and nothing is added. The model in use does not change. Raises ModelError if
        the name exists or the files are invalid.
        """
        target = self.new_folder(manifest.name)
        self.root.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(prefix=".staging-", dir=self.root))
        try:
            staging.chmod(0o755)  # the bot may run under another account
            build(staging)
            files = {path.name: file_entry(path) for path in sorted(staging.iterdir())}
            manifest = Manifest.model_validate(manifest.model_dump() | {"files": files})
            write_manifest(staging, manifest)
            verify(staging, read_manifest(staging))
            read_directions(staging, manifest)
            for path in staging.iterdir():
                _sync(path)
            _sync(staging)
            try:
                staging.rename(target)
            except OSError as error:  # another process created it
                raise ModelError(f"{target} cannot be written: {error.strerror}") from error
            _sync(self.root)
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return manifest

    def add_file(self, name: str, file: str, content: bytes) -> None:
        """Adds a file to a model. The manifest changes last: until then, the file is ignored.

        Raises ModelError if the model is invalid or lists the file already.
        """
        folder, manifest = self.load(name)
        if file in manifest.files:
            raise ModelError(f"{folder / file} exists already")
        self._replace(f"{name}/{file}", content)
        self._write_manifest(manifest, manifest.files | {file: file_entry(folder / file)})

    def replace_files(self, name: str, contents: Mapping[str, bytes | None]) -> None:
        """Writes files of a model, or removes them (None), and updates its manifest.

        Meanwhile the manifest does not list them, so that a crash leaves a valid model without
        these files. Raises ModelError if the model is invalid before.
        """
        folder, manifest = self.load(name)
        others = {file: entry for file, entry in manifest.files.items() if file not in contents}
        self._write_manifest(manifest, others)
        written = {}
        for file, content in contents.items():
            if content is None:
                (folder / file).unlink(missing_ok=True)
            else:
                self._replace(f"{name}/{file}", content)
                written[file] = file_entry(folder / file)
        self._write_manifest(manifest, others | written)

    def _write_manifest(self, manifest: Manifest, files: Mapping[str, FileEntry]) -> None:
        listed = {file: files[file] for file in sorted(files)}
        changed = Manifest.model_validate(
            manifest.model_dump() | {"files": listed, "format": FORMAT_VERSION}
        )
        text = changed.model_dump_json(indent=2) + "\n"
        self._replace(f"{manifest.name}/{MANIFEST}", text.encode())

    def use(self, name: str) -> None:
        """Verifies a model and puts it in use. Raises ModelError, without any change."""
        self.load(name)
        history = self._current_history()
        if history[-1:] != [name]:
            self._point([*history, name])

    def rollback(self) -> str:
        """Puts the previous model in use, and returns its name; can be repeated.

        Deleted models are skipped. Raises ModelError if there is none, or if it cannot be used.
        """
        history = self._previous_history()
        if not history:
            raise ModelError(f"no model was used before {self.current()}; {self._list_names()}")
        self.load(history[-1])
        self._point(history)
        return history[-1]

    def previous(self) -> str | None:
        """The model that `rollback` would put in use, or None."""
        return next(reversed(self._previous_history()), None)

    def _previous_history(self) -> list[str]:
        """History up to the previous model that still exists."""
        current = self.current()
        history = self._current_history()
        existing = self.names()
        while history and (history[-1] == current or history[-1] not in existing):
            history.pop()
        return history

    def _current_history(self) -> list[str]:
        """History up to the model in use.

        The file is longer if a crash occurred before the pointer was written, and does not contain
        the model in use if the pointer was edited by hand.
        """
        try:
            history = self._read(HISTORY).split()
        except FileNotFoundError:
            history = []
        current = self.current()
        if current is None:
            return []
        while current in history and history[-1] != current:
            history.pop()
        return history if current in history else [*history, current]

    def _point(self, history: list[str]) -> None:
        self._replace(HISTORY, "".join(f"{name}\n" for name in history).encode())
        self._replace(POINTER, f"{history[-1]}\n".encode())

    def _read(self, name: str) -> str:
        path = self.root / name
        if path.exists() and not path.is_file():  # reading a FIFO would block
            raise OSError(errno.EINVAL, "not a regular file", str(path))
        return path.read_text("utf-8")

    def _replace(self, name: str, content: bytes) -> None:
        target = self.root / name
        temporary = target.with_name(f".{target.name}.{os.getpid()}")
        try:
            temporary.write_bytes(content)
            _sync(temporary)
            temporary.replace(target)
        finally:
            temporary.unlink(missing_ok=True)
        _sync(target.parent)

    def _created(self, name: str) -> datetime:
        try:
            return read_manifest(self.root / name).created
        except ModelError:
            return datetime.min.replace(tzinfo=UTC)

    def _list_names(self) -> str:
        names = self.names()
        return f"there are: {', '.join(names)}" if names else "there are no models yet"


def _has_manifest(folder: Path) -> bool:
    """False also where that cannot be read, such as a link to nowhere."""
    try:
        return (folder / MANIFEST).is_file()
    except OSError:
        return False


def _sync(path: Path) -> None:
    if os.name != "posix":
        return  # other systems cannot open folders, or sync files opened for reading
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
