"""Images without a table: one folder per class, as in torchvision's ImageFolder, or images only."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from train.data.errors import Unused
from train.data.files import Files
from train.data.records import Entry, Layout, word

CLASS, SUBCLASS = "class", "subclass"
"""Attributes of the first and of the second level of folders."""
SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}
"""Folders of a split into sets, which are no classes."""


def read_folders(files: Files, attributes: Sequence[str] = ()) -> Layout:
    """The first level of folders is the class, as in ImageFolder. The second one is the attribute
    SUBCLASS, if it is among the given attributes.
    """
    parents = {name: PurePosixPath(name).parent.parts for name in files}
    outer = 0  # number of folders around all images
    while all(len(parts) > outer for parts in parents.values()) and (
        len({parts[outer] for parts in parents.values()}) == 1
    ):
        outer += 1
    levels = {name: parts[outer:] for name, parts in parents.items()}
    notes = []
    if (first := {parts[0] for parts in levels.values() if parts}) and first <= SPLITS:
        levels = {name: parts[1:] for name, parts in levels.items()}
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
    unused = [Unused(name, "beside the class folders") for name in beside]
    tags = {
        name: dict(zip((CLASS, SUBCLASS), map(word, parts), strict=False))
        for name, parts in levels.items()
        if parts
    }
    is_nested = any(SUBCLASS in found for found in tags.values())
    if SUBCLASS in attributes and is_nested:
        notes.append(f"note: the first level of folders is {CLASS}, the second one {SUBCLASS}")
        unused += [Unused(n, "without a second folder") for n in tags if SUBCLASS not in tags[n]]
        tags = {name: found for name, found in tags.items() if SUBCLASS in found}
        kept = [name for name in (CLASS, SUBCLASS) if name in attributes]
    else:
        kept = [CLASS]
        if is_nested:
            notes.append(
                "note: the first level of folders is the class, and deeper levels are ignored; "
                f"--attributes {CLASS},{SUBCLASS} makes an attribute of the second level, too"
            )
    entries = [Entry(n, n, {name: found[name] for name in kept}) for n, found in tags.items()]
    return Layout("one folder per class", entries, unused=unused, notes=notes)
