"""Deletes pictures that are too old."""

from datetime import datetime
from functools import partial

from sqlalchemy import select

from db.avatar_rows import delete_values, scrub
from db.condition_counts import ConditionCounts
from db.database import Database
from db.forgetting import delete_marks
from db.schema import AvatarRow

BATCH = 100  # avatars that one transaction deletes


class RetentionRepository:
    def __init__(self, database: Database, counts: ConditionCounts) -> None:
        self._database = database
        self._counts = counts
        self.empty_log = database.empty_log
        self.delete_marks = partial(delete_marks, database)

    async def delete_before(self, moment: datetime) -> int:
        """Deletes pictures painted before this moment that are nobody's favorite; their number."""
        a = AvatarRow
        count = after = 0
        while True:
            # locked, so that no favorite is added meanwhile
            old = select(a.id, a.conditions, a.private).where(
                a.id > after, a.deleted_at.is_(None), a.created < moment, a.favorites == 0
            )
            old = old.order_by(a.id).limit(BATCH).with_for_update(key_share=True)
            async with self._database.writing() as session:
                rows = (await session.execute(old)).all()
                if not rows:
                    return count
                await delete_values(session, [(row.id, row.conditions) for row in rows])
                await scrub(self._database, session, [row.id for row in rows])
                public = [(row.id, row.conditions) for row in rows if not row.private]
                await self._counts.subtract(session, public)
            count, after = count + len(rows), rows[-1].id
