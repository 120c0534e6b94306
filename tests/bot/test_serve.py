"""Reconnecting to Discord."""

import logging
from typing import Any

import discord
import pytest

from bot import serve
from bot.settings import DiscordSettings


async def test_pauses_between_connections_start_again_after_a_good_one(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    now = 0.0
    durations = iter([1, 1, 1, serve.STABLE_SECONDS, 1])

    async def connect(*arguments: Any) -> None:
        nonlocal now
        try:
            now += next(durations)
        except StopIteration:
            raise discord.LoginFailure from None
        raise discord.ConnectionClosed(_Socket(), shard_id=None, code=4000)  # type: ignore[arg-type]

    monkeypatch.setattr(serve, "RETRY_SECONDS", (0.001, 0.002, 0.003, 0.004))
    monkeypatch.setattr(serve, "run_discord", connect)
    monkeypatch.setattr(serve, "monotonic", lambda: now)
    with caplog.at_level(logging.WARNING):
        await serve._keep_discord(None, DiscordSettings(), "")  # type: ignore[arg-type]
    pauses = [
        r.args[0] for r in caplog.records if isinstance(r.args, tuple) and "next try" in r.msg
    ]
    assert pauses == [0.001, 0.002, 0.003, 0.001, 0.002]


class _Socket:
    close_code = 4000
