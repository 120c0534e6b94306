"""Statistics of the stored data."""

import json
from datetime import UTC, datetime

from sqlalchemy import String, func, select

from db.avatar_rows import NOBODY
from db.condition_counts import ConditionCounts
from db.database import Database
from db.records import Statistics
from db.schema import AvatarRow, FavoriteRow, OwnerRow, UsageRow
from db.usage import KEPT

MAX_LOVED = 10  # conditions


async def read_statistics(database: Database, counts: ConditionCounts) -> Statistics:
    a, u = AvatarRow, UsageRow
    existing = a.deleted_at.is_(None)
    conditions, favorites = database.as_text(a.conditions, String), func.sum(a.favorites)
    loved = (
        select(conditions, favorites)
        .where(existing, a.private.is_(False), a.favorites > 0)
        .group_by(conditions)
        .order_by(favorites.desc(), conditions)
        .limit(MAX_LOVED)
    )
    public = (await counts.read()).count({})
    async with database.reading() as session:
        # each of these counts is read from an index, not from the avatars
        private = await session.scalar(
            select(func.count(a.id)).where(existing, a.private.is_(True))
        )
        owning = select(a.id).where(a.owner_id == OwnerRow.id, existing).exists()
        members = await session.scalar(
            select(func.count(OwnerRow.id)).where(OwnerRow.kind != NOBODY.kind, owning)
        )
        all_favorites = select(func.count()).select_from(FavoriteRow)
        painted = select(func.sum(u.pictures)).where(u.created > datetime.now(UTC) - KEPT)
        rows = (await session.execute(loved)).all()
        return Statistics(
            pictures=public + (private or 0),
            private=private or 0,
            today=await session.scalar(painted) or 0,
            members=members or 0,
            favorites=await session.scalar(all_favorites) or 0,
            loved=[(json.loads(text), int(count)) for text, count in rows],
        )
