"""Training images and their tags: read as they are found, from a folder or a zip.

Three layouts are understood
- `images/` beside a `tags.csv`: the MLDS format (`17,aqua hair aqua eyes`, no header), or a table
  with a header whose first column is the file (`file,hair,eyes,smile`);
- one folder a class, as torchvision's ImageFolder has it: one attribute, `class`;
- images alone: unconditional training.
"""

import csv
import hashlib
import io
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor
from torch.nn import functional as F

from export.manifest import Attribute

SUFFIXES = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif"}
TAGS = "tags.csv"
HELD_OUT = 2000
SHOWN = 5

Files = dict[str, Callable[[], bytes]]
"""What a folder or a zip holds: relative path with forward slashes to a reader of its bytes."""


class DataError(Exception):
    """Training data that cannot be used, with what to do about it."""


@dataclass(frozen=True)
class Faces:
    """Decoded images and their labels, on the training device."""

    name: str
    images: Tensor
    """uint8 [N, 3, S, S] RGB."""
    labels: Tensor
    """int64 [N, A]: the index of each attribute's value."""
    attributes: tuple[Attribute, ...]
    enlarged: int = 0
    """How many were smaller, and scaled up."""

    def __len__(self) -> int:
        return len(self.images)

    @property
    def sizes(self) -> tuple[int, ...]:
        """The number of values of each attribute."""
        return tuple(len(attribute.values) for attribute in self.attributes)

    @property
    def fingerprint(self) -> str:
        """Names the exact images, labels and values: 16 hex digits of their SHA-256."""
        digest = hashlib.sha256(repr([(a.name, a.values) for a in self.attributes]).encode())
        for tensor in (self.images, self.labels):
            digest.update(np.ascontiguousarray(tensor.cpu().numpy()).data)
        return digest.hexdigest()[:16]

    def without_attributes(self) -> "Faces":
        """The same images, untagged."""
        return replace(self, labels=self.labels[:, :0], attributes=())

    def split(self) -> tuple["Faces", "Faces"]:
        """Faces to learn from, and an eighth (2,000 at most) held out; always the same ones."""
        order = np.random.RandomState(0).permutation(len(self))
        held = min(HELD_OUT, len(self) // 8)
        return self._pick(order[held:]), self._pick(order[:held])

    def _pick(self, rows: np.ndarray) -> "Faces":
        index = torch.from_numpy(np.sort(rows)).to(self.images.device)
        return replace(self, images=self.images[index], labels=self.labels[index])


def one_hot(labels: Tensor, sizes: tuple[int, ...]) -> Tensor:
    """Labels [N, A] to conditions float32 [N, C], the attributes' blocks side by side."""
    if not sizes:
        return torch.zeros(len(labels), 0, device=labels.device)
    blocks = [F.one_hot(labels[:, i], size) for i, size in enumerate(sizes)]
    return torch.cat(blocks, dim=1).float()


@dataclass(frozen=True)
class _Entry:
    where: str
    file: str
    tags: dict[str, str]


@dataclass(frozen=True)
class _Problem:
    where: str
    what: str


def load(
    path: Path, size: int, *, skip_bad: bool = False, enlarge: bool = False, device: str = "cpu"
) -> Faces:
    """Reads, decodes and checks every image once; each is cropped to a square and scaled to `size`.

    Smaller ones are wrong, unless `enlarge` says that they may be scaled up. Everything that is
    wrong is listed in one DataError, or, with `skip_bad`, left out with a warning. Raises DataError
    too when nothing is left, or when `size` is larger than the images.
    """
    with _files(path) as files:
        entries, problems = _entries(path, files)
        images, enlarged, unreadable = _decode(files, entries, size, enlarge)
    problems += unreadable
    entries, lonely = _without_lonely([e for e in entries if e.file in images])
    problems += lonely
    small = sum(problem.what.startswith("too small") for problem in problems)
    if small and not entries:
        smaller = "train at a smaller size (--resolution 32) or " if size > 32 else ""
        raise DataError(
            f"{path}: every image is smaller than {size}×{size} pixels; {smaller}"
            "bring larger images"
        )
    if problems:
        listed = "\n".join(f"  {p.where}: {p.what}" for p in problems[:SHOWN])
        more = f"\n  … and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        message = f"{path}: {len(problems)} bad entries:\n{listed}{more}"
        if not skip_bad:
            raise DataError(f"{message}\nMend them, or leave them out with --skip-bad.")
        print(f"warning: left out: {message}")
    if not entries:
        raise DataError(
            f"{path} holds no usable image ({', '.join(sorted(SUFFIXES))}); "
            "it should hold images/ and tags.csv, one folder a class, or images alone"
        )
    faces = _faces(path, entries, images, device)
    return replace(faces, enlarged=sum(entry.file in enlarged for entry in entries))


def _faces(path: Path, entries: list[_Entry], images: dict[str, np.ndarray], device: str) -> Faces:
    attributes, columns = [], []
    for name in entries[0].tags:
        counts = Counter(entry.tags[name] for entry in entries)
        values = sorted(counts)
        shares = tuple(counts[value] / len(entries) for value in values)
        attributes.append(Attribute(name=name, values=tuple(values), frequencies=shares))
        columns.append([values.index(entry.tags[name]) for entry in entries])
    pixels = torch.from_numpy(np.stack([images[entry.file] for entry in entries]))
    labels = torch.tensor(columns, dtype=torch.int64).reshape(len(columns), len(entries)).T
    return Faces(
        name=path.stem,
        images=pixels.permute(0, 3, 1, 2).contiguous().to(device),
        labels=labels.contiguous().to(device),
        attributes=tuple(attributes),
    )


@contextmanager
def _files(path: Path) -> Iterator[Files]:
    if not path.exists():
        raise DataError(f"there is no {path}; --data takes a folder or a zip of images")
    if path.is_dir():
        inside = ((p.relative_to(path).as_posix(), p) for p in sorted(path.rglob("*")))
        found = {name: p.read_bytes for name, p in inside if _wanted(name) and p.is_file()}
        yield _without_wrapper(found)
        return
    try:
        archive = zipfile.ZipFile(path)
    except zipfile.BadZipFile:
        raise DataError(f"{path} is neither a folder nor a zip file") from None
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}") from None
    with archive:
        # Some write ./images/17.jpg into a zip, some images\17.jpg.
        plain = {
            str(PurePosixPath(info.filename.replace("\\", "/"))): info
            for info in archive.infolist()
            if not info.is_dir()
        }
        # Each reader opens the archive's own handle, which zipfile guards with a lock.
        yield _without_wrapper(
            {name: partial(archive.read, plain[name]) for name in sorted(plain) if _wanted(name)}
        )


