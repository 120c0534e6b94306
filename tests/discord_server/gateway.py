"""The gateway: one WebSocket per shard; sessions outlive connections and are resumed."""

import asyncio
import contextlib
import json
import secrets
import zlib
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aiohttp import WSMsgType, web

from .errors import Violation
from .model import Guild

if TYPE_CHECKING:
    from .server import DiscordServer

DISPATCH, HEARTBEAT, IDENTIFY, PRESENCE, VOICE_STATE, RESUME = 0, 1, 2, 3, 4, 6
RECONNECT, REQUEST_MEMBERS, INVALID_SESSION, HELLO, HEARTBEAT_ACK = 7, 8, 9, 10, 11

GUILDS, GUILD_MEMBERS = 1 << 0, 1 << 1
GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = GUILD_MEMBERS | (1 << 8) | MESSAGE_CONTENT
KNOWN_INTENTS = (1 << 17) - 1 | (1 << 20) | (1 << 21) | (1 << 24) | (1 << 25)

CLOSE_REASONS = {
    4000: "Unknown error",
    4001: "Unknown opcode",
    4002: "Decode error",
    4003: "Not authenticated",
    4004: "Authentication failed",
    4005: "Already authenticated",
    4007: "Invalid seq",
    4008: "Rate limited",
    4009: "Session timed out",
    4010: "Invalid shard",
    4012: "Invalid API version",
    4013: "Invalid intents",
    4014: "Disallowed intents",
}
SENDS_PER_MINUTE = 120
IDENTIFY_WINDOW = 5.0  # seconds in which at most max_concurrency shards may identify


class Session:
    """The events of one shard since it identified; replayed when it resumes."""

    def __init__(self, shard: int, shards: int, intents: int) -> None:
        self.id = secrets.token_hex(16)
        self.shard, self.shards, self.intents = shard, shards, intents
        self.seq = 0
        self.log: list[dict[str, Any]] = []
        self.connection: Connection | None = None

    async def dispatch(self, event: str, data: dict[str, Any]) -> None:
        self.seq += 1
        payload = {"op": DISPATCH, "t": event, "s": self.seq, "d": data}
        self.log.append(payload)
        if self.connection is not None:
            await self.connection.send(payload)


