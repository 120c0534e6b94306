"""`manifest.json` of a model folder, and the verification of the folder's files.

Plain Python: the serving side uses this module without PyTorch.
"""

import hashlib
import json
import re
import stat
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
    Field,
    FiniteFloat,
    StringConstraints,
    ValidationError,
    model_validator,
)

from export.external_data import external_files

FORMAT_VERSION = 2
"""2 added `upscaler-int8.onnx`, and the generator's output `unrounded` for the upscalers."""
READABLE_VERSIONS = 1, 2
MANIFEST = "manifest.json"
GENERATOR = "generator.onnx"
UNROUNDED = "unrounded"
"""Output of the generator beside `image`: its values before they are rounded to uint8, float32."""
UPSCALER = "upscaler.onnx"
"""float32 [N, S, S, 3] from 0 to 255 to uint8 [N, 4S, 4S, 3], of any N and S. The input is `image`,
the output `upscaled`, since ONNX requires different names. Earlier upscalers take uint8."""
UPSCALER_INT8 = "upscaler-int8.onnx"
"""The upscaler with int8 weights."""
MAX_INT8_ERROR = 1.0
"""Largest mean difference of the int8 upscaler from the float one, in 8-bit steps."""
SCORER = "critic.onnx"  # its name since version 0.2
WEIGHTS = "weights.safetensors"
"""Weights of all networks, to start another training; the serving side does not read them."""

# Limits of a manifest, so that a damaged or hostile one cannot exhaust the memory.
MAX_MANIFEST_BYTES = 16 * 2**20
MAX_ATTRIBUTES = 64
MAX_CONDITION_DIM = 4096  # values of all attributes
MAX_LATENT_DIM = 8192
MAX_IMAGE_SIZE = 2048
MAX_CANDIDATES = 64
MAX_FILES = 64
MAX_FILE_BYTES = 64 * 2**30

_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class ModelError(Exception):
    """A model folder cannot be used."""


def is_safe_name(name: str) -> bool:
    """Whether a name is allowed for a model or its files; it cannot leave the folder."""
    return _SAFE_NAME.fullmatch(name) is not None


def _safe_name(name: str) -> str:
    if not is_safe_name(name):
        raise ValueError(
            f"{name!r} is not a valid name of a model or file: up to 64 letters, digits, '.', '_',"
            " '-', starting with a letter or digit"
        )
    return name


def _to_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


SafeName = Annotated[str, AfterValidator(_safe_name)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=256)]


