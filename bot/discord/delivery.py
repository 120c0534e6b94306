"""Delivers painted pictures to Discord: immediately, through the fair queue, or after a restart.

A pending reply is stored before the interaction is acknowledged, and deleted once it is filled in.
Replies that a killed process left pending are resumed by the next one, which shows pictures that
are stored already instead of painting them again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from time import monotonic

import aiohttp
import discord

from bot.discord.bot import IrodoriBot, Mention, PaintCommand, Source
from bot.discord.context import language_of, owner_of, request_of
from bot.discord.deferred_reply import DeferredReply, ReplyExpiredError, is_to_mention
from bot.discord.failures import is_lost, text_of_failure
from bot.discord.permissions import admit
from bot.discord.replies import defer_answer
from bot.i18n.messages import say
from bot.logs import log_event
from bot.studio import Request, Studio
from bot.studio.morph_file import Morph
from db.records import Avatar, PendingReply

logger = logging.getLogger(__name__)

TOKEN_SECONDS = 15 * 60  # how long Discord accepts the reply to an interaction
MARGIN_SECONDS = 15  # of these, left for painting a resumed reply
# Part of the three seconds that Discord allows for the acknowledgement; the rest is for the network
# and for delays of a busy machine, which are longer after a burst of requests.
PREPARE_SECONDS, BURST_PREPARE_SECONDS = 1.5, 0.5
BURST = 16  # requests in preparation at once
PATIENCE_SECONDS = 1.0  # before the position in the queue is shown
EDIT_SECONDS = 2.0  # between two edits that show it
MAX_PREPARING = 4  # database writes at once, so that acknowledgements do not wait for them
MAX_POSITION_EDITS = 4  # edits of positions at once; further ones are skipped

Result = Sequence[Avatar] | Morph
Show = Callable[[DeferredReply, Result], Awaitable[None]]


class Delivery:
    """The pending replies of one client; `show` fills in a reply with the painted pictures."""

    def __init__(self, client: IrodoriBot, show: Show) -> None:
        self._client = client
        self._show = show
        self._in_progress: set[str] = set()  # ids of pending replies
        self._preparing = asyncio.Semaphore(MAX_PREPARING)
        self._unprepared = 0
        self._position_edits = asyncio.Semaphore(MAX_POSITION_EDITS)

    @property
    def _studio(self) -> Studio:
        return self._client.studio

    async def paint(self, source: Source, command: PaintCommand) -> None:
        """Paints, and replies with the result. Raises Refusal, discord.HTTPException."""
        started = monotonic()
        request = request_of(source)
        pending = PendingReply(
            id=str(source.id),
            application=str(self._client.application_id),
            token="" if isinstance(source, Mention) else source.token,
            task=command.task.with_seed(),
            owner=owner_of(source),
            guild=request.guild,
            channel=request.channel,
            language=await language_of(source),
            private=command.private,
            names_requester=command.names_requester,
            created=datetime.now(UTC),
        )
        if pending.id in self._in_progress:  # the gateway sent the event twice
            return
        self._in_progress.add(pending.id)
        async with AsyncExitStack() as admission:
            preparing = asyncio.create_task(self._prepare(pending, source, admission))
            try:
                # Early refusals are shown without "thinking…" before them.
                burst = self._unprepared >= BURST
                seconds = BURST_PREPARE_SECONDS if burst else PREPARE_SECONDS
                left = started + seconds - monotonic()
                await asyncio.wait([preparing], timeout=max(0.0, left))
                if preparing.done():
                    preparing.result()
                try:
                    await defer_answer(source, private=command.private)
                except discord.HTTPException as error:
                    if is_lost(error):
                        await preparing
                        await self._resolve(pending)
                    raise
                await preparing
                await self._reply(pending, DeferredReply(self._client, pending), admission)
            finally:
                preparing.cancel()
                self._in_progress.discard(pending.id)

    async def resume(self) -> None:
        """Resumes replies that are pending since an earlier process, or since Discord could not be
        reached.
        """
        since = datetime.now(UTC) - timedelta(seconds=TOKEN_SECONDS - MARGIN_SECONDS)
        found = await self._studio.pending_replies.since(since)
        resumed = [pending for pending in found if pending.id not in self._in_progress]
        self._in_progress.update(pending.id for pending in resumed)
        await asyncio.gather(*(self._resume(pending) for pending in resumed))

    async def _prepare(
        self, pending: PendingReply, source: Source, admission: AsyncExitStack
    ) -> None:
        assert pending.task is not None
        self._unprepared += 1
        try:
            async with self._preparing:
                await admission.enter_async_context(admit(source, pending.task.pictures))
                await self._studio.pending_replies.save(pending)
        finally:
            self._unprepared -= 1

    async def _resume(self, pending: PendingReply) -> None:
        reply = DeferredReply(self._client, pending)
        try:
            painted = await self._studio.avatars.of_order(pending.id)
            if not painted:
                # Fails if Discord no longer accepts the reply, before anything is painted.
                await reply.edit(content=say("order-resumed", pending.language))
            await self._reply(pending, reply, AsyncExitStack(), painted)
        except ReplyExpiredError:
            await self._resolve(pending)
        except Exception as error:
            what = _kind(pending)
            text = text_of_failure(error, pending.language, what)
            try:
                await reply.replace(text)
            except (ReplyExpiredError, discord.HTTPException, aiohttp.ClientError) as reply_error:
                logger.warning("could not tell a member why %s failed: %s", what, reply_error)
        finally:
            self._in_progress.discard(pending.id)

    async def _reply(
        self,
        pending: PendingReply,
        reply: DeferredReply,
        admission: AsyncExitStack,
        painted: Sequence[Avatar] = (),
    ) -> None:
        """Paints, unless `painted` has the avatars, and shows the result. A failed reply is
        resolved; an interrupted one stays pending.
        """
        started, outcome, pictures = monotonic(), "interrupted", 0
        painting = None if painted else asyncio.create_task(self._paint(pending, admission))
        try:
            result: Result = painted
            if painting is not None:
                await self._show_position(pending, reply, painting)
                result = await painting
            pictures = 1 if isinstance(result, Morph) else len(result)
            await self._show(reply, result)
            outcome = "done"
        except ReplyExpiredError:
            outcome = "expired"
        except Exception as error:
            outcome = type(error).__name__
            if isinstance(error, aiohttp.ClientError | discord.DiscordServerError):
                outcome += " (still pending)"
            else:
                await self._resolve(pending)
            raise
        else:
            await self._resolve(pending)
        finally:
            if painting is not None:
                painting.cancel()
            log_event(
                logger,
                "order",
                order=pending.id,
                work=_kind(pending),
                guild=pending.guild,
                member=pending.owner.key,
                pictures=pictures,
                ms=round(1000 * (monotonic() - started)),
                outcome=outcome,
            )

    async def _paint(self, pending: PendingReply, admission: AsyncExitStack) -> Result:
        """Holds the admission until the pictures are stored, which are counted from then on."""
        if pending.task is None:
            raise ValueError(f"the pending reply {pending.id} has no valid task")
        async with admission:
            request = Request(pending.owner, pending.guild, pending.channel, order_id=pending.id)
            return await self._studio.run(pending.task, request)

    async def _resolve(self, pending: PendingReply) -> None:
        await self._studio.pending_replies.resolve([pending.id])

    async def _show_position(
        self, pending: PendingReply, reply: DeferredReply, painting: "asyncio.Task[Result]"
    ) -> None:
        """Shows the position in the queue until the pictures are painted."""
        shown = None
        await asyncio.wait([painting], timeout=PATIENCE_SECONDS)
        while not painting.done():
            position = self._studio.painting.queue_position(pending.owner)
            text = say("order-waiting", pending.language, position=position)
            if text != shown and not self._position_edits.locked():
                try:
                    async with self._position_edits:
                        await reply.edit(content=text)
                except (discord.HTTPException, aiohttp.ClientError) as error:
                    logger.info("the position in the queue could not be shown: %s", error)
                if shown is None and is_to_mention(pending) and reply.message_id is not None:
                    # so that this message is edited after a restart
                    stored = replace(pending, token=str(reply.message_id))
                    await self._studio.pending_replies.save(stored)
                shown = text
            await asyncio.wait([painting], timeout=EDIT_SECONDS)


def _kind(pending: PendingReply) -> str:
    return "unknown" if pending.task is None else pending.task.kind
