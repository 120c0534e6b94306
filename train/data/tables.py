"""Tables that name images and their tags.

A table is either in the MLDS format (`17,aqua hair aqua eyes`, without a header), or has a header
(`file,hair,eyes,smile`) and a column with the file, usually the first one. Hugging Face's
`metadata.jsonl` and CelebA's `list_attr_celeba.txt` are read as tables with a header.
"""

import csv
import io
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from train.data.captions import read_captions
from train.data.errors import DataError, Problem, Unused
from train.data.files import CELEBA, Files, is_image
from train.data.names import AmbiguousNameError, ImageNames
from train.data.records import Entry, Layout, word
from train.data.text import read_encoded, read_text

FILE_COLUMNS = {"file", "filename", "file-name", "file_name", "image", "path", "image-path"}
CAPTION_COLUMNS = {"text", "caption", "tags", "tag_string", "prompt"}
INDEX_COLUMNS = {"", "id", "index", "idx", "unnamed:-0"}
SIGNS = {"-1": "no", "-1.0": "no", "1": "yes", "1.0": "yes"}
SEVERAL = re.compile(r",|\w-*[;|]-*\w")
"""A cell with several values."""
SAMPLE = 200
"""Number of lines by which the columns are recognized."""
Rows = list[tuple[int, list[str]]]
"""Line numbers and cells."""


@dataclass(frozen=True)
class Header:
    columns: list[str]
    file: int
    """Index of the column that names the image."""
    ignored: frozenset[int]
    """Index columns, which are no attributes."""

    @property
    def attributes(self) -> list[str]:
        return [c for i, c in enumerate(self.columns) if i != self.file and i not in self.ignored]

    def choose(self, table: str, attributes: Sequence[str]) -> "Header":
        """Ignores all attributes but the given ones. Raises DataError for unknown ones."""
        unknown = [name for name in attributes if name not in self.attributes]
        if unknown:
            raise DataError(
                f"{table} has no column {unknown[0]!r}; columns: {', '.join(self.attributes)}"
            )
        others = {i for i, c in enumerate(self.columns) if i != self.file and c not in attributes}
        return replace(self, ignored=self.ignored | others)

    def tags(self, row: list[str]) -> dict[str, str]:
        """The tags of a row. Raises ValueError."""
        if len(row) == len(self.columns):
            kept = [c for i, c in enumerate(row) if i != self.file and i not in self.ignored]
        else:
            kept = []
        cells = [word(cell) for cell in kept]
        if len(cells) != len(self.attributes) or not all(cells):
            names = ", ".join(self.attributes)
            raise ValueError(f"{_short(row)} should give one value each for {names}")
        for name, cell in zip(self.attributes, cells, strict=True):
            if SEVERAL.search(cell):
                raise ValueError(
                    f"{name} {_short([cell])} has several values: a cell holds one, such as 'red'; "
                    f"--attributes chooses other columns{_caption_hint(name)}"
                )
        return dict(zip(self.attributes, cells, strict=True))


