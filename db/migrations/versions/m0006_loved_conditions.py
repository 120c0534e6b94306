"""Index for the conditions with the most favorites."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    if op.get_bind().dialect.name != "sqlite":  # PostgreSQL cannot index a column of JSON
        return
    public = sa.column("deleted_at").is_(None) & sa.column("private", sa.Boolean()).is_(False)
    op.create_index(
        "ix_avatars_loved_conditions",
        "avatars",
        ["conditions", "favourites"],
        sqlite_where=public & (sa.column("favourites") > 0),
    )
