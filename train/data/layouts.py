"""Recognizes the layout of training data: which file has which tags.

- `images/` and `tags.csv`, `labels.csv` or `metadata.csv`: a table, see `train.data.tables`;
- one folder per class, or images only: see `train.data.folders`.
"""

from dataclasses import replace

from train.data.errors import Unused
from train.data.files import TAGS, Files, is_image, is_table
from train.data.folders import read_folders
from train.data.records import Layout
from train.data.tables import read_table


def recognize(files: Files) -> Layout:
    """Recognizes the layout, and reads the tags. Raises DataError."""
    tables = sorted(name for name in files if is_table(name))
    # Tables of subfolders are not read: they would name only a part of the images.
    found = [name for name in tables if "/" not in name]
    table = TAGS if TAGS in found else max(found, key=str.lower, default=None)
    images = {name: read for name, read in files.items() if is_image(name)}
    layout = read_table(table, files) if table else read_folders(images)
    unused = [
        Unused(name, "tables beside the one that is read") for name in tables if name != table
    ]
    return replace(layout, unused=layout.unused + unused)