def _wanted(name: str) -> bool:
    path = PurePosixPath(name)
    hidden = any(part.startswith((".", "__MACOSX")) for part in path.parts)
    return not hidden and (path.name == TAGS or path.suffix.lower() in SUFFIXES)


def _without_wrapper(files: Files) -> Files:
    """Drops outer folders that hold `tags.csv` and all else: zips of a folder often have one."""
    tags = [PurePosixPath(name) for name in files if PurePosixPath(name).name == TAGS]
    outer = f"{tags[0].parent}/" if len(tags) == 1 else ""
    if not all(name.startswith(outer) for name in files):
        return files
    return {name.removeprefix(outer): read for name, read in files.items()}


def _entries(path: Path, files: Files) -> tuple[list[_Entry], list[_Problem]]:
    if TAGS in files:
        return _tagged(files)
    folders = {str(PurePosixPath(name).parent) for name in files}
    if len(folders) > 1 and "." not in folders:
        return [
            _Entry(where=name, file=name, tags={"class": _word(PurePosixPath(name).parent.name)})
            for name in files
        ], []
    return [_Entry(where=name, file=name, tags={}) for name in files], []


def _tagged(files: Files) -> tuple[list[_Entry], list[_Problem]]:
    """Entries of `tags.csv` that parse, name a file, and have every attribute."""
    try:
        text = files[TAGS]().decode("utf-8-sig", errors="replace")
    except Exception as error:  # whatever zipfile raises for a damaged or locked entry
        raise DataError(f"{TAGS} cannot be read: {error}") from None
    try:
        lines = csv.reader(io.StringIO(text, newline=None))
        rows = [(number, row) for number, row in enumerate(lines, 1) if any(row)]
    except csv.Error as error:
        raise DataError(f"{TAGS} is no table of comma-separated values: {error}") from None
    images = _by_name(files)
    problems: list[_Problem] = []
    parsed: list[tuple[int, str, dict[str, str]]] = []
    header = _header(rows, images)
    for number, row in rows[1:] if header else rows:
        try:
            tags = _table_tags(row, header) if header else _mlds_tags(row)
        except ValueError as error:
            problems.append(_Problem(f"{TAGS} line {number}", str(error)))
        else:
            parsed.append((number, row[0].strip(), tags))

    # An attribute is what most lines have; else a single misspelt one would condemn all others.
    counts = Counter(name for _, _, tags in parsed for name in tags)
    names = [name for name, count in counts.items() if 2 * count > len(parsed)]
    entries: list[_Entry] = []
    seen: dict[str, int] = {}
    for number, key, tags in parsed:
        where = f"{TAGS} line {number}"
        file = images.get(key)
        missing = [name for name in names if name not in tags]
        unknown = [name for name in tags if name not in names]
        if file is None:
            problems.append(_Problem(where, f"there is no image {key!r}"))
        elif file in seen:
            problems.append(_Problem(where, f"image {key!r} has its tags in line {seen[file]}"))
        elif missing or unknown:
            odd = "no " + ", ".join(missing) if missing else "unknown: " + ", ".join(unknown)
            problems.append(_Problem(where, f"{odd} (the other lines have: {', '.join(names)})"))
        else:
            seen[file] = number
            entries.append(_Entry(where, file, {name: tags[name] for name in names}))
    return entries, problems


