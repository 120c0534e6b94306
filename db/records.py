"""The records that repositories take and return, independent of tables and sessions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from math import gcd
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

    `wish` has the chosen values, `conditions` the wish completed (attribute -> value). `latent` is
    float32 `[Z]` and `condition` float32 `[C]`. `parents` are the public ids of the avatars that
    it was made from; `picture` is the encoded file, `width` and `height` its size in pixels.
    `order_id` identifies the request, so that it is not painted twice; see
    `AvatarRepository.of_order`. `choices` are as in `Avatar`. A `portrait` is stored only once; see
    `AvatarRepository.portrait`.
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
    choices: str | None = None
    portrait: bool = False


@dataclass(frozen=True, slots=True)
class Avatar:
    """A stored avatar: a `NewAvatar` with its public `id`, without the picture's bytes.

    `created` is in UTC, `bytes` and `sha256` (hex) are the picture's, `favorites` is the number
    of owners who like it. A `hidden` avatar is private, too, until it is shown again.

    `choices` is None unless the avatar was found by a search. Then they are the faces that were
    chosen from each sheet, such as "13.2.5", the last one being the avatar. Model, wish, seed and
    choices determine the faces of all sheets.
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
    # not compared: the comparison of arrays has no single truth value
    latent: np.ndarray = field(compare=False)
    condition: np.ndarray = field(compare=False)
    parents: tuple[str, ...]
    format: str  # "png" or "webp"
    width: int
    height: int
    bytes: int
    sha256: str
    favorites: int
    hidden: bool
    choices: str | None


@dataclass(frozen=True, slots=True)
class GalleryQuery:
    """Which avatars to show.

    - `mine`: the viewer's avatars, including private ones;
    - `guild`: public avatars painted in `guild`;
    - `everyone`: all public avatars;
    - `favourites`: the viewer's favorites, except private avatars of other owners;
    - `hidden`: hidden avatars, for operators.

    `values` (attribute -> value) filters avatars by their conditions. `sort` is newest first, or
    most favorites first and then newest. `cursor` is None for the first page, LAST for the last
    one, or `older` or `newer` of a `Page` with the same sort. With `counted` the page has `count`
    and `before`. With `public`, private avatars are left out. The viewer's are also those of the
    owners that are linked with the viewer.
    """

    scope: Scope
    viewer: Owner | None
    guild: str | None
    values: Mapping[str, str]
    limit: int = 9
    cursor: str | None = None
    sort: Sort = "new"
    counted: bool = False
    public: bool = False


LAST = "last"


@dataclass(frozen=True, slots=True)
class Page:
    """Avatars in the order of the query, and the cursors of the next and the previous page, or
    None. `count` is the number of avatars in the gallery, `before` the number of those before this
    page. Both are None unless the query is `counted`, and if there are too many to count them.
    """

    avatars: list[Avatar]
    older: str | None
    newer: str | None
    count: int | None = None
    before: int | None = None


@dataclass(frozen=True, slots=True)
class PairCount:
    """Number of public avatars with two values; `newest` is the newest one's id."""

    count: int
    newest: str


@dataclass(frozen=True, slots=True)
class Family:
    """Public relatives, the newest first, except parents, which keep their order.

    Deleted parents are missing; siblings have a parent in common.
    """

    parents: list[Avatar]
    children: list[Avatar]
    siblings: list[Avatar]


@dataclass(frozen=True, slots=True)
class MemberSettings:
    """A member's defaults, which command options override; None means the bot's default."""

    private: bool | None = None
    size: int | None = None  # pixels
    language: str | None = None


@dataclass(frozen=True, slots=True)
class RoleLimits:
    """Limits of the members with a role, in place of those of the server; 0 for no limit."""

    cooldown: int = 0
    daily: int = 0


