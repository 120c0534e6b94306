"""The stand-in itself: its state, its life, and what a test can do to it."""

import asyncio
import base64
import contextlib
import re
import time
from collections.abc import Callable
from typing import Any, TypeVar
from urllib.parse import unquote

from aiohttp import web

from . import gateway, limits, messages
from .api import Api
from .errors import ApiError, BotError, Violation
from .interactions import Interactions
from .model import (
    ALL_PERMISSIONS,
    EVERYONE,
    MANAGE_MESSAGES,
    Attachment,
    Bell,
    Channel,
    Guild,
    Interaction,
    Message,
    Role,
    User,
)
from .person import Person
from .rest import Call, Fault, Rest
from .schema import discord_schemas

T = TypeVar("T")

CALLBACK_SCHEMAS = {
    4: "CreateMessageInteractionCallbackRequest",
    5: "CreateMessageInteractionCallbackRequest",
    6: "UpdateMessageInteractionCallbackRequest",
    7: "UpdateMessageInteractionCallbackRequest",
    8: "ApplicationCommandAutocompleteCallbackRequest",
    9: "ModalInteractionCallbackRequest",
}
FILE_LIFE = 24 * 3600  # seconds that an attachment's URL answers
APP_PERMISSIONS_OF_USER_APPS = EVERYONE & ~MANAGE_MESSAGES


