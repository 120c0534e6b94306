"""Links between browsers and members of Discord, and the codes that make them."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "links",
        sa.Column("owner_id", key, nullable=False),
        sa.Column("member_id", key, nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_links_owner_id"),
        sa.ForeignKeyConstraint(["member_id"], ["owners.id"], name="fk_links_member_id"),
        sa.PrimaryKeyConstraint("owner_id", name="pk_links"),
    )
    op.create_index("ix_links_member", "links", ["member_id", "owner_id"])
    op.create_table(
        "link_codes",
        sa.Column("member_id", key, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.ForeignKeyConstraint(["member_id"], ["owners.id"], name="fk_link_codes_member_id"),
        sa.PrimaryKeyConstraint("member_id", name="pk_link_codes"),
        sa.UniqueConstraint("digest", name="uq_link_codes_digest"),
    )