def _by_name(files: Files) -> dict[str, str]:
    """Every way that a line may call an image: path, file name, or name without its suffix."""
    names: dict[str, str] = {}
    for file in files:
        if PurePosixPath(file).name != TAGS:
            path = PurePosixPath(file)
            for key in (file, path.name, path.stem):
                names.setdefault(key, file)
    return names


def _header(rows: list[tuple[int, list[str]]], images: dict[str, str]) -> list[str]:
    """The attributes that the first line names, or none where it is no header."""
    first = [cell.strip() for cell in rows[0][1]] if rows else []
    if len(first) < 2 or first[0] in images or not all(first):
        return []
    if len(first) == 2 and len(first[1].split()) > 1:  # an MLDS line, of an image that is missing
        return []
    return [_word(cell) for cell in first[1:]]


def _table_tags(row: list[str], header: list[str]) -> dict[str, str]:
    cells = [_word(cell) for cell in row[1:]]
    if len(cells) != len(header) or not all(cells):
        raise ValueError(f"{_short(row)} should give one value each for {', '.join(header)}")
    return dict(zip(header, cells, strict=True))


def _mlds_tags(row: list[str]) -> dict[str, str]:
    words = row[1].lower().split() if len(row) == 2 else []
    tags = dict(zip(words[1::2], words[::2], strict=False))
    if not words or len(words) % 2 or len(tags) != len(words) // 2:
        raise ValueError(f"{_short(row)} should read like '17,aqua hair brown eyes'")
    return tags


def _short(row: list[str]) -> str:
    """A line as a message quotes it: one `"` that is never closed makes a line of all the rest."""
    text = ",".join(row)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def _word(text: str) -> str:
    return "-".join(text.lower().split())


def _decode(
    files: Files, entries: list[_Entry], size: int, enlarge: bool
) -> tuple[dict[str, np.ndarray], set[str], list[_Problem]]:
    """Images by file name, uint8 [S, S, 3]; which are enlarged; and what could not be read."""
    enlarged: set[str] = set()

    def one(entry: _Entry) -> np.ndarray | str:
        try:
            image = ImageOps.exif_transpose(Image.open(io.BytesIO(files[entry.file]())))
            if min(image.size) < size:
                enlarged.add(entry.file)
            if min(image.size) < size and not enlarge:
                width, height = image.size
                return f"too small: {width}×{height} pixels for a training size of {size}"
            return np.asarray(_square(image, size))
        except Exception as error:  # damaged bytes make decoders and zipfile raise anything
            return f"unreadable image {entry.file}: {error}"

    images: dict[str, np.ndarray] = {}
    problems: list[_Problem] = []
    with ThreadPoolExecutor() as pool:
        for entry, result in zip(entries, pool.map(one, entries), strict=True):
            if isinstance(result, str):
                problems.append(_Problem(entry.where, result))
            else:
                images[entry.file] = result
    return images, enlarged, problems


def _square(image: Image.Image, size: int) -> Image.Image:
    """The middle square, on white where it is transparent, scaled to `size`."""
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    image = image.convert("RGB")
    if image.size == (size, size):
        return image
    return ImageOps.fit(image, (size, size), Image.Resampling.LANCZOS)


def _without_lonely(entries: list[_Entry]) -> tuple[list[_Entry], list[_Problem]]:
    """Leaves out images with a value that no other image has: nothing can be learnt from one."""
    problems: list[_Problem] = []
    while True:
        counts = Counter(pair for entry in entries for pair in entry.tags.items())
        lonely = {pair for pair, count in counts.items() if count == 1}
        kept = [entry for entry in entries if not lonely & entry.tags.items()]
        if len(kept) == len(entries):
            return kept, problems
        for entry in entries:
            for attribute, value in sorted(lonely & entry.tags.items()):
                what = f"{attribute} {value!r} occurs only once; is it misspelt?"
                problems.append(_Problem(entry.where, what))
        entries = kept
