"""Finds images by the names that tables use."""

from collections import defaultdict
from pathlib import PurePosixPath

from train.data.files import Files, is_image
from train.data.text import normalize


class AmbiguousNameError(ValueError):
    """A name that several images have."""


class ImageNames:
    """Images by path, by file name and by file name without suffix."""

    def __init__(self, files: Files) -> None:
        self.paths: dict[str, str] = {}
        self.names: dict[str, list[str]] = defaultdict(list)
        self.stems: dict[str, list[str]] = defaultdict(list)
        for file in filter(is_image, files):
            path = PurePosixPath(normalize(file))
            self.paths[str(path)] = file
            self.names[path.name].append(file)
            self.stems[path.stem].append(file)

    def find(self, key: str) -> str | None:
        """The image of a path, a file name, or a name without suffix. Raises AmbiguousNameError.

        The path may be absolute, since tables often are written on another machine.
        """
        if key in self.paths:
            return self.paths[key]
        path = PurePosixPath(key.replace("\\", "/"))
        for start in range(len(path.parts)):
            part = "/".join(path.parts[start:])
            if part in self.paths:
                return self.paths[part]
        absolute = path.is_absolute() or (path.parts and path.parts[0].endswith(":"))
        if len(path.parts) != 1 and not absolute:
            return None
        found = self.names.get(path.name) or self.stems.get(path.name)
        if found and len(found) > 1:
            listed = ", ".join(found[:3])
            raise AmbiguousNameError(
                f"{key!r} is the name of {len(found)} images ({listed}); write the path"
            )
        return found[0] if found else None

    def __contains__(self, key: str) -> bool:
        try:
            return self.find(key) is not None
        except AmbiguousNameError:
            return True
