"""Statistics of the stored data."""

import json
from datetime import UTC, datetime

from sqlalchemy import String, cast, func, select

from db.database import Database
from db.records import Statistics
from db.schema import AvatarRow, FavoriteRow, UsageRow
from db.usage import KEPT


async def read_statistics(database: Database) -> Statistics:
    a, u = AvatarRow, UsageRow
    existing = a.deleted_at.is_(None)
    conditions = cast(a.conditions, String)  # as text, because JSON cannot be grouped
    loved = (
        select(func.min(conditions), func.sum(a.favorites).label("favorites"))
        .where(existing, a.private.is_(False), a.favorites > 0)
        .group_by(conditions)
    )
    async with database.reading() as session:
        counts = select(func.count(), func.count(a.owner_id.distinct())).where(existing)
        pictures, members = (await session.execute(counts)).one()
        public = select(func.count()).where(existing, a.private.is_(False))
        favorites = select(func.count()).select_from(FavoriteRow)
        painted = select(func.sum(u.pictures)).where(u.created > datetime.now(UTC) - KEPT)
        rows = (await session.execute(loved)).all()
        return Statistics(
            pictures=pictures,
            private=pictures - (await session.scalar(public) or 0),
            today=await session.scalar(painted) or 0,
            members=members,
            favorites=await session.scalar(favorites) or 0,
            loved=sorted(
                ((json.loads(text), int(favorites)) for text, favorites in rows),
                key=lambda pair: -pair[1],
            ),
        )
