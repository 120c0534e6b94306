"""Index of children by parent; counts of public avatars by conditions; thumbnails."""

import json
from collections import Counter

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"

key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_index("ix_avatar_parents_parent", "avatar_parents", ["parent", "avatar_id"])
    op.create_table(
        "thumbnails",
        sa.Column("avatar_id", key, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("avatar_id", name="pk_thumbnails"),
        sa.ForeignKeyConstraint(["avatar_id"], ["avatars.id"], name="fk_thumbnails_avatar_id"),
    )
    op.create_table(
        "colours",
        sa.Column("conditions", sa.String(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("newest", key, nullable=False),
        sa.PrimaryKeyConstraint("conditions", name="pk_colours"),
        sa.ForeignKeyConstraint(["newest"], ["avatars.id"], name="fk_colours_newest"),
        sqlite_with_rowid=False,
    )
    _count_what_is_there()


def _count_what_is_there() -> None:
    public = sa.text(
        "SELECT id, conditions FROM avatars WHERE deleted_at IS NULL AND NOT private ORDER BY id"
    ).columns(id=sa.BigInteger(), conditions=sa.JSON())
    counts: Counter[str] = Counter()
    newest: dict[str, int] = {}
    for id, conditions in op.get_bind().execute(public):
        colours = json.dumps(conditions, sort_keys=True)
        counts[colours] += 1
        newest[colours] = id
    table = sa.table("colours", sa.column("conditions"), sa.column("count"), sa.column("newest"))
    op.bulk_insert(
        table,
        [{"conditions": c, "count": n, "newest": newest[c]} for c, n in counts.items()],
    )
