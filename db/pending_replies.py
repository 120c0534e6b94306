"""Pending replies: Discord interactions and mentions that are acknowledged and not answered yet."""

import asyncio
import logging
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from pydantic import ValidationError
from sqlalchemy import delete, func, or_, select, update
from sqlalchemy.exc import OperationalError

from db.database import Database
from db.errors import StoreUnavailable
from db.processes import without_lease
from db.records import Owner, PendingReply
from db.schema import PendingReplyRow
from db.tasks import Task, parse_task

RETRY_SECONDS = 2  # between attempts to delete replies while the database does not work

logger = logging.getLogger(__name__)


@dataclass
class _Change:
    """Waits for its transaction; `written` is its result."""

    saved: dict[str, Any] | None = None
    """Columns of a row to insert or update."""
    resolved: Collection[str] = ()
    """Ids of rows to delete."""
    written: "asyncio.Future[None]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class PendingReplyRepository:
    """Replies are on disk when `save` returns.

    Changes that arrive while others are written share the next transaction (group commit), so that
    a burst of requests waits for two commits, not for one commit each.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[_Change] = []
        self._writer: asyncio.Task[None] | None = None
        self._undeleted: set[str] = set()  # resolved while the database did not work
        self._retrying: asyncio.Task[None] | None = None

    async def save(self, reply: PendingReply) -> None:
        """Inserts the reply, or updates the one with the same id.

        Raises ValueError for a reply without a task.
        """
        if reply.task is None:
            raise ValueError(f"the pending reply {reply.id} has no task")
        row = {
            "id": reply.id,
            "application": reply.application,
            "token": reply.token,
            "work": reply.task.kind,
            "given": reply.task.arguments(),
            "owner_kind": reply.owner.kind,
            "owner_key": reply.owner.key,
            "owner_name": reply.owner.name,
            "guild": reply.guild,
            "channel": reply.channel,
            "language": reply.language,
            "private": reply.private,
            "named": reply.names_requester,
            "created": reply.created,
            "process": self._database.process,
        }
        await self._write(_Change(saved=row))

    async def resolve(self, ids: Collection[str]) -> None:
        """Deletes the replies, their tokens included. While the database does not work, it returns
        before they are deleted: that is done by the next transaction that succeeds, and before
        `claim` reads any.
        """
        try:
            await self._write(_Change(resolved=ids))
        except StoreUnavailable as error:
            logger.info("replies could not be deleted from the database yet: %s", error)
            self._undeleted.update(ids)
            if self._retrying is None:
                self._retrying = asyncio.create_task(self._retry())

    async def replace_token(self, id: str, token: str) -> None:
        """Does nothing if the reply is resolved."""
        p = PendingReplyRow
        async with self._database.writing() as session:
            await session.execute(update(p).where(p.id == id).values(token=token))

    async def claim(self, application: str, moment: datetime) -> list[PendingReply]:
        """The application's replies that are this process's from now on: its own, and those of
        processes without a lease. The oldest first. Deletes all that were created before `moment`.

        Of several processes that claim a reply, one gets it.
        """
        resolved = set(self._undeleted)
        p, own = PendingReplyRow, self._database.process
        ours = p.application == application
        free = or_(p.process == own, without_lease(p.process))
        async with self._database.writing() as session:
            await session.execute(delete(p).where(or_(p.created < moment, p.id.in_(resolved))))
            await session.execute(update(p).where(ours, free).values(process=own))
            rows = await session.scalars(
                select(p).where(ours, p.process == own).order_by(p.created, p.id)
            )
            found = [_record(row) for row in rows]
        # one that was resolved meanwhile is not deleted yet
        found = [reply for reply in found if reply.id not in self._undeleted]
        self._undeleted -= resolved
        return found

    async def count_elsewhere(self, owner: Owner) -> int:
        """Number of the owner's replies that other processes have pending."""
        p = PendingReplyRow
        of_owner = (p.owner_kind == owner.kind, p.owner_key == owner.key)
        elsewhere = (p.process != self._database.process, ~without_lease(p.process))
        async with self._database.reading() as session:
            count = select(func.count()).select_from(p).where(*of_owner, *elsewhere)
            return await session.scalar(count) or 0

    async def finish(self) -> None:
        """Waits for changes whose callers were canceled, and tries the deletions once more."""
        if self._writer is not None:
            await asyncio.wait([self._writer])
        if self._retrying is not None:
            self._retrying.cancel()
            await asyncio.wait([self._retrying])
            await self._commit([])

    async def _retry(self) -> None:
        try:
            while self._undeleted:
                await asyncio.sleep(RETRY_SECONDS)
                if self._undeleted:
                    await self._commit([])
        finally:
            self._retrying = None

    async def _write(self, change: _Change) -> None:
        """Makes the change, after those that came before it. It is made even if the caller is
        canceled.
        """
        self._waiting.append(change)
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        await change.written

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                error = await self._commit(batch)
                # One invalid row fails its transaction; the others are written without it.
                alone = len(batch) > 1 and error is not None and not _is_outage(error)
                for change in batch:
                    _finish(change, await self._commit([change]) if alone else error)
        finally:
            self._writer = None

    async def _commit(self, batch: Sequence[_Change]) -> Exception | None:
        """Writes the changes in one transaction. Returns the error if nothing was written."""
        saved = [change.saved for change in batch if change.saved is not None]
        undeleted = set(self._undeleted)
        resolved = [*undeleted, *(id for change in batch for id in change.resolved)]
        try:
            async with self._database.writing(urgent=True) as session:
                if saved:
                    await self._database.upsert(session, PendingReplyRow, *saved)
                if resolved:
                    # after the inserts: a reply is never saved again once it is resolved
                    await session.execute(
                        delete(PendingReplyRow).where(PendingReplyRow.id.in_(resolved))
                    )
        except Exception as error:
            return error
        self._undeleted -= undeleted
        return None


def _is_outage(error: Exception) -> bool:
    return isinstance(error, StoreUnavailable | OperationalError)


def _finish(change: _Change, error: Exception | None) -> None:
    if change.written.done():  # its caller was canceled
        return
    if error is None:
        change.written.set_result(None)
    else:
        change.written.set_exception(error)


def _record(row: PendingReplyRow) -> PendingReply:
    return PendingReply(
        id=row.id,
        application=row.application,
        token=row.token,
        task=_task(row),
        owner=Owner(row.owner_kind, row.owner_key, row.owner_name),
        guild=row.guild,
        channel=row.channel,
        language=row.language,
        private=row.private,
        names_requester=row.names_requester,
        created=row.created,
    )


def _task(row: PendingReplyRow) -> Task | None:
    try:
        return parse_task(row.task_kind, row.task_arguments)
    except ValidationError as error:
        logger.error("the pending reply %s has no valid task: %s", row.id, error)
        return None
