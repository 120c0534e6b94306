"""Delivers painted pictures to Discord: immediately, through the fair queue, or after a restart.

A pending reply is stored before the interaction is acknowledged, and deleted once it is filled in.
Replies that a killed process left pending are resumed by the next one, or by another one on the
same database, which shows pictures that are stored already instead of painting them again.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from time import monotonic

from bot.discord.bot import IrodoriBot, Mention, PaintCommand, Source
from bot.discord.context import language_of, owner_of, request_of
from bot.discord.deferred_reply import DeferredReply, ReplyExpiredError, is_to_mention
from bot.discord.failures import text_of_failure
from bot.discord.permissions import admit
from bot.discord.replies import REQUEST_ERRORS, defer_answer, is_temporary, typing_in
from bot.errors import Busy, NotAllowed
from bot.i18n.messages import say
from bot.logs import log_event
from bot.studio import Request, Studio
from bot.studio.community.guessing import Puzzle
from bot.studio.finding import Sheet
from bot.studio.morph_file import Morph
from db.records import Avatar, Owner, PendingReply

logger = logging.getLogger(__name__)

TOKEN_SECONDS = 15 * 60  # how long Discord accepts the reply to an interaction
MARGIN_SECONDS = 15  # of these, left for painting a resumed reply
# Of the three seconds that Discord allows for the acknowledgment: until then an early refusal is
# waited for, and the pending reply must be written. The rest is for the network.
PREPARE_SECONDS = 1.5
WRITE_SECONDS = 2.2
BUSY_SECONDS = 10  # after which a member is asked to try again
RETRY_SECONDS = (2, 5, 15, 60, 120, 240)  # between attempts to show a painted reply
PATIENCE_SECONDS = 1.0  # before the position in the queue is shown
EDIT_SECONDS = 2.0  # between two edits that show it
MAX_ADMITTING = 4  # requests whose limits are read at once; more would wait for connections
MAX_POSITION_EDITS = 4  # edits of positions at once; further ones are skipped

Result = Sequence[Avatar] | Morph | Sheet | Puzzle
Show = Callable[[DeferredReply, Result], Awaitable[None]]


class Delivery:
    """The pending replies of one client; `show` fills in a reply with the painted pictures."""

    def __init__(self, client: IrodoriBot, show: Show) -> None:
        self._client = client
        self._show = show
        self._in_progress: dict[str, Owner] = {}  # by the id of the pending reply
        self._admitting = asyncio.Semaphore(MAX_ADMITTING)
        self._position_edits = asyncio.Semaphore(MAX_POSITION_EDITS)

    @property
    def _studio(self) -> Studio:
        return self._client.studio

    async def paint(self, source: Source, command: PaintCommand) -> None:
        """Paints, and replies with the result. Raises Refusal, discord.HTTPException."""
        if str(source.id) in self._in_progress:  # the gateway sent the event twice
            return
        with self.open_request(source):
            await self._paint_new(source, command)

    @contextmanager
    def open_request(self, source: Source) -> Iterator[None]:
        """Counts an open request of the member in the block. Raises NotAllowed for a member who
        has as many as allowed.
        """
        id, owner, most = str(source.id), owner_of(source), self._client.settings.open_requests
        if most and sum(other == owner for other in self._in_progress.values()) >= most:
            raise NotAllowed("order-too-many", most=most)
        self._in_progress[id] = owner
        try:
            yield
        finally:
            del self._in_progress[id]

    async def _paint_new(self, source: Source, command: PaintCommand) -> None:
        received = source.extras.get("received", monotonic())
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
        async with AsyncExitStack() as admission:
            # Written first: with many concurrent requests, reading the limits takes too long.
            saving = asyncio.create_task(self._studio.pending_replies.save(pending))
            preparing = asyncio.create_task(self._prepare(saving, pending, source, admission))
            try:
                # An acknowledged reply that is not written would be lost with the process.
                await asyncio.wait([saving], timeout=_remaining(received, WRITE_SECONDS))
                # A refusal is shown without "thinking…" before it, unless requests have to wait.
                if not self._admitting.locked():
                    await asyncio.wait([preparing], timeout=_remaining(received, PREPARE_SECONDS))
                if preparing.done():
                    preparing.result()
                if isinstance(source, Mention):
                    admission.enter_context(typing_in(source.channel))
                elif "deferred" in source.extras:  # by the command, to read a file first
                    await saving
                elif not saving.done():
                    raise Busy(BUSY_SECONDS)
                else:
                    saving.result()
                    await defer_answer(source, private=command.private)
                await preparing
            except Exception:
                withdrawing = asyncio.create_task(self._withdraw(pending, preparing))
                self._client.replying.add(withdrawing)
                withdrawing.add_done_callback(self._client.replying.discard)
                if saving.done():  # otherwise the refusal would come too late
                    await withdrawing
                raise
            finally:
                preparing.cancel()
            await self._reply(pending, DeferredReply(self._client, pending), admission)

    async def resume(self) -> None:
        """Resumes replies that are pending since an earlier process, or since Discord could not be
        reached, and those of other processes that have ended.
        """
        application = str(self._client.application_id)
        since = datetime.now(UTC) - timedelta(seconds=TOKEN_SECONDS - MARGIN_SECONDS)
        # Replies that are resolved while the others are read are not resumed either.
        busy = {*self._in_progress}
        found = await self._studio.pending_replies.claim(application, since)
        busy.update(self._in_progress)
        resumed = [pending for pending in found if pending.id not in busy]
        self._in_progress.update((pending.id, pending.owner) for pending in resumed)
        await asyncio.gather(*(self._resume(pending) for pending in resumed))

    async def _prepare(
        self,
        saving: "asyncio.Task[None]",
        pending: PendingReply,
        source: Source,
        admission: AsyncExitStack,
    ) -> None:
        assert pending.task is not None
        await saving
        here = sum(other == pending.owner for other in self._in_progress.values())
        await _check_open_elsewhere(self._client, pending.owner, here)
        async with self._admitting:
            await admission.enter_async_context(admit(source, pending.task.pictures))

    async def _withdraw(self, pending: PendingReply, preparing: "asyncio.Task[None]") -> None:
        """Resolves a refused or unacknowledged reply, so that it is not painted later."""
        await asyncio.wait([preparing])
        await self._resolve(pending)

    async def _resume(self, pending: PendingReply) -> None:
        reply = DeferredReply(self._client, pending)
        try:
            painted = await self._studio.avatars.of_order(pending.id)
            if not painted:
                await self._show_resumed(pending, reply)
            await self._reply(pending, reply, AsyncExitStack(), painted)
        except ReplyExpiredError:
            await self._resolve(pending)
        except Exception as error:
            what = _kind(pending)
            text = text_of_failure(error, pending.language, what)
            try:
                await reply.replace(text)
            except (ReplyExpiredError, *REQUEST_ERRORS) as reply_error:
                logger.warning("could not tell a member why %s failed: %s", what, reply_error)
        finally:
            del self._in_progress[pending.id]

    async def _show_resumed(self, pending: PendingReply, reply: DeferredReply) -> None:
        """Raises ReplyExpiredError if Discord no longer accepts the reply, before it is painted."""
        try:
            await reply.edit(content=say("order-resumed", pending.language))
        except Exception as error:
            if not is_temporary(error):
                raise
            logger.info("a resumed reply could not be announced: %s", error)

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
            pictures = 1 if isinstance(result, Morph | Sheet | Puzzle) else len(result)
            await self._show_result(reply, result)
            outcome = "done"
        except ReplyExpiredError:
            outcome = "expired"
            await self._resolve(pending)
        except Exception as error:
            outcome = type(error).__name__
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
            return await self._studio.run(pending.task, _request(pending))

    async def _show_result(self, reply: DeferredReply, result: Result) -> None:
        """Shows the result. While Discord fails or cannot be reached, the reply stays pending and
        is repeated. Raises ReplyExpiredError, discord.HTTPException, aiohttp.ClientError.
        """
        for seconds in RETRY_SECONDS:
            try:
                await self._show(reply, result)
                return
            except Exception as error:
                if not is_temporary(error):
                    raise
                logger.warning(
                    "a reply could not be sent, next attempt in %g s: %s", seconds, error
                )
            await asyncio.sleep(seconds)
        await self._show(reply, result)

    async def _resolve(self, pending: PendingReply) -> None:
        """Deletes the pending reply. A failure of the database does not change a reply that is
        shown, and a refused one is not resumed: see PendingReplyRepository.resolve.
        """
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
                except REQUEST_ERRORS as error:
                    logger.info("the position in the queue could not be shown: %s", error)
                if shown is None and is_to_mention(pending) and reply.message_id is not None:
                    # so that this message is edited after a restart
                    token = str(reply.message_id)
                    await self._studio.pending_replies.replace_token(pending.id, token)
                shown = text
            await asyncio.wait([painting], timeout=EDIT_SECONDS)


async def _check_open_elsewhere(client: IrodoriBot, owner: Owner, here: int) -> None:
    """As `open_request`, for the member's requests `here` and in other processes. Raises
    NotAllowed.
    """
    most, studio = client.settings.open_requests, client.studio
    if not most or studio.processes.alone:
        return
    if here + await studio.pending_replies.count_elsewhere(owner) > most:
        raise NotAllowed("order-too-many", most=most)


def _request(pending: PendingReply) -> Request:
    age = max(timedelta(), datetime.now(UTC) - pending.created)
    began = monotonic() - age.total_seconds()
    owner, guild, channel = pending.owner, pending.guild, pending.channel
    return Request(owner, guild, channel, order_id=pending.id, began=began)


def _remaining(received: float, seconds: float) -> float:
    """What remains of a time limit that began when the interaction was received."""
    return max(0.0, float(received) + seconds - monotonic())


def _kind(pending: PendingReply) -> str:
    return "unknown" if pending.task is None else pending.task.kind
