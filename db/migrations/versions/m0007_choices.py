"""The choices of the search by which an avatar was found."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("avatars", sa.Column("choices", sa.String()))
