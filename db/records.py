"""What goes into the store and what comes out of it, free of tables and sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np

Scope = Literal["mine", "guild", "everyone", "favourites"]


@dataclass(frozen=True, slots=True)
class Owner:
    """A member of Discord (`key` is the user's id) or a visitor of the web page (`key` is the hash
    of the visitor's token). Who somebody is rests on `kind` and `key`; `name` may change.
    """

    kind: str  # "discord" or "web"
    key: str
    name: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded picture; `sha256` is the hex digest of `data`, sizes are in pixels."""

    data: bytes
    format: str  # "png" or "webp"
    width: int
    height: int
    sha256: str


@dataclass(frozen=True, slots=True)
class NewAvatar:
    """An avatar that is not stored yet.

    `wish` is what was asked for, `conditions` the wish completed (attribute -> value). `latent` is
    float32 `[Z]` and `condition` float32 `[C]`. `parents` are the public ids of the avatars that
    it was made from; `picture` is the encoded file, `width` and `height` its size in pixels.
    """

    owner: Owner
    guild: str | None
    channel: str | None
    private: bool
    model: str
    seed: int
    prompt: str
    wish: dict[str, str]
    conditions: dict[str, str]
    latent: np.ndarray = field(compare=False)
    condition: np.ndarray = field(compare=False)
    parents: tuple[str, ...]
    picture: bytes = field(repr=False)
    format: str  # "png" or "webp"
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Avatar:
    """A stored avatar: a `NewAvatar` with its public `id`, without the picture's bytes.

    `created` is in UTC, `bytes` and `sha256` (hex) are the picture's, `favourites` is the number
    of owners who like it.
    """

    id: str
    created: datetime
    owner: Owner
    guild: str | None
    channel: str | None
    private: bool
    model: str
    seed: int
    prompt: str
    wish: dict[str, str]
    conditions: dict[str, str]
    # arrays have no single truth value, and the id decides anyway
    latent: np.ndarray = field(compare=False)
    condition: np.ndarray = field(compare=False)
    parents: tuple[str, ...]
    format: str  # "png" or "webp"
    width: int
    height: int
    bytes: int
    sha256: str
    favourites: int


@dataclass(frozen=True, slots=True)
class GalleryQuery:
    """Which avatars to show, newest first.

    - `mine`: the viewer's, private ones included;
    - `guild`: those made in `guild` that are not private;
    - `everyone`: all that are not private;
    - `favourites`: those the viewer likes, but other people's private ones.

    `values` keeps those that were painted with all of these values (attribute -> value). `cursor`
    is a `Page`'s `older` or `newer`; None asks for the newest.
    """

    scope: Scope
    viewer: Owner | None
    guild: str | None
    values: Mapping[str, str]
    limit: int = 9
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Avatars, newest first, and the cursors of the pages beside it, None where there is none."""

    avatars: list[Avatar]
    older: str | None
    newer: str | None
