"""Indices for the list of an export, portraits, private avatars, and the deletion of owners."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    existing = sa.column("deleted_at").is_(None)
    private = existing & sa.column("private", sa.Boolean()).is_(True)
    op.drop_index("ix_avatars_owner", "avatars")
    for name, columns, where in (
        ("ix_avatars_owner", ["owner_id", "id", "public_id", "bytes"], existing),
        ("ix_avatars_owner_seed", ["owner_id", "seed"], existing),
        ("ix_avatars_private", ["id"], private),
    ):
        op.create_index(name, "avatars", columns, sqlite_where=where, postgresql_where=where)
    op.create_index("ix_avatars_owner_key", "avatars", ["owner_id"])
