"""`python -m bot --check`: tests the configuration and prints one finding per line."""

import asyncio
import base64
import binascii
import errno
import re
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import aiohttp
import discord
import numpy as np

from bot.discord.client import set_discord_urls
from bot.discord.permissions import NEEDED
from bot.discord.proxy import proxy_of
from bot.errors import Refusal
from bot.inference.engine import Engine
from bot.settings import DiscordSettings, Settings, WebSettings
from db.errors import StoreError
from db.inspection import inspect_database
from export.registry import Registry

GUILDS = 200  # servers that are checked
REACH_SECONDS = 15
TOKEN = re.compile(r"(?P<application>[\w-]{18,30})\.[\w-]{5,8}\.[\w-]{25,50}")


@dataclass(frozen=True, slots=True)
class Finding:
    """`text` says what was found, or what is wrong and how to fix it."""

    part: str
    ok: bool
    text: str

    def __str__(self) -> str:
        return f"{'ok   ' if self.ok else 'wrong'}  {self.part}: {self.text}"


async def findings(settings: Settings, token: str | None) -> AsyncIterator[Finding]:
    """Checks one part after the other and yields each finding."""
    yield Finding("configuration", True, "all keys and values are valid")
    yield await _checked("database", lambda: inspect_database(settings.db.url))
    yield await _checked("model", lambda: _model(settings))
    if settings.web.enabled:
        yield await _checked("web page", lambda: _port(settings.web))
    else:
        yield Finding("web page", True, "off")
    if token is None:
        text = "DISCORD_TOKEN is not set, so Discord stays off"
        yield Finding("token", settings.web.enabled, text)
        return
    format = await _checked("token", lambda: _token_format(token))
    yield format
    if format.ok:
        async with aclosing(_discord(settings.discord, token)) as found:
            async for finding in found:
                yield finding


class _Problem(Exception):  # noqa: N818 (becomes a finding)
    """What is wrong, and how to fix it."""


async def _checked(part: str, look: Callable[[], Awaitable[str]]) -> Finding:
    try:
        return Finding(part, True, await look())
    except (_Problem, StoreError, Refusal, OSError) as error:
        return Finding(part, False, str(error))


async def _model(settings: Settings) -> str:
    engine = await Engine.open(Registry(settings.models.dir), settings.engine)
    try:
        model, started = engine.model, time.perf_counter()
        latent = np.zeros((1, model.manifest.latent_dim), np.float32)
        condition = np.zeros((1, model.manifest.condition_dim), np.float32)
        image = await engine.paint(latent, condition)
        ms = 1000 * (time.perf_counter() - started)
        return f"{model.name} paints {image.shape[2]} × {image.shape[1]} pixels in {ms:.0f} ms"
    finally:
        await engine.close()


async def _port(settings: WebSettings) -> str:
    try:
        server = await asyncio.start_server(lambda *_: None, settings.host, settings.port)
    except OSError as error:
        reason = error.strerror or str(error)
        if error.errno == errno.EADDRINUSE:
            reason = "another program listens there, perhaps the bot itself"
        raise _Problem(
            f"cannot listen on {settings.host}, port {settings.port}: {reason}. "
            "Choose another one with --web.host and --web.port"
        ) from None
    server.close()
    await server.wait_closed()
    return f"{settings.host}, port {settings.port} is free"


async def _token_format(token: str) -> str:
    """A token is its application's id, a time and a signature, each in base64."""
    match = TOKEN.fullmatch(token)
    application = ""
    if match:
        part = match["application"]
        with suppress(binascii.Error, UnicodeDecodeError):
            application = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)).decode()
    if not application.isdecimal():
        raise _Problem(
            "DISCORD_TOKEN does not look like a bot's token (three parts with dots between them); "
            "copy it again from the Bot page of Discord's developer portal"
        )
    return f"has the format of a token of application {application}"


async def _discord(settings: DiscordSettings, token: str) -> AsyncGenerator[Finding, None]:
    set_discord_urls(settings)
    client = discord.Client(intents=discord.Intents.none(), proxy=proxy_of(settings))
    try:
        async with asyncio.timeout(REACH_SECONDS):
            await client.login(token)
        app, user = client.application, client.user
        assert app is not None
        assert user is not None
        owner = app.team.name if app.team else app.owner.name
        yield Finding("Discord", True, f"accepts the token of {user.name}, owned by {owner}")
        yield await _checked("permissions", lambda: _permissions(client))
        if settings.guild is not None:
            yield await _checked("discord.guild", lambda: _commands(client, settings.guild))
    except discord.LoginFailure:
        text = "does not accept the token; reset it on the Bot page and copy it again"
        yield Finding("Discord", False, text)
    except (discord.HTTPException, aiohttp.ClientError, OSError, TimeoutError) as error:
        reason = str(error) or type(error).__name__
        yield Finding("Discord", False, f"cannot be reached at {settings.api_url}: {reason}")
    finally:
        await client.close()


async def _permissions(client: discord.Client) -> str:
    guilds: list[Any] = await client.http.get_guilds(GUILDS, with_counts=False)
    incomplete = []
    for guild in guilds:
        has = discord.Permissions(int(guild["permissions"]))
        missing = [name for name, needed in NEEDED if needed and not getattr(has, name)]
        if missing and not has.administrator:
            incomplete.append(f"{guild['name']} ({', '.join(missing)})".replace("_", " "))
    if incomplete:
        raise _Problem(
            "commands and buttons work, but the bot cannot reply to mentions in "
            f"{'; '.join(incomplete)}. Give its role these permissions"
        )
    if not guilds:
        return "the bot is in no server yet; the README says how to invite it"
    return f"sufficient in {len(guilds)} server{'s' if len(guilds) > 1 else ''}"


async def _commands(client: discord.Client, guild: int | None) -> str:
    assert guild is not None
    assert client.application_id is not None
    try:
        commands = await client.http.get_guild_commands(client.application_id, guild)
    except discord.HTTPException as error:
        if error.status in (403, 404):
            raise _Problem(
                f"the bot has no access to server {guild}; invite it there with the scopes bot "
                "and applications.commands"
            ) from None
        raise
    return f"server {guild} allows commands and has {len(commands)}"