class Attribute(BaseModel):
    """A property of images that can be chosen, such as hair color.

    `frequencies` are the shares of the values in the training data; they sum to 1.
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
            raise ValueError(
                f"attribute {self.name} has duplicate values: {', '.join(self.values)}"
            )
        if len(self.frequencies) != len(self.values):
            raise ValueError(
                f"attribute {self.name} has {len(self.values)} values"
                f" and {len(self.frequencies)} frequencies"
            )
        if min(self.frequencies) < 0 or abs(sum(self.frequencies) - 1) > 1e-3:
            raise ValueError(
                f"the frequencies of attribute {self.name} must be shares that sum to 1"
            )
        return self


class FileEntry(BaseModel):
    """SHA-256 in hexadecimal and size of a file."""

    model_config = ConfigDict(frozen=True)

    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0, le=MAX_FILE_BYTES)]


class Manifest(BaseModel):
    """A model: its attributes, shapes, files and figures.

    Latents are [N, latent_dim], conditions [N, condition_dim], images [N, image_size, image_size,
    3]. If the model has a scorer, it chooses among `candidates` images. `metrics` are the figures
    of the judge, `training` describes the training, `created` is in UTC.
    """

    model_config = ConfigDict(frozen=True)

    format: int = FORMAT_VERSION
    name: SafeName
    created: Annotated[AwareDatetime, AfterValidator(_to_utc)]
    attributes: Annotated[tuple[Attribute, ...], Field(max_length=MAX_ATTRIBUTES)]
    latent_dim: Annotated[int, Field(ge=1, le=MAX_LATENT_DIM)]
    image_size: Annotated[int, Field(ge=1, le=MAX_IMAGE_SIZE)]
    candidates: Annotated[int, Field(ge=1, le=MAX_CANDIDATES)] = 1
    files: Annotated[dict[SafeName, FileEntry], Field(max_length=MAX_FILES)] = {}
    metrics: dict[str, FiniteFloat] = {}
    training: dict[str, Any] = {}

    @model_validator(mode="after")
    def _check(self) -> Self:
        names = [attribute.name for attribute in self.attributes]
        if len(set(names)) < len(names):
            raise ValueError(f"duplicate attributes: {', '.join(names)}")
        if self.condition_dim > MAX_CONDITION_DIM:
            raise ValueError(
                f"the attributes have {self.condition_dim} values, more than {MAX_CONDITION_DIM}"
            )
        return self

    @property
    def condition_dim(self) -> int:
        return sum(len(attribute.values) for attribute in self.attributes)

    def encode(self, conditions: Mapping[str, str]) -> np.ndarray:
        """Concatenated one-hot blocks, float32 [C]; every attribute must have a value.

        Raises ValueError for missing or unknown attributes and values.
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
        """The value with the largest weight in each block of a condition [C].

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


def is_in_one_file(path: Path) -> bool:
    """Whether an ONNX file contains all its weights. Raises OSError."""
    return not external_files(path)


def file_entry(path: Path) -> FileEntry:
    """SHA-256 and size of a file. Raises OSError."""
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        return FileEntry(sha256=sha256, bytes=file.tell())


def read_json(path: Path, most: int) -> Any:
    """The content of a JSON file. Raises ModelError, also if it has more than `most` bytes."""
    size = file_size(path)
    if size > most:
        raise ModelError(f"{path} has {size} bytes, more than {most}")
    try:
        return json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path} is not valid JSON: {error}") from error


def read_manifest(folder: Path) -> Manifest:
    """Raises ModelError if the folder has no manifest that this version can read."""
    path = folder / MANIFEST
    raw = read_json(path, MAX_MANIFEST_BYTES)
    # Checked before the fields, which depend on the format.
    version = raw.get("format") if isinstance(raw, dict) else None
    if version not in READABLE_VERSIONS:
        readable = " and ".join(map(str, READABLE_VERSIONS))
        raise ModelError(
            f"{path} has format {version!r}, this version reads the formats {readable}:"
            " export the model again, or update"
        )
    try:
        return Manifest.model_validate(raw)
    except ValidationError as error:
        issues = "; ".join(
            f"{'.'.join(map(str, issue['loc'])) or 'manifest'}: {issue['msg']}"
            for issue in error.errors()
        )
        raise ModelError(f"{path} is invalid: {issues}") from error


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Writes `manifest.json`; raises OSError."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2) + "\n", "utf-8")


def file_size(path: Path) -> int:
    """Size of a regular file. Raises ModelError, also for others, such as a FIFO, which could block
    for ever.
    """
    try:
        found = path.stat()
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}") from error
    if not stat.S_ISREG(found.st_mode):
        raise ModelError(f"{path} is not a regular file")
    return found.st_size


def verify(folder: Path, manifest: Manifest) -> None:
    """Checks the size and SHA-256 of every file in the manifest, and that the ONNX files among them
    read no file that is not in it. Raises ModelError.
    """
    if GENERATOR not in manifest.files:
        raise ModelError(f"{folder / MANIFEST} lists no {GENERATOR}")
    for name, expected in manifest.files.items():
        path = folder / name
        size = file_size(path)
        if size != expected.bytes:
            raise ModelError(
                f"{path} has {size} bytes where its manifest says {expected.bytes}:"
                " copy the model again"
            )
        try:
            found = file_entry(path)
            external = external_files(path) if path.suffix == ".onnx" else set()
        except OSError as error:
            raise ModelError(f"{path} cannot be read: {error.strerror}") from error
        if found.sha256 != expected.sha256:
            raise ModelError(
                f"{path} is not the file of its manifest (its SHA-256 differs):"
                " copy the model again"
            )
        unlisted = sorted(external - set(manifest.files))
        if unlisted:
            raise ModelError(
                f"{path} reads external data that its manifest does not list:"
                f" {', '.join(unlisted[:3])}. Save the model with its weights in one file"
            )
