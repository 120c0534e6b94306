"""The schedule of everything that the bot posts by itself.

Each step plans what is due in each server, sends what is planned, and deletes what is to be
deleted. All of it is stored, so that a restart neither repeats nor loses a post.
"""

import logging
from collections.abc import Awaitable
from datetime import UTC, datetime, timedelta

from bot.discord.bot import IrodoriBot
from bot.discord.community import bracket, portrait, posting, showcase, welcome
from bot.discord.community.status import Status
from bot.discord.replies import REQUEST_ERRORS
from bot.errors import Refusal
from bot.studio import StoreUnavailable
from db.records import Post

log = logging.getLogger(__name__)

STEP_SECONDS = 30
AT_ONCE = 20  # posts that one step sends, and that it deletes
CHECK_MEMBERS = timedelta(days=1)  # of family portraits
PLANS = (showcase.plan, bracket.plan, portrait.plan)  # welcomes are planned when members join
COMPOSERS = {
    welcome.KIND: welcome.compose,
    showcase.KIND: showcase.compose,
    bracket.KIND: bracket.compose,
    portrait.KIND: portrait.compose,
}


def now() -> datetime:
    return datetime.now(UTC)


class Scheduler:
    def __init__(self, bot: IrodoriBot) -> None:
        self._bot = bot
        self._checked: datetime | None = None  # when members of portraits were
        self.status = Status()

    async def step(self) -> None:
        """Raises StoreUnavailable."""
        bot, moment = self._bot, now()
        await self._status()
        community = bot.studio.community
        guilds = {str(guild.id) for guild in bot.guilds if not guild.unavailable}
        every = await community.all_settings()
        mine = {guild: every[guild] for guild in sorted(guilds & every.keys())}
        if not mine:
            return
        if self._checked is None or moment - self._checked >= CHECK_MEMBERS:
            self._checked = moment
            for guild in mine:
                await _guarded(portrait.remove_departed(bot, guild), guild)
        for guild, settings in mine.items():
            for plan in PLANS:
                await _guarded(plan(bot, guild, settings, moment), guild)
        for post in await community.posts.take(list(mine), moment, AT_ONCE):
            await _guarded(self._send(post, moment), post.guild)
        for post in await community.posts.due(list(mine), moment, AT_ONCE):
            await _guarded(posting.delete(bot, post), post.guild)

    async def _send(self, post: Post, moment: datetime) -> None:
        content = await COMPOSERS[post.kind](self._bot, post)
        await posting.send(self._bot, post, content, moment)

    async def _status(self) -> None:
        try:
            await self.status.update(self._bot)
        except REQUEST_ERRORS as error:
            log.info("the status is not updated: %s", error)


async def _guarded(work: Awaitable[None], guild: str) -> None:
    """Keeps a failure in one server from stopping the step in others; it is tried again."""
    try:
        await work
    except (Refusal, *REQUEST_ERRORS) as error:
        log.info("a step for server %s is tried again: %s", guild, error)
    except StoreUnavailable:
        raise
    except Exception:
        log.exception("a step for server %s failed", guild)
