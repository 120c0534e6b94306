"""Images without a table: one folder per class, as in torchvision's ImageFolder, or images only."""

from pathlib import PurePosixPath

from train.data.errors import Unused
from train.data.files import Files
from train.data.records import Entry, Layout, word

SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}
"""Folders of a split into sets, which are no classes."""


def read_folders(files: Files) -> Layout:
    """The first level of folders is the class, as in ImageFolder."""
    parents = {name: PurePosixPath(name).parent.parts for name in files}
    outer = 0  # number of folders around all images
    while all(len(parts) > outer for parts in parents.values()) and (
        len({parts[outer] for parts in parents.values()}) == 1
    ):
        outer += 1
    levels = {name: parts[outer:] for name, parts in parents.items()}
    notes = []
    if {parts[0] for parts in levels.values() if parts} <= SPLITS:
        levels = {name: parts[1:] or parts for name, parts in levels.items()}
        first = {parts[0] for parts in levels.values() if parts}
        if first and not first & SPLITS:
            notes.append("note: the sets train, validation and test are read as one")
    beside = [name for name, parts in levels.items() if not parts]
    classes = {parts[0] for parts in levels.values() if parts}
    if len(classes) < 2 or len(beside) > max(1, len(files) // 10):
        if len(classes) > 1:
            notes.append(
                f"note: {len(beside):,} images lie beside the folders, so that the folders are not "
                "read as classes"
            )
        return Layout("images only", [Entry(name, name, {}) for name in files], notes=notes)
    if any(len(parts) > 1 for parts in levels.values()):
        notes.append("note: the first level of folders is the class; deeper levels are ignored")
    return Layout(
        "one folder per class",
        [Entry(n, n, {"class": word(parts[0])}) for n, parts in levels.items() if parts],
        unused=[Unused(name, "beside the class folders") for name in beside],
        notes=notes,
    )
