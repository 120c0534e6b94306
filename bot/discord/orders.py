"""Everything that Discord has painted goes through here: at once, in turn, and across restarts.

An order is written down before it is acknowledged and crossed out when it is answered. What a bot
that was killed still owed is taken up by the next one; a picture that was stored by then is shown,
not painted again.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import discord
from discord.utils import MISSING

from bot.discord.replies import (
    UNKNOWN_MESSAGE,
    Asked,
    Mention,
    defer_answer,
    is_lost,
    language_of,
    owner_of,
    place_of,
    require_admission,
    words_for,
)
from bot.i18n.messages import say
from bot.logs import write_down
from bot.studio import SEEDS, Studio
from db.store import Owed

logger = logging.getLogger(__name__)

TOKEN_SECONDS = 15 * 60  # how long an interaction can be answered
MARGIN_SECONDS = 15  # less: what is taken up must be painted, too
# Of the three that Discord gives for the first answer; less where many have just asked. The way
# from Discord and back has to fit in, too, on a machine that is busy.
PREPARE_SECONDS, CROWDED_SECONDS = 1.5, 0.5
CROWD = 16
PATIENCE_SECONDS = 1.0  # before the place in the queue is shown
EDIT_SECONDS = 2.0  # between two edits that show it
# At once: who has just asked is acknowledged before others' orders are written down, and nothing
# waits for a queue to be shown.
PREPARING = 4
SHOWING = 4
SEEDED = {"create", "again", "variations", "mix"}
STORED = {"create", "again", "recolour", "variations", "mix", "me"}
VARIATIONS = 9
UNKNOWN_WEBHOOK = 10015
INVALID_TOKEN = 50027


@dataclass(frozen=True, slots=True)
class Order:
    """All that is needed to answer, after a restart as well; `given` is fit for JSON.

    `work` is the name of a method of the studio and `given` its keyword arguments, without owner,
    guild, channel and order. A `private` answer is seen by the one who asked alone; a `named` one
    says who asked, where Discord itself does not show it.
    """

    work: str
    given: dict[str, Any] = field(default_factory=dict)
    private: bool = False
    named: bool = False


class Expired(Exception):  # noqa: N818 (nobody's fault)
    """The answer can no longer be given."""


class Answer:
    """What a member is answered through: a deferred interaction or a reply to a message, of this
    process or of one before it."""

    def __init__(self, client: Any, owed: Owed) -> None:
        self.client = client
        self.owner = owed.owner
        self.language = owed.language
        self.private = owed.private
        self.named = owed.named
        self._owed = owed
        self._by_token = not is_reply(owed)
        self._message: discord.Message | discord.PartialMessage | None = None

    @property
    def studio(self) -> Studio:
        studio: Studio = self.client.studio
        return studio

    @property
    def given(self) -> dict[str, Any]:
        """What the studio's method was given."""
        return self._owed.given

    async def edit(
        self,
        *,
        content: str | None = MISSING,
        attachments: Sequence[discord.Attachment | discord.File] = MISSING,
        view: discord.ui.View | discord.ui.LayoutView | None = MISSING,
    ) -> None:
        """Puts these in the place of what the answer shows.

        A public answer whose token has expired goes to its channel as a message of its own. Raises
        Expired where that cannot be, and discord.HTTPException.
        """
        every = {"content": content, "attachments": attachments, "view": view}
        shown: dict[str, Any] = {k: value for k, value in every.items() if value is not MISSING}
        try:
            await self._put(shown)
        except aiohttp.ClientConnectionError:  # which discord.py does not try again
            rewind(shown.get("attachments", ()))
            await self._put(shown)

    async def withdraw(self, text: str) -> None:
        """Says `text` to the one who asked instead of what the answer shows.

        Raises Expired, discord.HTTPException.
        """
        if not self._by_token:
            await self.edit(content=text, attachments=[], view=None)
            return
        hook = self._hook()
        try:
            with contextlib.suppress(discord.NotFound):
                await hook.delete_message(_original())
            await hook.send(text, ephemeral=True)
        except discord.HTTPException as error:
            if not is_over(error):
                raise
            raise Expired from error

    async def _put(self, shown: dict[str, Any]) -> None:
        if self._by_token:
            try:
                await self._hook().edit_message(_original(), **shown)
                return
            except discord.HTTPException as error:
                if not is_over(error):
                    raise
                if self.private or error.code != INVALID_TOKEN:
                    # Nobody else may see it, it was never acknowledged, or its message was deleted.
                    raise Expired from error
                self._by_token = False
        await self._put_in_channel(shown)

    async def _put_in_channel(self, shown: dict[str, Any]) -> None:
        owed = self._owed
        assert owed.channel is not None, "every interaction and message has a channel"
        channel = self.client.get_partial_messageable(
            int(owed.channel), guild_id=int(owed.guild) if owed.guild else None
        )
        if self._message is None and owed.token and is_reply(owed):
            self._message = channel.get_partial_message(int(owed.token))
        try:
            if self._message is not None:
                await self._message.edit(**shown)
                return
            files = shown.get("attachments", [])
            view = {key: value for key, value in shown.items() if value is not None}
            view.pop("attachments", None)
            if is_reply(owed):
                view["reference"] = discord.MessageReference(
                    message_id=int(owed.id), channel_id=int(owed.channel), fail_if_not_exists=False
                )
            elif view.get("content"):
                view["content"] = f"-# <@{owed.owner.key}>\n{view['content']}"
            # With the same nonce Discord sends no second message where the first one's receipt was
            # lost, to this process or to the one before it.
            message = await channel.send(files=files, nonce=owed.id, **view)
            self._message = message
            if len(message.attachments) < len(files):  # the first one said "Painting…"
                rewind(files)
                await message.edit(**shown)
        except (discord.Forbidden, discord.NotFound) as error:
            raise Expired from error

    @property
    def reply_id(self) -> int | None:
        """The id of the message that a mention is answered with, once it is there."""
        return self._message.id if self._message is not None else None

    def _hook(self) -> discord.Webhook:
        owed = self._owed
        return discord.Webhook.partial(int(owed.application), owed.token, client=self.client)


