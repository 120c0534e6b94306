"""Reads an interaction or mention: its member, guild and channel, settings and language."""

from bot.discord.bot import Interaction, Source
from bot.i18n.messages import language_for
from bot.studio import Request
from db.records import MemberSettings, Owner


def owner_of(source: Source) -> Owner:
    user = source.user
    return Owner(kind="discord", key=str(user.id), name=user.display_name)


def request_of(source: Source) -> Request:
    """The member's request in this guild and channel; callers add `private` and `order_id`."""
    guild, channel = source.guild_id, source.channel_id
    return Request(
        owner_of(source),
        guild=str(guild) if guild is not None else None,
        channel=str(channel) if channel is not None else None,
    )


def roles_of(source: Source) -> list[str]:
    """Ids of the roles that the member has in this guild, @everyone included."""
    # `Member.roles` leaves out those that the cache does not know (yet). The id of @everyone is the
    # guild's; Discord does not list it among a member's roles.
    everyone = [] if source.guild_id is None else [source.guild_id]
    return [str(id) for id in (*everyone, *getattr(source.user, "_roles", ()))]


async def settings_of(source: Source) -> MemberSettings:
    """The member's settings, read once for each interaction."""
    if "settings" not in source.extras:
        source.extras["settings"] = await source.client.studio.members.settings(owner_of(source))
    settings: MemberSettings = source.extras["settings"]
    return settings


async def language_of(source: Source) -> str:
    """The language of the member's settings, else that of the member's Discord."""
    return (await settings_of(source)).language or language_for(str(source.locale))


def is_requester(interaction: Interaction) -> bool:
    """Whether the member who clicked is the one whom the message replies to."""
    message = interaction.message
    requester = message.interaction_metadata if message is not None else None
    return requester is not None and requester.user.id == interaction.user.id


def is_ephemeral(interaction: Interaction) -> bool:
    """Whether the clicked message is visible to one member only; replies to it then are, too."""
    message = interaction.message
    return message is not None and message.flags.ephemeral
