"""Deletes what is kept only for a time: old pictures, and data of servers that the bot has left."""

import logging
from datetime import datetime, timedelta

from bot.settings import PrivacySettings
from db.store import Store

log = logging.getLogger("bot.retention")


class RetentionService:
    def __init__(self, settings: PrivacySettings, store: Store) -> None:
        self._settings = settings
        self._retention = store.retention
        self._presence = store.presence
        self._rate_buckets = store.rate_buckets
        self.present_in = store.presence.save
        self.joined = store.presence.joined
        self.left = store.presence.left

    async def apply(self, now: datetime) -> None:
        """Deletes what is due, and then what SQLite's log still contains of deleted data. Raises
        StoreUnavailable.
        """
        if self._settings.guild_days:
            due = now - timedelta(days=self._settings.guild_days)
            for guild in await self._presence.left_before(due):
                pictures = await self._presence.delete_data(guild)
                log.info("data of server %s deleted; it had %d pictures", guild, pictures)
        if self._settings.picture_days:
            due = now - timedelta(days=self._settings.picture_days)
            if count := await self._retention.delete_before(due):
                log.info("%d old pictures deleted", count)
        await self._rate_buckets.delete_full()
        await self._retention.delete_marks()
        await self._retention.empty_log()
