"""Pending replies: Discord interactions and mentions that are acknowledged and not answered yet."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import TypeAlias

from pydantic import ValidationError
from sqlalchemy import delete, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.records import Owner, PendingReply
from db.schema import PendingReplyRow
from db.tasks import Task, parse_task

logger = logging.getLogger(__name__)

Change: TypeAlias = Callable[[AsyncSession], Awaitable[object]]


class PendingReplyRepository:
    """Replies are on disk when `save` returns.

    Changes that arrive while others are written share the next transaction (group commit), so that
    a burst of requests waits for two commits, not for one commit each.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Change, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

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
        }
        await self._write(lambda session: self._database.upsert(session, PendingReplyRow, row))

    async def resolve(self, ids: Collection[str]) -> None:
        """Deletes the replies, their tokens included."""
        resolved = delete(PendingReplyRow).where(PendingReplyRow.id.in_(ids))
        await self._write(lambda session: session.execute(resolved))

    async def since(self, moment: datetime) -> list[PendingReply]:
        """The replies created after this moment, the oldest first; deletes all others."""
        async with self._database.writing() as session:
            await session.execute(delete(PendingReplyRow).where(PendingReplyRow.created < moment))
            rows = await session.scalars(
                select(PendingReplyRow).order_by(PendingReplyRow.created, PendingReplyRow.id)
            )
            return [_record(row) for row in rows]

    async def finish(self) -> None:
        """Waits for changes whose callers were canceled."""
        if self._writer is not None:
            await asyncio.wait([self._writer])

    async def _write(self, change: Change) -> None:
        """Makes the change, after those that came before it. It is made even if the caller is
        canceled.
        """
        written = asyncio.get_running_loop().create_future()
        self._waiting.append((change, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_waiting())
        await written

    async def _write_waiting(self) -> None:
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                await self._commit(batch)
        finally:
            self._writer = None

    async def _commit(self, batch: list[tuple[Change, "asyncio.Future[None]"]]) -> None:
        failed: dict[int, Exception] = {}
        try:
            async with self._database.writing(urgent=True) as session:
                for number, (change, _) in enumerate(batch):
                    try:
                        async with session.begin_nested():
                            await change(session)
                    except OperationalError:  # of the database, such as a full disk
                        raise
                    except Exception as error:  # of this row; the others are written
                        failed[number] = error
        except Exception as error:
            failed = dict.fromkeys(range(len(batch)), error)
        for number, (_, written) in enumerate(batch):
            if written.done():  # its caller was canceled
                continue
            if number in failed:
                written.set_exception(failed[number])
            else:
                written.set_result(None)


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
