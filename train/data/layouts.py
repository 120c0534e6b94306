"""Recognizes the layout of training data: which file has which tags.

- `tags.csv` or another table: see `train.data.tables`;
- a caption beside each image: see `train.data.captions`;
- one folder per class, or images only: see `train.data.folders`.
"""

from collections.abc import Sequence
from dataclasses import replace

from train.data.captions import read_caption_files
from train.data.errors import SHOWN, DataError, Unused
from train.data.files import TAGS, Files, is_image, is_table
from train.data.folders import CLASS, read_folders
from train.data.records import Layout
from train.data.tables import read_table


def recognize(files: Files, attributes: Sequence[str] = ()) -> Layout:
    """Recognizes the layout, and reads the tags: the given attributes; by default all of a table,
    hair and eyes of captions, or the class of folders. Raises DataError.
    """
    tables = sorted(name for name in files if is_table(name))
    # Tables of subfolders are not read: they would name only a part of the images.
    found = [name for name in tables if "/" not in name]
    table = TAGS if TAGS in found else max(found, key=str.lower, default=None)
    images = {name: read for name, read in files.items() if is_image(name)}
    tags = read_table(table, files, attributes) if table else read_caption_files(files, attributes)
    if tags is None:
        layout = read_folders(images, attributes)
    else:
        layout = replace(tags, notes=tags.notes + _folder_notes(images, table or "the captions"))
    has = layout.entries[0].tags if layout.entries else dict.fromkeys(attributes)
    if set(attributes) - has.keys():
        available = ", ".join(has) or "none"
        raise DataError(f"{layout.name}: no {', '.join(attributes)}; attributes: {available}")
    unused = [
        Unused(name, "tables beside the one that is read") for name in tables if name != table
    ]
    return replace(layout, unused=layout.unused + unused)


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
