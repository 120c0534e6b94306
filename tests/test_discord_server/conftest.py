"""A small bot that does whatever a test tells it, right or wrong."""

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
from discord_server import DiscordServer
from PIL import Image

Act = Callable[[discord_py.Interaction], Awaitable[None]]


class Puppet(discord_py.AutoShardedClient):
    """Has /do, which calls `act`; what `act` raised is in `error`."""

    def __init__(self, **options: Any) -> None:
        intents = options.pop("intents", discord_py.Intents(guilds=True, guild_messages=True))
        super().__init__(intents=intents, **options)
        self.tree = app_commands.CommandTree(self)
        self.act: Act
        self.error: BaseException | None = None
        self.over = asyncio.Event()
        self.heard: asyncio.Queue[discord_py.Message] = asyncio.Queue()
        self.suggestions: list[str] = []

    async def setup_hook(self) -> None:
        @self.tree.command(description="what the test says")
        @app_commands.user_install()
        @app_commands.guild_install()
        @app_commands.allowed_contexts(guilds=True, dms=True, private_channels=True)
        async def do(
            interaction: discord_py.Interaction,
            word: str = "",
            times: app_commands.Range[int, 1, 9] = 1,
            who: discord_py.User | None = None,
        ) -> None:
            await self._act(interaction)

        @do.autocomplete("word")
        async def suggest(
            interaction: discord_py.Interaction, current: str
        ) -> list[app_commands.Choice[str]]:
            return [app_commands.Choice(name=s, value=s) for s in self.suggestions]

        @self.tree.command(description="for moderators")
        @app_commands.default_permissions(manage_messages=True)
        async def moderate(interaction: discord_py.Interaction) -> None:
            await self._act(interaction)

        @self.tree.context_menu(name="Look")
        async def look(interaction: discord_py.Interaction, user: discord_py.User) -> None:
            await interaction.response.send_message(f"that is {user.display_name}")

        await self.tree.sync()

    async def on_message(self, message: discord_py.Message) -> None:
        if message.author != self.user:
            self.heard.put_nowait(message)
            if self.user in message.mentions:
                await message.reply("you called?")

    async def on_interaction(self, interaction: discord_py.Interaction) -> None:
        if interaction.type in (
            discord_py.InteractionType.component,
            discord_py.InteractionType.modal_submit,
        ):
            await self._act(interaction)

    async def _act(self, interaction: discord_py.Interaction) -> None:
        self.over.clear()
        try:
            await self.act(interaction)
        except Exception as error:
            self.error = error
        self.over.set()

    async def callback(self, interaction: discord_py.Interaction, kind: int, data: Any) -> Any:
        """The first answer as raw JSON, past the checks that discord.py makes itself."""
        path = f"/interactions/{interaction.id}/{interaction.token}/callback"
        return await self.http.request(Route("POST", path), json={"type": kind, "data": data})


@contextlib.asynccontextmanager
async def running(server: DiscordServer, puppet: Puppet) -> AsyncIterator[Puppet]:
    Route.BASE = server.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(server.gateway_url)
    life = asyncio.create_task(puppet.start(server.token))
    try:
        await server.wait_connected()
        yield puppet
    finally:
        await puppet.close()
        await asyncio.gather(life, return_exceptions=True)


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


@pytest.fixture
async def puppet(discord: DiscordServer) -> AsyncIterator[Puppet]:
    async with running(discord, Puppet()) as puppet:
        yield puppet


def picture(colour: str = "pink", size: int = 64) -> io.BytesIO:
    file = io.BytesIO()
    Image.new("RGB", (size, size), colour).save(file, "PNG")
    file.seek(0)
    return file


def gallery(*names: str, text: str = "hello") -> discord_py.ui.LayoutView:
    view = discord_py.ui.LayoutView(timeout=None)
    view.add_item(discord_py.ui.TextDisplay(text))
    items = [discord_py.MediaGalleryItem(f"attachment://{name}") for name in names]
    if items:
        view.add_item(discord_py.ui.MediaGallery(*items))
    return view
