"""How many public avatars there are of each colours, kept up to date with the avatars.

A row for each set of conditions that was ever painted: few, however many avatars there are.
"""

import json
from collections import Counter
from collections.abc import Iterable, Mapping

from sqlalchemy import String, case, cast, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.gallery import matching
from db.records import Colours, GalleryQuery
from db.schema import AvatarRow, ColoursRow
from db.sessions import Sessions


async def count_in(sessions: Sessions, session: AsyncSession, rows: Iterable[AvatarRow]) -> None:
    """Counts those that are public of avatars that were just added, or are shown again, and have
    their ids.
    """
    counts: Counter[str] = Counter()
    newest: dict[str, int] = {}
    for row in rows:
        if not row.private:
            colours = _text(row.conditions)
            counts[colours] += 1
            newest[colours] = max(row.id, newest.get(colours, 0))
    c = ColoursRow
    for colours in sorted(counts):  # in order: two writers wait for each other, not both for ever
        insert = sessions.insert(c).values(
            conditions=colours, count=counts[colours], newest=newest[colours]
        )
        last = insert.excluded.newest
        added = {
            "count": c.count + insert.excluded.count,
            "newest": case((last > c.newest, last), else_=c.newest),
        }
        await session.execute(
            insert.on_conflict_do_update(index_elements=["conditions"], set_=added)
        )


async def count_out(session: AsyncSession, gone: Iterable[Mapping[str, str]]) -> None:
    """Takes out public avatars of these conditions, which are deleted or hidden already."""
    a, c = AvatarRow, ColoursRow
    counts = Counter(map(_text, gone))
    for colours in sorted(counts):
        mine = c.conditions == colours
        # first, since it locks the row: another one that deletes looks for the newest afterwards
        less = update(c).where(mine).values(count=c.count - counts[colours])
        left = await session.scalar(less.returning(c.count))
        if not left:
            await session.execute(delete(c).where(mine))
            continue
        query = GalleryQuery("everyone", None, None, json.loads(colours))
        places, (*_, place) = matching(query)
        # of another model, there may be avatars that have these values and more
        these = func.length(cast(a.conditions, String)) == len(colours)
        newest = await session.scalar(places.where(these).order_by(place.desc()).limit(1))
        await session.execute(update(c).where(mine).values(newest=newest))


async def read_colours(session: AsyncSession) -> list[Colours]:
    c, a = ColoursRow, AvatarRow
    rows = await session.execute(
        select(c.conditions, c.count, a.public_id)
        .join(a, a.id == c.newest)
        .order_by(c.newest.desc())
    )
    return [Colours(json.loads(text), count, newest) for text, count, newest in rows]


def _text(conditions: Mapping[str, str]) -> str:
    return json.dumps(conditions, sort_keys=True)  # as long as the column of the avatars
