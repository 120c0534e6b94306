"""Files of a folder or a zip file."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from train.data.errors import DataError, Unused

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}
TAGS = "tags.csv"

Files = dict[str, Callable[[], bytes]]
"""Relative paths with forward slashes, each with a function that reads the file."""


@dataclass(frozen=True)
class Source:
    """An opened folder or zip file."""

    files: Files
    unused: list[Unused] = field(default_factory=list)


@contextmanager
def open_files(path: Path) -> Iterator[Source]:
    """Opens a folder or a zip file. Raises DataError."""
    if not path.exists():
        raise DataError(f"there is no {path}; --data takes a folder or a zip of images")
    if path.is_dir():
        paths = ((p.relative_to(path).as_posix(), p) for p in sorted(path.rglob("*")))
        yield _source({name: p.read_bytes for name, p in paths if p.is_file()})
        return
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise DataError(f"{path} is neither a folder nor a zip file") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    with archive:
        # Names in zip files may be ./images/17.jpg or images\17.jpg.
        entries = {
            str(PurePosixPath(info.filename.replace("\\", "/"))): info
            for info in archive.infolist()
            if not info.is_dir()
        }
        # Reading is thread-safe: zipfile locks the shared file handle.
        yield _source({name: partial(archive.read, entries[name]) for name in sorted(entries)})


def _source(files: Files) -> Source:
    shown = {name: read for name, read in files.items() if not _is_hidden(name)}
    data = {name: read for name, read in shown.items() if _is_data(name)}
    unused = [
        Unused(name, f"{PurePosixPath(name).suffix.lower() or 'no suffix'}: not an image type")
        for name in shown
        if name not in data
    ]
    return Source(_without_wrapper(data), unused)


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _is_data(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name == TAGS or path.suffix.lower() in SUFFIXES


def _without_wrapper(files: Files) -> Files:
    """Removes folders around all files, which zip files of a folder often have."""
    tags = [PurePosixPath(name) for name in files if PurePosixPath(name).name == TAGS]
    outer = f"{tags[0].parent}/" if len(tags) == 1 else ""
    if not all(name.startswith(outer) for name in files):
        return files
    return {name.removeprefix(outer): read for name, read in files.items()}
