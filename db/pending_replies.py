"""Pending replies: Discord interactions and mentions that are acknowledged and not answered yet."""

import logging
from collections.abc import Collection
from datetime import datetime

from pydantic import ValidationError
from sqlalchemy import delete, select

from db.database import Database
from db.records import Owner, PendingReply
from db.schema import PendingReplyRow
from db.tasks import Task, parse_task

logger = logging.getLogger(__name__)


class PendingReplyRepository:
    """Replies are on disk when `save` returns."""

    def __init__(self, database: Database) -> None:
        self._database = database

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
        async with self._database.writing() as session:
            await self._database.upsert(session, PendingReplyRow, row)

    async def resolve(self, ids: Collection[str]) -> None:
        """Deletes the replies, their tokens included."""
        async with self._database.writing() as session:
            await session.execute(delete(PendingReplyRow).where(PendingReplyRow.id.in_(ids)))

    async def since(self, moment: datetime) -> list[PendingReply]:
        """The replies created after this moment, the oldest first; deletes all others."""
        async with self._database.writing() as session:
            await session.execute(delete(PendingReplyRow).where(PendingReplyRow.created < moment))
            rows = await session.scalars(
                select(PendingReplyRow).order_by(PendingReplyRow.created, PendingReplyRow.id)
            )
            return [_record(row) for row in rows]


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
