"""Files of a folder, a zip file or a tar file."""

import contextlib
import lzma
import os
import re
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath

from train.data.errors import DataError, Unused
from train.data.text import SPREADSHEETS, guess_encoding, spreadsheet_message

HEIC_SUFFIXES = {".heic", ".heif"}
SUFFIXES = HEIC_SUFFIXES | {
    *(".jpg", ".jpeg", ".jfif", ".png", ".webp", ".avif", ".bmp", ".gif", ".tif", ".tiff"),
}
MAX_BYTES = 512 * 2**20
"""Upper limit of a file's size, since files are read into memory."""
TAGS = "tags.csv"
TABLE_NAMES = {"tags", "labels", "metadata", "list_attr_celeba"}
"""Names of tables, without suffix."""
ARCHIVE_SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz")
TABLE_SUFFIXES = {".csv", ".tsv", ".jsonl"}
CELEBA = "list_attr_celeba.txt"
CAPTION_SUFFIXES = {".txt", ".caption", ".tags"}

ROOT = re.compile(r"^(?:[A-Za-z]:)?/+")
"""The beginning of absolute paths, in Windows with a drive letter."""

Files = dict[str, Callable[[], bytes]]
"""Relative paths with forward slashes, each with a function that reads the file."""


@dataclass(frozen=True)
class Source:
    """An opened folder, zip file or tar file."""

    files: Files
    unused: list[Unused] = field(default_factory=list)


@contextlib.contextmanager
def open_files(path: Path) -> Iterator[Source]:
    """Opens a folder, a zip file or a tar file. Raises DataError."""
    if not path.exists():
        raise DataError(f"there is no {path}; --data takes a folder or a zip of images")
    if path.is_dir():
        yield _folder(path)
        return
    if tarfile.is_tarfile(path):
        with tempfile.TemporaryDirectory() as folder:
            _unpack(path, folder)
            yield _folder(Path(folder))
        return
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise DataError(f"{path} is neither a folder nor a zip or tar file") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    with archive:
        entries = {
            _relative(name): info
            for name, info in _decoded(archive.infolist())
            if not info.is_dir()
        }
        # Reading is thread-safe: zipfile locks the shared file handle.
        yield _source({name: partial(_read, archive, entries[name]) for name in sorted(entries)})


def name_of_data(path: Path) -> str:
    """The name of a folder, or of an archive without its suffix, for runs and models."""
    name = Path(os.path.abspath(path)).name  # of "." and "..", too
    suffix = next((s for s in ARCHIVE_SUFFIXES if name.lower().endswith(s)), "")
    return name[: len(name) - len(suffix)]


def _folder(path: Path) -> Source:
    paths = ((p.relative_to(path).as_posix(), p) for p in sorted(_walk(path)))
    return _source({name: partial(_read_file, p) for name, p in paths if p.is_file()})


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Reads an entry; zipfile reads no more bytes than its declared size. Raises ValueError."""
    _check_size(info.file_size)
    return archive.read(info)


def _read_file(path: Path) -> bytes:
    """Raises ValueError, OSError."""
    _check_size(path.stat().st_size)
    return path.read_bytes()


def _check_size(size: int) -> None:
    if size > MAX_BYTES:
        raise ValueError(f"too large: {size / 2**20:,.0f} MiB, more than {MAX_BYTES // 2**20:,}")


def _unpack(path: Path, folder: str) -> None:
    """Unpacks a tar file, which cannot be read in any order if it is compressed."""
    try:
        with tarfile.open(path) as archive:
            size, free = sum(m.size for m in archive.getmembers()), shutil.disk_usage(folder).free
            if size > free:
                raise DataError(
                    f"{path} needs {size / 1e9:.1f} GB of temporary space, and {folder} has "
                    f"{free / 1e9:.1f} GB"
                )
            archive.extractall(folder, filter="data")
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise DataError(f"{path} cannot be read: {error}") from None


def _source(files: Files) -> Source:
    shown = {name: read for name, read in files.items() if not _is_hidden(name)}
    images = [name for name in shown if is_image(name)]
    captioned = {*images, *(str(PurePosixPath(name).with_suffix("")) for name in images)}
    data = {name: read for name, read in shown.items() if _is_data(name, captioned)}
    unused = [
        Unused(name, f"{PurePosixPath(name).suffix.lower() or 'no suffix'}: not an image type")
        for name in shown
        if name not in data
    ]
    sheets = [
        name
        for name in map(PurePosixPath, shown)
        if name.stem.lower() in TABLE_NAMES and name.suffix.lower() in SPREADSHEETS
    ]
    if sheets and not any(is_table(name) for name in data):
        raise DataError(spreadsheet_message(sheets[0].name))
    return Source(_without_wrapper(data), unused)


def _walk(folder: Path) -> Iterator[Path]:
    """All files, also those of linked folders. A folder is read once, however many links lead to
    it."""
    seen: set[str] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders.sort()
        real = os.path.realpath(parent)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        yield from (Path(parent, name) for name in names)


def _relative(name: str) -> str:
    """The path of a zip entry, which may be ./images/17.jpg, images\\17.jpg, /images/17.jpg or
    C:\\images\\17.jpg. Commands write files of this name to a folder: nothing may be outside of it.
    Paths with .. are hidden files, which are not read.
    """
    return str(PurePosixPath(ROOT.sub("", name.replace("\\", "/"))))


def _decoded(infos: list[zipfile.ZipInfo]) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Entries with their names; zipfile reads names without the UTF-8 flag as cp437."""
    raw = {}
    for info in infos:
        # From Python 3.12 on, names may also be those of Unicode Path fields.
        is_right = info.flag_bits & 0x800 or info.filename != info.orig_filename
        if not is_right and not info.filename.isascii():
            with contextlib.suppress(UnicodeEncodeError):
                raw[info.filename] = info.filename.encode("cp437")
    joined = b"\n".join(raw.values())
    encoding = guess_encoding(joined) if raw else "utf-8"
    for info in infos:
        name = info.filename
        if name in raw:
            try:
                name = raw[name].decode(encoding)
            except UnicodeDecodeError:  # none of the known encodings
                name = info.filename
        yield name, info


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(name).parts)


def _is_data(name: str, captioned: set[str]) -> bool:
    """`captioned` are the paths of all images, with and without suffix."""
    path = PurePosixPath(name)
    is_caption = path.suffix.lower() in CAPTION_SUFFIXES and str(path.with_suffix("")) in captioned
    return is_table(name) or is_image(name) or is_caption or has_table_suffix(name)


def is_table(name: str) -> bool:
    """Whether a file has the name of a table of tags."""
    path = PurePosixPath(name)
    known = has_table_suffix(name) and path.stem.lower() in TABLE_NAMES
    return known or path.name.lower() == CELEBA


def has_table_suffix(name: str) -> bool:
    """Whether a file may be a table of tags with another name."""
    return PurePosixPath(name).suffix.lower() in TABLE_SUFFIXES


def is_image(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def _without_wrapper(files: Files) -> Files:
    """Removes folders around all files, which zip files of a folder often have."""
    names = list(filter(is_table, files)) or list(filter(has_table_suffix, files))
    tables = [PurePosixPath(name) for name in names]
    tags = [path for path in tables if path.name == TAGS] or tables
    outer = f"{tags[0].parent}/" if len(tags) == 1 else ""
    if not all(name.startswith(outer) for name in files):
        return files
    return {name.removeprefix(outer): read for name, read in files.items()}
