"""Counts of public avatars by conditions, updated together with the avatars.

There is one row per combination of values. A model with many values has many combinations, and
reading all rows for each page would take too long: `ConditionCounts` keeps them in memory.
"""

import asyncio
import json
import logging
import math
import time
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from sqlalchemy import String, bindparam, case, cast, delete, event, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.count_table import CountTable
from db.database import Database
from db.errors import StoreUnavailable
from db.gallery_queries import select_positions
from db.records import GalleryQuery
from db.schema import AvatarRow, ConditionCountRow

CHUNK = 1000  # rows read at once; more would block the event loop for longer
# Between two readings of all rows, as a multiple of the time that one takes: they take a hundredth
# of the time, and changes by other processes are seen soon if there are few rows.
REFRESH_FACTOR = 100
MIN_REFRESH_SECONDS = 1.0

logger = logging.getLogger(__name__)


@dataclass
class _Snapshot:
    """`changed` are conditions whose rows were changed since they were read."""

    table: CountTable = field(default_factory=CountTable)
    changed: set[str] = field(default_factory=set)


class ConditionCounts:
    """The counts in memory. Changes by this process are seen at once: after each of its commits
    the changed rows are read again. Changes by others are seen after a while.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._current: _Snapshot | None = None
        self._loading: _Snapshot | None = None
        self._lock = asyncio.Lock()
        self._refresh_at = math.inf
        self._refreshing: asyncio.Task[None] | None = None

    async def read(self) -> CountTable:
        """The counts. The table changes later: callers use it before they wait for anything."""
        async with self._lock:
            if self._current is None:
                self._current = await self._load()
            snapshot = self._current  # a refresh may replace it meanwhile
            await self._update(snapshot)
            if time.monotonic() > self._refresh_at and self._refreshing is None:
                self._refreshing = asyncio.create_task(self._refresh())
            return snapshot.table

    async def close(self) -> None:
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.wait([self._refreshing])

    async def add(self, session: AsyncSession, rows: Iterable[AvatarRow]) -> None:
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
            insert = self._database.insert(c).values(
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
        self._mark(session, counts)

    async def subtract(
        self, session: AsyncSession, removed: Iterable[tuple[int, Mapping[str, str]]]
    ) -> None:
        """Subtracts public avatars, given by primary key and conditions, which are already deleted
        or hidden.
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
            wish: dict[str, str] = json.loads(conditions)
            gallery = GalleryQuery("everyone", None, None, wish)
            positions = select_positions(gallery, leading=next(iter(wish), None))
            # avatars of other models may have these values and more
            same = func.length(cast(a.conditions, String)) == len(conditions)
            matching = positions.matching.where(same)
            newest = await session.scalar(matching.order_by(positions.columns[-1].desc()).limit(1))
            await session.execute(update(c).where(this).values(newest=newest))
        self._mark(session, counts)

    def _mark(self, session: AsyncSession, conditions: Collection[str]) -> None:
        """Has these rows read again once the session's changes are visible to others."""
        texts = set(conditions)

        def committed(_: object) -> None:
            for snapshot in (self._current, self._loading):
                if snapshot is not None:
                    snapshot.changed |= texts

        event.listen(session.sync_session, "after_commit", committed, once=True)

    async def _load(self) -> _Snapshot:
        """Reads all rows."""
        started = time.monotonic()
        known = CountTable() if self._current is None else self._current.table.without_counts()
        snapshot = self._loading = _Snapshot(known)
        last = ""
        c = ConditionCountRow
        rows = select(c.conditions, c.count, c.newest).order_by(c.conditions).limit(CHUNK)
        try:
            async with self._database.reading() as session:
                while chunk := (await session.execute(rows.where(c.conditions > last))).all():
                    snapshot.table.set((text, count, newest) for text, count, newest in chunk)
                    last = chunk[-1].conditions
        finally:
            self._loading = None
            now = time.monotonic()
            self._refresh_at = now + max(MIN_REFRESH_SECONDS, REFRESH_FACTOR * (now - started))
        return snapshot

    async def _update(self, snapshot: _Snapshot) -> None:
        """Reads the rows that this process has changed."""
        c = ConditionCountRow
        while snapshot.changed:
            texts = set(islice(snapshot.changed, CHUNK))
            snapshot.changed -= texts
            rows = select(c.conditions, c.count, c.newest).where(c.conditions.in_(texts))
            try:
                async with self._database.reading() as session:
                    found = {
                        text: (count, newest) for text, count, newest in await session.execute(rows)
                    }
            except BaseException:
                snapshot.changed |= texts
                raise
            snapshot.table.set((text, *counts) for text, counts in found.items())
            snapshot.table.set((text, 0, 0) for text in texts - found.keys())

    async def _refresh(self) -> None:
        try:
            self._current = await self._load()
        except StoreUnavailable as error:
            logger.info("the counts of the galleries are not refreshed: %s", error)
        finally:
            self._refreshing = None


def _text(conditions: Mapping[str, str]) -> str:
    return json.dumps(
        conditions, sort_keys=True
    )  # has the same length as the column of the avatars
