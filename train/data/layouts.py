"""Recognizes the layout of training data: which file has which tags.

- `tags.csv` or another table: see `train.data.tables`;
- a caption beside each image: see `train.data.captions`;
- one folder per class, or images only: see `train.data.folders`.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from train.data.captions import read_caption_files
from train.data.errors import SHOWN, DataError, Problem, Unused
from train.data.files import TABLE_NAMES, TAGS, Files, has_table_suffix, is_image, is_table
from train.data.folders import CLASS, SPLITS, read_folders
from train.data.records import Entry, Layout
from train.data.tables import names_images, read_table

DATA_SUFFIXES = {
    *(".csv", ".tsv", ".jsonl", ".json", ".parquet", ".arrow", ".tfrecord", ".npz", ".npy"),
    *(".h5", ".hdf5", ".mat", ".mdb", ".sqlite", ".xlsx", ".xls", ".ods", ".zip", ".rar"),
    *(".7z", ".tar", ".gz"),
}
"""Suffixes of files that may hold tags or images."""


def recognize(files: Files, attributes: Sequence[str] = (), unread: Sequence[str] = ()) -> Layout:
    """Recognizes the layout, and reads the tags: the given attributes; by default all of a table,
    hair and eyes of captions, or the class of folders. `unread` are further files, which are only
    named in notes. Raises DataError.
    """
    images = {name: read for name, read in files.items() if is_image(name)}
    tables = sorted(name for name in files if is_table(name) or has_table_suffix(name))
    read = _tables_to_read(files)
    if len(read) > 1:
        tags: Layout | None = _read_splits(read, files, attributes)
    elif read:
        tags = read_table(read[0], files, attributes)
    else:
        tags = read_caption_files(files, attributes)
    if tags is None:
        layout = read_folders(images, attributes)
        layout.notes.extend(_unread_notes([*tables, *unread]))
    else:
        source = " and ".join(read) or "the captions"
        layout = replace(tags, notes=tags.notes + _folder_notes(images, source))
    has = layout.entries[0].tags if layout.entries else dict.fromkeys(attributes)
    if set(attributes) - has.keys():
        available = ", ".join(has) or "none"
        raise DataError(f"{layout.name}: no {', '.join(attributes)}; attributes: {available}")
    reason = "tables beside the one that is read" if read else "tables that are not read"
    unused = [Unused(name, reason) for name in tables if name not in read]
    return replace(layout, unused=layout.unused + unused)


def _tables_to_read(files: Files) -> list[str]:
    """The table of tags; several if each is that of a split, such as train/metadata.csv."""
    known = sorted(filter(is_table, files))
    beside = [name for name in known if "/" not in name]
    if beside:
        return [TAGS if TAGS in beside else max(beside, key=str.lower)]
    folders = {str(PurePosixPath(name).parent) for name in known}
    if known and folders <= SPLITS and len(folders) == len(known):
        return known
    # Other tables of folders with images are not read: they would name only a part of them.
    full = {str(PurePosixPath(name).parts[0]) for name in files if is_image(name)}
    alone = [name for name in known if PurePosixPath(name).parts[0] not in full]
    if len(alone) == 1:  # such as Anno/list_attr_celeba.txt
        return alone
    others = [name for name in files if has_table_suffix(name) and "/" not in name]
    found = [name for name in others if names_images(name, files)]
    return found if len(found) == 1 else []


def _read_splits(tables: Sequence[str], files: Files, attributes: Sequence[str]) -> Layout:
    """One layout of the tables of several folders, each of which names images of its folder."""
    entries: list[Entry] = []
    problems: list[Problem] = []
    unused: list[Unused] = []
    notes: list[str] = []
    for table in tables:
        folder = table.rpartition("/")[0] + "/"
        inner = {n.removeprefix(folder): read for n, read in files.items() if n.startswith(folder)}
        part = read_table(table.removeprefix(folder), inner, attributes)
        for entry in part.entries:
            location, file = folder + entry.location, folder + entry.file
            entries.append(replace(entry, location=location, file=file))
        problems += [replace(p, location=folder + p.location) for p in part.problems]
        unused += [replace(u, file=folder + u.file) for u in part.unused]
        notes += [note for note in part.notes if note not in notes]
    folders = tuple(table.rpartition("/")[0] + "/" for table in tables)
    outside = [name for name in files if is_image(name) and not name.startswith(folders)]
    unused += [Unused(name, f"no line of {' or '.join(tables)} names it") for name in outside]
    if len({tuple(entry.tags) for entry in entries}) > 1:
        raise DataError(f"{' and '.join(tables)} have different columns: give them the same ones")
    return Layout(f"{' and '.join(tables)}, read as one", entries, problems, unused, notes)


def _unread_notes(names: Sequence[str]) -> list[str]:
    """Tells that files which may hold tags or images are not read."""
    found = [name for name in names if PurePosixPath(name).suffix.lower() in DATA_SUFFIXES]
    found += [
        name
        for name in names
        if name not in found and PurePosixPath(name).stem.lower() in TABLE_NAMES
    ]
    if not found:
        return []
    listed = ", ".join(found[:SHOWN]) + (", …" if len(found) > SHOWN else "")
    return [
        f"note: not read, though there may be tags or images in it: {listed}; tags are read from "
        "tags.csv, metadata.jsonl or captions beside the images"
    ]


def _folder_notes(images: Files, source: str) -> list[str]:
    """Tells that folders, which may be meant as classes, are not read, since `source` has tags."""
    found = read_folders(images)
    names = sorted({entry.tags[CLASS] for entry in found.entries if CLASS in entry.tags})
    if not names:
        return []
    listed = ", ".join(names[:SHOWN]) + (", …" if len(names) > SHOWN else "")
    return [
        f"note: the attributes are those of {source}; the folders ({listed}) are not read as "
        f"classes, which needs a copy without {source}"
    ]
