"""Hidden avatars, which only their owners see."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("avatars", sa.Column("hidden_at", sa.DateTime(timezone=True)))
    hidden = sa.column("hidden_at").is_not(None)
    op.create_index(
        "ix_avatars_hidden", "avatars", ["id"], sqlite_where=hidden, postgresql_where=hidden
    )
