"""Owners: the members of Discord and the visitors of the web page."""

from sqlalchemy import ScalarSelect, case, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.records import Owner
from db.schema import LinkRow, OwnerRow


def select_owner_id(owner: Owner) -> ScalarSelect[int]:
    """The primary key of the owner's row, as a subquery."""
    return (
        select(OwnerRow.id)
        .where(OwnerRow.kind == owner.kind, OwnerRow.key == owner.key)
        .scalar_subquery()
    )


async def save_owner(database: Database, session: AsyncSession, owner: Owner) -> int:
    """Adds the owner's row if it is missing, or updates its name; returns the primary key."""
    insert = database.insert(OwnerRow).values(kind=owner.kind, key=owner.key, name=owner.name)
    name = case((insert.excluded.name != "", insert.excluded.name), else_=OwnerRow.name)
    upsert = insert.on_conflict_do_update(index_elements=["kind", "key"], set_={"name": name})
    key: int = (await session.execute(upsert.returning(OwnerRow.id))).scalar_one()
    return key


async def read_linked_ids(session: AsyncSession, owner: Owner) -> list[int]:
    """The primary keys of the owner and of all owners that are linked with it: a member of Discord
    and the member's browsers. Empty for an owner without a row.
    """
    o, link = OwnerRow, LinkRow
    this = select(o.id, link.member_id).outerjoin(link, link.owner_id == o.id)
    this = this.where(o.kind == owner.kind, o.key == owner.key)
    row = (await session.execute(this)).one_or_none()
    if row is None:
        return []
    member = row.member_id or row.id
    browsers = select(link.owner_id).where(link.member_id == member).order_by(link.owner_id)
    return [member, *await session.scalars(browsers)]
