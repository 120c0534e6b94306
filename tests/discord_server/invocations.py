"""Creates interactions and sends them to the bot."""

from typing import TYPE_CHECKING, Any

from .errors import BotError
from .model import COMMAND, Channel, Interaction, User
from .permissions import ADMINISTRATOR, EVERYONE

if TYPE_CHECKING:
    from .server import DiscordServer

GUILD_INSTALL, USER_INSTALL = 0, 1
IN_GUILD, BOT_DM, PRIVATE_CHANNEL = 0, 1, 2


def owners(
    server: "DiscordServer", user: User, channel: Channel, types: list[int]
) -> dict[str, str]:
    """authorizing_integration_owners: the guild or user that installed the app; may be empty."""
    found: dict[str, str] = {}
    if GUILD_INSTALL in types:
        if channel.guild is not None and channel.guild.has_bot:
            found["0"] = str(channel.guild.id)
        elif context(server, channel) == BOT_DM:
            found["0"] = "0"
    if USER_INSTALL in types and user.installed:
        found["1"] = str(user.id)
    return found


def context(server: "DiscordServer", channel: Channel) -> int:
    if channel.guild is not None:
        return IN_GUILD
    return BOT_DM if server.bot in channel.recipients else PRIVATE_CHANNEL


async def find_command(
    server: "DiscordServer", name: str, kind: int, user: User, channel: Channel
) -> dict[str, Any]:
    """Waits until the bot has sent the command, and returns it.

    Raises BotError if the bot does not send it, or if it is hidden from the user.
    """

    def known() -> list[dict[str, Any]]:
        guild = channel.guild.id if channel.guild else 0
        scopes = (server.commands.get(guild, {}), server.commands.get(None, {}))
        every = [command for scope in scopes for command in scope.values()]
        return [c for c in every if (c["name"], c["type"]) == (name, kind)]

    found = await server.wait_until(known, f"there is no command {name!r} of type {kind}")
    for command in found:
        if _is_visible(server, command, user, channel):
            return command
    facts = ("contexts", "integration_types", "default_member_permissions")
    raise BotError(
        f"{user.name} does not see {name!r} in {channel.name or 'a private channel'}: "
        + ", ".join(f"{fact} {found[0][fact]}" for fact in facts)
    )


def _is_visible(
    server: "DiscordServer", command: dict[str, Any], user: User, channel: Channel
) -> bool:
    contexts = command["contexts"]
    if contexts is not None and context(server, channel) not in contexts:
        return False
    if contexts is None and channel.guild is None and not command.get("dm_permission", True):
        return False
    if not owners(server, user, channel, command["integration_types"]):
        return False
    needed = command["default_member_permissions"]
    if channel.guild is None or needed is None:
        return True
    has = channel.permissions(user.id)
    # "0" shows it to administrators only.
    return bool(has & ADMINISTRATOR or (int(needed) and int(needed) & ~has == 0))


def new_interaction(
    server: "DiscordServer",
    kind: int,
    data: dict[str, Any],
    user: User,
    channel: Channel,
    label: str,
) -> Interaction:
    """Creates an interaction without sending it; `label` names it in error messages."""
    types = [GUILD_INSTALL, USER_INSTALL]
    if kind == COMMAND:
        scopes = server.commands.values()
        types = next(scope[int(data["id"])] for scope in scopes if int(data["id"]) in scope)[
            "integration_types"
        ]
    return Interaction(
        kind,
        data,
        user,
        channel,
        server.application_id,
        owners(server, user, channel, types),
        context(server, channel),
        server.clock(),
        label=label,
    )


async def send(server: "DiscordServer", interaction: Interaction) -> None:
    """Sends the interaction; its deadline starts."""
    await server.wait_until(
        lambda: server.connected, f"{interaction.label}: the bot is not connected"
    )
    interaction.created = server.clock()
    server.interactions[interaction.token] = interaction
    await server.dispatch(
        "INTERACTION_CREATE", _event(server, interaction), interaction.channel.guild
    )


def _event(server: "DiscordServer", interaction: Interaction) -> dict[str, Any]:
    channel, user = interaction.channel, interaction.user
    guild = channel.guild
    permissions = str(channel.permissions(user.id))
    event: dict[str, Any] = {
        "id": str(interaction.id),
        "application_id": str(server.application_id),
        "type": interaction.type,
        "data": interaction.data,
        "channel_id": str(channel.id),
        "channel": channel.payload(server.bot) | {"permissions": permissions},
        "token": interaction.token,
        "version": 1,
        "locale": user.locale,
        "app_permissions": str(EVERYONE),
        "entitlements": [],
        "authorizing_integration_owners": interaction.owners,
        "context": interaction.context,
        "attachment_size_limit": server.file_bytes,
    }
    if guild is not None:
        event["guild_id"] = str(guild.id)
        event["guild"] = {"id": str(guild.id), "locale": guild.locale, "features": []}
        event["guild_locale"] = guild.locale
        event["member"] = guild.member_payload(user) | {"permissions": permissions}
        if guild.has_bot:
            event["app_permissions"] = str(channel.permissions(server.bot.id))
    else:
        event["user"] = user.payload()
    if interaction.message is not None:
        event["message"] = interaction.message.payload()
    return event
