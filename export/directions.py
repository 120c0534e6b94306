"""`directions.json` of a model folder: named latent directions, such as `hair_length`.

Moving a latent along a direction changes one trait of the face; the condition stays. Plain Python:
the serving side uses this module without PyTorch.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

import numpy as np
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    FiniteFloat,
    StringConstraints,
    ValidationError,
    model_validator,
)

from export.manifest import MAX_LATENT_DIM, Manifest, ModelError, read_json

DIRECTIONS = "directions.json"
DIRECTIONS_SHEET = "directions.webp"
"""Pictures of the directions, for the model card."""

# Limits, so that a damaged or hostile file cannot exhaust the memory.
MAX_BYTES = 4 * 2**20
MAX_DIRECTIONS = 16
MAX_RANGE = 8.0
TOLERANCE = 1e-3
"""Largest deviation of the vectors from an orthonormal system."""


class Direction(BaseModel):
    """A unit vector [Z]. Positions are projections on it, divided by `range`, from -1 to 1.

    `figures` are those of `python -m train directions`.
    """

    model_config = ConfigDict(frozen=True)

    name: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,31}$")]
    vector: Annotated[tuple[FiniteFloat, ...], Field(max_length=MAX_LATENT_DIM)]
    range: Annotated[FiniteFloat, Field(gt=0, le=MAX_RANGE)]
    figures: Annotated[dict[str, FiniteFloat], Field(max_length=64)] = {}


class Directions(BaseModel):
    """Orthonormal directions, so that they do not depend on each other. May be empty."""

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    directions: Annotated[tuple[Direction, ...], Field(max_length=MAX_DIRECTIONS)] = ()

    @model_validator(mode="after")
    def _check(self) -> Self:
        if len(set(self.names)) < len(self.names):
            raise ValueError(f"duplicate directions: {', '.join(self.names)}")
        if len({len(one.vector) for one in self.directions}) > 1:
            raise ValueError("the vectors have different lengths")
        if not self.directions:
            return self
        with np.errstate(over="ignore", invalid="ignore"):  # such vectors are refused below
            products = self._basis @ self._basis.T
        if not np.allclose(products, np.eye(len(products)), rtol=0, atol=TOLERANCE):
            raise ValueError("the vectors are not orthonormal")
        return self

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(one.name for one in self.directions)

    @property
    def _basis(self) -> np.ndarray:
        """float64 [D, Z]."""
        return np.array([one.vector for one in self.directions], np.float64, ndmin=2)

    def positions(self, latent: np.ndarray) -> dict[str, float]:
        """The positions of a latent [Z], from -1 to 1, with two decimals."""
        return {
            one.name: round(float(np.clip(latent @ np.array(one.vector) / one.range, -1, 1)), 2)
            for one in self.directions
        }

    def move(self, latents: np.ndarray, shape: Mapping[str, float]) -> np.ndarray:
        """Latents float32 [..., Z] moved to the positions `shape`, by name; other directions keep
        theirs.

        Raises ValueError for an unknown direction, and for a position beyond -1…1.
        """
        if not shape:
            return np.asarray(latents, np.float32)
        moved = np.asarray(latents, np.float64)
        known = {one.name: one for one in self.directions}
        for name, position in shape.items():
            if name not in known:
                raise ValueError(f"there is no direction {name!r}")
            if not -1 <= position <= 1:
                raise ValueError(f"a position is from -1 to 1, not {position}")
            vector = np.array(known[name].vector)
            change = position * known[name].range - moved @ vector
            moved = moved + change[..., None] * vector
        return np.asarray(moved, np.float32)


NO_DIRECTIONS = Directions()


def read_directions(folder: Path, manifest: Manifest) -> Directions:
    """The directions of a model; none if its manifest lists no file of them.

    Raises ModelError if the file is invalid, or does not fit the model.
    """
    if DIRECTIONS not in manifest.files:
        return NO_DIRECTIONS
    path = folder / DIRECTIONS
    raw = read_json(path, MAX_BYTES)
    try:
        found = Directions.model_validate(raw)
    except ValidationError as error:
        issues = "; ".join(
            f"{'.'.join(map(str, issue['loc'])) or 'file'}: {issue['msg']}"
            for issue in error.errors()[:3]
        )
        raise ModelError(f"{path} is invalid: {issues}") from error
    if any(len(one.vector) != manifest.latent_dim for one in found.directions):
        raise ModelError(f"{path} does not fit the latents of {manifest.latent_dim} numbers")
    return found
