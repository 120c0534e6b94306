"""Layouts of training data: which file has which tags.

- `images/` and `tags.csv`: either the MLDS format (`17,aqua hair aqua eyes`, without a header), or
  a table with a header whose first column is the file (`file,hair,eyes,smile`);
- one folder per class, as in torchvision's ImageFolder: one attribute, `class`;
- images only: unconditional training.
"""

import csv
import io
from collections import Counter
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from train.data.errors import DataError, Problem, Unused
from train.data.files import TAGS, Files


@dataclass(frozen=True)
class Entry:
    """An image and its tags."""

    location: str
    """File or line, for messages."""
    file: str
    tags: dict[str, str]


@dataclass(frozen=True)
class Layout:
    """The recognized layout, with the files that it uses and those that it does not."""

    name: str
    entries: list[Entry]
    problems: list[Problem] = field(default_factory=list)
    unused: list[Unused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What the user should know about the interpretation of the files."""


def recognize(files: Files) -> Layout:
    """Recognizes the layout, and reads the tags. Raises DataError."""
    if TAGS in files:
        return _tagged(files)
    folders = {str(PurePosixPath(name).parent) for name in files}
    if len(folders) > 1 and "." not in folders:
        return Layout(
            "one folder per class",
            [
                Entry(name, name, {"class": _word(PurePosixPath(name).parent.name)})
                for name in files
            ],
        )
    return Layout("images only", [Entry(name, name, {}) for name in files])


def _tagged(files: Files) -> Layout:
    """Valid entries of `tags.csv`, and problems with the others."""
    try:
        text = files[TAGS]().decode("utf-8-sig", errors="replace")
    except Exception as error:  # zipfile has many errors for damaged or encrypted entries
        raise DataError(f"{TAGS} cannot be read: {error}") from None
    try:
        lines = csv.reader(io.StringIO(text, newline=None))
        rows = [(number, row) for number, row in enumerate(lines, 1) if any(row)]
    except csv.Error as error:
        raise DataError(f"{TAGS} is not a valid CSV file: {error}") from None
    images = _images_by_name(files)
    problems: list[Problem] = []
    parsed: list[tuple[int, str, dict[str, str]]] = []
    header = _header(rows, images)
    for number, row in rows[1:] if header else rows:
        try:
            tags = _table_tags(row, header) if header else _mlds_tags(row)
        except ValueError as error:
            problems.append(Problem(f"{TAGS} line {number}", str(error), "lines of another form"))
        else:
            parsed.append((number, row[0].strip(), tags))

    # Attributes are those of most lines, so that a misspelled one is an error in its line only.
    counts = Counter(name for _, _, tags in parsed for name in tags)
    names = [name for name, count in counts.items() if 2 * count > len(parsed)]
    entries: list[Entry] = []
    seen: dict[str, int] = {}
    for number, key, tags in parsed:
        location = f"{TAGS} line {number}"
        file = images.get(key)
        missing = [name for name in names if name not in tags]
        unknown = [name for name in tags if name not in names]
        if file is None:
            problems.append(
                Problem(location, f"there is no image {key!r}", "there is no such image")
            )
        elif file in seen:
            problems.append(
                Problem(
                    location,
                    f"image {key!r} already has tags in line {seen[file]}",
                    "an earlier line has tags of the same image",
                )
            )
        elif missing or unknown:
            message = "no " + ", ".join(missing) if missing else "unknown: " + ", ".join(unknown)
            problems.append(
                Problem(location, f"{message} (the other lines have: {', '.join(names)})")
            )
        else:
            seen[file] = number
            entries.append(Entry(location, file, {name: tags[name] for name in names}))
    named = seen.keys() | {images.get(key) for _, key, _ in parsed}
    unused = [
        Unused(file, f"no line of {TAGS} names it")
        for file in files
        if file not in named and PurePosixPath(file).name != TAGS
    ]
    kind = "a table with a header" if header else "value–attribute pairs"
    return Layout(f"{TAGS} ({kind})", entries, problems, unused)


def _images_by_name(files: Files) -> dict[str, str]:
    """The image for each name that a line may use: path, file name, or name without suffix."""
    names: dict[str, str] = {}
    for file in files:
        if PurePosixPath(file).name != TAGS:
            path = PurePosixPath(file)
            for key in (file, path.name, path.stem):
                names.setdefault(key, file)
    return names


def _header(rows: list[tuple[int, list[str]]], images: dict[str, str]) -> list[str]:
    """The attributes in the first line, or none if it is not a header."""
    first = [cell.strip() for cell in rows[0][1]] if rows else []
    if len(first) < 2 or first[0] in images or not all(first):
        return []
    if len(first) == 2 and len(first[1].split()) > 1:  # an MLDS line whose image is missing
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
    """A line for messages, shortened: an unclosed quote makes one line of the rest of the file."""
    text = ",".join(row)
    return repr(text if len(text) <= 60 else f"{text[:60]}…")


def _word(text: str) -> str:
    return "-".join(text.lower().split())
