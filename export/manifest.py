"""What a model folder says about itself: `manifest.json`, and whether its files are what it says.

Plain Python: the serving side reads this without torch.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    FiniteFloat,
    NonNegativeInt,
    PositiveInt,
    StringConstraints,
    ValidationError,
    model_validator,
)

FORMAT_VERSION = 1
MANIFEST = "manifest.json"
GENERATOR = "generator.onnx"
UPSCALER = "upscaler.onnx"
"""uint8 [N, S, S, 3] to uint8 [N, 4S, 4S, 3], of any N and S. Read by position: ONNX wants two
names for what comes (`image`) and what leaves (`upscaled`)."""
CRITIC = "critic.onnx"
WEIGHTS = "weights.safetensors"
"""All networks, to continue training from; the serving side does not read it."""

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ModelError(Exception):
    """A model folder that cannot be used, with the reason."""


def is_safe_name(name: str) -> bool:
    """Whether a model or one of its files may be called so: no way out of the folder."""
    return _SAFE_NAME.fullmatch(name) is not None


def _safe_name(name: str) -> str:
    if not is_safe_name(name):
        raise ValueError(
            f"{name!r} is no name for a model or its file: up to 64 letters, digits, '.', '_', '-',"
            " a letter or digit first"
        )
    return name


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


SafeName = Annotated[str, AfterValidator(_safe_name)]
Word = Annotated[str, StringConstraints(min_length=1)]


class Attribute(BaseModel):
    """One thing that can be chosen.

    `frequencies` holds each value's share in the training data; they sum to 1.
    """

    model_config = ConfigDict(frozen=True)

    name: Word
    values: tuple[Word, ...]
    frequencies: tuple[FiniteFloat, ...]

    @model_validator(mode="after")
    def _check(self) -> Self:
        if not self.values:
            raise ValueError(f"attribute {self.name} has no values")
        if len(set(self.values)) < len(self.values):
            raise ValueError(f"attribute {self.name} has a value twice: {', '.join(self.values)}")
        if len(self.frequencies) != len(self.values):
            raise ValueError(
                f"attribute {self.name} has {len(self.values)} values"
                f" and {len(self.frequencies)} frequencies"
            )
        if min(self.frequencies) < 0 or abs(sum(self.frequencies) - 1) > 1e-3:
            raise ValueError(f"the frequencies of attribute {self.name} are no shares of 1")
        return self


class FileEntry(BaseModel):
    """What a file of the model must be: SHA-256 in hexadecimal, and its size."""

    model_config = ConfigDict(frozen=True)

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: NonNegativeInt


class Manifest(BaseModel):
    """A model: what it can be asked for, its shapes, its files, its figures.

    `latent_dim` is Z, `condition_dim` C, `image_size` S of the design's contract; `candidates` are
    painted for each picture, and the critic, where the model has one, chooses; `metrics` is what
    the judge measured, `training` how the model was trained; `created` is in UTC.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT_VERSION
    name: SafeName
    created: Annotated[AwareDatetime, AfterValidator(_to_utc)]
    attributes: tuple[Attribute, ...]
    latent_dim: PositiveInt
    image_size: PositiveInt
    candidates: PositiveInt = 1
    files: dict[SafeName, FileEntry] = {}
    metrics: dict[str, FiniteFloat] = {}
    training: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [attribute.name for attribute in self.attributes]
        if len(set(names)) < len(names):
            raise ValueError(f"an attribute is there twice: {', '.join(names)}")
        return self

    @property
    def condition_dim(self) -> int:
        return sum(len(attribute.values) for attribute in self.attributes)

    def encode(self, conditions: Mapping[str, str]) -> np.ndarray:
        """One-hot blocks, one after the other, float32 [C]; every attribute must be given.

        Raises ValueError naming what is missing, unknown or no value.
        """
        known = [attribute.name for attribute in self.attributes]
        for name in conditions:
            if name not in known:
                raise ValueError(
                    f"{self.name} has no attribute {name!r}; it has {', '.join(known) or 'none'}"
                )
        condition = np.zeros(self.condition_dim, np.float32)
        start = 0
        for attribute in self.attributes:
            if attribute.name not in conditions:
                raise ValueError(f"no value is given for {attribute.name}")
            value = conditions[attribute.name]
            if value not in attribute.values:
                raise ValueError(
                    f"{attribute.name} cannot be {value!r}; it can be {', '.join(attribute.values)}"
                )
            condition[start + attribute.values.index(value)] = 1
            start += len(attribute.values)
        return condition

    def decode(self, condition: np.ndarray) -> dict[str, str]:
        """The strongest value of each attribute's block; condition is [C].

        Raises ValueError for another shape.
        """
        if condition.shape != (self.condition_dim,):
            raise ValueError(
                f"a condition of {self.name} has shape ({self.condition_dim},),"
                f" not {condition.shape}"
            )
        conditions = {}
        start = 0
        for attribute in self.attributes:
            block = condition[start : start + len(attribute.values)]
            conditions[attribute.name] = attribute.values[int(np.argmax(block))]
            start += len(attribute.values)
        return conditions


def file_entry(path: Path) -> FileEntry:
    """Sum and size of a file. Raises OSError."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(sha256=sha256, bytes=file.tell())


def read_manifest(folder: Path) -> Manifest:
    """Raises ModelError when the folder has no manifest that this version understands."""
    path = folder / MANIFEST
    try:
        raw = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{path} is not valid JSON: {error}") from error
    # Before the fields: another format may have others.
    version = raw.get("format") if isinstance(raw, dict) else None
    if version != FORMAT_VERSION:
        raise ModelError(
            f"{path} has format {version!r}, this version reads format {FORMAT_VERSION}:"
            " export the model again, or update"
        )
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        issues = "; ".join(
            f"{'.'.join(map(str, issue['loc'])) or 'manifest'}: {issue['msg']}"
            for issue in error.errors()
        )
        raise ModelError(f"{path} is wrong: {issues}") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes `manifest.json`; raises OSError."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")


def verify(folder: Path, manifest: Manifest) -> None:
    """Checks that every file has the size and sum that the manifest names.

    Raises ModelError naming the first file that does not.
    """
    if GENERATOR not in manifest.files:
        raise ModelError(f"{folder / MANIFEST} lists no {GENERATOR}")
    for name, expected in manifest.files.items():
        path = folder / name
        try:
            found = file_entry(path)
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}") from error
        if found.bytes != expected.bytes:
            raise ModelError(
                f"{path} has {found.bytes} bytes where its manifest says {expected.bytes}:"
                " copy the model again"
            )
        if found.sha256 != expected.sha256:
            raise ModelError(
                f"{path} is not the file of its manifest (its SHA-256 differs):"
                " copy the model again"
            )
