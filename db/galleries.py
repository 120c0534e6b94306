"""Galleries: pages of avatars, and the counts by which galleries are filtered."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import load_avatars
from db.condition_counts import ConditionCounts
from db.count_table import CountTable
from db.database import Database
from db.gallery_queries import (
    Position,
    cursor_to_newer,
    cursor_to_older,
    parse_cursor,
    ranges,
    select_positions,
)
from db.records import GalleryQuery, Page, PairCount
from db.schema import AvatarRow

IDS_AT_ONCE = 1000
MAX_COUNTED = 10_000  # avatars; more would take too long


class GalleryRepository:
    def __init__(self, database: Database, counts: ConditionCounts) -> None:
        self._database = database
        self._counts = counts

    async def page(self, query: GalleryQuery) -> Page:
        """One page. The cursors `older` and `newer` neither repeat nor skip avatars, even if others
        are added or deleted meanwhile; the page with the newest avatar may therefore be short.

        Raises InvalidCursorError, and ValueError for a missing viewer or guild.
        """
        newer, start = parse_cursor(query)
        if query.limit < 1:
            raise ValueError(f"limit is {query.limit}; a page shows at least 1")
        public = None
        if query.counted and query.scope == "everyone":
            public = (await self._counts.read()).count(query.values)
        async with self._database.reading() as session:
            positions = await _positions(session, query, start, newer, query.limit + 1)
            more_ahead = len(positions) > query.limit
            positions = sorted(positions[: query.limit], reverse=True)
            more_behind = start is not None and bool(
                await _positions(session, query, start, not newer, 1, inclusive=True)
            )
            avatars = await load_avatars(session, [position[-1] for position in positions])
            count, before = await _count(session, query, positions, public)
        bounds = _bounds(positions, start, newer)
        if bounds is None:
            return Page([], None, None, count, before)
        oldest, newest = bounds
        more_older, more_newer = (more_behind, more_ahead) if newer else (more_ahead, more_behind)
        return Page(
            avatars,
            cursor_to_older(oldest) if more_older else None,
            cursor_to_newer(newest) if more_newer else None,
            count,
            before,
        )

    async def counts(self) -> CountTable:
        """Counts of public avatars by conditions."""
        return await self._counts.read()

    async def count_pairs(self, a: str, b: str) -> dict[tuple[str, str], PairCount]:
        """Counts of public avatars by their values of two attributes."""
        pairs = (await self._counts.read()).count_pairs(a, b)
        newest = [key for _, key in pairs.values()]
        ids: dict[int, str] = {}
        async with self._database.reading() as session:
            for start in range(0, len(newest), IDS_AT_ONCE):
                keys = newest[start : start + IDS_AT_ONCE]
                rows = select(AvatarRow.id, AvatarRow.public_id).where(AvatarRow.id.in_(keys))
                ids.update((row.id, row.public_id) for row in await session.execute(rows))
        return {pair: PairCount(count, ids[key]) for pair, (count, key) in pairs.items()}


def _bounds(
    positions: list[Position], start: Position | None, newer: bool
) -> tuple[Position, Position] | None:
    """The oldest and the newest position of a page; None for an empty gallery.

    An empty page is between the avatars before `start` and those after it.
    """
    if positions:
        return positions[-1], positions[0]
    if start is None:
        return None
    *favorites, id = start
    if newer:
        return (*favorites, id + 1), start
    return start, (*favorites, id - 1)


async def _positions(
    session: AsyncSession,
    query: GalleryQuery,
    start: Position | None,
    newer: bool,
    limit: int,
    inclusive: bool = False,
) -> list[Position]:
    """The first positions beyond `start` (or at it, if inclusive), in the order of the page."""
    matches, columns = select_positions(query)
    matches = matches.order_by(*(c.asc() if newer else c.desc() for c in columns))
    positions: list[Position] = []
    for beyond in ranges(columns, start, newer, inclusive):
        rows = await session.execute(matches.where(beyond).limit(limit - len(positions)))
        positions += [tuple(row) for row in rows]
        if len(positions) == limit:
            break
    return positions


async def _count(
    session: AsyncSession, query: GalleryQuery, shown: list[Position], public: int | None
) -> tuple[int | None, int | None]:
    """A page's `count` and `before`; `shown` are the page's positions, the newest first, and
    `public` is the count of the gallery of everyone.
    """
    if not query.counted:
        return None, None
    count = public
    if count is None:
        # a count does not depend on the order; without it, the index of values can be used
        every, _ = select_positions(replace(query, sort="new"))
        count = await _count_rows(session, [every])
    if not shown:
        return count, 0
    matches, columns = select_positions(query)

    def beyond(position: Position, newer: bool) -> list[Select[Any]]:
        return [matches.where(part) for part in ranges(columns, position, newer)]

    before = await _count_rows(session, beyond(shown[0], newer=True))
    if before is None and count is not None:
        after = await _count_rows(session, beyond(shown[-1], newer=False))
        before = None if after is None else count - after - len(shown)
    return count, before


async def _count_rows(session: AsyncSession, parts: Iterable[Select[Any]]) -> int | None:
    """Number of rows of several SELECTs; None above MAX_COUNTED."""
    total = 0
    for part in parts:
        limited = part.limit(MAX_COUNTED + 1 - total).subquery()
        total += await session.scalar(select(func.count()).select_from(limited)) or 0
        if total > MAX_COUNTED:
            return None
    return total
