"""Links between browsers and members of Discord, who own what either of them painted."""

from datetime import UTC, datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.owners import read_linked_ids, save_owner, select_owner_id
from db.records import Owner
from db.schema import AvatarRow, FavoriteRow, LinkCodeRow, LinkRow, OwnerRow


class LinkRepository:
    """Owners keep their own pictures and favorites; galleries, favorites and exports show those of
    all linked owners. So a link can be removed without a trace.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save_code(self, member: Owner, digest: str, not_since: datetime) -> datetime | None:
        """Stores the digest of a member's new code, in place of the one before. If that one was
        stored after `not_since`, nothing changes, and its time is returned.
        """
        c = LinkCodeRow
        async with self._database.writing() as session:
            key = await save_owner(self._database, session, member)
            created = await session.scalar(select(c.created).where(c.member_id == key))
            if created is not None and created > not_since:
                return created
            row = {"member_id": key, "digest": digest, "created": datetime.now(UTC)}
            await self._database.upsert(session, c, row)
            return None

    async def use_code(self, digest: str, not_before: datetime, browser: Owner) -> Owner | None:
        """Links a browser with the member whose code this is, and deletes the code; returns the
        member. None if there is no such code, or it was stored before `not_before`.
        """
        c = LinkCodeRow
        async with self._database.writing() as session:
            # owners before other tables, as in all transactions
            found = select(OwnerRow.id).join(c, c.member_id == OwnerRow.id)
            found = found.where(c.digest == digest).with_for_update(key_share=True, of=OwnerRow)
            member = await session.scalar(found)
            if member is None:
                return None
            key = await save_owner(self._database, session, browser)
            used = delete(c).where(c.digest == digest).returning(c.created)
            created = await session.scalar(used)
            if created is None or created < not_before:
                return None
            link = {"owner_id": key, "member_id": member, "created": datetime.now(UTC)}
            await self._database.upsert(session, LinkRow, link)
            await _merge_favorites(session, key, member)
            return await _read_owner(session, member)

    async def unlink(self, owner: Owner) -> int:
        """Removes the link of a browser, or all links of a member; their number."""
        key = select_owner_id(owner)
        linked = (LinkRow.owner_id == key) | (LinkRow.member_id == key)
        async with self._database.writing() as session:
            removed = await session.execute(
                delete(LinkRow).where(linked).returning(LinkRow.owner_id)
            )
            return len(removed.all())

    async def member_of(self, browser: Owner) -> Owner | None:
        """The member that a browser is linked with."""
        found = select(LinkRow.member_id).where(LinkRow.owner_id == select_owner_id(browser))
        async with self._database.reading() as session:
            key = await session.scalar(found)
            return None if key is None else await _read_owner(session, key)

    async def count_browsers(self, member: Owner) -> int:
        """Number of browsers that are linked with a member."""
        count = select(func.count()).where(LinkRow.member_id == select_owner_id(member))
        async with self._database.reading() as session:
            return await session.scalar(count) or 0

    async def linked_owners(self, owner: Owner) -> list[Owner]:
        """The owner and all that are linked with it, a member before its browsers."""
        async with self._database.reading() as session:
            keys = await read_linked_ids(session, owner)
            found = [await _read_owner(session, key) for key in keys]
            return found or [owner]


async def _read_owner(session: AsyncSession, key: int) -> Owner:
    row = await session.get_one(OwnerRow, key)
    return Owner(row.kind, row.key, row.name)


async def _merge_favorites(session: AsyncSession, browser: int, member: int) -> None:
    """Removes the browser's favorites that the member or another of the member's browsers has,
    too: together they count once.
    """
    a, f = AvatarRow, FavoriteRow
    others = select(LinkRow.owner_id).where(
        LinkRow.member_id == member, LinkRow.owner_id != browser
    )
    theirs = select(f.avatar_id).where((f.owner_id == member) | f.owner_id.in_(others))
    twice = list(
        await session.scalars(
            select(f.avatar_id).where(f.owner_id == browser, f.avatar_id.in_(theirs))
        )
    )
    await session.execute(
        update(a).where(a.id.in_(twice), a.deleted_at.is_(None)).values(favorites=a.favorites - 1)
    )
    await session.execute(delete(f).where(f.owner_id == browser, f.avatar_id.in_(twice)))
