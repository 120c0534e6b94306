"""Several processes on one database: their leases, what they share, and channels for reports."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_table(
        "processes",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("beats", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_processes"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "forgotten",
        sa.Column("subject", sa.String(64), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("subject", name="pk_forgotten"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rate_buckets",
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("address", sa.String(64), nullable=False),
        sa.Column("level", sa.Double(), nullable=False),
        sa.Column("moment", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "address", name="pk_rate_buckets"),
        sqlite_with_rowid=False,
    )
    op.add_column("owed", sa.Column("process", sa.String(32)))
    op.add_column("usage", sa.Column("process", sa.String(32)))
    op.add_column("guild_limits", sa.Column("reports_channel", sa.String(32)))
