"""Settings of the engine, and reconnecting to Discord."""

import logging
from pathlib import Path
from typing import Any, Literal

import discord
import numpy as np
import pytest
from tiny_model import add_model, black_upscaler

from bot import serve
from bot.inference.model import Model
from bot.settings import DiscordSettings, EngineSettings, Settings, WebSettings
from config import ModelsSettings
from db.settings import DbSettings
from export.manifest import UPSCALER_INT8
from export.registry import Registry


@pytest.mark.parametrize(
    ("upscaler", "installed", "page", "used"),
    [
        ("auto", False, True, "int8"),
        ("auto", True, True, "float"),
        ("auto", True, False, "int8"),
        ("float", False, True, "float"),
    ],
)
async def test_the_bot_uses_the_upscaler_of_browsers_that_paint(
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    upscaler: Literal["auto", "float"],
    installed: bool,
    page: bool,
    used: str,
) -> None:
    add_model(registry, "large", upscaler=True)
    registry.add_file("large", UPSCALER_INT8, black_upscaler())
    registry.use("large")
    monkeypatch.setattr("bot.inference.model.prefers_int8", lambda *_: True)  # it is faster here
    runtimes = {"wasm": ()} if installed else {}
    monkeypatch.setattr("bot.web.browser_runtime.installed", lambda: runtimes)
    settings = Settings(
        db=DbSettings(url=f"sqlite+aiosqlite:///{tmp_path}/bot.db"),
        models=ModelsSettings(dir=registry.root),
        engine=EngineSettings(provider="cpu", threads=1, max_batch=1, upscaler=upscaler),
        web=WebSettings(enabled=page),
    )
    async with serve.open_studio(settings) as (_, engine):
        assert isinstance(engine.model, Model)
        image = engine.model.upscale(np.full((1, 64, 64, 3), 200, np.uint8), 256)
    assert image.max() == (200 if used == "float" else 0)


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
