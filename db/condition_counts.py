"""Counts of public avatars by conditions, updated together with the avatars.

There is one row per combination of values, so few rows, however many avatars there are.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import String, bindparam, case, cast, delete, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.gallery_queries import select_positions
from db.records import ConditionCount, GalleryQuery
from db.schema import AvatarRow, ConditionCountRow


async def add_counts(database: Database, session: AsyncSession, rows: Iterable[AvatarRow]) -> None:
    """Adds the public avatars among these rows, which are new or shown again and have their
    primary keys.
    """
    counts: Counter[str] = Counter()
    newest: dict[str, int] = {}
    for row in rows:
        if not row.private:
            conditions = _text(row.conditions)
            counts[conditions] += 1
            newest[conditions] = max(row.id, newest.get(conditions, 0))
    c = ConditionCountRow
    for conditions in sorted(counts):  # sorted, so that two transactions do not deadlock
        insert = database.insert(c).values(
            conditions=conditions, count=counts[conditions], newest=newest[conditions]
        )
        last = insert.excluded.newest
        added = {
            "count": c.count + insert.excluded.count,
            "newest": case((last > c.newest, last), else_=c.newest),
        }
        await session.execute(
            insert.on_conflict_do_update(index_elements=["conditions"], set_=added)
        )


async def subtract_counts(
    session: AsyncSession, removed: Iterable[tuple[int, Mapping[str, str]]]
) -> None:
    """Subtracts public avatars, given by primary key and conditions, which are already deleted or
    hidden.
    """
    a, c = AvatarRow, ConditionCountRow
    keys = set()
    counts: Counter[str] = Counter()
    for key, values in removed:
        keys.add(key)
        counts[_text(values)] += 1
    if not counts:
        return
    fewer = update(c).where(c.conditions == bindparam("these"))
    fewer = fewer.values(count=c.count - bindparam("removed"))
    # First, because it locks the rows: a concurrent deletion then sees the right newest avatar.
    # Sorted, so that two transactions do not deadlock.
    connection = await session.connection()
    await connection.execute(
        fewer, [{"these": text, "removed": counts[text]} for text in sorted(counts)]
    )
    changed = select(c.conditions, c.count).where(
        c.conditions.in_(counts), or_(c.count <= 0, c.newest.in_(keys))
    )
    for conditions, remaining in (await session.execute(changed)).all():
        this = c.conditions == conditions
        if remaining <= 0:
            await session.execute(delete(c).where(this))
            continue
        query = GalleryQuery("everyone", None, None, json.loads(conditions))
        positions, (*_, position) = select_positions(query)
        # avatars of other models may have these values and more
        same = func.length(cast(a.conditions, String)) == len(conditions)
        newest = await session.scalar(positions.where(same).order_by(position.desc()).limit(1))
        await session.execute(update(c).where(this).values(newest=newest))


async def count_public(session: AsyncSession, values: Mapping[str, str]) -> int:
    """Number of public avatars with these values."""
    c = ConditionCountRow
    if not values:
        return await session.scalar(select(func.sum(c.count))) or 0
    rows = await session.execute(select(c.conditions, c.count))
    return sum(count for text, count in rows if values.items() <= json.loads(text).items())


async def read_counts(session: AsyncSession) -> list[ConditionCount]:
    c, a = ConditionCountRow, AvatarRow
    rows = await session.execute(
        select(c.conditions, c.count, a.public_id)
        .join(a, a.id == c.newest)
        .order_by(c.newest.desc())
    )
    return [ConditionCount(json.loads(text), count, newest) for text, count, newest in rows]


def _text(conditions: Mapping[str, str]) -> str:
    return json.dumps(
        conditions, sort_keys=True
    )  # has the same length as the column of the avatars