class Connection:
    def __init__(self, server: "DiscordServer", request: web.Request) -> None:
        self.server = server
        self.request = request
        self.socket = web.WebSocketResponse(max_msg_size=4096, compress=False)
        self.session: Session | None = None
        self.compress: Callable[[bytes], bytes] | None = None
        self.sent_at: deque[float] = deque()
        self.heartbeat_received = asyncio.Event()
        self.closed_with: int | None = None  # by the fake server

    async def send(self, payload: dict[str, Any]) -> None:
        text = json.dumps(payload)
        with contextlib.suppress(ConnectionError):
            if self.compress is None:
                await self.socket.send_str(text)
            else:
                await self.socket.send_bytes(self.compress(text.encode()))

    async def reject(self, code: int, reason: str = "") -> None:
        """Records a violation and closes the connection."""
        reason = f"{CLOSE_REASONS[code]} {reason}".strip()
        self.server.add_violation(Violation(code, reason, "gateway"))
        await self.close(code)

    async def close(self, code: int) -> None:
        self.closed_with = code
        await self.socket.close(code=code, message=CLOSE_REASONS.get(code, "").encode())

    def abort(self) -> None:
        """Breaks the connection without a close frame."""
        if self.request.transport is not None:
            self.request.transport.abort()

    async def run(self) -> web.WebSocketResponse:
        await self.socket.prepare(self.request)
        query = self.request.query
        if query.get("v") != "10" or query.get("encoding") != "json":
            await self.reject(4012, f"asked for {dict(query)}, not v=10&encoding=json")
            return self.socket
        self.compress = compressor(query.get("compress"))
        await self.send({"op": HELLO, "d": {"heartbeat_interval": self.server.heartbeat_ms}})
        watch = asyncio.create_task(self._watch_heartbeats())
        try:
            async for message in self.socket:
                if message.type != WSMsgType.TEXT:
                    await self.reject(4002, f"a frame of type {message.type}")
                    break
                await self._receive(message.data)
        finally:
            watch.cancel()
            self.server.connections.discard(self)
            if self.session is not None and self.session.connection is self:
                self.session.connection = None
                # The bot or the server has ended the session.
                if (self.closed_with or self.socket.close_code) in (1000, 1001, 4007, 4009):
                    self.server.sessions.pop(self.session.id, None)
            self.server.state_changed.notify()
        return self.socket

    async def _watch_heartbeats(self) -> None:
        """Closes the connection if heartbeats are missing."""
        while True:
            try:
                async with asyncio.timeout(2 * self.server.heartbeat_ms / 1000):
                    await self.heartbeat_received.wait()
            except TimeoutError:
                await self.reject(4009, "no heartbeat in two intervals")
                return
            self.heartbeat_received.clear()

    async def _receive(self, text: str) -> None:
        now = self.server.clock()
        self.sent_at.append(now)
        while now - self.sent_at[0] > 60:
            self.sent_at.popleft()
        if len(self.sent_at) > SENDS_PER_MINUTE:
            await self.reject(4008, f"more than {SENDS_PER_MINUTE} messages in 60 s")
            return
        try:
            payload = json.loads(text)
            op, data = payload["op"], payload["d"]
        except (ValueError, KeyError, TypeError):
            await self.reject(4002, text[:200])
            return
        if op == HEARTBEAT:
            await self._heartbeat(data)
        elif op == IDENTIFY:
            await self._identify(data)
        elif op == RESUME:
            await self._resume(data)
        elif op in (PRESENCE, VOICE_STATE, REQUEST_MEMBERS):
            if self.session is None:
                await self.reject(4003, f"op {op} before IDENTIFY")
            elif op == PRESENCE:
                self.server.activities = data["activities"]
                self.server.state_changed.notify()
        else:
            await self.reject(4001, f"op {op}")

    async def _heartbeat(self, seq: int | None) -> None:
        self.heartbeat_received.set()
        self.server.heartbeats += 1
        known = self.session.seq if self.session else 0
        if seq is not None and self.session is not None and seq > known:
            self.server.add_violation(
                Violation(4007, f"heartbeat of seq {seq} > {known}", "gateway")
            )
        if self.server.acknowledge_heartbeats:
            await self.send({"op": HEARTBEAT_ACK, "d": None})
        self.server.state_changed.notify()

    def _wrong_identify(self, data: dict[str, Any]) -> tuple[int, str] | None:
        shard = data.get("shard") or [0, 1]
        intents = data.get("intents")
        if self.session is not None:
            return 4005, ""
        if data.get("token") != self.server.token:
            return 4004, ""
        if self.server.session_starts >= self.server.session_start_limit:
            return 4004, "the session start limit is used up; Discord resets the token"
        if len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            return 4010, f"shard {shard}"
        if not isinstance(intents, int) or intents & ~KNOWN_INTENTS:
            return 4013, f"intents {intents}"
        if intents & PRIVILEGED & ~self.server.granted_intents:
            return 4014, f"privileged intents {intents & PRIVILEGED:#x} are not granted"
        if not {"os", "browser", "device"} <= set(data.get("properties") or {}):
            return 4002, "properties need os, browser and device"
        return None

    async def _identify(self, data: dict[str, Any]) -> None:
        server = self.server
        wrong = self._wrong_identify(data)
        if wrong is not None:
            await self.reject(*wrong)
            return
        now = server.clock()
        recent = [at for at in server.identified_at if now - at < IDENTIFY_WINDOW]
        if len(recent) >= server.max_concurrency:
            await self.send({"op": INVALID_SESSION, "d": False})
            return
        server.identified_at = [*recent, now]
        server.session_starts += 1
        shard, shards = data.get("shard") or (0, 1)
        self.session = Session(shard, shards, data["intents"])
        self.session.connection = self
        # A shard that identifies again replaces its older session.
        for old in list(server.sessions.values()):
            if (old.shard, old.shards) == (shard, shards) or old.shards != shards:
                del server.sessions[old.id]
        server.sessions[self.session.id] = self.session
        guilds = [g for g in server.guilds if g.has_bot and (g.id >> 22) % shards == shard]
        ready = {
            "v": 10,
            "user": server.bot.payload() | {"verified": True, "mfa_enabled": True, "email": None},
            "guilds": [{"id": str(guild.id), "unavailable": True} for guild in guilds],
            "session_id": self.session.id,
            "resume_gateway_url": server.gateway_url,
            "shard": [shard, shards],
            "application": {"id": str(server.application_id), "flags": 0},
        }
        await self.session.dispatch("READY", ready)
        if data["intents"] & GUILDS:
            for guild in guilds:
                await server.dispatch("GUILD_CREATE", guild_create(server, guild), guild)
        server.state_changed.notify()

    async def _resume(self, data: dict[str, Any]) -> None:
        server = self.server
        if data.get("token") != server.token:
            await self.reject(4004)
            return
        session = server.sessions.get(str(data.get("session_id")))
        if session is None or not server.resumable:
            await self.send({"op": INVALID_SESSION, "d": False})
            return
        if not isinstance(data.get("seq"), int) or not 0 <= data["seq"] <= session.seq:
            await self.reject(4007, f"seq {data.get('seq')}, but {session.seq} is the last")
            return
        missed = [payload for payload in session.log if payload["s"] > data["seq"]]
        for payload in missed:
            await self.send(payload)
        self.session = session
        session.connection = self
        server.resumes += 1
        server.replayed += len(missed)
        await session.dispatch("RESUMED", {"_trace": []})
        server.state_changed.notify()


def compressor(kind: str | None) -> Callable[[bytes], bytes] | None:
    """One stream for the whole connection, flushed after each payload."""
    if kind is None:
        return None
    if kind == "zlib-stream":
        stream = zlib.compressobj()
        return lambda data: stream.compress(data) + stream.flush(zlib.Z_SYNC_FLUSH)
    if kind == "zstd-stream":
        from compression.zstd import ZstdCompressor  # asked for only where Python >= 3.14 has it

        zstd = ZstdCompressor()
        return lambda data: zstd.compress(data, mode=ZstdCompressor.FLUSH_BLOCK)
    raise ValueError(f"unknown compression {kind}; Discord has zlib-stream and zstd-stream")


def guild_create(server: "DiscordServer", guild: Guild) -> dict[str, Any]:
    """The data of GUILD_CREATE; the bot is the only listed member."""
    members = [guild.member_payload(server.users[user]) for user in guild.members]
    bot_only = [m for m in members if m["user"]["id"] == str(server.bot.id)]
    return guild.payload() | {
        "joined_at": "2026-01-01T00:00:00+00:00",
        "large": False,
        "unavailable": False,
        "member_count": len(members),
        "members": bot_only,
        "channels": [channel.payload() for channel in guild.channels],
        "threads": [c.payload() for c in server.channels.values() if c.parent and c.guild is guild],
        "presences": [],
        "voice_states": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }
