"""Posts: messages that the bot posts by itself, each of them once, and replies to be deleted."""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from db.avatar_rows import load_avatars
from db.database import Database
from db.records import Avatar, MessageLink, Owner, Post
from db.schema import AvatarRow, PostedAvatarRow, PostRow, ShownRow

LEASE = timedelta(minutes=2)  # for one attempt to post
REPLY = "reply"  # the kind of members' replies that are deleted later


class PostRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def plan(self, kind: str, guild: str, subject: str, channel: str, now: datetime) -> None:
        """Adds a post unless the guild has it already."""
        async with self._database.writing() as session:
            row = _row(kind, guild, subject, channel, now)
            insert = self._database.insert(PostRow).values(row)
            await session.execute(insert.on_conflict_do_nothing())

    async def take(self, guilds: Collection[str], now: datetime, limit: int) -> list[Post]:
        """Posts of these guilds that are to be posted, the oldest first. For LEASE no other call
        returns them, of this process or another.
        """
        p = PostRow
        waiting = select(p).where(p.posted.is_(None), p.due.is_(None), p.guild.in_(guilds))
        waiting = waiting.where(p.taken_until.is_(None) | (p.taken_until < now))
        async with self._database.writing() as session:
            rows = list(await session.scalars(waiting.order_by(p.id).limit(limit)))
            taken = []
            for row in rows:
                same = p.taken_until.is_not_distinct_from(row.taken_until)
                take = update(p).where(p.id == row.id, same).values(taken_until=now + LEASE)
                take = take.execution_options(synchronize_session=False)
                if await session.scalar(take.returning(p.id)) is not None:
                    taken.append(_post(row))
            return taken

    async def finish(
        self,
        post: Post,
        now: datetime,
        message: str | None,
        *,
        content: str | None = None,
        avatars: Sequence[str] = (),
    ) -> None:
        """Stores the message of a post and the avatars that it shows, or with None that it could
        not be posted. The message is deleted again if an avatar was deleted or hidden meanwhile.
        """
        a, p = AvatarRow, PostRow
        async with self._database.writing() as session:
            # avatars before posts, as in the deletion of avatars
            shown = select(a.id, a.private, a.deleted_at).where(a.public_id.in_(avatars))
            rows = (await session.execute(shown.with_for_update(key_share=True))).all()
            gone = any(row.private or row.deleted_at for row in rows)
            values = {"posted": now, "message": message, "content": content}
            done = update(p).where(p.id == post.id)
            found = await session.scalar(
                done.values(values | ({"due": now} if gone else {})).returning(p.id)
            )
            if found is not None and rows:
                link = self._database.insert(PostedAvatarRow).values(
                    [{"avatar_id": row.id, "post_id": post.id} for row in rows]
                )
                await session.execute(link.on_conflict_do_nothing())

    async def get(self, kind: str, guild: str, subject: str) -> Post | None:
        """A post that was posted and is not to be deleted."""
        p = PostRow
        found = select(p).where(p.guild == guild, p.kind == kind, p.subject == subject)
        async with self._database.reading() as session:
            row = await session.scalar(found.where(p.posted.is_not(None), p.due.is_(None)))
        return None if row is None else _post(row)

    async def due(self, guilds: Collection[str], now: datetime, limit: int) -> list[Post]:
        """Posts of these guilds that are to be deleted."""
        p = PostRow
        found = select(p).where(p.due <= now, p.guild.in_(guilds)).order_by(p.due).limit(limit)
        async with self._database.reading() as session:
            return [_post(row) for row in await session.scalars(found)]

    async def delete(self, post: Post) -> None:
        async with self._database.writing() as session:
            await _delete(session, [post.id])
            if post.message is not None:
                link = delete(ShownRow).where(ShownRow.message == post.message)
                await session.execute(link)

    async def set_content(self, post: Post, content: str) -> None:
        """Stores what an updated message shows."""
        async with self._database.writing() as session:
            this = update(PostRow).where(PostRow.id == post.id)
            await session.execute(this.values(content=content))

    async def withdraw(self, kind: str, guild: str, now: datetime) -> None:
        """Lets all posts of a kind be deleted."""
        p = PostRow
        every = update(p).where(p.guild == guild, p.kind == kind)
        async with self._database.writing() as session:
            await session.execute(every.values(due=now))

    async def delete_waiting(self, kind: str, guild: str) -> None:
        """Deletes what was not posted yet."""
        p = PostRow
        waiting = select(p.id).where(p.guild == guild, p.kind == kind, p.posted.is_(None))
        async with self._database.writing() as session:
            await _delete(session, list(await session.scalars(waiting)))

    async def add_reply(
        self, link: MessageLink, now: datetime, window: timedelta, most: int
    ) -> None:
        """Stores a reply. If the channel got more than `most` within `window`, these are flooding
        it: each is due `window` after it was sent.
        """
        p = PostRow
        async with self._database.writing() as session:
            row = _row(REPLY, link.guild, link.message, link.channel, now)
            row |= {"posted": now, "message": link.message}
            await session.execute(self._database.insert(p).values(row).on_conflict_do_nothing())
            of_channel = (p.channel == link.channel, p.kind == REPLY)
            old = select(p.id).where(*of_channel, p.created < now - window, p.due.is_(None))
            await _delete(session, list(await session.scalars(old)))
            recent = select(p).where(*of_channel, p.created >= now - window)
            replies = list(await session.scalars(recent.order_by(p.id).with_for_update()))
            if len(replies) > most:
                for reply in replies:
                    reply.due = reply.created + window

    async def forget_replies(self, guild: str) -> None:
        """Deletes what is stored of replies, which then stay in Discord."""
        p = PostRow
        replies = select(p.id).where(p.guild == guild, p.kind == REPLY)
        async with self._database.writing() as session:
            await _delete(session, list(await session.scalars(replies)))

    async def find_loved(self, guild: str, favorites: int, limit: int) -> list[Avatar]:
        """Public avatars of the guild with at least so many favorites, without those that a post
        of the showcase has had.
        """
        a, p = AvatarRow, PostRow
        had = select(p.id).where(p.guild == guild, p.kind == "showcase", p.subject == a.public_id)
        loved = select(a.id).where(
            a.guild == guild,
            a.deleted_at.is_(None),
            a.private.is_(False),
            a.favorites >= favorites,
            ~had.exists(),
        )
        loved = loved.order_by(a.favorites.desc(), a.id.desc()).limit(limit)
        async with self._database.reading() as session:
            return await load_avatars(session, list(await session.scalars(loved)))

    async def skip_loved(self, guild: str, favorites: int, channel: str, now: datetime) -> None:
        """Regards the avatars that `find_loved` returns as posted."""
        while loved := await self.find_loved(guild, favorites, 100):
            rows = [
                _row("showcase", guild, avatar.id, channel, now) | {"posted": now}
                for avatar in loved
            ]
            async with self._database.writing() as session:
                insert = self._database.insert(PostRow).values(rows)
                await session.execute(insert.on_conflict_do_nothing())


