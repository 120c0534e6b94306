"""The shards of Discord that each process connects."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    op.add_column("processes", sa.Column("shards", sa.JSON()))