def read_table(table: str, files: Files, attributes: Sequence[str] = ()) -> Layout:
    """Valid entries of a table, and problems with the others; of all attributes or of the given
    ones. Raises DataError.
    """
    text, encoding = read_encoded(table, files[table])
    rows = _rows(table, text)
    images = ImageNames(files)
    problems: list[Problem] = []
    parsed: list[tuple[int, str, dict[str, str]]] = []
    header = _header(table, rows, images)
    if header and (captions := _caption_column(header, attributes)) is not None:
        try:
            return _captions(table, rows[1:], header, captions, images, attributes)
        except DataError as error:
            columns = ", ".join(header.attributes)
            raise DataError(f"{error}; columns of {table}: {columns}") from None
    if header and attributes:
        header = header.choose(table, attributes)
    column = header.file if header else 0
    for number, row in rows[1:] if header else rows:
        try:
            tags = header.tags(row) if header else _mlds_tags(row)
        except ValueError as error:
            problems.append(Problem(f"{table} line {number}", str(error), "lines of another form"))
        else:
            parsed.append((number, row[column].strip(), tags))

    _name_signs(parsed)
    # Attributes are those of most lines, so that a misspelled one is an error in its line only.
    counts = Counter(name for _, _, tags in parsed for name in tags)
    names = [name for name, count in counts.items() if 2 * count > len(parsed)]
    if attributes:
        names = [name for name in names if name in attributes]
        parsed = [
            (number, key, {name: tags[name] for name in tags if name in attributes})
            for number, key, tags in parsed
        ]
    entries: list[Entry] = []
    seen: dict[str, int] = {}
    named: set[str | None] = set()
    for number, key, tags in parsed:
        location = f"{table} line {number}"
        try:
            file = images.find(key)
        except AmbiguousNameError as error:
            problems.append(Problem(location, str(error), "the name of several images"))
            continue
        named.add(file)
        missing = [name for name in names if name not in tags]
        unknown = [name for name in tags if name not in names]
        if file is None:
            message = f"there is no image {_short([key])}"
            problems.append(Problem(location, message, "there is no such image"))
        elif file in seen:
            message = f"image {key!r} already has tags in line {seen[file]}"
            reason = "an earlier line has tags of the same image"
            problems.append(Problem(location, message, reason))
        elif missing or unknown:
            message = f"no {', '.join(missing)}" if missing else f"unknown: {_short(unknown)}"
            problems.append(
                Problem(
                    location,
                    f"{message} (the other lines have: {', '.join(names)})",
                    "lines with other attributes",
                )
            )
        else:
            seen[file] = number
            entries.append(Entry(location, file, {name: tags[name] for name in names}))
    unused = [
        Unused(file, f"no line of {table} names it")
        for file in files
        if is_image(file) and file not in named
    ]
    kind = "a table with a header" if header else "value–attribute pairs"
    notes = [
        f"note: {name} has only one value: it cannot be chosen"
        for name in names
        if len({entry.tags[name] for entry in entries}) == 1
    ]
    if not encoding.startswith("utf"):
        notes.append(f"note: {table} is not encoded in UTF-8; it is read as {encoding}")
    return Layout(f"{table} ({kind})", entries, problems, unused, notes)


def names_images(table: str, files: Files) -> bool:
    """Whether most lines have the name of an image file, as those of a table of tags."""
    try:
        rows = _rows(table, read_text(table, files[table]))[:SAMPLE]
    except DataError:
        return False
    images = ImageNames(files)
    named = sum(any(is_image(c) and c.strip() in images for c in row) for _, row in rows)
    return 2 * named > len(rows)


def _caption_column(header: Header, attributes: Sequence[str]) -> int | None:
    """The index of a column with captions, if it is the only one, or if the given attributes are
    not the names of columns.
    """
    names = set(header.attributes)
    if len(names) > 1 and (not attributes or names & set(attributes)):
        return None
    found = (i for i, c in enumerate(header.columns) if c in names & CAPTION_COLUMNS)
    return next(found, None)


def _caption_hint(column: str) -> str:
    if column not in CAPTION_COLUMNS:
        return ""
    return f", or attributes in the captions of {column}, such as --attributes hair,eyes"


def _captions(
    table: str,
    rows: Rows,
    header: Header,
    column: int,
    images: ImageNames,
    attributes: Sequence[str],
) -> Layout:
    """A table with captions in a column."""
    captions: dict[str, str] = {}
    unused: list[Unused] = []
    for number, row in rows:
        try:
            named = len(row) == len(header.columns)
            file = images.find(row[header.file].strip()) if named else None
        except AmbiguousNameError:
            unused.append(Unused(f"{table} line {number}", "the name of several images"))
            continue
        if file is None:
            unused.append(Unused(f"{table} line {number}", "there is no such image"))
        else:
            captions[file] = row[column]
    layout = read_captions(f"{table} (captions)", captions, attributes)
    return replace(layout, unused=layout.unused + unused)


