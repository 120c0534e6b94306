"""Files of a folder or a zip file."""

import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath

from train.data.errors import DataError

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}
TAGS = "tags.csv"

Files = dict[str, Callable[[], bytes]]
"""Relative paths with forward slashes, each with a function that reads the file."""


@contextmanager
def open_files(path: Path) -> Iterator[Files]:
    """Opens a folder or a zip file. Raises DataError."""
    if not path.exists():
        raise DataError(f"there is no {path}; --data takes a folder or a zip of images")
    if path.is_dir():
        paths = ((p.relative_to(path).as_posix(), p) for p in sorted(path.rglob("*")))
        found = {name: p.read_bytes for name, p in paths if _is_data(name) and p.is_file()}
        yield _without_wrapper(found)
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
        yield _without_wrapper(
            {
                name: partial(archive.read, entries[name])
                for name in sorted(entries)
                if _is_data(name)
            }
        )


def _is_data(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not hidden and (path.name == TAGS or path.suffix.lower() in SUFFIXES)


def _without_wrapper(files: Files) -> Files:
    """Removes folders around all files, which zip files of a folder often have."""
    tags = [PurePosixPath(name) for name in files if PurePosixPath(name).name == TAGS]
    outer = f"{tags[0].parent}/" if len(tags) == 1 else ""
    if not all(name.startswith(outer) for name in files):
        return files
    return {name.removeprefix(outer): read for name, read in files.items()}
