"""Galleries: pages of avatars, and the counts by which galleries are filtered."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import load_avatars
from db.condition_counts import count_public, read_counts
from db.database import Database
from db.gallery_queries import (
    Position,
    cursor_to_newer,
    cursor_to_older,
    parse_cursor,
    ranges,
    select_positions,
)
from db.records import ConditionCount, GalleryQuery, Page


class GalleryRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, query: GalleryQuery) -> Page:
        """One page. The cursors `older` and `newer` neither repeat nor skip avatars, even if others
        are added or deleted meanwhile; the page with the newest avatar may therefore be short.

        Raises InvalidCursorError, and ValueError for a missing viewer or guild.
        """
        newer, start = parse_cursor(query)
        if query.limit < 1:
            raise ValueError(f"limit is {query.limit}; a page shows at least 1")
        async with self._database.reading() as session:
            positions = await _positions(session, query, start, newer, query.limit + 1)
            more_ahead = len(positions) > query.limit
            positions = sorted(positions[: query.limit], reverse=True)
            more_behind = start is not None and bool(
                await _positions(session, query, start, not newer, 1, inclusive=True)
            )
            avatars = await load_avatars(session, [position[-1] for position in positions])
            count, before = await _count(session, query, positions[:1])
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

    async def condition_counts(self) -> list[ConditionCount]:
        """Counts of public avatars by conditions, the most recently painted ones first."""
        async with self._database.reading() as session:
            return await read_counts(session)


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
    session: AsyncSession, query: GalleryQuery, first: list[Position]
) -> tuple[int | None, int | None]:
    """A page's `count` and `before`; `first` is the page's first position, if it has one."""
    if not query.counted:
        return None, None
    if query.scope == "everyone":
        count = await count_public(session, query.values)
    else:
        # a count does not depend on the order; without it, the index of values can be used
        every, _ = select_positions(replace(query, sort="new"))
        count = await _count_rows(session, every)
    if not first:
        return count, 0
    matches, columns = select_positions(query)
    before = [
        await _count_rows(session, matches.where(beyond))
        for beyond in ranges(columns, first[0], newer=True)
    ]
    return count, sum(before)


async def _count_rows(session: AsyncSession, rows: Select[Any]) -> int:
    return await session.scalar(select(func.count()).select_from(rows.subquery())) or 0