def _name_signs(parsed: list[tuple[int, str, dict[str, str]]]) -> None:
    """Replaces -1 and 1 by no and yes in attributes without other values, as of CelebA, if one of
    them has both.
    """
    values: dict[str, set[str]] = {}
    for _, _, tags in parsed:
        for name, value in tags.items():
            values.setdefault(name, set()).add(value)
    signed = {name for name, found in values.items() if found <= SIGNS.keys()}
    if not any(len({SIGNS[value] for value in values[name]}) == 2 for name in signed):
        return
    for _, _, tags in parsed:
        for name in signed & tags.keys():
            tags[name] = SIGNS[tags[name]]


def _rows(table: str, text: str) -> Rows:
    if table.lower().endswith(".jsonl"):
        return _json_rows(table, text)
    if table.lower().endswith(CELEBA):
        return _celeba_rows(table, text)
    first = text.lstrip().partition("\n")[0]
    # Spreadsheets of some languages write semicolons, since their decimals have commas.
    delimiter = next((mark for mark in ",\t;|" if mark in first), ",")
    try:
        lines = csv.reader(io.StringIO(text, newline=None), delimiter=delimiter)
        return [(number, row) for number, row in enumerate(lines, 1) if any(row)]
    except csv.Error as error:
        raise DataError(f"{table} is not a valid CSV file: {error}") from None


def _json_rows(table: str, text: str) -> Rows:
    """One JSON object per line; its keys are the columns. Raises DataError."""
    objects: list[tuple[int, dict[str, object]]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            value = json.loads(line)
        except ValueError as error:
            raise DataError(f"{table} line {number} is not valid JSON: {error}") from None
        if not isinstance(value, dict):
            raise DataError(f"{table} line {number} is not a JSON object")
        objects.append((number, value))
    columns = list(dict.fromkeys(key for _, value in objects for key in value))
    cells = [(number, [_cell(value.get(c)) for c in columns]) for number, value in objects]
    return [(0, columns), *cells]


def _cell(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)


def _celeba_rows(table: str, text: str) -> Rows:
    """The number of images, the names of the attributes, and for each image a 1 or -1 of each."""
    lines = [(number, line.split()) for number, line in enumerate(text.splitlines(), 1)]
    lines = [(number, words) for number, words in lines if words]
    if len(lines) < 2:
        raise DataError(f"{table} should have the number of images, names, and a line per image")
    (number, names), rows = lines[1], lines[2:]
    return [(number, ["image", *(name.replace("_", " ") for name in names)]), *rows]


def _header(table: str, rows: Rows, images: ImageNames) -> Header | None:
    """The columns in the first line; None if it is not a header. Raises DataError."""
    first = [cell.strip() for cell in rows[0][1]] if rows else []
    if len(first) < 2 or not all(first[1:]) or (not first[0] and len(first) < 3):
        return None
    if any(cell and cell in images for cell in first[: 2 if not first[0] else 1]):
        return None
    if len(first) == 2 and len(first[1].split()) > 1:  # an MLDS line whose image is missing
        return None
    columns = [word(cell) for cell in first]
    file = _file_column(columns, rows[1:], images)
    if not first[0] and file == 0:
        return None
    ignored = frozenset(i for i in range(file) if columns[i] in INDEX_COLUMNS)
    header = Header(columns, file, ignored)
    twice = [name for name, count in Counter(header.attributes).items() if count > 1]
    if twice:
        raise DataError(f"the header of {table} has the column {twice[0]!r} more than once")
    return header


def _file_column(columns: list[str], rows: Rows, images: ImageNames) -> int:
    """The first column, unless a later one is called as a file or names more images."""
    counts = [
        sum(i < len(row) and row[i].strip() in images for _, row in rows[:SAMPLE])
        for i in range(len(columns))
    ]
    enough = min(len(rows), SAMPLE) / 2
    if columns[0] in INDEX_COLUMNS:
        for i, column in enumerate(columns):
            if column in FILE_COLUMNS and counts[i] >= enough:
                return i
        if not columns[0]:
            counts[0] = 0  # the row numbers of a data frame may be names of images too
    if counts[0] and counts[0] >= enough:
        return 0
    return max(range(len(columns)), key=lambda i: (counts[i], -i))


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
