"""The records that repositories take and return, independent of tables and sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import numpy as np

from db.tasks import Task

Scope = Literal["mine", "guild", "everyone", "favourites", "hidden"]
Sort = Literal["new", "loved"]


@dataclass(frozen=True, slots=True)
class Owner:
    """A member of Discord (`key` is the user's id) or a visitor of the web page (`key` is the hash
    of the visitor's token). `kind` and `key` identify the owner; `name` may change.
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
    `order_id` is the request that it was painted for, so that nothing is painted twice; see
    `AvatarRepository.of_order`.
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
    order_id: str | None = None


@dataclass(frozen=True, slots=True)
class Avatar:
    """A stored avatar: a `NewAvatar` with its public `id`, without the picture's bytes.

    `created` is in UTC, `bytes` and `sha256` (hex) are the picture's, `favourites` is the number
    of owners who like it. A `hidden` avatar is private, too, until it is shown again.
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
    hidden: bool


@dataclass(frozen=True, slots=True)
class GalleryQuery:
    """Which avatars to show.

    - `mine`: the viewer's, private ones included;
    - `guild`: those made in `guild` that are not private;
    - `everyone`: all that are not private;
    - `favourites`: those the viewer likes, except other people's private ones;
    - `hidden`: those that were hidden, for those who run the bot.

    `values` keeps those that were painted with all of these values (attribute -> value). `sort` is
    newest first, or most favourites first and then newest. `cursor` is None for the first page,
    LAST for the last one, or a `Page`'s `older` or `newer` of the same sort. `counted` asks for
    the page's `count` and `before`.
    """

    scope: Scope
    viewer: Owner | None
    guild: str | None
    values: Mapping[str, str]
    limit: int = 9
    cursor: str | None = None
    sort: Sort = "new"
    counted: bool = False


LAST = "last"


@dataclass(frozen=True, slots=True)
class Page:
    """Avatars in the order of the query, and the cursors of the pages behind and before it, None
    where there is none. `count` is how many the whole gallery has, `before` how many of them come
    before this page; None where that was not asked for.
    """

    avatars: list[Avatar]
    older: str | None
    newer: str | None
    count: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class ConditionCount:
    """How many public avatars have exactly these conditions; `newest` is an id."""

    conditions: dict[str, str]
    count: int
    newest: str


@dataclass(frozen=True, slots=True)
class Family:
    """Public relatives, each list the newest first but the parents, which are in their order.

    `parents` lacks those that were deleted; siblings have a parent in common.
    """

    parents: list[Avatar]
    children: list[Avatar]
    siblings: list[Avatar]


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """A member's defaults, which options of a command override; None is the bot's default."""

    private: bool | None = None
    size: int | None = None  # pixels
    language: str | None = None


@dataclass(frozen=True, slots=True)
class GuildLimits:
    """What a server's admins allow: `cooldown` is in seconds, `daily` in pictures of a member
    within 24 hours, both 0 for no limit. `channels` are where the bot answers, none for
    everywhere; `exempt_roles` have neither cooldown nor quota; `gallery` is the server's gallery.
    """

    cooldown: int = 0
    daily: int = 0
    channels: tuple[str, ...] = ()
    exempt_roles: tuple[str, ...] = ()
    gallery: bool = True


@dataclass(frozen=True, slots=True)
class Usage:
    """How many pictures were painted at a time (UTC)."""

    created: datetime
    pictures: int


@dataclass(frozen=True, slots=True)
class PendingReply:
    """A reply that somebody still waits for: what to paint (None where the stored task is invalid)
    and where to reply. `id` is the interaction's or the mentioning message's, `application` and
    `token` are Discord's. A `private` reply is seen by the requester alone; where `names_requester`
    the reply says who asked.
    """

    id: str
    application: str
    token: str = field(repr=False)
    task: Task | None
    owner: Owner
    guild: str | None
    channel: str | None
    language: str
    private: bool
    names_requester: bool
    created: datetime


@dataclass(frozen=True, slots=True)
class Statistics:
    """Figures over all avatars. `today` is pictures within the last 24 hours, deleted ones
    included. `loved` are conditions of public avatars with how often those are a favorite, the
    most frequent first.
    """

    pictures: int
    private: int
    today: int
    members: int
    favorites: int
    loved: list[tuple[dict[str, str], int]]
