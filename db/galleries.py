"""Galleries: pages of avatars, and the counts by which galleries are filtered."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, case, func, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import load_avatars
from db.condition_counts import ConditionCounts
from db.count_table import CountTable
from db.database import Database
from db.gallery_queries import (
    Position,
    Positions,
    cursor_to_newer,
    cursor_to_older,
    parse_cursor,
    select_positions,
)
from db.owners import read_linked_ids
from db.records import GalleryQuery, Page, PairCount
from db.schema import AvatarRow

IDS_AT_ONCE = 1000
MAX_COUNTED = 10_000  # avatars that are read to be counted; more would take too long
# The share of the pictures that match a filter, below which it is faster to read all pictures with
# one of its values and sort them than to look for matches in the order of favorites.
RARE_SHARE = 1 / 2000


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
        leading = public = None
        if query.scope == "everyone" and (query.values or query.counted):
            counts = await self._counts.read()
            leading, public = _leading(query, counts), counts.count(query.values)
        async with self._database.reading() as session:
            viewers = []
            if query.viewer is not None:
                viewers = await read_linked_ids(session, query.viewer)
            every = select_positions(query, leading, viewers)
            shown = await _read(session, every, start, newer, query.limit + 1)
            more_ahead = len(shown) > query.limit
            shown = sorted(shown[: query.limit], reverse=True)
            more_behind = start is not None and bool(
                await _read(session, every, start, not newer, 1, inclusive=True)
            )
            avatars = await load_avatars(session, [position[-1] for position in shown])
            count = before = None
            if query.counted:
                count, before = await _count(session, every, shown, public)
        bounds = _bounds(shown, start, newer)
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


def _leading(query: GalleryQuery, counts: CountTable) -> str | None:
    """The attribute by whose value the index of values is read, see `select_positions`."""
    if not query.values:
        return None
    rarest = min(query.values, key=lambda name: counts.count({name: query.values[name]}))
    is_rare = counts.count(query.values) < RARE_SHARE * counts.count({})
    return rarest if query.sort == "new" or is_rare else None


async def _read(
    session: AsyncSession,
    every: Positions,
    start: Position | None,
    newer: bool,
    limit: int,
    inclusive: bool = False,
) -> list[Position]:
    """The first positions beyond `start` (or at it, if inclusive), in the order of the page."""
    matching = every.matching.order_by(*(c.asc() if newer else c.desc() for c in every.columns))
    found: list[Position] = []
    for beyond in every.beyond(start, newer, inclusive):
        rows = await session.execute(matching.where(beyond).limit(limit - len(found)))
        found += [tuple(row) for row in rows]
        if len(found) == limit:
            break
    return found


async def _count(
    session: AsyncSession, every: Positions, shown: list[Position], public: int | None
) -> tuple[int | None, int | None]:
    """A page's `count` and `before`; `shown` are the page's positions, the newest first, and
    `public` is the count of the gallery of everyone.
    """
    count = public
    if count is None:
        count = await _count_rows(session, every, [true()])
    if not shown:
        return count, 0
    before = await _count_rows(session, every, every.beyond(shown[0], newer=True))
    if before is None and count is not None:
        after = await _count_rows(session, every, every.beyond(shown[-1], newer=False))
        before = None if after is None else count - after - len(shown)
    return count, before


async def _count_rows(
    session: AsyncSession, every: Positions, parts: Iterable[ColumnElement[bool]]
) -> int | None:
    """Number of avatars of a gallery in these parts of it; None if more than MAX_COUNTED have to
    be read.
    """
    matches = and_(true(), *every.filters).label("matches")
    total = read = 0
    for part in parts:
        rows = every.candidates.with_only_columns(matches).where(part)
        limited = rows.limit(MAX_COUNTED + 1 - read).subquery()
        matching = func.sum(case((limited.c.matches, 1), else_=0))
        counts = (await session.execute(select(func.count(), matching).select_from(limited))).one()
        read, total = read + counts[0], total + (counts[1] or 0)
        if read > MAX_COUNTED:
            return None
    return total
