"""Features for communities: their settings, posts, brackets, portraits and questions; limits of
roles.
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    time = sa.DateTime(timezone=True)
    op.add_column("guild_limits", sa.Column("role_limits", sa.JSON()))
    op.create_table(
        "community",
        sa.Column("guild", sa.String(32), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("guild", name="pk_community"),
    )
    op.create_table(
        "posts",
        sa.Column("id", key, nullable=False),
        sa.Column("guild", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("created", time, nullable=False),
        sa.Column("taken_until", time),
        sa.Column("posted", time),
        sa.Column("message", sa.String(32)),
        sa.Column("content", sa.String(64)),
        sa.Column("due", time),
        sa.PrimaryKeyConstraint("id", name="pk_posts"),
        sa.UniqueConstraint("guild", "kind", "subject", name="uq_posts_guild_kind_subject"),
    )
    op.create_index("ix_posts_replies", "posts", ["channel", "created"])
    for name, column, where in (
        ("ix_posts_open", "id", "posted IS NULL"),
        ("ix_posts_due", "due", "due IS NOT NULL"),
    ):
        part = sa.text(where)
        op.create_index(name, "posts", [column], sqlite_where=part, postgresql_where=part)
    op.create_table(
        "post_avatars",
        sa.Column("avatar_id", key, nullable=False),
        sa.Column("post_id", key, nullable=False),
        sa.ForeignKeyConstraint(["avatar_id"], ["avatars.id"], name="fk_post_avatars_avatar_id"),
        sa.ForeignKeyConstraint(["post_id"], ["posts.id"], name="fk_post_avatars_post_id"),
        sa.PrimaryKeyConstraint("avatar_id", "post_id", name="pk_post_avatars"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_post_avatars_post", "post_avatars", ["post_id"])
    op.create_table(
        "avatar_messages",
        sa.Column("avatar_id", key, nullable=False),
        sa.Column("guild", sa.String(32), nullable=False),
        sa.Column("channel", sa.String(32), nullable=False),
        sa.Column("message", sa.String(32), nullable=False),
        sa.ForeignKeyConstraint(["avatar_id"], ["avatars.id"], name="fk_avatar_messages_avatar_id"),
        sa.PrimaryKeyConstraint("avatar_id", "guild", name="pk_avatar_messages"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_avatar_messages_message", "avatar_messages", ["message"])
    op.create_table(
        "brackets",
        sa.Column("id", key, nullable=False),
        sa.Column("guild", sa.String(32), nullable=False),
        sa.Column("week", sa.String(8), nullable=False),
        sa.Column("rounds", sa.JSON(), nullable=False),
        sa.Column("ends", time, nullable=False),
        sa.Column("finished", time),
        sa.Column("winner", sa.String(8)),
        sa.PrimaryKeyConstraint("id", name="pk_brackets"),
        sa.UniqueConstraint("guild", "week", name="uq_brackets_guild_week"),
    )
    op.create_table(
        "votes",
        sa.Column("bracket_id", key, nullable=False),
        sa.Column("round", sa.Integer(), nullable=False),
        sa.Column("pair", sa.Integer(), nullable=False),
        sa.Column("owner_id", key, nullable=False),
        sa.Column("choice", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["bracket_id"], ["brackets.id"], name="fk_votes_bracket_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_votes_owner_id"),
        sa.PrimaryKeyConstraint("bracket_id", "round", "pair", "owner_id", name="pk_votes"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_votes_owner", "votes", ["owner_id"])
    op.create_table(
        "portrait_members",
        sa.Column("guild", sa.String(32), nullable=False),
        sa.Column("owner_id", key, nullable=False),
        sa.Column("joined", time, nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_portrait_members_owner_id"),
        sa.PrimaryKeyConstraint("guild", "owner_id", name="pk_portrait_members"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_portrait_members_owner", "portrait_members", ["owner_id"])
    op.create_table(
        "puzzles",
        sa.Column("id", sa.String(64), nullable=False),
        sa.Column("guild", sa.String(32), nullable=False),
        sa.Column("answer", sa.Integer(), nullable=False),
        sa.Column("created", time, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_puzzles"),
    )
    op.create_index("ix_puzzles_guild", "puzzles", ["guild"])
    op.create_table(
        "guesses",
        sa.Column("puzzle_id", sa.String(64), nullable=False),
        sa.Column("owner_id", key, nullable=False),
        sa.Column("choice", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["puzzle_id"], ["puzzles.id"], name="fk_guesses_puzzle_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_guesses_owner_id"),
        sa.PrimaryKeyConstraint("puzzle_id", "owner_id", name="pk_guesses"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_guesses_owner", "guesses", ["owner_id"])
