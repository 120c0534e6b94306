"""Loads and checks a set of training data."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch

from export.manifest import MAX_ATTRIBUTES, MAX_CONDITION_DIM, Attribute
from train.data.agreement import disagreement_notes
from train.data.decoding import TOO_SMALL, decode
from train.data.errors import SHOWN, DataError, Problem, Unused
from train.data.faces import Faces
from train.data.files import SUFFIXES, is_image, name_of_data, open_files
from train.data.layouts import recognize
from train.data.records import MAX_NAME, Entry, Layout, word
from train.networks.base import SIZES


@dataclass(frozen=True)
class Inspection:
    """What a folder or a zip file contains: the records that are used, and the rest."""

    layout: str
    records: list[Entry]
    images: dict[str, np.ndarray]
    """Decoded images uint8 [S, S, 3] by file."""
    enlarged: set[str]
    problems: list[Problem] = field(default_factory=list)
    unused: list[Unused] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def skipped(self) -> list[Unused]:
        """Problems and unused files, each with its reason."""
        problems = [Unused(p.location, p.reason) for p in self.problems]
        return problems + self.unused

    def advice(self, size: int) -> str:
        """What to do if no image is used because all are smaller than `size`; else empty."""
        sides = [problem.side for problem in self.problems if problem.reason == TOO_SMALL]
        if self.records or not sides:
            return ""
        fitting = [known for known in SIZES if known <= max(sides)]
        if size not in SIZES:  # the upscaler, which has one size
            use = "larger images"
        elif fitting:
            use = f"--resolution {fitting[-1]}, --enlarge, or larger images"
        elif size > SIZES[0]:
            use = f"--resolution {SIZES[0]} --enlarge, or larger images"
        else:
            use = "--enlarge, or larger images"
        return (
            f"every image is smaller than {size}×{size} pixels (shorter sides of up to"
            f" {max(sides)}); use {use}"
        )

    @property
    def summary(self) -> str:
        text = f"layout: {self.layout}; {len(self.records):,} images used"
        counts = Counter(skipped.reason for skipped in self.skipped)
        if counts:
            reasons = ", ".join(
                f"{count:,} {reason}" for reason, count in counts.most_common(SHOWN)
            )
            text += f"; {counts.total():,} files or lines not used: {reasons}"
        return "\n".join([text, *self.notes])


def inspect(
    path: Path, size: int, *, enlarge: bool = False, attributes: str = "", tags: bool = True
) -> Inspection:
    """Reads all files of a folder, a zip file or a tar file. `attributes` are the names of those to
    use, separated by commas; by default all. Without `tags`, all images are used, and tables,
    captions and class folders are not read. Raises DataError if the layout is unknown.
    """
    chosen = [word(name) for name in attributes.split(",") if name.strip()]
    with open_files(path) as source:
        if tags:
            layout = recognize(source.files, chosen, [unused.file for unused in source.unused])
        else:
            images_only = [Entry(name, name, {}) for name in source.files if is_image(name)]
            layout = Layout("images only, without their tags", images_only)
        short, long = _without_long_names(layout.entries)
        images, enlarged, unreadable = decode(source.files, short, size, enlarge)
    entries, single = without_single_values([e for e in short if e.file in images])
    _check_counts(path, entries)
    problems = [*layout.problems, *long, *unreadable, *single]
    unused = [*source.unused, *layout.unused]
    notes = layout.notes + disagreement_notes(entries, images)
    return Inspection(layout.name, entries, images, enlarged, problems, unused, notes)


def load(
    path: Path,
    size: int,
    *,
    skip_bad: bool = False,
    enlarge: bool = False,
    attributes: str = "",
    tags: bool = True,
    device: str = "cpu",
) -> Faces:
    """Loads what `inspect` reads; images are cropped to a square and scaled to `size`.

    Bad entries, including images smaller than `size` (unless `enlarge` is set), are reported in one
    DataError. With `skip_bad` they are omitted with a warning; DataError is raised if no image is
    left.
    """
    found = inspect(path, size, enlarge=enlarge, attributes=attributes, tags=tags)
    entries, images, problems = found.records, found.images, found.problems
    if advice := found.advice(size):
        raise DataError(f"{path}: {advice}")
    if problems:
        listed = "\n".join(f"  {p.location}: {p.message}" for p in problems[:SHOWN])
        more = f"\n  … and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
        message = f"{path}: {len(problems)} bad entries:\n{listed}{more}"
        if not skip_bad:
            raise DataError(f"{message}\nCorrect them, or omit them with --skip-bad.")
        print(f"warning: omitted: {message}")
    if not entries:
        raise DataError(
            f"{path} holds no usable image ({', '.join(sorted(SUFFIXES))}); "
            "it should hold images/ and tags.csv, one folder per class, or only images"
        )
    faces = _faces(path, entries, images, device)
    enlarged = sum(entry.file in found.enlarged for entry in entries)
    return replace(faces, enlarged=enlarged, summary=found.summary)


def _faces(path: Path, entries: list[Entry], images: dict[str, np.ndarray], device: str) -> Faces:
    attributes, columns = [], []
    for name in entries[0].tags:
        counts = Counter(entry.tags[name] for entry in entries)
        values = sorted(counts)
        index = {value: number for number, value in enumerate(values)}
        shares = tuple(counts[value] / len(entries) for value in values)
        attributes.append(Attribute(name=name, values=tuple(values), frequencies=shares))
        columns.append([index[entry.tags[name]] for entry in entries])
    size = len(images[entries[0].file])
    pixels = np.empty((len(entries), 3, size, size), np.uint8)
    for row, entry in zip(pixels, entries, strict=True):
        row[:] = images[entry.file].transpose(2, 0, 1)
    labels = torch.tensor(columns, dtype=torch.int64).reshape(len(columns), len(entries)).T
    return Faces(
        name=name_of_data(path),
        images=torch.from_numpy(pixels).to(device),
        labels=labels.contiguous().to(device),
        attributes=tuple(attributes),
    )


def _without_long_names(entries: list[Entry]) -> tuple[list[Entry], list[Problem]]:
    """Omits images with a value or an attribute that has more than MAX_NAME characters."""
    kept: list[Entry] = []
    problems: list[Problem] = []
    for entry in entries:
        long = [text for pair in entry.tags.items() for text in pair if len(text) > MAX_NAME]
        if long:
            reason = f"has a value of over {MAX_NAME} characters"
            problems.append(Problem(entry.location, f"{long[0][:40]!r}… {reason}", reason))
        else:
            kept.append(entry)
    return kept, problems


def _check_counts(path: Path, entries: list[Entry]) -> None:
    """Raises DataError for more attributes or values than a model can have."""
    names = list(entries[0].tags) if entries else []
    if len(names) > MAX_ATTRIBUTES:
        raise DataError(
            f"{path} has {len(names)} attributes, more than {MAX_ATTRIBUTES}; choose some of them "
            f"with --attributes, such as --attributes {','.join(names[:2])}"
        )
    counts = {name: len({entry.tags[name] for entry in entries}) for name in names}
    if sum(counts.values()) > MAX_CONDITION_DIM:
        most = max(counts, key=lambda name: counts[name])
        raise DataError(
            f"the attributes of {path} have {sum(counts.values())} values, more than "
            f"{MAX_CONDITION_DIM}; {most} alone has {counts[most]}: choose others with --attributes"
        )


def without_single_values(entries: list[Entry]) -> tuple[list[Entry], list[Problem]]:
    """Omits images with a value that no other image has, since it cannot be learned.

    This may leave another image as the only one of its value, which is omitted in turn.
    """
    rows: dict[tuple[str, str], set[int]] = defaultdict(set)
    for number, entry in enumerate(entries):
        for pair in entry.tags.items():
            rows[pair].add(number)
    problems: list[Problem] = []
    omitted: set[int] = set()
    found = {number for having in rows.values() if len(having) == 1 for number in having}
    while found:
        for number in sorted(found):
            entry = entries[number]
            for attribute, value in sorted(entry.tags.items()):
                if len(rows[attribute, value]) == 1:
                    message = f"{attribute} {value!r} occurs only once; is it misspelled?"
                    reason = "with a value that occurs only once"
                    problems.append(Problem(entry.location, message, reason))
        omitted |= found
        changed = {pair for number in found for pair in entries[number].tags.items()}
        for pair in changed:
            rows[pair] -= found
        found = {number for pair in changed if len(rows[pair]) == 1 for number in rows[pair]}
    return [entry for number, entry in enumerate(entries) if number not in omitted], problems
