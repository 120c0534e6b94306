"""`python -m bot`: serves the web page and, given a token, Discord."""

import argparse
import asyncio
import contextlib
import itertools
import logging
import signal
import sys
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import discord
from aiohttp import web

import config
from bot.discord.client import run_discord
from bot.engine import Engine
from bot.errors import ModelUnavailable
from bot.settings import DiscordSettings, Settings, WebSettings, discord_token
from bot.studio import Studio
from bot.web.app import create_app
from db.store import Store, StoreError
from export.registry import Registry

RETRY_SECONDS = (5, 15, 60, 300)  # between attempts to reach Discord; the last one from then on

log = logging.getLogger("bot")


class StartError(Exception):
    """Why the bot cannot start, in a line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 after SIGTERM or Ctrl-C, 2 where the bot cannot start."""
    try:
        settings = read_settings(sys.argv[1:] if arguments is None else arguments)
        # A start that goes well is told in one line, whatever the level; see `serve`.
        quiet = "WARNING" if settings.log.level == "INFO" else settings.log.level
        logging.basicConfig(level=quiet, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
        logging.getLogger("alembic").setLevel(logging.WARNING)
        asyncio.run(serve(settings, discord_token()))
    except (config.SettingsError, StoreError, ModelUnavailable, StartError) as error:
        print(f"Irodori cannot start: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # where the loop takes no signal handlers: Windows
        pass
    return 0


def read_settings(arguments: Sequence[str]) -> Settings:
    """Settings from the file, the environment and the command line. Raises SettingsError."""
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="Serves the web page and, with DISCORD_TOKEN set, Discord.",
        epilog="Every setting can be given, too: --web.port 9000. Sections: "
        + ", ".join(Settings.model_fields),
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="instead of config.toml")
    known, rest = parser.parse_known_args(arguments)
    return config.read(Settings, known.config, _overrides(rest))


def _overrides(words: Sequence[str]) -> dict[str, dict[str, Any]]:
    """`--web.port 9000` and `--web.port=9000` to {"web": {"port": "9000"}}."""
    overrides: dict[str, dict[str, Any]] = {}
    left = list(words)
    while left:
        option, equals, value = left.pop(0).partition("=")
        section, dot, key = option.removeprefix("--").partition(".")
        if not (option.startswith("--") and dot and section in Settings.model_fields):
            raise config.SettingsError(
                f"{option} is no option; options are --config PATH and settings such as "
                f"--web.port 9000 (sections: {', '.join(Settings.model_fields)})"
            )
        if not equals:
            if not left:
                raise config.SettingsError(f"{option} has no value")
            value = left.pop(0)
        overrides.setdefault(section, {})[key] = value
    return overrides


async def serve(settings: Settings, token: str | None) -> None:
    """Runs until a signal. Raises ModelUnavailable, StoreError, StartError."""
    if not settings.web.enabled and token is None:
        raise StartError("there is nothing to serve: web.enabled is false and DISCORD_TOKEN unset")
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with AsyncExitStack() as stack:
        engine = await Engine.open(Registry(settings.models.dir), settings.engine)
        stack.push_async_callback(engine.close)
        store = await Store.open(settings.db.url)
        stack.push_async_callback(store.close)
        studio = Studio(engine, store)
        faces = []
        if settings.web.enabled:
            faces.append(await _open_page(stack, studio, engine, settings.web))
        _in_background(stack, _follow_models(engine, settings.engine.poll_seconds))
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
        if token is not None:
            faces.append("Discord")
            ends.append(_in_background(stack, _keep_discord(studio, settings.discord, token)))
        off = "" if token else "; no DISCORD_TOKEN, so Discord stays off"
        print(
            f"Irodori serves {' and '.join(faces)} with model {engine.model.name}{off}.",
            flush=True,
        )
        logging.getLogger().setLevel(settings.log.level)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            refused = "Discord does not accept the DISCORD_TOKEN; copy it anew from its Bot page"
            if not settings.web.enabled:
                raise StartError(refused)
            log.error("%s. The web page stays open.", refused)
            await stop.wait()


async def _open_page(
    stack: AsyncExitStack, studio: Studio, engine: Engine, settings: WebSettings
) -> str:
    """Serves the page until the stack closes; its address. Raises StartError."""
    app = create_app(studio, engine, settings)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=10)
    await runner.setup()
    stack.push_async_callback(runner.cleanup)
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        raise StartError(
            f"the web page cannot open at {settings.host}, port {settings.port}: "
            f"{error.strerror or error}. Choose another one with --web.host and --web.port"
        ) from error
    port = runner.addresses[0][1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}"


async def _follow_models(engine: Engine, seconds: float) -> None:
    while True:
        await asyncio.sleep(seconds)
        try:
            await engine.refresh()
        except Exception:  # a folder that is away for a moment must not end the watching
            log.exception("cannot look at the models")


async def _keep_discord(studio: Studio, settings: DiscordSettings, token: str) -> None:
    """Keeps Discord connected; returns only if it does not accept the token."""
    pauses = itertools.chain(RETRY_SECONDS, itertools.repeat(RETRY_SECONDS[-1]))
    for pause in pauses:
        try:
            await run_discord(studio, settings, token)
            log.error("Discord ended the connection; next try in %d s", pause)
        except discord.LoginFailure:
            return
        except (discord.DiscordException, OSError, TimeoutError) as error:
            log.error("Discord cannot be reached (%s); next try in %d s", error, pause)
        except Exception:
            log.exception("Discord failed; next try in %d s", pause)
        await asyncio.sleep(pause)


def _in_background(stack: AsyncExitStack, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Runs beside everything else, and ends with the stack."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        await asyncio.wait([task])

    stack.push_async_callback(end)
    return task


if __name__ == "__main__":
    sys.exit(main())
