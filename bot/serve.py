"""Runs the front ends on one studio until a signal."""

import asyncio
import contextlib
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from time import monotonic
from typing import Any

import discord
from aiohttp import web

from bot import logs
from bot.backups import keep_backups
from bot.discord.client import run_discord
from bot.inference.engine import Engine
from bot.retention import keep_retention
from bot.settings import DiscordSettings, EngineSettings, Settings, WebSettings
from bot.studio import Studio
from bot.studio.processes import ShardsTaken
from bot.web import browser_runtime
from bot.web.app import create_app, create_metrics_app, create_runner
from bot.web.connections import CONNECTIONS, Listener
from bot.web.metrics import Metrics
from db.backup import BackupError, sqlite_path
from db.errors import StoreUnavailable
from db.store import Store
from export.registry import Registry

RETRY_SECONDS = (5, 15, 60, 300)  # between attempts to reach Discord; the last one repeats
# After a connection that lasted this long, the pauses start again. A shorter limit could exceed
# Discord's thousand logins per day.
STABLE_SECONDS = 300
REFUSED = "Discord does not accept the DISCORD_TOKEN; copy it again from the bot's page"

ShutdownSteps = list[Callable[[], Awaitable[object]]]

log = logging.getLogger("bot")


class StartError(Exception):
    """The bot cannot start; the message says why, in one line."""


class EngineStopped(Exception):  # noqa: N818 (what happened, not what is wrong)
    """The engine stopped by an error, which is logged; only a restart helps."""


async def serve(settings: Settings, token: str | None) -> None:
    """Runs until a signal. Raises ModelUnavailable, StoreError, StartError, EngineStopped."""
    if not settings.web.enabled and token is None:
        raise StartError(
            "there is nothing to serve: web.enabled is false and DISCORD_TOKEN is not set"
        )
    if settings.db.backup_hours:
        try:
            sqlite_path(settings.db.url)
        except BackupError as error:
            raise StartError(f"db.backup_hours must be 0: {error}") from None
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with open_studio(settings) as (studio, engine), _shutdown_steps() as shutdown:
        await studio.processes.join()
        front_ends = []
        metrics = Metrics(studio)
        if settings.web.enabled:
            front_ends.append(await _open_page(shutdown, studio, settings.web, metrics))
        if settings.web.metrics_port is not None:
            await _open_metrics(shutdown, metrics, settings.web.host, settings.web.metrics_port)
        _in_background(shutdown, _follow_models(engine, settings.engine.poll_seconds))
        _in_background(shutdown, studio.processes.keep_lease())
        _in_background(shutdown, studio.processes.follow())
        _in_background(shutdown, keep_retention(studio))
        if settings.db.backup_hours:
            _in_background(shutdown, keep_backups(settings.db))
        stopped = asyncio.create_task(engine.stopped())
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait()), stopped]
        connection: asyncio.Task[None] | None = None
        if token is not None:
            front_ends.append("Discord")
            keeping = _keep_discord(studio, settings.discord, token)
            connection = _in_background(shutdown, keeping)
        gc.collect()
        gc.freeze()  # what is loaded now stays: full collections, which block all requests, skip it
        off = "" if token else "; no DISCORD_TOKEN, so Discord stays off"
        print(
            f"Irodori serves {' and '.join(front_ends)} with model {engine.model.name}{off}.",
            flush=True,
        )
        logs.configure(settings.log)
        running = ends if connection is None else [*ends, connection]
        await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        if connection is not None and not stop.is_set() and not stopped.done():
            connection.result()  # raises StartError
            if not settings.web.enabled:
                raise StartError(REFUSED)
            log.error("%s. The web page stays open.", REFUSED)
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if stopped.done():
            raise EngineStopped("the engine stopped by an error, see the log")


def engine_settings(settings: Settings) -> EngineSettings:
    """The engine's settings. Where browsers paint, too, it uses the float upscaler, as they do."""
    if settings.engine.upscaler == "auto" and settings.web.enabled and browser_runtime.installed():
        return settings.engine.model_copy(update={"upscaler": "float"})
    return settings.engine


@asynccontextmanager
async def open_studio(settings: Settings) -> AsyncIterator[tuple[Studio, Engine]]:
    async with AsyncExitStack() as stack:
        engine = await Engine.open(Registry(settings.models.dir), engine_settings(settings))
        stack.push_async_callback(engine.close)
        store = await Store.open(settings.db.url, settings.db.connections)
        stack.push_async_callback(store.close)
        page_url = settings.web.public_url if settings.web.enabled else ""
        yield Studio(engine, store, settings.privacy, page_url), engine


@asynccontextmanager
async def _shutdown_steps() -> AsyncIterator[ShutdownSteps]:
    """Runs all steps concurrently at the end, so that their grace periods do not add up."""
    steps: ShutdownSteps = []
    try:
        yield steps
    finally:
        await asyncio.gather(*(step() for step in steps))


async def _open_page(
    shutdown: ShutdownSteps, studio: Studio, settings: WebSettings, metrics: Metrics
) -> str:
    """Serves the web page until shutdown; its URL. Raises StartError."""
    app = create_app(studio, settings, metrics)
    runner = create_runner(app)
    await runner.setup()
    assert runner.server is not None
    listener = Listener(runner.server, app[CONNECTIONS])

    async def close() -> None:
        await listener.close()
        await runner.cleanup()

    shutdown.append(close)
    try:
        await listener.open(settings.host, settings.port)
    except OSError as error:
        raise _cannot_listen("the web page", settings.host, settings.port, error) from error
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.port}"


async def _open_metrics(shutdown: ShutdownSteps, metrics: Metrics, host: str, port: int) -> None:
    """Serves /metrics on a port of its own until shutdown. Raises StartError."""
    runner = create_runner(create_metrics_app(metrics))
    await runner.setup()
    shutdown.append(runner.cleanup)
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        raise _cannot_listen("/metrics", host, port, error, "metrics_port") from error


def _cannot_listen(
    what: str, host: str, port: int, error: OSError, setting: str = "port"
) -> StartError:
    return StartError(
        f"{what} cannot listen on {host}, port {port}: {error.strerror or error}. "
        f"Choose another one with --web.host and --web.{setting}"
    )


async def _follow_models(engine: Engine, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await engine.refresh()
        except Exception:  # keeps polling while the folder is unavailable
            log.exception("models/current cannot be checked")


async def _keep_discord(studio: Studio, settings: DiscordSettings, token: str) -> None:
    """Keeps Discord connected; returns only if it does not accept the token. Raises StartError if
    another process serves the same shards.
    """
    failures = 0
    while True:
        started = monotonic()
        try:
            await run_discord(studio, settings, token)
            log.error("Discord closed the connection")
        except discord.LoginFailure:
            return
        except ShardsTaken as error:
            raise StartError(str(error)) from None
        except StoreUnavailable as error:
            log.error("Discord is not connected yet: %s", error)
        except (discord.DiscordException, OSError, TimeoutError) as error:
            log.error("Discord cannot be reached: %s", error)
        except Exception:
            log.exception("Discord failed")
        if monotonic() - started >= STABLE_SECONDS:
            failures = 0
        pause = RETRY_SECONDS[min(failures, len(RETRY_SECONDS) - 1)]
        failures += 1
        log.warning("Discord: next try in %d s", pause)
        await asyncio.sleep(pause)


def _in_background(shutdown: ShutdownSteps, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Runs until shutdown."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        await asyncio.wait([task])

    shutdown.append(end)
    return task