@dataclass(frozen=True, slots=True)
class GuildLimits:
    """Limits that a server's admins set: `cooldown` is in seconds, `daily` in pictures of a member
    within 24 hours, both 0 for no limit. The bot paints only in `channels`, or everywhere
    if there are none; `exempt_roles` have neither cooldown nor quota; `gallery` is whether members
    may browse the server's pictures. `reports_channel` gets the reports of pictures painted there.
    `role_limits` are by role id.
    """

    cooldown: int = 0
    daily: int = 0
    channels: tuple[str, ...] = ()
    exempt_roles: tuple[str, ...] = ()
    gallery: bool = True
    reports_channel: str | None = None
    role_limits: Mapping[str, RoleLimits] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Usage:
    """Number of pictures of one request, and its time (UTC)."""

    created: datetime
    pictures: int


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards of an application of Discord that a process connects: `ids` of `count`. One that
    connects all of them, however many Discord recommends, has `ids` [0] of 1.
    """

    application: str
    count: int
    ids: list[int]

    def overlap(self, other: "Shards") -> bool:
        """Whether both get the events of one guild. A guild's shard is the remainder of a number by
        `count`, so two shards have guilds in common if they agree modulo the common divisor.
        """
        divisor = gcd(self.count, other.count)
        common = {id % divisor for id in self.ids} & {id % divisor for id in other.ids}
        return self.application == other.application and bool(common)

    def __str__(self) -> str:
        if self.count == len(self.ids):
            return "all shards"
        return f"shard {', '.join(map(str, self.ids))} of {self.count}"


@dataclass(frozen=True, slots=True)
class PendingReply:
    """A reply to an interaction or mention that is not filled in yet: what to paint (None if the
    stored task is invalid) and where to reply. `id` is that of the interaction or message;
    `application` and `token` are Discord's. Only the requester sees a `private` reply; with
    `names_requester` the reply names the requester.
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
    """Statistics of all avatars. `today` is the number of pictures within the last 24 hours,
    including deleted ones. `loved` are the conditions of public avatars with the most favorites and
    their number, the largest first.
    """

    pictures: int
    private: int
    today: int
    members: int
    favorites: int
    loved: list[tuple[dict[str, str], int]]


@dataclass(frozen=True, slots=True)
class Reported:
    """A picture with open reports: their number, the time of the first one, and their reasons,
    which may be empty.
    """

    avatar: Avatar
    count: int
    first: datetime
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CommunitySettings:
    """What a server's admins have turned on; by default nothing. Channels are by id, None for off.

    - `welcome`: channel where newcomers get their face;
    - `showcase`: channel where pictures with `hearts` favorites are posted;
    - `bracket`: channel of the weekly bracket;
    - `portrait`: channel of the family portrait;
    - `guess`: whether members may play `/guess`;
    - `spoilers`: channels where pictures are hidden behind a spoiler;
    - `retract`: channels where replies are deleted after `retract_minutes` if there are many;
    - `links`: whether children have a link to their parents' messages.
    """

    welcome: str | None = None
    showcase: str | None = None
    hearts: int = 3
    bracket: str | None = None
    portrait: str | None = None
    guess: bool = False
    spoilers: tuple[str, ...] = ()
    retract: tuple[str, ...] = ()
    retract_minutes: int = 10
    links: bool = False


@dataclass(frozen=True, slots=True)
class Post:
    """A message that the bot posts by itself in a guild, or deletes later. A guild has one post of
    each kind and subject. `attempted` is whether an earlier attempt to post it may have succeeded;
    `content` identifies what an updated message shows. `message` is None before it is posted, and
    if Discord refused it.
    """

    id: int
    guild: str
    kind: str
    subject: str
    channel: str
    created: datetime
    attempted: bool = False
    message: str | None = None
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Bracket:
    """A guild's bracket of one week: the ids of the pictures in each round so far, None for those
    that were deleted meanwhile. The current round ends at `ends`. `winner` is None before the
    bracket is finished, and if no picture is left.
    """

    id: int
    guild: str
    rounds: tuple[tuple[str | None, ...], ...]
    ends: datetime
    finished: datetime | None
    winner: str | None

    @property
    def round(self) -> int:
        """The current round, from 0."""
        return len(self.rounds) - 1


@dataclass(frozen=True, slots=True)
class Score:
    """An owner's answers to questions of `/guess` in a guild."""

    owner: Owner
    right: int
    answers: int


@dataclass(frozen=True, slots=True)
class MessageLink:
    """A message that shows an avatar."""

    guild: str
    channel: str
    message: str