def _original() -> Any:
    """Where the answer to an interaction lies; discord.py passes it on as it is."""
    return "@original"


def rewind(files: Sequence[discord.Attachment | discord.File]) -> None:
    """So that they can be sent again."""
    for file in files:
        if isinstance(file, discord.File):
            file.reset(seek=True)


def is_reply(owed: Owed) -> bool:
    """Whether a message is answered, not an interaction: its token is the reply's id, or empty."""
    return owed.token == "" or owed.token.isdecimal()


def is_over(error: discord.HTTPException) -> bool:
    return error.code in (UNKNOWN_WEBHOOK, INVALID_TOKEN, UNKNOWN_MESSAGE)


async def paint(asked: Asked, order: Order) -> None:
    """Takes an order and answers it with the pictures. Raises Refusal, discord.HTTPException."""
    await asked.client.orders.take(asked, order)


class Orders:
    """The orders of one client."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._at_work: set[str] = set()
        self._preparing = asyncio.Semaphore(PREPARING)
        self._unprepared = 0
        self._showing = asyncio.Semaphore(SHOWING)

    @property
    def _studio(self) -> Studio:
        studio: Studio = self._client.studio
        return studio

    async def take(self, asked: Asked, order: Order) -> None:
        """See `paint`."""
        begun = time.monotonic()
        owed = Owed(
            id=str(asked.id),
            application=str(self._client.application_id),
            token="" if isinstance(asked, Mention) else asked.token,
            work=order.work,
            given=_with_seed(order),
            owner=owner_of(asked),
            **place_of(asked),
            language=await language_of(asked),
            private=order.private,
            named=order.named,
            created=datetime.now(UTC),
        )
        if owed.id in self._at_work:  # the gateway told of it twice
            return
        self._at_work.add(owed.id)
        preparing = asyncio.create_task(self._prepare(owed, asked))
        try:
            # A refusal need not show "thinking…" to everyone first, unless it takes its time.
            patience = PREPARE_SECONDS if self._unprepared < CROWD else CROWDED_SECONDS
            left = begun + patience - time.monotonic()
            await asyncio.wait([preparing], timeout=max(0.0, left))
            if preparing.done():
                preparing.result()
            try:
                await defer_answer(asked, private=order.private)
            except discord.HTTPException as error:
                if is_lost(error):  # nobody waits for it any more
                    await preparing
                    self._studio.dismiss(owed.owner, owed.guild, _pictures(owed))
                    await self._studio.settle(owed.id)
                raise
            await preparing
            await self._serve(owed, Answer(self._client, owed))
        finally:
            preparing.cancel()
            self._at_work.discard(owed.id)

    async def resume(self) -> None:
        """Answers what is owed by an earlier process, or since Discord could not be reached."""
        since = datetime.now(UTC) - timedelta(seconds=TOKEN_SECONDS - MARGIN_SECONDS)
        owed = [o for o in await self._studio.owed(since) if o.id not in self._at_work]
        self._at_work.update(o.id for o in owed)
        await asyncio.gather(*(self._take_up(o) for o in owed))

    async def _prepare(self, owed: Owed, asked: Asked) -> None:
        self._unprepared += 1
        try:
            async with self._preparing:
                await require_admission(asked, _pictures(owed))
                await self._studio.owe(owed)
        finally:
            self._unprepared -= 1

    async def _take_up(self, owed: Owed) -> None:
        answer = Answer(self._client, owed)
        try:
            painted = await self._studio.painted(owed.id) if owed.work in STORED else []
            if not painted:
                # Whether somebody still waits for it is known only by trying.
                await answer.edit(content=say("order-resumed", owed.language))
            await self._serve(owed, answer, painted)
        except Expired:
            await self._studio.settle(owed.id)
        except Exception as error:
            text = words_for(error, owed.language, owed.work)
            try:
                await answer.withdraw(text)
            except (Expired, discord.HTTPException, aiohttp.ClientError) as unsaid:
                logger.warning("could not tell a member why %s failed: %s", owed.work, unsaid)
        finally:
            self._at_work.discard(owed.id)

    async def _serve(self, owed: Owed, answer: Answer, painted: Any = None) -> None:
        """Paints what is not `painted`, and delivers. What fails is crossed out, what is
        interrupted stays owed."""
        started, outcome, pictures = time.perf_counter(), "interrupted", 0
        working = None if painted else asyncio.create_task(self._work(owed))
        try:
            if working is not None:
                await self._show_place(owed, answer, working)
                result = await working
            else:
                result = painted
            pictures = len(result) if isinstance(result, list) else 1
            await self._client.deliver(answer, result)
            outcome = "done"
        except Expired:
            outcome = "expired"
        except Exception as error:
            outcome = type(error).__name__
            if isinstance(error, aiohttp.ClientError | discord.DiscordServerError):
                outcome += " (still owed)"
            else:
                await self._studio.settle(owed.id)
            raise
        else:
            await self._studio.settle(owed.id)
        finally:
            if working is not None:
                working.cancel()
            ms = round(1000 * (time.perf_counter() - started))
            write_down(
                logger,
                "order",
                order=owed.id,
                work=owed.work,
                guild=owed.guild,
                member=owed.owner.key,
                pictures=pictures,
                ms=ms,
                outcome=outcome,
            )

    async def _work(self, owed: Owed) -> Any:
        where: dict[str, Any] = {"guild": owed.guild}
        if owed.work in STORED:
            where |= {"channel": owed.channel, "order": owed.id}
        return await getattr(self._studio, owed.work)(**owed.given, owner=owed.owner, **where)

    async def _show_place(self, owed: Owed, answer: Answer, working: "asyncio.Task[Any]") -> None:
        """Keeps the answer's text at the place in the queue while it takes longer."""
        shown = None
        await asyncio.wait([working], timeout=PATIENCE_SECONDS)
        while not working.done():
            text = say("order-waiting", owed.language, place=self._studio.place(owed.owner))
            if text != shown and not self._showing.locked():
                try:
                    async with self._showing:
                        await answer.edit(content=text)
                except (discord.HTTPException, aiohttp.ClientError) as error:
                    logger.info("the place in the queue could not be shown: %s", error)
                if shown is None and is_reply(owed) and answer.reply_id is not None:
                    await self._remember_reply(owed, answer.reply_id)
                shown = text
            await asyncio.wait([working], timeout=EDIT_SECONDS)

    async def _remember_reply(self, owed: Owed, reply_id: int) -> None:
        """After a restart the same message is edited, instead of a second one sent."""
        await self._studio.owe(replace(owed, token=str(reply_id)))


def _with_seed(order: Order) -> dict[str, Any]:
    """Drawn here, so that doing it again after a restart gives the same picture."""
    given = dict(order.given)
    if order.work in SEEDED and given.get("seed") is None:
        given["seed"] = secrets.randbelow(SEEDS)
    return given


def _pictures(owed: Owed) -> int:
    return VARIATIONS if owed.work == "variations" else int(owed.given.get("count", 1))