class DiscordServer:
    """A Discord of one application. See the package's docstring for how tests use it."""

    def __init__(
        self,
        *,
        deadline: float = 3.0,
        patience: float = 30.0,
        shards: int = 1,
        heartbeat: float = 41.25,
        max_concurrency: int = 16,
        session_start_limit: int = 1000,
        granted_intents: int = 0,
    ) -> None:
        """`deadline`: seconds for the first answer to an interaction; `patience`: seconds that
        members wait for anything else; `granted_intents`: privileged ones that are allowed."""
        self.deadline, self.patience = deadline, patience
        self.shards, self.heartbeat_ms = shards, int(heartbeat * 1000)
        self.max_concurrency = max_concurrency
        self.session_start_limit = session_start_limit
        self.granted_intents = granted_intents
        # What the bot did wrong, what the stand-in itself did wrong, and all requests.
        self.violations: list[Violation] = []
        self.drifts: list[str] = []
        self.schemas = discord_schemas()
        # Gateway
        self.acknowledge_heartbeats = True
        self.resumable = True
        self.session_starts = self.heartbeats = self.resumes = self.replayed = self.syncs = 0
        self.identified_at: list[float] = []
        self.connections: set[gateway.Connection] = set()
        self.sessions: dict[str, gateway.Session] = {}
        # The world
        self.bot = User("Irodori", bot=True)
        self.owner = User("Owner")
        self.application_id = self.bot.id
        self.token = make_token(self.application_id)
        self.team: list[User] = []  # who owns the application; none: `owner`
        self.file_bytes = limits.FILE_BYTES  # a larger upload is refused
        self.users: dict[int, User] = {user.id: user for user in (self.bot, self.owner)}
        self.guilds: list[Guild] = []
        self.channels: dict[int, Channel] = {}
        self.messages: dict[int, Message] = {}
        self.attachments: dict[int, Attachment] = {}
        self.interactions: dict[str, Interaction] = {}  # by token
        self.commands: dict[int | None, dict[int, dict[str, Any]]] = {}  # None: global
        self._people: dict[tuple[str, int | None], Person] = {}
        self.bell = Bell()
        self._advanced = 0.0
        self.rest = Rest(self)
        self.url = ""
        self.default_guild = self.guild("Studio")
        self.general = self.channel("general")

    # Life

    async def __aenter__(self) -> "DiscordServer":
        app = web.Application(client_max_size=8 * limits.REQUEST_BYTES)
        app.router.add_get("/gateway", self._gateway)
        app.router.add_get("/attachments/{channel}/{id}/{name}", self._attachment)
        app.router.add_routes(self.rest.routes(Interactions(self).table() | Api(self).table()))
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        for connection in list(self.connections):
            connection.cut()
        await self._runner.cleanup()
        if self.drifts and kind is None:
            raise AssertionError(
                "the stand-in's own answers differ from Discord's description:\n"
                + "\n".join(self.drifts[:10])
            )

    @property
    def api_url(self) -> str:
        return f"{self.url}/api/v10"

    @property
    def gateway_url(self) -> str:
        return f"{self.url.replace('http', 'ws', 1)}/gateway"

    @property
    def mention(self) -> str:
        """What a member types to mention the bot."""
        return f"<@{self.bot.id}>"

    def clock(self) -> float:
        return time.monotonic() + self._advanced

    def wall(self) -> float:
        """Seconds since 1970, on the stand-in's clock."""
        return time.time() + self._advanced

    def advance(self, seconds: float) -> None:
        """Moves the stand-in's clock on: tokens, deadlines, URLs and rate limits pass by."""
        self._advanced += seconds
        self.bell.ring()

    async def until(self, met: Callable[[], T], what: str, within: float | None = None) -> T:
        """Waits until `met()` is true and gives its value.

        Raises BotError, saying that `what` did not happen.
        """
        seconds = self.patience if within is None else within
        try:
            async with asyncio.timeout(seconds):
                while not (value := met()):
                    # Not everything that is waited for is told to Discord.
                    with contextlib.suppress(TimeoutError):
                        async with asyncio.timeout(0.1):
                            await self.bell.wait()
                return value
        except TimeoutError:
            wrongs = "".join(f"\n  {violation}" for violation in self.violations)
            raise BotError(f"{what}: not within {seconds:g} s{wrongs}") from None

    # The world

    def guild(self, name: str, *, has_bot: bool = True) -> Guild:
        guild = Guild(name, has_bot=has_bot, owner_id=self.owner.id)
        guild.members[self.owner.id] = ALL_PERMISSIONS
        if has_bot:
            guild.members[self.bot.id] = EVERYONE
        self.guilds.append(guild)
        self.channel("general", guild)
        return guild

    def role(self, name: str, *members: Person, guild: Guild | None = None) -> Role:
        """The guild's role of that name, made if need be; these members have it from now on."""
        guild = guild or self.default_guild
        role = next((role for role in guild.roles if role.name == name), None)
        if role is None:
            role = Role(name)
            guild.roles.append(role)
        role.members |= {person.user.id for person in members}
        return role

    def channel(
        self, name: str, guild: Guild | None = None, *, only: list[Person] | None = None
    ) -> Channel:
        """The guild's channel of that name, made if need be; `only` these people read it."""
        guild = guild or self.default_guild
        for channel in guild.channels:
            if channel.name == name:
                return channel
        readers = None if only is None else frozenset(person.user.id for person in only)
        channel = Channel(name, guild, only=readers)
        guild.channels.append(channel)
        self.channels[channel.id] = channel
        return channel

    def thread(self, name: str, parent: Channel) -> Channel:
        """A new public thread."""
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
    ) -> Person:
        """A person in a guild (the default one). `permissions` come on top of @everyone's;
        `installed`: has the app on the own account, so it works everywhere; `locale`: the language
        of the person's Discord."""
        guild = guild or self.default_guild
        person = self._person(name, guild, installed, locale)
        known = guild.members.get(person.user.id, EVERYONE)
        guild.members[person.user.id] = known | permissions
        return person

    def user(self, name: str, *, installed: bool = True, locale: str | None = None) -> Person:
        """A person who shares no guild with the bot."""
        return self._person(name, None, installed, locale)

    @property
    def operator(self) -> Person:
        """Who owns the application, and the default guild."""
        return self._person(self.owner.name, self.default_guild, False, None)

    def _person(
        self, name: str, guild: Guild | None, installed: bool, locale: str | None
    ) -> Person:
        key = (name, guild.id if guild else None)
        if key not in self._people:
            user = next((u for u in self.users.values() if u.name == name), None) or User(name)
            self.users[user.id] = user
            self._people[key] = Person(self, user, guild)
        person = self._people[key]
        person.user.installed |= installed
        person.user.locale = locale or person.user.locale
        return person

    def dm(self, user: User, other: User | None = None) -> Channel:
        """The private channel of a user with the bot, or with another user."""
        pair = (user, other or self.bot)
        for channel in self.channels.values():
            if set(channel.recipients) == set(pair):
                return channel
        channel = Channel("", recipients=pair)
        self.channels[channel.id] = channel
        return channel

    def guild_create(self, guild: Guild) -> dict[str, Any]:
        members = [guild.member_payload(self.users[user]) for user in guild.members]
        bot_only = [m for m in members if m["user"]["id"] == str(self.bot.id)]
        return guild.payload() | {
            "joined_at": "2026-01-01T00:00:00+00:00",
            "large": False,
            "unavailable": False,
            "member_count": len(members),
            "members": bot_only,
            "channels": [channel.payload() for channel in guild.channels],
            "threads": [],
            "presences": [],
            "voice_states": [],
            "stage_instances": [],
            "guild_scheduled_events": [],
            "soundboard_sounds": [],
        }

    # What goes wrong, and what a test may make go wrong

    def violation(self, violation: Violation) -> None:
        self.violations.append(violation)
        self.bell.ring()

    def refused(self, call: Call, error: ApiError) -> None:
        """Notes a refusal, but for a second try of what a provoked fault made fail."""
        if self.rest.troubled[call.method, call.path] > 0:
            self.rest.troubled[call.method, call.path] -= 1
            return
        where = f"{call.method} {call.path}"
        violation = Violation(error.code, error.message, where, error.errors)
        token = call.params.get("interaction_token") or call.params.get("webhook_token")
        if token in self.interactions:
            if self.interactions[token].failed and error.code == 10062:
                return  # noted when the deadline passed
            self.interactions[token].violations.append(violation)
        self.violation(violation)

    def check_body(self, call: Call) -> None:
        if self.schemas is None:
            return
        kind = call.body.get("type") if isinstance(call.body, dict) else None
        if call.template.endswith("/callback") and kind in CALLBACK_SCHEMAS:
            self.schemas.check_named(CALLBACK_SCHEMAS[kind], call.body, call.form)
        else:
            self.schemas.check_request(call.method, call.template, call.body, call.form)

    def provoke(
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
        """The next `times` requests whose path has the pattern `path` get `status` (429, 502, …).

        None drops the connection instead. `processed`: Discord has done what was asked and only
        the answer is lost. `via`: a 429 comes from Discord, not from Cloudflare before it.
        """
        pattern = re.compile(path)
        self.rest.faults.append(Fault(method, pattern, status, processed, times, retry_after, via))

    @property
    def calls(self) -> list[Call]:
        """All requests so far, with what was sent and answered."""
        return self.rest.calls

    # Gateway

    @property
    def connected(self) -> bool:
        """Whether every shard has identified and has its connection."""
        live = [session for session in self.sessions.values() if session.connection is not None]
        return bool(live) and len(live) == live[0].shards

    async def wait_connected(self, *, commands: bool = True, within: float = 30.0) -> None:
        """Until the bot has identified, and has sent its commands at least once."""
        await self.until(lambda: self.connected, "the bot did not connect", within)
        if commands:
            await self.until(lambda: self.syncs, "the bot sent no commands", within)

    async def wait_disconnected(self) -> None:
        await self.until(lambda: not self.connections, "the bot did not disconnect")

    async def reconnect(self) -> None:
        """Op 7: the bot is asked to connect again and to resume."""
        await self._tell({"op": gateway.RECONNECT, "d": None})

    async def invalidate(self, *, resumable: bool = False) -> None:
        """Op 9."""
        live = list(self.sessions.values())
        if not resumable:
            self.sessions.clear()
        for session in live:
            if session.connection is not None:
                await session.connection.send({"op": gateway.INVALID_SESSION, "d": resumable})

    async def ask_heartbeat(self) -> None:
        await self._tell({"op": gateway.HEARTBEAT, "d": None})

    async def _tell(self, payload: dict[str, Any]) -> None:
        for connection in list(self.connections):
            await connection.send(payload)

    async def close_gateway(self, code: int) -> None:
        for connection in list(self.connections):
            await connection.shut(code)

    def drop_gateway(self) -> None:
        """The connections break without a word; the sessions can be resumed."""
        for connection in list(self.connections):
            connection.cut()

    async def dispatch(
        self, event: str, data: dict[str, Any], guild: Guild | None = None, intent: int = 0
    ) -> None:
        if self.schemas is not None:
            self.drifts.extend(self.schemas.event_faults(event, data))
        for session in list(self.sessions.values()):
            shard = (guild.id >> 22) % session.shards if guild else 0
            if session.shard == shard and (not intent or session.intents & intent):
                await session.dispatch(event, data)

    async def announce(self, message: Message, *, new: bool) -> None:
        """Tells the gateway of a message, and rings for those who wait for it."""
        guild = message.channel.guild
        if message.only_for is None and (guild is None or guild.has_bot):
            intent = gateway.GUILD_MESSAGES if guild else gateway.DIRECT_MESSAGES
            event = message.event()
            if not self._content_is_visible(message):
                event |= {"content": "", "embeds": [], "attachments": [], "components": []}
            if guild is not None or self.bot in message.channel.recipients:
                name = "MESSAGE_CREATE" if new else "MESSAGE_UPDATE"
                await self.dispatch(name, event, guild, intent)
        self.bell.ring()

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
            file.gone = True
        guild = message.channel.guild
        if message.only_for is None:
            data = {"id": str(message.id), "channel_id": str(message.channel.id)}
            data |= {"guild_id": str(guild.id)} if guild else {}
            intent = gateway.GUILD_MESSAGES if guild else gateway.DIRECT_MESSAGES
            await self.dispatch("MESSAGE_DELETE", data, guild, intent)
        self.bell.ring()

    def write(
        self, message: Message, data: dict[str, Any], call: Call, path: list[str | int]
    ) -> None:
        """See messages.write."""

        def new_file(name: str, content: bytes, description: str | None) -> Attachment:
            file = Attachment(
                name,
                content,
                description,
                self.url,
                message.channel.id,
                expires=int(self.wall() + FILE_LIFE),
                ephemeral=message.only_for is not None,
            )
            self.attachments[file.id] = file
            return file

        def complain(words: str) -> None:
            self.violation(Violation(0, words, f"{call.method} {call.path}"))

        messages.write(
            message,
            data,
            call.files,
            form=call.form,
            path=path,
            new_file=new_file,
            complain=complain,
        )

    # Other doors

    async def _gateway(self, request: web.Request) -> web.StreamResponse:
        connection = gateway.Connection(self, request)
        self.connections.add(connection)
        return await connection.run()

    async def _attachment(self, request: web.Request) -> web.Response:
        file = self.attachments.get(int(request.match_info["id"]))
        signed = file is not None and request.query.get("hm") == file.signature
        if file is None or not signed or file.gone or self.wall() > file.expires:
            return web.Response(status=404, text="This content is no longer available.")
        if unquote(request.match_info["name"]) != file.filename:
            return web.Response(status=404, text="This content is no longer available.")
        return web.Response(body=file.data, content_type=file.content_type)


def make_token(application_id: int) -> str:
    """As Discord makes them: the application's id, a time and a signature, in base64."""
    about = base64.urlsafe_b64encode(str(application_id).encode()).decode().rstrip("=")
    return f"{about}.StandI.n-Discord-signed-this-itself_000001"
