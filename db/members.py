"""Members: their settings, and the deletion of all their data."""

from sqlalchemy import delete, select, update

from db.avatar_rows import scrub
from db.condition_counts import subtract_counts
from db.database import Database
from db.owners import save_owner, select_owner_id
from db.records import MemberSettings, Owner
from db.schema import AvatarRow, FavoriteRow, OwnerRow, PendingReplyRow, SettingsRow, ValueRow


class MemberRepository:
    """Members are owners: visitors of the web page as well as members of Discord."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def settings(self, owner: Owner) -> MemberSettings:
        s = SettingsRow
        found = select(s.private, s.size, s.language).where(s.owner_id == select_owner_id(owner))
        async with self._database.reading() as session:
            row = (await session.execute(found)).one_or_none()
        return MemberSettings() if row is None else MemberSettings(*row)

    async def save_settings(self, owner: Owner, settings: MemberSettings) -> None:
        async with self._database.writing() as session:
            row = {
                "owner_id": await save_owner(self._database, session, owner),
                "private": settings.private,
                "size": settings.size,
                "language": settings.language,
            }
            await self._database.upsert(session, SettingsRow, row)

    async def delete_everything(self, owner: Owner) -> int:
        """Deletes the owner's avatars, favorites, settings, pending replies, name and identity;
        returns the number of avatars. Usage is kept for a day, for quotas.
        """
        a, f, p = AvatarRow, FavoriteRow, PendingReplyRow
        async with self._database.writing() as session:
            await session.execute(
                delete(p).where(p.owner_kind == owner.kind, p.owner_key == owner.key)
            )
            # Locks in the same order as all transactions: owners, avatars, counts. Pictures that
            # are painted for the owner meanwhile are stored before or after this transaction.
            this_owner = (OwnerRow.kind == owner.kind, OwnerRow.key == owner.key)
            key = await session.scalar(select(OwnerRow.id).where(*this_owner).with_for_update())
            if key is None:
                return 0
            own = select(a.id).where(a.owner_id == key, a.deleted_at.is_(None))
            whole = own.add_columns(a.conditions, a.private).with_for_update(key_share=True)
            rows = (await session.execute(whole)).all()
            if rows:
                await session.execute(delete(ValueRow).where(ValueRow.avatar_id.in_(own)))
                await scrub(self._database, session, own)
            favorites = select(f.avatar_id).where(f.owner_id == key)
            fewer = update(a).where(a.id.in_(favorites), a.deleted_at.is_(None))
            await session.execute(fewer.values(favorites=a.favorites - 1))
            await session.execute(delete(f).where(f.owner_id == key))
            await subtract_counts(session, [row.conditions for row in rows if not row.private])
            await session.execute(delete(SettingsRow).where(SettingsRow.owner_id == key))
            await session.execute(delete(OwnerRow).where(OwnerRow.id == key))
            return len(rows)
