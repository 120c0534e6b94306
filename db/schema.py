"""The tables. Every change here needs a migration in `db/migrations/versions`."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
from sqlalchemy import (
    JSON,
    BigInteger,
    DateTime,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    TypeDecorator,
    UniqueConstraint,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

# SQLite generates keys only for a column of type INTEGER (which is 64 bits wide, too)
Key = BigInteger().with_variant(Integer(), "sqlite")


class Utc(TypeDecorator[datetime]):
    """An aware datetime; SQLite drops time zones, so every value is stored and read as UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value if value is None else value.replace(tzinfo=value.tzinfo or UTC)


class Vector(TypeDecorator[np.ndarray]):
    """float32 `[n]`, stored as little-endian bytes."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: np.ndarray | None, dialect: Dialect) -> bytes | None:
        return None if value is None else value.astype("<f4").tobytes()

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> np.ndarray | None:
        return None if value is None else np.frombuffer(value, "<f4").astype(np.float32)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        }
    )


class OwnerRow(Base):
    __tablename__ = "owners"
    __table_args__ = (UniqueConstraint("kind", "key"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(128))
    name: Mapped[str]


class PictureRow(Base):
    """A picture's bytes. A table of its own, so that lists of avatars do not read them."""

    __tablename__ = "pictures"

    avatar_id: Mapped[int] = mapped_column(ForeignKey("avatars.id"), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ThumbnailRow(Base):
    """A small copy of the picture, made when it is first requested."""

    __tablename__ = "thumbnails"

    avatar_id: Mapped[int] = mapped_column(ForeignKey("avatars.id"), primary_key=True)
    data: Mapped[bytes] = mapped_column(LargeBinary)


class ValueRow(Base):
    """One value of an avatar's conditions; the index that filters galleries."""

    __tablename__ = "avatar_values"
    __table_args__ = ({"sqlite_with_rowid": False},)

    attribute: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(primary_key=True)
    avatar_id: Mapped[int] = mapped_column(ForeignKey("avatars.id"), primary_key=True)


class ConditionCountRow(Base):
    """Number of public avatars with these `conditions`, and the newest of them. Updated together
    with the avatars, so that no query needs to count them.
    """

    __tablename__ = "colours"
    __table_args__ = ({"sqlite_with_rowid": False},)

    conditions: Mapped[str] = mapped_column(primary_key=True)  # JSON, its keys in order
    count: Mapped[int]
    newest: Mapped[int] = mapped_column(ForeignKey("avatars.id"))


class ParentRow(Base):
    __tablename__ = "avatar_parents"
    __table_args__ = (
        Index("ix_avatar_parents_parent", "parent", "avatar_id"),
        {"sqlite_with_rowid": False},
    )

    avatar_id: Mapped[int] = mapped_column(ForeignKey("avatars.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    parent: Mapped[str] = mapped_column(ForeignKey("avatars.public_id"))


class FavoriteRow(Base):
    __tablename__ = "favourites"
    __table_args__ = (
        Index("ix_favourites_owner", "owner_id", "avatar_id"),
        {"sqlite_with_rowid": False},
    )

    avatar_id: Mapped[int] = mapped_column(ForeignKey("avatars.id"), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"), primary_key=True)
    created: Mapped[datetime] = mapped_column(Utc)


class SettingsRow(Base):
    __tablename__ = "member_settings"

    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"), primary_key=True)
    private: Mapped[bool | None]
    size: Mapped[int | None]
    language: Mapped[str | None] = mapped_column(String(16))


class UsageRow(Base):
    """Pictures of the last day, for quotas. A table of its own, so that deleting pictures does not
    lower the count. A row with a process counts pictures that this process has admitted and not
    painted yet, as long as its lease is valid.
    """

    __tablename__ = "usage"
    __table_args__ = (
        Index("ix_usage_member", "kind", "key", "guild", "created"),
        Index("ix_usage_created", "created"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    key: Mapped[str] = mapped_column(String(128))
    guild: Mapped[str | None] = mapped_column(String(32))
    created: Mapped[datetime] = mapped_column(Utc)
    pictures: Mapped[int]
    process: Mapped[str | None] = mapped_column(String(32))


class LimitsRow(Base):
    __tablename__ = "guild_limits"

    guild: Mapped[str] = mapped_column(String(32), primary_key=True)
    cooldown: Mapped[int]
    daily: Mapped[int]
    channels: Mapped[list[str]] = mapped_column(JSON)
    exempt_roles: Mapped[list[str]] = mapped_column(JSON)
    gallery: Mapped[bool]
    reports_channel: Mapped[str | None] = mapped_column(String(32))
    role_limits: Mapped[dict[str, Any] | None] = mapped_column(JSON)  # by role id


class BlockedRow(Base):
    __tablename__ = "blocked"
    __table_args__ = ({"sqlite_with_rowid": False},)

    guild: Mapped[str] = mapped_column(String(32), primary_key=True)
    member: Mapped[str] = mapped_column(String(128), primary_key=True)


class PresenceRow(Base):
    """A guild that this application of Discord is in, or has left at `left_at`."""

    __tablename__ = "guild_presence"
    __table_args__ = ({"sqlite_with_rowid": False},)

    application: Mapped[str] = mapped_column(String(32), primary_key=True)
    guild: Mapped[str] = mapped_column(String(32), primary_key=True)
    left_at: Mapped[datetime | None] = mapped_column(Utc)


class ReportRow(Base):
    """An owner's report of another one's picture, until a moderator has decided about it."""

    __tablename__ = "reports"
    __table_args__ = (
        Index("ix_reports_owner", "owner_id", "avatar_id"),
        {"sqlite_with_rowid": False},
    )

    avatar_id: Mapped[int] = mapped_column(ForeignKey("avatars.id"), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"), primary_key=True)
    created: Mapped[datetime] = mapped_column(Utc)
    reason: Mapped[str]


class CommunityRow(Base):
    """What a guild's admins have turned on of the features for communities."""

    __tablename__ = "community"

    guild: Mapped[str] = mapped_column(String(32), primary_key=True)
    settings: Mapped[dict[str, Any]] = mapped_column(JSON)


class PostRow(Base):
    """A message that the bot posts by itself, or a reply that it deletes later.

    It is posted once: `taken_until` is until when one process tries to, and `posted` when that was
    decided; `message` stays None if Discord refused it. `content` identifies what an updated
    message shows. The message is deleted at `due`.
    """

    __tablename__ = "posts"
    __table_args__ = (
        UniqueConstraint("guild", "kind", "subject"),
        Index("ix_posts_replies", "channel", "created"),
    )

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    guild: Mapped[str] = mapped_column(String(32))
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(64))
    channel: Mapped[str] = mapped_column(String(32))
    created: Mapped[datetime] = mapped_column(Utc)
    taken_until: Mapped[datetime | None] = mapped_column(Utc)
    posted: Mapped[datetime | None] = mapped_column(Utc)
    message: Mapped[str | None] = mapped_column(String(32))
    content: Mapped[str | None] = mapped_column(String(64))
    due: Mapped[datetime | None] = mapped_column(Utc)


class PostedAvatarRow(Base):
    """An avatar that a post shows, so that the post is deleted together with it."""

    __tablename__ = "post_avatars"
    __table_args__ = (
        Index("ix_post_avatars_post", "post_id"),
        {"sqlite_with_rowid": False},
    )

    avatar_id: Mapped[int] = mapped_column(ForeignKey("avatars.id"), primary_key=True)
    post_id: Mapped[int] = mapped_column(ForeignKey("posts.id"), primary_key=True)


class ShownRow(Base):
    """The first public message that showed an avatar in a guild, for links from its children."""

    __tablename__ = "avatar_messages"
    __table_args__ = (
        Index("ix_avatar_messages_message", "message"),
        {"sqlite_with_rowid": False},
    )

    avatar_id: Mapped[int] = mapped_column(ForeignKey("avatars.id"), primary_key=True)
    guild: Mapped[str] = mapped_column(String(32), primary_key=True)
    channel: Mapped[str] = mapped_column(String(32))
    message: Mapped[str] = mapped_column(String(32))


class BracketRow(Base):
    """A guild's bracket of one week. `rounds` has the public ids that take part in each round so
    far, None for a picture that was deleted; in the last round there is one, the `winner`.
    """

    __tablename__ = "brackets"
    __table_args__ = (UniqueConstraint("guild", "week"),)

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    guild: Mapped[str] = mapped_column(String(32))
    week: Mapped[str] = mapped_column(String(8))
    rounds: Mapped[list[list[str | None]]] = mapped_column(JSON)
    ends: Mapped[datetime] = mapped_column(Utc)
    finished: Mapped[datetime | None] = mapped_column(Utc)
    winner: Mapped[str | None] = mapped_column(String(8))


class VoteRow(Base):
    """An owner's vote in one pair of a bracket's round: for the first (0) or the second (1)."""

    __tablename__ = "votes"
    __table_args__ = (Index("ix_votes_owner", "owner_id"), {"sqlite_with_rowid": False})

    bracket_id: Mapped[int] = mapped_column(ForeignKey("brackets.id"), primary_key=True)
    round: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    pair: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"), primary_key=True)
    choice: Mapped[int]


class PortraitRow(Base):
    """A member who takes part in the family portrait of a guild."""

    __tablename__ = "portrait_members"
    __table_args__ = (Index("ix_portrait_members_owner", "owner_id"), {"sqlite_with_rowid": False})

    guild: Mapped[str] = mapped_column(String(32), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"), primary_key=True)
    joined: Mapped[datetime] = mapped_column(Utc)


class PuzzleRow(Base):
    """A question of `/guess`; `answer` is the number of the right choice, from 1."""

    __tablename__ = "puzzles"
    __table_args__ = (Index("ix_puzzles_guild", "guild"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    guild: Mapped[str] = mapped_column(String(32))
    answer: Mapped[int]
    created: Mapped[datetime] = mapped_column(Utc)


class GuessRow(Base):
    """An owner's only answer to a question."""

    __tablename__ = "guesses"
    __table_args__ = (Index("ix_guesses_owner", "owner_id"), {"sqlite_with_rowid": False})

    puzzle_id: Mapped[str] = mapped_column(ForeignKey("puzzles.id"), primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"), primary_key=True)
    choice: Mapped[int]


class LinkRow(Base):
    """A browser, an owner of its own, that belongs to a member of Discord."""

    __tablename__ = "links"
    __table_args__ = (Index("ix_links_member", "member_id", "owner_id"),)

    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"), primary_key=True)
    member_id: Mapped[int] = mapped_column(ForeignKey("owners.id"))
    created: Mapped[datetime] = mapped_column(Utc)


class LinkCodeRow(Base):
    """The SHA-256 of a member's newest code, until it is used."""

    __tablename__ = "link_codes"

    member_id: Mapped[int] = mapped_column(ForeignKey("owners.id"), primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)
    created: Mapped[datetime] = mapped_column(Utc)


class PendingReplyRow(Base):
    __tablename__ = "owed"
    __table_args__ = (Index("ix_owed_created", "created"),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    application: Mapped[str] = mapped_column(String(32))
    token: Mapped[str]
    task_kind: Mapped[str] = mapped_column("work", String(32))
    task_arguments: Mapped[dict[str, Any]] = mapped_column("given", JSON)
    owner_kind: Mapped[str] = mapped_column(String(16))
    owner_key: Mapped[str] = mapped_column(String(128))
    owner_name: Mapped[str]
    guild: Mapped[str | None] = mapped_column(String(32))
    channel: Mapped[str | None] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(16))
    private: Mapped[bool]
    names_requester: Mapped[bool] = mapped_column("named")
    created: Mapped[datetime] = mapped_column(Utc)
    process: Mapped[str | None] = mapped_column(String(32))  # that replies


class ProcessRow(Base):
    """A process that serves, as long as its `beats` increase: see `db.processes`. `shards` are the
    fields of `db.records.Shards`, or NULL without Discord.
    """

    __tablename__ = "processes"
    __table_args__ = ({"sqlite_with_rowid": False},)

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    beats: Mapped[int] = mapped_column(BigInteger)
    shards: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


class ForgottenRow(Base):
    """An owner or guild whose data was deleted a short time ago, as a hash: see `db.forgetting`."""

    __tablename__ = "forgotten"
    __table_args__ = ({"sqlite_with_rowid": False},)

    subject: Mapped[str] = mapped_column(String(64), primary_key=True)
    moment: Mapped[datetime] = mapped_column(Utc)


class RateBucketRow(Base):
    """The rate limit of one address, as a token bucket that all processes share."""

    __tablename__ = "rate_buckets"
    __table_args__ = ({"sqlite_with_rowid": False},)

    kind: Mapped[str] = mapped_column(String(32), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    level: Mapped[float] = mapped_column(Double)
    moment: Mapped[datetime] = mapped_column(Utc)


class NoteRow(Base):
    __tablename__ = "notes"

    key: Mapped[str] = mapped_column(String(128), primary_key=True)
    value: Mapped[str]


class AvatarRow(Base):
    """`id` increases, so galleries are sorted by it; users see `public_id`.

    `order_id` is the id of the request that it was painted for. `choices` are those of the search
    by which it was found, see `Avatar`. `favorites` is the number of rows
    in that table and updated together with them, because galleries are sorted by it. A hidden
    avatar is private as well. Of a deleted avatar only its two ids, which its children refer to,
    and the times of painting and deletion remain; see `AvatarRepository.delete`.
    """

    __tablename__ = "avatars"

    id: Mapped[int] = mapped_column(Key, primary_key=True)
    public_id: Mapped[str] = mapped_column(String(8), unique=True)
    created: Mapped[datetime] = mapped_column(Utc)
    owner_id: Mapped[int] = mapped_column(ForeignKey("owners.id"))
    guild: Mapped[str | None] = mapped_column(String(32))
    channel: Mapped[str | None] = mapped_column(String(32))
    private: Mapped[bool]
    model: Mapped[str] = mapped_column(String(128))
    seed: Mapped[int] = mapped_column(BigInteger)  # unsigned 32 bits
    prompt: Mapped[str]
    wish: Mapped[dict[str, str]] = mapped_column(JSON)
    conditions: Mapped[dict[str, str]] = mapped_column(JSON)
    latent: Mapped[np.ndarray] = mapped_column(Vector)
    condition: Mapped[np.ndarray] = mapped_column(Vector)
    format: Mapped[str] = mapped_column(String(4))
    width: Mapped[int]
    height: Mapped[int]
    bytes: Mapped[int]
    sha256: Mapped[str] = mapped_column(String(64))
    deleted_at: Mapped[datetime | None] = mapped_column(Utc)
    hidden_at: Mapped[datetime | None] = mapped_column(Utc)
    order_id: Mapped[str | None] = mapped_column(String(64))
    favorites: Mapped[int] = mapped_column("favourites", default=0, server_default="0")
    choices: Mapped[str | None]

    owner: Mapped[OwnerRow] = relationship(lazy="joined")
    picture: Mapped[PictureRow] = relationship(lazy="raise")
    values: Mapped[list[ValueRow]] = relationship(lazy="raise")
    parents: Mapped[list[ParentRow]] = relationship(
        lazy="selectin", order_by=ParentRow.position, foreign_keys=ParentRow.avatar_id
    )


_existing = AvatarRow.deleted_at.is_(None)
_public = _existing & AvatarRow.private.is_(False)
# One index per kind of gallery; partial, so that deleted and private avatars do not slow it down.
for _name, _columns, _where in (
    (
        # with the columns that the list for an export reads, so that it reads no avatars
        "ix_avatars_owner",
        (AvatarRow.owner_id, AvatarRow.id, AvatarRow.public_id, AvatarRow.bytes),
        _existing,
    ),
    ("ix_avatars_owner_seed", (AvatarRow.owner_id, AvatarRow.seed), _existing),
    ("ix_avatars_private", (AvatarRow.id,), _existing & AvatarRow.private.is_(True)),
    ("ix_avatars_guild", (AvatarRow.guild, AvatarRow.id), _public),
    ("ix_avatars_public", (AvatarRow.id,), _public),
    ("ix_avatars_owner_loved", (AvatarRow.owner_id, AvatarRow.favorites, AvatarRow.id), _existing),
    ("ix_avatars_guild_loved", (AvatarRow.guild, AvatarRow.favorites, AvatarRow.id), _public),
    ("ix_avatars_loved", (AvatarRow.favorites, AvatarRow.id), _public),
    ("ix_avatars_order", (AvatarRow.order_id, AvatarRow.id), AvatarRow.order_id.is_not(None)),
    ("ix_avatars_hidden", (AvatarRow.id,), AvatarRow.hidden_at.is_not(None)),
):
    Index(_name, *_columns, sqlite_where=_where, postgresql_where=_where)
# The favorites by conditions, for statistics. PostgreSQL cannot index a column of JSON.
Index(
    "ix_avatars_loved_conditions",
    AvatarRow.conditions,
    AvatarRow.favorites,
    sqlite_where=_public & (AvatarRow.favorites > 0),
).ddl_if(dialect="sqlite")
# The posts that are to be posted, and those that are to be deleted: few of many.
_open, _due = PostRow.posted.is_(None), PostRow.due.is_not(None)
Index("ix_posts_open", PostRow.id, sqlite_where=_open, postgresql_where=_open)
Index("ix_posts_due", PostRow.due, sqlite_where=_due, postgresql_where=_due)
# Not partial: the foreign key is checked by it when an owner is deleted.
Index("ix_avatars_owner_key", AvatarRow.owner_id)
