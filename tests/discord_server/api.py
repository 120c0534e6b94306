"""REST routes for login, commands, channels and messages."""

from typing import TYPE_CHECKING, Any

from . import command_limits, messages
from .errors import ApiError
from .ids import snowflake
from .model import Channel, Guild, Message
from .permissions import (
    ATTACH_FILES,
    MANAGE_MESSAGES,
    READ_MESSAGE_HISTORY,
    SEND_MESSAGES,
    VIEW_CHANNEL,
)
from .rest import Call, Handler

if TYPE_CHECKING:
    from .server import DiscordServer

Result = tuple[int, Any]
SESSION_RESET_MS = 86_400_000
NONCE = 25  # characters


class ApiRoutes:
    def __init__(self, server: "DiscordServer") -> None:
        self.server = server

    def handlers(self) -> dict[str, Handler]:
        own, guild = (
            "/applications/{application_id}/commands",
            "/applications/{application_id}/guilds/{guild_id}/commands",
        )
        message = "/channels/{channel_id}/messages/{message_id}"
        return {
            "GET /users/@me": self.me,
            "GET /users/@me/guilds": self.my_guilds,
            "GET /users/{user_id}": self.user,
            "GET /applications/@me": self.application,
            "GET /oauth2/applications/@me": self.application,
            "GET /gateway": self.gateway,
            "GET /gateway/bot": self.gateway_bot,
            f"GET {own}": self.commands,
            f"PUT {own}": self.overwrite_commands,
            f"POST {own}": self.create_command,
            f"DELETE {own}/{{command_id}}": self.delete_command,
            f"GET {guild}": self.commands,
            f"PUT {guild}": self.overwrite_commands,
            f"POST {guild}": self.create_command,
            f"DELETE {guild}/{{command_id}}": self.delete_command,
            "POST /users/@me/channels": self.open_dm,
            "GET /guilds/{guild_id}": self.guild,
            "GET /guilds/{guild_id}/members/{user_id}": self.member,
            "GET /channels/{channel_id}": self.channel,
            "POST /channels/{channel_id}/typing": self.typing,
            "GET /channels/{channel_id}/messages": self.history,
            "POST /channels/{channel_id}/messages": self.send,
            f"GET {message}": self.get_message,
            f"PATCH {message}": self.edit_message,
            f"DELETE {message}": self.delete_message,
        }

    # Login

    async def me(self, call: Call) -> Result:
        own = {"mfa_enabled": True, "locale": "en-US", "verified": True, "email": None}
        return 200, self.server.bot.payload() | own

    async def my_guilds(self, call: Call) -> Result:
        server = self.server
        return 200, [
            {
                "id": str(guild.id),
                "name": guild.name,
                "icon": None,
                "banner": None,
                "owner": False,
                "permissions": str(guild.members[server.bot.id]),
                "features": [],
            }
            for guild in server.guilds
            if guild.has_bot
        ]

    async def user(self, call: Call) -> Result:
        user = self.server.users.get(call.snowflake("user_id"))
        if user is None:
            raise ApiError(10013)
        return 200, user.payload()

    async def application(self, call: Call) -> Result:
        server = self.server
        installs = sum(user.installed for user in server.users.values())
        return 200, {
            "id": str(server.application_id),
            "name": server.bot.name,
            "icon": None,
            "description": "",
            "type": None,
            "bot": server.bot.payload(),
            "bot_public": True,
            "bot_require_code_grant": False,
            "integration_types_config": {"0": {}, "1": {}},
            "verify_key": "0" * 64,
            "flags": 0,
            "flags_new": "0",
            "redirect_uris": [],
            "interactions_endpoint_url": None,
            "role_connections_verification_url": None,
            "owner": server.owner.payload(),
            "approximate_guild_count": sum(guild.has_bot for guild in server.guilds),
            "approximate_user_install_count": installs,
            "approximate_user_authorization_count": installs,
            "explicit_content_filter": 0,
            "team": self._team() if server.team else None,
            "eligible_oauth2_scopes": ["bot", "applications.commands"],
        }

    def _team(self) -> dict[str, Any]:
        owner, *_ = self.server.team
        return {
            "id": str(self.server.application_id + 1),
            "icon": None,
            "name": "The team",
            "owner_user_id": str(owner.id),
            "members": [
                {
                    "user": user.payload(),
                    "team_id": str(self.server.application_id + 1),
                    "membership_state": 2,
                    "role": "admin" if user is owner else "developer",
                    "permissions": ["*"],
                }
                for user in self.server.team
            ],
        }

    async def gateway(self, call: Call) -> Result:
        return 200, {"url": self.server.gateway_url}

    async def gateway_bot(self, call: Call) -> Result:
        server = self.server
        return 200, {
            "url": server.gateway_url,
            "shards": server.shards,
            "session_start_limit": {
                "total": server.session_start_limit,
                "remaining": server.session_start_limit - server.session_starts,
                "reset_after": SESSION_RESET_MS,
                "max_concurrency": server.max_concurrency,
            },
        }

    # Commands

    def _commands(self, call: Call) -> dict[int, dict[str, Any]]:
        """The commands of the scope in the path, by id."""
        if call.snowflake("application_id") != self.server.application_id:
            raise ApiError(10002)
        scope = None
        if "guild_id" in call.params:
            scope = call.snowflake("guild_id")
            self._guild(scope)
        return self.server.commands.setdefault(scope, {})

    async def commands(self, call: Call) -> Result:
        return 200, list(self._commands(call).values())

    async def overwrite_commands(self, call: Call) -> Result:
        commands = self._commands(call)
        sent = call.body if isinstance(call.body, list) else []
        command_limits.check_commands(call.form, sent)
        call.form.check()
        for kind, maximum in command_limits.MAX_COMMANDS.items():
            if sum((command.get("type") or 1) == kind for command in sent) > maximum:
                raise ApiError(30032)
        made = [self._command(call, command, commands) for command in sent]
        commands.clear()
        commands.update({int(command["id"]): command for command in made})
        self.server.syncs += 1
        return 200, made

    async def create_command(self, call: Call) -> Result:
        commands = self._commands(call)
        command_limits.check_command(call.form, call.body, [])
        call.form.check()
        made = self._command(call, call.body, commands)
        status = 200 if int(made["id"]) in commands else 201
        commands[int(made["id"])] = made
        return status, made

    async def delete_command(self, call: Call) -> Result:
        if self._commands(call).pop(call.snowflake("command_id"), None) is None:
            raise ApiError(10063)
        return 204, None

    def _command(self, call: Call, sent: dict[str, Any], old: dict[int, Any]) -> dict[str, Any]:
        """The command as Discord returns it; one with the same name and type keeps its id."""
        kind = sent.get("type") or 1
        known = [c for c in old.values() if (c["name"], c["type"]) == (sent["name"], kind)]
        made = {
            "id": known[0]["id"] if known else str(snowflake()),
            "application_id": str(self.server.application_id),
            "version": str(snowflake()),
            "type": kind,
            "name": sent["name"],
            "name_localizations": sent.get("name_localizations"),
            "description": sent.get("description") or "",
            "description_localizations": sent.get("description_localizations"),
            "default_member_permissions": None,
            "dm_permission": sent.get("dm_permission", True),
            "contexts": sent.get("contexts"),
            "integration_types": sent.get("integration_types") or [0],
            "nsfw": bool(sent.get("nsfw")),
        }
        if sent.get("default_member_permissions") is not None:
            made["default_member_permissions"] = str(sent["default_member_permissions"])
        if sent.get("options"):
            made["options"] = [without_nulls(option) for option in sent["options"]]
        if "guild_id" in call.params:
            # Only global commands have contexts and integration types.
            made |= {"guild_id": call.params["guild_id"], "contexts": None}
            made |= {"integration_types": [0], "dm_permission": True}
        return made

    # Guilds and channels

    def _guild(self, guild_id: int) -> Guild:
        guild = next((g for g in self.server.guilds if g.id == guild_id), None)
        if guild is None or not guild.has_bot:
            raise ApiError(10004 if guild is None else 50001)
        return guild

    def _channel(self, call: Call, needed: int = VIEW_CHANNEL) -> Channel:
        channel = self.server.channels.get(call.snowflake("channel_id"))
        if channel is None:
            raise ApiError(10003)
        if channel.guild is not None and not channel.guild.has_bot:
            raise ApiError(50001)
        has = channel.permissions(self.server.bot.id)
        if not has & VIEW_CHANNEL:
            raise ApiError(50001)
        if needed & ~has:
            raise ApiError(50013)
        return channel

    async def guild(self, call: Call) -> Result:
        return 200, self._guild(call.snowflake("guild_id")).payload()

    async def member(self, call: Call) -> Result:
        guild = self._guild(call.snowflake("guild_id"))
        user_id = call.snowflake("user_id")
        if user_id not in guild.members:
            raise ApiError(10007)
        return 200, guild.member_payload(self.server.users[user_id])

    async def open_dm(self, call: Call) -> Result:
        user = self.server.users.get(int((call.body or {}).get("recipient_id") or 0))
        if user is None:
            raise ApiError(10013)
        if user.bot:
            raise ApiError(50007)
        return 200, self.server.dm(user).payload(self.server.bot)

    async def channel(self, call: Call) -> Result:
        return 200, self._channel(call).payload(self.server.bot)

    async def typing(self, call: Call) -> Result:
        self._channel(call, SEND_MESSAGES)
        return 204, None

    # Messages, except ephemeral ones

    def _message(self, call: Call, needed: int = 0) -> Message:
        channel = self._channel(call, VIEW_CHANNEL | needed)
        message = self.server.messages.get(call.snowflake("message_id"))
        if message is None or message.channel is not channel or message.deleted:
            raise ApiError(10008)
        if message.only_for is not None:
            raise ApiError(10008)
        return message

    async def history(self, call: Call) -> Result:
        channel = self._channel(call, VIEW_CHANNEL | READ_MESSAGE_HISTORY)
        limit = int(call.query.get("limit", 50))
        before = int(call.query.get("before", 1 << 63))
        found = [
            m for m in channel.messages if not m.deleted and m.only_for is None and m.id < before
        ]
        return 200, [message.payload() for message in reversed(found[-limit:])]

    async def get_message(self, call: Call) -> Result:
        return 200, self._message(call, READ_MESSAGE_HISTORY).payload()

    async def send(self, call: Call) -> Result:
        channel = self._channel(call, VIEW_CHANNEL | SEND_MESSAGES)
        if call.files and not channel.permissions(self.server.bot.id) & ATTACH_FILES:
            raise ApiError(50013)
        data = call.body if isinstance(call.body, dict) else {}
        nonce = data.get("nonce") if data.get("enforce_nonce") else None
        if nonce is not None and len(str(nonce)) > NONCE:
            call.form.too_long(["nonce"], NONCE)
            call.form.check()
        for sent in channel.messages if nonce is not None else ():
            if sent.nonce == nonce and sent.author is self.server.bot and not sent.deleted:
                return 200, sent.payload()
        message = Message(channel, self.server.bot, nonce=nonce)
        reference = data.get("message_reference")
        if reference is not None:
            message.reference = self.server.messages.get(int(reference["message_id"]))
            message.type = 19
            if message.reference is None or message.reference.deleted:
                reason = "Unknown message"
                call.form.add(["message_reference"], "MESSAGE_REFERENCE_UNKNOWN_MESSAGE", reason)
                call.form.check()
        self.server.write(message, data, call, [])
        channel.messages.append(message)
        self.server.messages[message.id] = message
        await self.server.dispatch_message(message, new=True)
        return 200, message.payload()

    async def edit_message(self, call: Call) -> Result:
        message = self._message(call)
        if message.author is not self.server.bot:
            raise ApiError(50005)
        data = call.body if isinstance(call.body, dict) else {}
        self.server.write(message, data, call, [])
        messages.mark_edited(message)
        await self.server.dispatch_message(message, new=False)
        return 200, message.payload()

    async def delete_message(self, call: Call) -> Result:
        message = self._message(call)
        own = message.author is self.server.bot
        if not own and not message.channel.permissions(self.server.bot.id) & MANAGE_MESSAGES:
            raise ApiError(50013)
        await self.server.delete_message(message)
        return 204, None


def without_nulls(option: dict[str, Any]) -> dict[str, Any]:
    """An option as Discord returns it, without null, false or empty fields."""
    result = {
        key: value
        for key, value in option.items()
        if value is not None and value != [] and value is not False
    }
    if "options" in result:
        result["options"] = [without_nulls(child) for child in result["options"]]
    return result
