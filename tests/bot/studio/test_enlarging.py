"""Enlarging stored pictures."""

import asyncio

from bot.errors import Busy
from bot.studio import Request, Studio
from bot.studio.enlarging import MAX_WAITING
from db.records import Owner


async def test_of_requests_at_once_only_a_few_wait(studio: Studio, owner: Owner) -> None:
    (avatar,) = await studio.painting.create({}, Request(owner))
    requests = [studio.enlarging.enlarge(avatar, owner) for _ in range(MAX_WAITING + 4)]
    results = await asyncio.gather(*requests, return_exceptions=True)
    assert sum(isinstance(result, bytes) for result in results) == MAX_WAITING
    assert sum(isinstance(result, Busy) for result in results) == 4
    assert await studio.enlarging.enlarge(avatar, owner)
