"""Applies the retention settings at regular times while the bot runs."""

import asyncio
import logging
from datetime import UTC, datetime

from bot.studio import StoreUnavailable, Studio

PAUSE_SECONDS = 3600

log = logging.getLogger("bot.retention")


async def keep_retention(studio: Studio) -> None:
    while True:
        try:
            await studio.retention.apply(datetime.now(UTC))
        except StoreUnavailable as error:
            log.warning("old data is not deleted, next try in an hour: %s", error)
        except Exception:
            log.exception("old data is not deleted, next try in an hour")
        await asyncio.sleep(PAUSE_SECONDS)
