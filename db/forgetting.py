"""Marks owners and guilds whose data was deleted, so that no process stores more of it.

A request that began before the deletion, in whichever process, stores nothing afterwards. The marks
are hashes, and are deleted after some time.
"""

import hashlib
import time
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from db.database import Database
from db.records import Owner
from db.schema import ForgottenRow

KEPT = timedelta(hours=1)  # longer than any request takes


class OwnerForgotten(Exception):  # noqa: N818 (what happened, not what is wrong)
    """The owner's data was deleted after the request began; nothing was stored."""


def hash_owner(owner: Owner) -> str:
    return _hash(f"owner:{owner.kind}:{owner.key}")


def hash_guild(guild: str) -> str:
    return _hash(f"guild:{guild}")


def _hash(subject: str) -> str:
    return hashlib.sha256(subject.encode("utf-8", "surrogatepass")).hexdigest()


async def mark_forgotten(database: Database, session: AsyncSession, subject: str) -> None:
    now = await database.now(session)
    await database.upsert(session, ForgottenRow, {"subject": subject, "moment": now})


async def delete_marks(database: Database) -> None:
    """Deletes marks that no request needs any more."""
    async with database.writing() as session:
        now = await database.now(session)
        await session.execute(delete(ForgottenRow).where(ForgottenRow.moment < now - KEPT))


async def find_forgotten(
    database: Database, session: AsyncSession, subjects: Collection[str], since: float
) -> set[str]:
    """Those of the hashes that were marked since a moment of this process's monotonic clock."""
    now = await database.now(session)
    began = now - timedelta(seconds=time.monotonic() - since)
    f = ForgottenRow
    found = select(f.subject).where(f.subject.in_(subjects), f.moment >= began)
    return set(await session.scalars(found))
