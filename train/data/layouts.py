"""Recognizes the layout of training data: which file has which tags.

- `images/` and `tags.csv`: a table, see `train.data.tables`;
- one folder per class, or images only: see `train.data.folders`.
"""

from train.data.files import TAGS, Files
from train.data.folders import read_folders
from train.data.records import Layout
from train.data.tables import read_table


def recognize(files: Files) -> Layout:
    """Recognizes the layout, and reads the tags. Raises DataError."""
    if TAGS in files:
        return read_table(TAGS, files)
    return read_folders(files)
