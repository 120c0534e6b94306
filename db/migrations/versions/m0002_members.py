"""Counts of favorites; settings, limits and pending replies; data of deleted avatars is removed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("avatars", sa.Column("order_id", sa.String(64)))
    op.add_column(
        "avatars", sa.Column("favourites", sa.Integer(), server_default="0", nullable=False)
    )
    _scrub_what_was_deleted()
    op.execute(
        "UPDATE avatars SET favourites ="
        " (SELECT count(*) FROM favourites WHERE avatar_id = avatars.id)"
        " WHERE id IN (SELECT avatar_id FROM favourites)"
    )
    living = sa.column("deleted_at").is_(None)
    public = living & sa.column("private", sa.Boolean()).is_(False)
    for name, columns, where in (
        ("ix_avatars_owner_loved", ["owner_id", "favourites", "id"], living),
        ("ix_avatars_guild_loved", ["guild", "favourites", "id"], public),
        ("ix_avatars_loved", ["favourites", "id"], public),
        ("ix_avatars_order", ["order_id", "id"], sa.column("order_id").is_not(None)),
    ):
        op.create_index(name, "avatars", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "member_settings",
        sa.Column("owner_id", key, nullable=False),
        sa.Column("private", sa.Boolean()),
        sa.Column("size", sa.Integer()),
        sa.Column("language", sa.String(16)),
        sa.PrimaryKeyConstraint("owner_id", name="pk_member_settings"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_member_settings_owner_id"),
    )
    op.create_table(
        "usage",
        sa.Column("id", key, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("guild", sa.String(32)),
        sa.Column("created", moment, nullable=False),
        sa.Column("pictures", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_usage"),
    )
    op.create_index("ix_usage_member", "usage", ["kind", "key", "guild", "created"])
    op.create_index("ix_usage_created", "usage", ["created"])
    op.create_table(
        "guild_limits",
        sa.Column("guild", sa.String(32), nullable=False),
        sa.Column("cooldown", sa.Integer(), nullable=False),
        sa.Column("daily", sa.Integer(), nullable=False),
        sa.Column("channels", sa.JSON(), nullable=False),
        sa.Column("exempt_roles", sa.JSON(), nullable=False),
        sa.Column("gallery", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("guild", name="pk_guild_limits"),
    )
    op.create_table(
        "blocked",
        sa.Column("guild", sa.String(32), nullable=False),
        sa.Column("member", sa.String(128), nullable=False),
        sa.PrimaryKeyConstraint("guild", "member", name="pk_blocked"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "owed",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("application", sa.String(32), nullable=False),
        sa.Column("token", sa.String(), nullable=False),
        sa.Column("work", sa.String(32), nullable=False),
        sa.Column("given", sa.JSON(), nullable=False),
        sa.Column("owner_kind", sa.String(16), nullable=False),
        sa.Column("owner_key", sa.String(128), nullable=False),
        sa.Column("owner_name", sa.String(), nullable=False),
        sa.Column("guild", sa.String(32)),
        sa.Column("channel", sa.String(32)),
        sa.Column("language", sa.String(16), nullable=False),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("named", sa.Boolean(), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_owed"),
    )
    op.create_index("ix_owed_created", "owed", ["created"])
    op.create_table(
        "notes",
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_notes"),
    )


def _scrub_what_was_deleted() -> None:
    """Removes the data of avatars that were deleted: before, only their pictures were removed."""
    deleted = "(SELECT id FROM avatars WHERE deleted_at IS NOT NULL)"
    for table in ("avatar_values", "avatar_parents", "favourites"):
        op.execute(f"DELETE FROM {table} WHERE avatar_id IN {deleted}")
    op.execute(
        "INSERT INTO owners (kind, key, name) SELECT '', '', ''"
        f" WHERE EXISTS {deleted}"
        " AND NOT EXISTS (SELECT 1 FROM owners WHERE kind = '' AND key = '')"
    )
    avatars = sa.table(
        "avatars",
        sa.column("owner_id"),
        sa.column("guild"),
        sa.column("channel"),
        sa.column("model"),
        sa.column("seed"),
        sa.column("prompt"),
        sa.column("wish", sa.JSON()),
        sa.column("conditions", sa.JSON()),
        sa.column("latent", sa.LargeBinary()),
        sa.column("condition", sa.LargeBinary()),
        sa.column("sha256"),
        sa.column("deleted_at"),
    )
    owners = sa.table("owners", sa.column("id"), sa.column("kind"), sa.column("key"))
    nobody = sa.select(owners.c.id).where(owners.c.kind == "", owners.c.key == "")
    op.execute(
        avatars.update()
        .where(avatars.c.deleted_at.is_not(None))
        .values(
            owner_id=nobody.scalar_subquery(),
            guild=None,
            channel=None,
            model="",
            seed=0,
            prompt="",
            wish={},
            conditions={},
            latent=b"",
            condition=b"",
            sha256="",
        )
    )
