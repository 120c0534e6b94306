"""The fake server: state, start and stop, and the methods that tests call."""

import asyncio
import base64
import contextlib
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar

from aiohttp import web

from . import gateway, limits, messages
from .api import ApiRoutes
from .attachments import Attachment, AttachmentStore
from .errors import BotError, Violation
from .interactions import InteractionRoutes
from .model import Channel, Guild, Interaction, Message, Role, User
from .notifier import Notifier
from .permissions import ALL_PERMISSIONS, EVERYONE
from .rest import Call, Fault, RestServer
from .schema import discord_schemas
from .user_client import UserClient

T = TypeVar("T")


class DiscordServer:
    """A fake Discord with one application; see the docstring of the package."""

    def __init__(
        self,
        *,
        deadline: float = 3.0,
        timeout: float = 30.0,
        shards: int = 1,
        heartbeat: float = 41.25,
        max_concurrency: int = 16,
        session_start_limit: int = 1000,
        granted_intents: int = 0,
    ) -> None:
        """`deadline` is the time limit in seconds for the first answer to an interaction,
        `timeout` the one for everything else. `granted_intents` are the allowed privileged
        intents."""
        self.deadline, self.timeout = deadline, timeout
        self.shards, self.heartbeat_ms = shards, int(heartbeat * 1000)
        self.max_concurrency = max_concurrency
        self.session_start_limit = session_start_limit
        self.granted_intents = granted_intents
        # Errors of the bot, and errors of the fake server itself.
        self.violations: list[Violation] = []
        self.server_errors: list[str] = []
        self.schemas = discord_schemas()
        # Gateway
        self.acknowledge_heartbeats = True
        self.resumable = True
        self.session_starts = self.heartbeats = self.resumes = self.replayed = self.syncs = 0
        self.identified_at: list[float] = []
        self.connections: set[gateway.Connection] = set()
        self.sessions: dict[str, gateway.Session] = {}
        self.activities: list[dict[str, Any]] = []  # the bot's status
        # Guilds, channels and users
        self.bot = User("Irodori", bot=True)
        self.owner = User("Owner")
        self.application_id = self.bot.id
        self.token = make_token(self.application_id)
        self.team: list[User] = []  # owners of the application; if empty, `owner`
        self.file_bytes = limits.FILE_BYTES  # a larger upload is refused
        self.users: dict[int, User] = {user.id: user for user in (self.bot, self.owner)}
        self.guilds: list[Guild] = []
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.attachments = AttachmentStore(self.unix_time)
        self.interactions: dict[str, Interaction] = {}  # by token
        self.commands: dict[int | None, dict[int, dict[str, Any]]] = {}  # None: global
        self._clients: dict[tuple[str, int | None], UserClient] = {}
        self.state_changed = Notifier()
        self._advanced = 0.0
        self.rest = RestServer(self)
        self.url = ""
        self.default_guild = self.guild("Studio")
        self.general = self.channel("general")

    # Start and stop

    async def __aenter__(self) -> "DiscordServer":
        app = web.Application(client_max_size=8 * limits.REQUEST_BYTES)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_get("/attachments/{channel}/{id}/{name}", self.attachments.serve)
        app.router.add_routes(
            self.rest.routes(InteractionRoutes(self).handlers() | ApiRoutes(self).handlers())
        )
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = self.attachments.base_url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for connection in list(self.connections):
            connection.abort()
        await self._runner.cleanup()
        if self.server_errors and kind is None:
            raise AssertionError(
                "the fake server's own answers differ from Discord's description:\n"
                + "\n".join(self.server_errors[:10])
            )

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v10"

    @property
    def gateway_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/gateway"

    @property
    def mention(self) -> str:
        """The text that mentions the bot."""
        return f"<@{self.bot.id}>"

    def clock(self) -> float:
        return time.monotonic() + self._advanced

    def unix_time(self) -> float:
        """Seconds since 1970 on the clock of the fake server."""
        return time.time() + self._advanced

    def advance_clock(self, seconds: float) -> None:
        """Advances the clock of the fake server: tokens, deadlines, URLs and rate limits expire."""
        self._advanced += seconds
        self.state_changed.notify()

    async def wait_until(
        self, condition: Callable[[], T], what: str, within: float | None = None
    ) -> T:
        """Waits until `condition()` is true, and returns its value.

        Raises BotError with `what`, the description of the failure.
        """
        seconds = self.timeout if within is None else within
        try:
            async with asyncio.timeout(seconds):
                while not (value := condition()):
                    # Some conditions change without a request to Discord.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.1):
                            await self.state_changed.wait()
                return value
        except TimeoutError:
            errors = "".join(f"\n  {violation}" for violation in self.violations)
            raise BotError(f"{what}: not within {seconds:g} s{errors}") from None

    # Guilds, channels and users

    def guild(self, name: str, *, has_bot: bool = True) -> Guild:
        guild = Guild(name, has_bot=has_bot, owner_id=self.owner.id)
        guild.members[self.owner.id] = ALL_PERMISSIONS
        if has_bot:
            guild.members[self.bot.id] = EVERYONE
        self.guilds.append(guild)
        self.channel("general", guild)
        return guild

    def role(self, name: str, *members: UserClient, guild: Guild | None = None) -> Role:
        """Returns the role of that name, created if needed, and gives it to the members."""
        guild = guild or self.default_guild
        role = next((role for role in guild.roles if role.name == name), None)
        if role is None:
            role = Role(name)
            guild.roles.append(role)
        role.members |= {client.user.id for client in members}
        return role

    def channel(
        self,
        name: str,
        guild: Guild | None = None,
        *,
        only: list[UserClient] | None = None,
        denied: int = 0,
    ) -> Channel:
        """Returns the channel of that name, created if needed; `only` restricts its readers, and
        `denied` the permissions of everybody.
        """
        guild = guild or self.default_guild
        for channel in guild.channels:
            if channel.name == name:
                return channel
        readers = None if only is None else frozenset(client.user.id for client in only)
        channel = Channel(name, guild, only=readers, denied=denied)
        guild.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def thread(self, name: str, parent: Channel) -> Channel:
        """Creates a public thread."""
        thread = Channel(name, parent.guild, only=parent.only, parent=parent)
        self.channels[thread.id] = thread
        return thread

    def member(
        self,
        name: str,
        guild: Guild | None = None,
        *,
        permissions: int = 0,
        installed: bool = False,
        locale: str | None = None,
    ) -> UserClient:
        """The client of a member of a guild, by default the default guild.

        `permissions` are added to those of @everyone. With `installed`, the user has installed
        the app on the account, so it works everywhere. `locale` is the client's language.
        """
        guild = guild or self.default_guild
        client = self._client(name, guild, installed, locale)
        known = guild.members.get(client.user.id, EVERYONE)
        guild.members[client.user.id] = known | permissions
        return client

    async def join(self, name: str, guild: Guild | None = None) -> UserClient:
        """A user joins a guild while the bot is connected."""
        guild = guild or self.default_guild
        client = self.member(name, guild)
        event = guild.member_payload(client.user) | {"guild_id": str(guild.id)}
        await self.dispatch("GUILD_MEMBER_ADD", event, guild, gateway.GUILD_MEMBERS)
        return client

    async def leave(self, client: UserClient) -> None:
        """The user leaves the guild."""
        assert client.guild is not None
        del client.guild.members[client.id]
        event = {"guild_id": str(client.guild.id), "user": client.user.payload()}
        await self.dispatch("GUILD_MEMBER_REMOVE", event, client.guild, gateway.GUILD_MEMBERS)

    def user(self, name: str, *, installed: bool = True, locale: str | None = None) -> UserClient:
        """The client of a user who shares no guild with the bot."""
        return self._client(name, None, installed, locale)

    @property
    def operator(self) -> UserClient:
        """The client of the owner of the application and the default guild."""
        return self._client(self.owner.name, self.default_guild, False, None)

    def _client(
        self, name: str, guild: Guild | None, installed: bool, locale: str | None
    ) -> UserClient:
        key = (name, guild.id if guild else None)
        if key not in self._clients:
            user = next((u for u in self.users.values() if u.name == name), None) or User(name)
            self.users[user.id] = user
            self._clients[key] = UserClient(self, user, guild)
        client = self._clients[key]
        client.user.installed |= installed
        client.user.locale = locale or client.user.locale
        return client

    def dm(self, user: User, other: User | None = None) -> Channel:
        """The direct-message channel of a user with the bot or another user."""
        pair = (user, other or self.bot)
        for channel in self.channels.values():
            if set(channel.recipients) == set(pair):
                return channel
        channel = Channel("", recipients=pair)
        self.channels[channel.id] = channel
        return channel

    # Violations and injected faults

    def add_violation(self, violation: Violation) -> None:
        self.violations.append(violation)
        self.state_changed.notify()

    def inject_fault(
        self,
        path: str,
        status: int | None,
        *,
        method: str = "*",
        processed: bool = False,
        times: int = 1,
        retry_after: float = 0.1,
        via: bool = True,
    ) -> None:
        """Makes the next `times` requests whose path matches the pattern `path` fail.

        They get `status` (429, 502, …); None drops the connection. With `processed`, Discord
        processes the request and only the response is lost. `via` tells whether a 429 comes from
        Discord or from Cloudflare in front of it.
        """
        pattern = re.compile(path)
        self.rest.faults.append(Fault(method, pattern, status, processed, times, retry_after, via))

    @property
    def calls(self) -> list[Call]:
        """All requests so far, with their responses."""
        return self.rest.calls

    # Gateway

    @property
    def connected(self) -> bool:
        """Whether every shard has identified and is connected."""
        live = [session for session in self.sessions.values() if session.connection is not None]
        return bool(live) and len(live) == live[0].shards

    async def wait_connected(self, *, commands: bool = True, within: float = 30.0) -> None:
        """Waits until the bot has identified and has sent its commands."""
        await self.wait_until(lambda: self.connected, "the bot did not connect", within)
        if commands:
            await self.wait_until(lambda: self.syncs, "the bot sent no commands", within)

    async def wait_disconnected(self) -> None:
        await self.wait_until(lambda: not self.connections, "the bot did not disconnect")

    async def request_reconnect(self) -> None:
        """Sends op 7: the bot must reconnect and resume."""
        await self._send_to_all({"op": gateway.RECONNECT, "d": None})

    async def invalidate_session(self, *, resumable: bool = False) -> None:
        """Sends op 9."""
        live = list(self.sessions.values())
        if not resumable:
            self.sessions.clear()
        for session in live:
            if session.connection is not None:
                await session.connection.send({"op": gateway.INVALID_SESSION, "d": resumable})

    async def request_heartbeat(self) -> None:
        await self._send_to_all({"op": gateway.HEARTBEAT, "d": None})

    async def _send_to_all(self, payload: dict[str, Any]) -> None:
        for connection in list(self.connections):
            await connection.send(payload)

    async def close_gateway(self, code: int) -> None:
        for connection in list(self.connections):
            await connection.close(code)

    def drop_gateway(self) -> None:
        """Breaks the connections without a close frame; the sessions can be resumed."""
        for connection in list(self.connections):
            connection.abort()

    async def dispatch(
        self, event: str, data: dict[str, Any], guild: Guild | None = None, intent: int = 0
    ) -> None:
        if self.schemas is not None:
            self.server_errors.extend(self.schemas.event_errors(event, data))
        for session in list(self.sessions.values()):
            shard = (guild.id >> 22) % session.shards if guild else 0
            if session.shard == shard and (not intent or session.intents & intent):
                await session.dispatch(event, data)

    async def dispatch_message(self, message: Message, *, new: bool) -> None:
        """Sends a new or edited message to the gateway, and wakes waiting tests."""
        guild = message.channel.guild
        if message.only_for is None and (guild is None or guild.has_bot):
            intent = gateway.GUILD_MESSAGES if guild else gateway.DIRECT_MESSAGES
            event = message.event()
            if not self._content_is_visible(message):
                event |= {"content": "", "embeds": [], "attachments": [], "components": []}
            if guild is not None or self.bot in message.channel.recipients:
                name = "MESSAGE_CREATE" if new else "MESSAGE_UPDATE"
                await self.dispatch(name, event, guild, intent)
        self.state_changed.notify()

    def _content_is_visible(self, message: Message) -> bool:
        return bool(
            self.granted_intents & gateway.MESSAGE_CONTENT
            or message.channel.guild is None
            or message.author is self.bot
            or self.bot in message.mentions
        )

    async def delete_message(self, message: Message) -> None:
        message.deleted = True
        for file in message.files:
            file.removed = True
        guild = message.channel.guild
        if message.only_for is None:
            data = {"id": str(message.id), "channel_id": str(message.channel.id)}
            data |= {"guild_id": str(guild.id)} if guild else {}
            intent = gateway.GUILD_MESSAGES if guild else gateway.DIRECT_MESSAGES
            await self.dispatch("MESSAGE_DELETE", data, guild, intent)
        self.state_changed.notify()

    def write(
        self, message: Message, data: dict[str, Any], call: Call, path: list[str | int]
    ) -> None:
        """See messages.write."""

        def new_file(name: str, content: bytes, description: str | None) -> Attachment:
            return self.attachments.add(
                name,
                content,
                description,
                message.channel.id,
                ephemeral=message.only_for is not None,
            )

        def report(reason: str) -> None:
            self.add_violation(Violation(0, reason, f"{call.method} {call.path}"))

        messages.write(
            message,
            data,
            call.files,
            form=call.form,
            path=path,
            new_file=new_file,
            report=report,
        )

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        connection = gateway.Connection(self, request)
        self.connections.add(connection)
        return await connection.run()


def make_token(application_id: int) -> str:
    """A token in Discord's format: application id, timestamp and signature in base64."""
    about = base64.urlsafe_b64encode(str(application_id).encode()).decode().rstrip("=")
    return f"{about}.StandI.n-Discord-signed-this-itself_000001"
