"""Favorites of owners."""

from datetime import UTC, datetime

from sqlalchemy import delete, select, update

from db.avatar_rows import select_key
from db.database import Database
from db.owners import read_linked_ids, save_owner
from db.records import Owner
from db.schema import AvatarRow, FavoriteRow


class FavoriteRepository:
    """A favorite of an owner is one of all owners that are linked with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def toggle(self, id: str, owner: Owner) -> tuple[bool, int] | None:
        """Adds or removes a favorite. Returns whether it is one of the owner's favorites now, and
        the number of owners whose favorite it is; None if the avatar does not exist.
        """
        a, f = AvatarRow, FavoriteRow
        async with self._database.writing() as session:
            if await session.scalar(select_key(id)) is None:
                return None
            # locks the owner's row first, as everywhere, so that clicks of one owner are serialized
            owner_key = await save_owner(self._database, session, owner)
            key = await session.scalar(select_key(id).with_for_update(key_share=True))
            if key is None:  # deleted just now
                return None
            linked = await read_linked_ids(session, owner)
            this = (f.avatar_id == key) & f.owner_id.in_(linked)
            removed = await session.scalar(delete(f).where(this).returning(f.avatar_id))
            if removed is None:
                values = {"avatar_id": key, "owner_id": owner_key, "created": datetime.now(UTC)}
                await session.execute(self._database.insert(f).values(values))
            change = 1 if removed is None else -1
            counted = update(a).where(a.id == key).values(favorites=a.favorites + change)
            count = (await session.execute(counted.returning(a.favorites))).scalar_one()
            return removed is None, count

    async def contains(self, id: str, owner: Owner) -> bool:
        f = FavoriteRow
        async with self._database.reading() as session:
            linked = await read_linked_ids(session, owner)
            this = select(f.avatar_id).where(
                f.avatar_id == select_key(id).scalar_subquery(), f.owner_id.in_(linked)
            )
            return await session.scalar(this) is not None
