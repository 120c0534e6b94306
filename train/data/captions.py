"""Captions: tags as of booru sites, `1girl, pink_hair, red eyes, smile`, in a file beside each
image or in a column of a table.

An attribute such as hair has the value of the tag that ends with its name (`pink hair`). An
attribute that is a tag by itself, such as smile, is yes or no.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from train.data.errors import DataError, Unused
from train.data.files import CAPTION_SUFFIXES, Files, is_image
from train.data.records import Entry, Layout, word
from train.data.text import read_text

COLORS = frozenset(
    (
        *("aqua", "black", "blonde", "blue", "brown", "gray", "green", "grey", "orange"),
        *("pink", "purple", "red", "silver", "white", "yellow"),
    )
)
"""Values that an attribute with colors has: `long hair` is not one of them."""
DEFAULT_ATTRIBUTES = "hair", "eyes"
SENTENCE = 3
"""Largest number of words of a tag; more are a sentence."""
WEIGHT = re.compile(r"^[(\[{]+|(:[0-9.]+)?[)\]}]+$")
"""Emphasis of prompts, as in `(pink hair:1.2)`."""


def read_caption_files(files: Files, attributes: Sequence[str]) -> Layout | None:
    """Captions in files beside the images; None if there are none."""
    texts = {
        str(PurePosixPath(name).with_suffix("")): name
        for name in files
        if PurePosixPath(name).suffix.lower() in CAPTION_SUFFIXES
    }
    images = [name for name in files if is_image(name)]
    paired = {  # 17.txt or 17.png.txt
        image: texts.get(str(PurePosixPath(image).with_suffix(""))) or texts.get(image)
        for image in images
    }
    captions = {image: read_text(text, files[text]) for image, text in paired.items() if text}
    if not captions:
        return None
    layout = read_captions("a caption beside each image", captions, attributes)
    alone = [Unused(image, "without a caption") for image, text in paired.items() if not text]
    layout.unused.extend(alone)
    return layout


def read_captions(name: str, captions: Mapping[str, str], attributes: Sequence[str]) -> Layout:
    """The layout of captions by file. Raises DataError if no caption has one of the attributes."""
    tags = {file: _tags(text) for file, text in captions.items()}
    given = tuple(attributes) or _common_attributes(tags)
    if not given:
        note = (
            "note: most captions have neither hair nor eyes; --attributes chooses others, such as "
            + ", ".join(_frequent_tags(tags))
        )
        return Layout("images only", [Entry(file, file, {}) for file in captions], notes=[note])
    values = {attribute: _values(attribute, tags) for attribute in given}
    entries: list[Entry] = []
    unused: list[Unused] = []
    for file in captions:
        unclear = [a for a in given if len(values[a][file]) != 1]
        if unclear:
            several = values[unclear[0]][file]
            unused.append(Unused(file, f"{'several' if several else 'no'} tags of {unclear[0]}"))
        else:
            entries.append(Entry(file, file, {a: values[a][file][0] for a in given}))
    return Layout(f"{name} ({', '.join(given)})", entries, unused=unused)


def _tags(text: str) -> list[str]:
    if "_" in text and not {",", "\n"} & set(text.strip()):
        text = text.replace(" ", ",")  # as booru sites write tags
    parts = [part.strip().replace("\\", "") for part in text.replace("\n", ",").split(",")]
    tags = [word(WEIGHT.sub("", part).replace("_", " ")) for part in parts if part]
    for part in parts:  # `a girl with pink hair` has the tag `pink hair`
        words = part.rstrip(".").split()
        if len(words) > SENTENCE:
            tags += [word(" ".join(pair)) for pair in pairwise(words)]
    return tags


def _values(attribute: str, tags: Mapping[str, list[str]]) -> dict[str, list[str]]:
    """The values of an attribute by file. Raises DataError."""
    found: dict[str, list[str]] = {
        file: [tag.removesuffix(f"-{attribute}") for tag in given if tag.endswith(f"-{attribute}")]
        for file, given in tags.items()
    }
    known = {value for values in found.values() for value in values}
    if any(attribute in given for given in tags.values()) and not known & COLORS:
        return {file: ["yes" if attribute in given else "no"] for file, given in tags.items()}
    if not known:
        raise DataError(
            f"no caption has the attribute {attribute!r}; frequent tags: "
            + ", ".join(_frequent_tags(tags))
        )
    if known & COLORS:  # otherwise `long hair` and `pink hair` would be two values
        found = {file: [v for v in values if _is_color(v)] for file, values in found.items()}
    return {file: sorted(set(values)) for file, values in found.items()}


def _is_color(value: str) -> bool:
    return value.rpartition("-")[2] in COLORS


def _common_attributes(tags: Mapping[str, list[str]]) -> tuple[str, ...]:
    """Those of DEFAULT_ATTRIBUTES that at least half of the captions have."""
    counts: dict[str, int] = defaultdict(int)
    for given in tags.values():
        for attribute in DEFAULT_ATTRIBUTES:
            counts[attribute] += any(tag.endswith(f"-{attribute}") for tag in given)
    return tuple(a for a in DEFAULT_ATTRIBUTES if 2 * counts[a] >= len(tags))


def _frequent_tags(tags: Mapping[str, list[str]]) -> list[str]:
    counts = Counter(tag for given in tags.values() for tag in set(given))
    return [tag for tag, _ in counts.most_common(10)]
