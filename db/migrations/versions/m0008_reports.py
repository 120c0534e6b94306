"""Reports of pictures, and the guilds that the bot is in or has left."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    op.create_table(
        "guild_presence",
        sa.Column("application", sa.String(32), nullable=False),
        sa.Column("guild", sa.String(32), nullable=False),
        sa.Column("left_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("application", "guild", name="pk_guild_presence"),
        sqlite_with_rowid=False,
    )
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "reports",
        sa.Column("avatar_id", key, nullable=False),
        sa.Column("owner_id", key, nullable=False),
        sa.Column("created", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["avatar_id"], ["avatars.id"], name="fk_reports_avatar_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_reports_owner_id"),
        sa.PrimaryKeyConstraint("avatar_id", "owner_id", name="pk_reports"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_reports_owner", "reports", ["owner_id", "avatar_id"])
