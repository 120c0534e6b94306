"""Finds images by the names that tables use."""

from collections import defaultdict
from pathlib import PurePosixPath

from train.data.files import Files, is_image
from train.data.text import normalize


class AmbiguousNameError(ValueError):
    """A name that several images have."""


class ImageNames:
    """Images by path, by file name and by file name without suffix.

    Images that were converted have another suffix than in the table, and spreadsheets remove zeros
    before numbers: `17` finds `00017.png`.
    """

    def __init__(self, files: Files) -> None:
        self.paths: dict[str, str] = {}
        self.bare: dict[str, list[str]] = defaultdict(list)
        self.names: dict[str, list[str]] = defaultdict(list)
        self.stems: dict[str, list[str]] = defaultdict(list)
        self.numbers: dict[int, list[str]] = defaultdict(list)
        for file in filter(is_image, files):
            path = PurePosixPath(normalize(file))
            self.paths[str(path)] = file
            self.bare[str(path.with_suffix(""))].append(file)
            self.names[path.name].append(file)
            self.stems[path.stem].append(file)
            if _is_number(path.stem):
                self.numbers[int(path.stem)].append(file)

    def find(self, key: str) -> str | None:
        """The image of a path, a file name, or a name without suffix. Raises AmbiguousNameError.

        The path may be absolute, since tables often are written on another machine.
        """
        if key in self.paths:
            return self.paths[key]
        path = PurePosixPath(key.replace("\\", "/"))
        parts = ["/".join(path.parts[start:]) for start in range(len(path.parts))]
        for part in parts:
            if part in self.paths:
                return self.paths[part]
        for part in filter(is_image, parts[:-1]):
            if len(same := self.bare.get(str(PurePosixPath(part).with_suffix("")), [])) == 1:
                return same[0]
        absolute = path.is_absolute() or (path.parts and path.parts[0].endswith(":"))
        if len(path.parts) != 1 and not absolute:
            return None
        found = self._by_name(path)
        if len(found) > 1:
            listed = ", ".join(found[:3])
            raise AmbiguousNameError(
                f"{key!r} is the name of {len(found)} images ({listed}); write the path"
            )
        return found[0] if found else None

    def _by_name(self, path: PurePosixPath) -> list[str]:
        found = self.names.get(path.name) or self.stems.get(path.name)
        stem = path.stem if is_image(path.name) else path.name
        found = found or self.stems.get(stem)
        return found or (self.numbers.get(int(stem), []) if _is_number(stem) else [])

    def __contains__(self, key: str) -> bool:
        try:
            return self.find(key) is not None
        except AmbiguousNameError:
            return True


def _is_number(text: str) -> bool:
    return text.isdecimal() and len(text) < 20
