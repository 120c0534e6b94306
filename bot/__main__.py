"""`python -m bot`: serves the web page and, given a token, Discord.

`python -m bot --check` tests the configuration, `python -m bot sync` registers the commands with
Discord, and `python -m bot password` hashes a password for /admin.
"""

import argparse
import asyncio
import contextlib
import getpass
import itertools
import logging
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import discord
from aiohttp import web

import config
from bot import logs
from bot.check import Finding, findings
from bot.discord.client import run_discord, sync_commands
from bot.errors import ModelUnavailable
from bot.inference.engine import Engine
from bot.passwords import MIN_LENGTH, PasswordHash
from bot.settings import DiscordSettings, Settings, WebSettings, discord_token
from bot.studio import Studio
from bot.web.app import create_app, create_runner
from db.engine import StoreError
from db.store import Store
from export.registry import Registry

RETRY_SECONDS = (5, 15, 60, 300)  # between attempts to reach Discord; the last one from then on

REFUSED = "Discord does not accept the DISCORD_TOKEN; copy it anew from its Bot page"

Ending = list[Callable[[], Awaitable[object]]]

log = logging.getLogger("bot")


class StartError(Exception):
    """Why the bot cannot start, in one line."""


def main(arguments: Sequence[str] | None = None) -> int:
    """The exit status: 0 after SIGTERM or Ctrl-C, 1 where a check found something wrong, 2 where
    the bot cannot start."""
    given = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if given[:1] == ["sync"]:
            return _sync(given[1:])
        if given[:1] == ["password"]:
            return _password(given[1:])
        if "--check" in given:
            given.remove("--check")
            return _check(given)
        settings = read_settings(given)
        # A successful start prints one line, whatever the level; see `serve`.
        quiet = "WARNING" if settings.log.level == "INFO" else settings.log.level
        logs.configure(settings.log, quiet)
        asyncio.run(serve(settings, discord_token()))
    except (config.SettingsError, StoreError, ModelUnavailable, StartError) as error:
        print(f"Irodori cannot start: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:  # Windows, where the loop has no signal handlers
        pass
    return 0


def read_settings(arguments: Sequence[str]) -> Settings:
    """Settings from the file, the environment and the command line. Raises SettingsError."""
    parser = argparse.ArgumentParser(
        prog="python -m bot",
        description="Serves the web page and, with DISCORD_TOKEN set, Discord.",
        epilog="Every setting can be given, too: --web.port 9000. Sections: "
        + ", ".join(Settings.model_fields)
        + ". `python -m bot sync [--guild ID]` tells Discord about the commands, everywhere or in "
        "one server, though they have not changed; `python -m bot password` makes the line of "
        "config.toml that opens /admin.",
        allow_abbrev=False,
    )
    parser.add_argument("--config", type=Path, metavar="PATH", help="instead of config.toml")
    parser.add_argument("--check", action="store_true", help="only say what is wrong, if anything")
    known, rest = parser.parse_known_args(arguments)
    return config.read(Settings, known.config, _overrides(rest))


def _check(arguments: Sequence[str]) -> int:
    logging.disable()  # each finding is printed
    try:
        settings = read_settings(arguments)
    except config.SettingsError as error:
        print(Finding("configuration", False, str(error)))
        return 1

    async def tell() -> bool:
        well = True
        async for finding in findings(settings, discord_token()):
            print(finding, flush=True)
            well = well and finding.ok
        return well

    return 0 if asyncio.run(tell()) else 1


def _sync(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bot sync", add_help=False, allow_abbrev=False)
    parser.add_argument("--guild", type=int)
    known, rest = parser.parse_known_args(arguments)
    settings = read_settings(rest)
    token = discord_token()
    if token is None:
        raise StartError("DISCORD_TOKEN is not set")
    logs.configure(settings.log, "WARNING")

    async def sync() -> list[str]:
        async with _open_studio(settings) as (studio, _):
            return await sync_commands(studio, settings.discord, token, known.guild)

    try:
        names = asyncio.run(sync())
    except discord.LoginFailure:
        raise StartError(REFUSED) from None
    except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
        raise StartError(f"Discord did not take the commands: {error}") from error
    place = "everywhere" if known.guild is None else f"in server {known.guild}"
    print(f"Discord has the commands {place}: {', '.join(names)}.")
    return 0


def _password(arguments: Sequence[str]) -> int:
    argparse.ArgumentParser(prog="python -m bot password", allow_abbrev=False).parse_args(arguments)
    problem, password = "", ""
    try:
        password = getpass.getpass("Password for /admin: ")
        if len(password) < MIN_LENGTH:
            problem = f"A password has at least {MIN_LENGTH} characters."
        elif getpass.getpass("The same again: ") != password:
            problem = "These were two different passwords."
    except EOFError:
        problem = "No password was typed."
    if problem:
        print(problem, file=sys.stderr)
        return 2
    print("This goes into config.toml, below [web]:", file=sys.stderr)
    print(f'admin_password_hash = "{PasswordHash.of(password)}"')
    return 0


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
    async with _open_studio(settings) as (studio, engine), _end_together() as ending:
        front_ends = []
        if settings.web.enabled:
            front_ends.append(await _open_page(ending, studio, settings.web))
        _in_background(ending, _follow_models(engine, settings.engine.poll_seconds))
        ends: list[asyncio.Task[Any]] = [asyncio.create_task(stop.wait())]
        if token is not None:
            front_ends.append("Discord")
            ends.append(_in_background(ending, _keep_discord(studio, settings.discord, token)))
        off = "" if token else "; no DISCORD_TOKEN, so Discord stays off"
        print(
            f"Irodori serves {' and '.join(front_ends)} with model {engine.model.name}{off}.",
            flush=True,
        )
        logs.configure(settings.log)
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        if not stop.is_set():
            if not settings.web.enabled:
                raise StartError(REFUSED)
            log.error("%s. The web page stays open.", REFUSED)
            await stop.wait()


@asynccontextmanager
async def _open_studio(settings: Settings) -> AsyncIterator[tuple[Studio, Engine]]:
    async with AsyncExitStack() as stack:
        engine = await Engine.open(Registry(settings.models.dir), settings.engine)
        stack.push_async_callback(engine.close)
        store = await Store.open(settings.db.url)
        stack.push_async_callback(store.close)
        yield Studio(engine, store), engine


@asynccontextmanager
async def _end_together() -> AsyncIterator[Ending]:
    """Runs all shutdown functions concurrently, so that their grace periods do not add up."""
    ending: Ending = []
    try:
        yield ending
    finally:
        await asyncio.gather(*(end() for end in ending))


async def _open_page(ending: Ending, studio: Studio, settings: WebSettings) -> str:
    """Serves the web page until shutdown; its URL. Raises StartError."""
    app = create_app(studio, settings)
    runner = create_runner(app)
    await runner.setup()
    ending.append(runner.cleanup)
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
        except Exception:  # keeps watching when the folder is briefly unavailable
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


def _in_background(ending: Ending, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
    """Runs until shutdown."""
    task = asyncio.create_task(work)

    async def end() -> None:
        task.cancel()
        await asyncio.wait([task])

    ending.append(end)
    return task


if __name__ == "__main__":
    sys.exit(main())
