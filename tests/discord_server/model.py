"""The state of the fake server: users, guilds, channels, messages, interactions."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from .attachments import Attachment
from .ids import now_iso, snowflake
from .permissions import ADMINISTRATOR, ALL_PERMISSIONS, EVERYONE, VIEW_CHANNEL

EPHEMERAL = 1 << 6
LOADING = 1 << 7
COMPONENTS_V2 = 1 << 15


@dataclass(eq=False)
class User:
    name: str
    bot: bool = False
    id: int = field(default_factory=snowflake)
    installed: bool = False  # has installed the app on the account
    locale: str = "en-US"  # language of the client

    def payload(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "username": self.name.lower().replace(" ", "_"),
            "discriminator": "0",
            "global_name": self.name,
            "avatar": None,
            "bot": self.bot,
            "public_flags": 0,
            "flags": 0,
            "primary_guild": None,
        }


@dataclass(eq=False)
class Role:
    name: str
    id: int = field(default_factory=snowflake)
    members: set[int] = field(default_factory=set)  # user ids

    def payload(self, position: int = 1, permissions: int = 0) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "name": self.name,
            "permissions": str(permissions),
            "position": position,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "managed": False,
            "mentionable": False,
            "icon": None,
            "unicode_emoji": None,
            "flags": 0,
        }


@dataclass(eq=False)
class Guild:
    name: str
    id: int = field(default_factory=snowflake)
    has_bot: bool = True
    owner_id: int = 0
    members: dict[int, int] = field(default_factory=dict)  # user id -> permissions
    channels: "list[Channel]" = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)  # beside @everyone
    locale: str = "en-US"

    @property
    def everyone(self) -> Role:
        """The role @everyone, whose id is the guild's. Discord lists it among no member's roles."""
        return Role("@everyone", self.id)

    def payload(self) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "name": self.name,
            "icon": None,
            "description": None,
            "home_header": None,
            "splash": None,
            "discovery_splash": None,
            "features": [],
            "banner": None,
            "owner_id": str(self.owner_id),
            "application_id": None,
            "region": "deprecated",
            "afk_channel_id": None,
            "afk_timeout": 300,
            "system_channel_id": None,
            "system_channel_flags": 0,
            "widget_enabled": False,
            "widget_channel_id": None,
            "verification_level": 0,
            "roles": [
                self.everyone.payload(0, EVERYONE),
                *(role.payload(position) for position, role in enumerate(self.roles, 1)),
            ],
            "default_message_notifications": 0,
            "mfa_level": 0,
            "explicit_content_filter": 0,
            "max_presences": None,
            "max_members": 500000,
            "max_stage_video_channel_users": 50,
            "max_video_channel_users": 25,
            "vanity_url_code": None,
            "premium_tier": 0,
            "premium_subscription_count": 0,
            "preferred_locale": self.locale,
            "rules_channel_id": None,
            "safety_alerts_channel_id": None,
            "public_updates_channel_id": None,
            "premium_progress_bar_enabled": False,
            "nsfw": False,
            "nsfw_level": 0,
            "emojis": [],
            "stickers": [],
            "incidents_data": None,
        }

    def member_payload(self, user: User) -> dict[str, Any]:
        return {
            "user": user.payload(),
            "avatar": None,
            "banner": None,
            "communication_disabled_until": None,
            "flags": 0,
            "joined_at": "2026-01-01T00:00:00+00:00",
            "nick": None,
            "pending": False,
            "premium_since": None,
            "roles": [str(role.id) for role in self.roles if user.id in role.members],
            "mute": False,
            "deaf": False,
        }


GUILD_TEXT, DM, GROUP_DM, PUBLIC_THREAD = 0, 1, 3, 11


@dataclass(eq=False)
class Channel:
    name: str
    guild: Guild | None = None
    recipients: tuple[User, ...] = ()  # of a DM
    only: frozenset[int] | None = None  # a private channel's user ids; None: the whole guild
    denied: int = 0  # permissions that nobody has in this channel
    parent: "Channel | None" = None  # of a thread
    id: int = field(default_factory=snowflake)
    messages: "list[Message]" = field(default_factory=list)

    def readers(self) -> set[int]:
        """Ids of the users who can read the channel."""
        if self.guild is None:
            return {user.id for user in self.recipients}
        return {user for user in self.guild.members if self.permissions(user) & VIEW_CHANNEL}

    def permissions(self, user_id: int) -> int:
        if self.guild is None:
            return EVERYONE if user_id in {user.id for user in self.recipients} else 0
        base = self.guild.members.get(user_id, 0)
        if base & ADMINISTRATOR:
            return ALL_PERMISSIONS
        base &= ~self.denied
        return base if self.only is None or user_id in self.only else base & ~VIEW_CHANNEL

    def payload(self, viewer: User | None = None) -> dict[str, Any]:
        """`viewer` is left out of the recipients of a DM, as Discord does."""
        last = str(self.messages[-1].id) if self.messages else None
        base = {"id": str(self.id), "flags": 0, "last_message_id": last}
        if self.guild is None:
            recipients = [user.payload() for user in self.recipients if user is not viewer]
            return base | {"type": DM, "recipients": recipients}
        if self.parent is not None:
            return base | {
                "type": PUBLIC_THREAD,
                "guild_id": str(self.guild.id),
                "name": self.name,
                "parent_id": str(self.parent.id),
                "owner_id": str(min(self.guild.members)),
                "rate_limit_per_user": 0,
                "message_count": len(self.messages),
                "member_count": 1,
                "total_message_sent": len(self.messages),
                "thread_metadata": {
                    "archived": False,
                    "auto_archive_duration": 1440,
                    "archive_timestamp": now_iso(),
                    "locked": False,
                },
            }
        return base | {
            "type": GUILD_TEXT,
            "guild_id": str(self.guild.id),
            "name": self.name,
            "position": self.guild.channels.index(self),
            "permission_overwrites": [
                {"id": str(self.guild.id), "type": 0, "allow": "0", "deny": str(self.denied)}
            ],
            "nsfw": False,
            "parent_id": None,
            "rate_limit_per_user": 0,
            "topic": None,
        }


@dataclass(eq=False)
class Message:
    channel: Channel
    author: User
    content: str = ""
    embeds: list[dict[str, Any]] = field(default_factory=list)
    components: list[dict[str, Any]] = field(default_factory=list)
    files: list[Attachment] = field(default_factory=list)
    shown: set[int] = field(default_factory=set)  # ids of files that embeds or components show
    flags: int = 0
    type: int = 0
    interaction: "Interaction | None" = None
    only_for: int | None = None  # an ephemeral message's reader
    reference: "Message | None" = None
    nonce: str | None = None
    mentions: list[User] = field(default_factory=list)
    edited: str | None = None
    deleted: bool = False
    edits: int = 0
    id: int = field(default_factory=snowflake)
    created: str = field(default_factory=now_iso)

    @property
    def loading(self) -> bool:
        return bool(self.flags & LOADING)

    def readers(self) -> set[int]:
        return {self.only_for} if self.only_for is not None else self.channel.readers()

    def payload(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "id": str(self.id),
            "type": self.type,
            "channel_id": str(self.channel.id),
            "author": self.author.payload(),
            "content": self.content,
            "embeds": self.embeds,
            "components": self.components,
            "attachments": [f.payload() for f in self.files if f.id not in self.shown],
            "flags": self.flags,
            "mentions": [user.payload() for user in self.mentions],
            "mention_roles": [],
            "mention_everyone": False,
            "pinned": False,
            "tts": False,
            "timestamp": self.created,
            "edited_timestamp": self.edited,
        }
        if self.reference is not None:
            fields["message_reference"] = {
                "type": 0,
                "channel_id": str(self.reference.channel.id),
                "message_id": str(self.reference.id),
            }
        if self.interaction is not None:
            fields["application_id"] = str(self.interaction.application_id)
            fields["webhook_id"] = str(self.interaction.application_id)
            fields["interaction_metadata"] = self.interaction.metadata()
            if self.interaction.type == COMMAND:
                fields["interaction"] = {
                    "id": str(self.interaction.id),
                    "type": COMMAND,
                    "name": self.interaction.data["name"],
                    "user": self.interaction.user.payload(),
                }
        return fields

    def event(self) -> dict[str, Any]:
        """The data of MESSAGE_CREATE and MESSAGE_UPDATE."""
        if self.channel.guild is None:
            return self.payload()
        member = self.channel.guild.member_payload(self.author)
        del member["user"]
        return self.payload() | {"guild_id": str(self.channel.guild.id), "member": member}


COMMAND, COMPONENT, AUTOCOMPLETE, MODAL_SUBMIT = 2, 3, 4, 5


@dataclass(eq=False)
class Interaction:
    type: int
    data: dict[str, Any]
    user: User
    channel: Channel
    application_id: int
    owners: dict[str, str]  # authorizing_integration_owners
    context: int
    created: float  # on the fake server's clock
    message: Message | None = None  # whose component was used
    triggered_by: "Interaction | None" = None  # that opened the submitted modal
    label: str = ""  # names it in error messages
    answer: int | None = None  # the callback's type
    original: Message | None = None
    followups: int = 0
    failed: bool = False  # the client showed that the application did not respond
    modal: dict[str, Any] | None = None
    choices: list[dict[str, Any]] | None = None
    violations: list[Any] = field(default_factory=list)
    results: "list[Message]" = field(default_factory=list)  # messages completed by the bot
    id: int = field(default_factory=snowflake)
    token: str = field(default_factory=lambda: secrets.token_urlsafe(48))

    @property
    def only_user_install(self) -> bool:
        """Whether only the user, not the guild, has installed the app."""
        return "0" not in self.owners

    def metadata(self) -> dict[str, Any]:
        fields: dict[str, Any] = {
            "id": str(self.id),
            "type": self.type,
            "user": self.user.payload(),
            "authorizing_integration_owners": self.owners,
        }
        if self.type == COMPONENT and self.message is not None:
            fields["interacted_message_id"] = str(self.message.id)
        if self.type == MODAL_SUBMIT and self.triggered_by is not None:
            fields["triggering_interaction_metadata"] = self.triggered_by.metadata()
        return fields
