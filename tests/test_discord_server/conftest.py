"""A small bot whose handlers are set by the test, correct or not."""

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import discord as discord_py
import pytest
import yarl
from discord import app_commands
from discord.gateway import DiscordWebSocket
from discord.http import Route
from discord_server import DiscordServer, UserClient
from PIL import Image

Interaction = discord_py.Interaction
Handler = Callable[[Interaction], Awaitable[object]]


class ScriptedBot(discord_py.AutoShardedClient):
    """Its commands and components call `handler`; an exception of it is kept in `error`."""

    def __init__(self, **options: Any) -> None:
        intents = options.pop("intents", discord_py.Intents(guilds=True, guild_messages=True))
        super().__init__(intents=intents, **options)
        self.tree = app_commands.CommandTree(self)
        self.handler: Handler
        self.error: BaseException | None = None
        self.handled = asyncio.Event()
        self.received: asyncio.Queue[discord_py.Message] = asyncio.Queue()
        self.suggestions: list[str] = []

    async def setup_hook(self) -> None:
        @self.tree.command(description="calls the handler")
        @app_commands.user_install()
        @app_commands.guild_install()
        @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
        async def do(
            interaction: discord_py.Interaction,
            word: str = "",
            times: app_commands.Range[int, 1, 9] = 1,
            user: discord_py.User | None = None,
        ) -> None:
            await self._handle(interaction)

        @do.autocomplete("word")
        async def suggest(
            interaction: discord_py.Interaction, current: str
        ) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=s, value=s) for s in self.suggestions]

        @self.tree.command(description="for moderators")
        @app_commands.default_permissions(manage_messages=True)
        async def moderate(interaction: discord_py.Interaction) -> None:
            await self._handle(interaction)

        @self.tree.context_menu(name="Look")
        async def look(interaction: discord_py.Interaction, user: discord_py.User) -> None:
            await interaction.response.send_message(f"that is {user.display_name}")

        await self.tree.sync()

    async def on_message(self, message: discord_py.Message) -> None:
        if message.author != self.user:
            self.received.put_nowait(message)
            if self.user in message.mentions:
                await message.reply("hello")

    async def on_interaction(self, interaction: discord_py.Interaction) -> None:
        if interaction.type in (
            discord_py.InteractionType.component,
            discord_py.InteractionType.modal_submit,
        ):
            await self._handle(interaction)

    async def _handle(self, interaction: discord_py.Interaction) -> None:
        self.handled.clear()
        try:
            await self.handler(interaction)
        except Exception as error:
            self.error = error
        self.handled.set()

    def callback_handler(self, kind: int, data: dict[str, Any]) -> Handler:
        """A handler that answers with a raw callback."""
        return lambda interaction: self.send_callback(interaction, kind, data)

    async def send_callback(
        self, interaction: discord_py.Interaction, kind: int, data: dict[str, Any]
    ) -> Any:
        """Answers with raw JSON, without the checks of discord.py."""
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        return await self.http.request(Route("POST", path), json={"type": kind, "data": data})


@contextlib.asynccontextmanager
async def running(server: DiscordServer, bot: ScriptedBot) -> AsyncIterator[ScriptedBot]:
    Route.BASE = server.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway_url)
    task = asyncio.create_task(bot.start(server.token))
    try:
        await server.wait_connected()
        yield bot
    finally:
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


@pytest.fixture
async def bot(discord: DiscordServer) -> AsyncIterator[ScriptedBot]:
    async with running(discord, ScriptedBot()) as bot:
        yield bot


@pytest.fixture
def mio(discord: DiscordServer) -> UserClient:
    return discord.member("Mio")


@pytest.fixture
def ren(discord: DiscordServer) -> UserClient:
    return discord.member("Ren")


async def say_hello(interaction: Interaction) -> None:
    await interaction.response.send_message("hello")


def picture(color: str = "pink", size: int = 64) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (size, size), color).save(file, "PNG")
    file.seek(0)
    return file


def gallery(*names: str, text: str = "hello") -> discord_py.ui.LayoutView:
    view = discord_py.ui.LayoutView(timeout=None)
    view.add_item(discord_py.ui.TextDisplay(text))
    items = [discord_py.MediaGalleryItem(f"attachment://{name}") for name in names]
    if items:
        view.add_item(discord_py.ui.MediaGallery(*items))
    return view


def codes_at(errors: dict[str, Any] | None, path: str) -> list[str]:
    node: Any = errors or {}
    for part in path.split("."):
        node = node.get(part, {})
    return [error["code"] for error in node.get("_errors", [])]
