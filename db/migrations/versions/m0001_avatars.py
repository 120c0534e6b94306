"""Avatars with their pictures, values and parents; owners; favorites."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

key = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
moment = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "owners",
        sa.Column("id", key, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("key", sa.String(128), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_owners"),
        sa.UniqueConstraint("kind", "key", name="uq_owners_kind_key"),
    )
    op.create_table(
        "avatars",
        sa.Column("id", key, nullable=False),
        sa.Column("public_id", sa.String(8), nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.Column("owner_id", key, nullable=False),
        sa.Column("guild", sa.String(32)),
        sa.Column("channel", sa.String(32)),
        sa.Column("private", sa.Boolean(), nullable=False),
        sa.Column("model", sa.String(128), nullable=False),
        sa.Column("seed", sa.BigInteger(), nullable=False),
        sa.Column("prompt", sa.String(), nullable=False),
        sa.Column("wish", sa.JSON(), nullable=False),
        sa.Column("conditions", sa.JSON(), nullable=False),
        sa.Column("latent", sa.LargeBinary(), nullable=False),
        sa.Column("condition", sa.LargeBinary(), nullable=False),
        sa.Column("format", sa.String(4), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("deleted_at", moment),
        sa.PrimaryKeyConstraint("id", name="pk_avatars"),
        sa.UniqueConstraint("public_id", name="uq_avatars_public_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_avatars_owner_id"),
    )
    living = sa.column("deleted_at").is_(None)
    public = living & sa.column("private", sa.Boolean()).is_(False)
    for name, columns, where in (
        ("ix_avatars_owner", ["owner_id", "id"], living),
        ("ix_avatars_guild", ["guild", "id"], public),
        ("ix_avatars_public", ["id"], public),
    ):
        op.create_index(name, "avatars", columns, sqlite_where=where, postgresql_where=where)
    op.create_table(
        "pictures",
        sa.Column("avatar_id", key, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("avatar_id", name="pk_pictures"),
        sa.ForeignKeyConstraint(["avatar_id"], ["avatars.id"], name="fk_pictures_avatar_id"),
    )
    op.create_table(
        "avatar_values",
        sa.Column("attribute", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.Column("avatar_id", key, nullable=False),
        sa.PrimaryKeyConstraint("attribute", "value", "avatar_id", name="pk_avatar_values"),
        sa.ForeignKeyConstraint(["avatar_id"], ["avatars.id"], name="fk_avatar_values_avatar_id"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "avatar_parents",
        sa.Column("avatar_id", key, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parent", sa.String(8), nullable=False),
        sa.PrimaryKeyConstraint("avatar_id", "position", name="pk_avatar_parents"),
        sa.ForeignKeyConstraint(["avatar_id"], ["avatars.id"], name="fk_avatar_parents_avatar_id"),
        sa.ForeignKeyConstraint(["parent"], ["avatars.public_id"], name="fk_avatar_parents_parent"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "favourites",
        sa.Column("avatar_id", key, nullable=False),
        sa.Column("owner_id", key, nullable=False),
        sa.Column("created", moment, nullable=False),
        sa.PrimaryKeyConstraint("avatar_id", "owner_id", name="pk_favourites"),
        sa.ForeignKeyConstraint(["avatar_id"], ["avatars.id"], name="fk_favourites_avatar_id"),
        sa.ForeignKeyConstraint(["owner_id"], ["owners.id"], name="fk_favourites_owner_id"),
        sqlite_with_rowid=False,
    )
    op.create_index("ix_favourites_owner", "favourites", ["owner_id", "avatar_id"])
