"""Retention settings."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.inference.engine import Engine
from bot.settings import PrivacySettings
from bot.studio import Request, Studio
from db.records import GuildLimits, Owner
from db.store import Store

NOW = datetime.now(UTC)
LATER = NOW + timedelta(days=31)


@pytest.mark.parametrize(
    ("settings", "limits", "pictures"),
    [
        (PrivacySettings(), 0, 1),
        (PrivacySettings(guild_days=0, picture_days=30), 5, 0),
        (PrivacySettings(guild_days=40, picture_days=40), 5, 1),
    ],
)
async def test_data_is_deleted_after_the_days_in_the_settings(
    engine: Engine,
    store: Store,
    owner: Owner,
    settings: PrivacySettings,
    limits: int,
    pictures: int,
) -> None:
    studio = Studio(engine, store, settings)
    await studio.painting.create("", Request(owner, guild="100"))
    await studio.quotas.save_limits("100", GuildLimits(daily=5))
    await studio.retention.left("42", "100", NOW)
    await studio.retention.apply(NOW)
    assert (await store.guilds.limits("100")).daily == 5
    assert await store.avatars.count() == 1
    await studio.retention.apply(LATER)
    assert (await store.guilds.limits("100")).daily == limits
    assert await store.avatars.count() == pictures