async def withdraw_welcomes(session: AsyncSession, owner: Owner, now: datetime) -> None:
    """Lets the posts that welcome this member be deleted."""
    if owner.kind == "discord":
        p = PostRow
        own = update(p).where(p.kind == "welcome", p.subject == owner.key)
        await session.execute(own.values(due=now))


async def delete_posts_of(session: AsyncSession, guild: str) -> None:
    """Deletes all rows of the guild's posts."""
    every = await session.scalars(select(PostRow.id).where(PostRow.guild == guild))
    await _delete(session, list(every))
    await session.execute(delete(ShownRow).where(ShownRow.guild == guild))


async def _delete(session: AsyncSession, keys: Collection[int]) -> None:
    if keys:
        # posts before their avatars, as in `withdraw_posts`
        await session.execute(select(PostRow.id).where(PostRow.id.in_(keys)).with_for_update())
        shown = PostedAvatarRow
        await session.execute(delete(shown).where(shown.post_id.in_(keys)))
        await session.execute(delete(PostRow).where(PostRow.id.in_(keys)))


def _row(kind: str, guild: str, subject: str, channel: str, now: datetime) -> dict[str, Any]:
    return {"kind": kind, "guild": guild, "subject": subject, "channel": channel, "created": now}


def _post(row: PostRow) -> Post:
    return Post(
        id=row.id,
        guild=row.guild,
        kind=row.kind,
        subject=row.subject,
        channel=row.channel,
        created=row.created,
        attempted=row.taken_until is not None,
        message=row.message,
        content=row.content,
    )
