"""`/settings server`: everything that a server can turn on, one section at a time.

Each section has a text and some fields, which `sections` lists. A change is saved at once. The
custom id of a component holds the name of its field, so that it works after a restart.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self

import discord
from discord import ButtonStyle, ChannelType, SelectOption, ui

from bot.discord.bot import Interaction
from bot.discord.community.sections import (
    BOT,
    ICONS,
    OVERVIEW,
    POSTING,
    REPORTS,
    ROLES,
    SECTIONS,
    Field,
    State,
    describe,
    find_field,
    section_of,
)
from bot.discord.components import Button, Component, Select
from bot.discord.context import language_of
from bot.discord.permissions import NEEDED, is_operator
from bot.discord.replies import defer_update, respond, retry_once
from bot.errors import NotAllowed
from bot.i18n.messages import say
from db.records import GuildLimits, RoleLimits

MAX_CHANNELS = 25  # of one field; Discord's limit
ROLE_CHOICES = {"cooldown": (0, 10, 30, 60, 300, 900, 3600), "daily": (0, 5, 10, 20, 50, 100, 200)}


class SectionSelect(Component[Select], template="irodori:server:section"):
    """Chooses the section on display."""

    def __init__(self, options: list[SelectOption]) -> None:
        super().__init__(Select(custom_id="irodori:server:section", options=options))

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        return cls(item.options)

    async def on_use(self, interaction: Interaction) -> None:
        await _show(interaction, self.item.values[0])


class ChannelField(
    Component["ui.ChannelSelect[Any]"], template="irodori:server:channel:(?P<name>[a-z]+)"
):
    """Chooses the channels of a field, or none to turn it off."""

    def __init__(self, name: str, select: "ui.ChannelSelect[Any]") -> None:
        super().__init__(select)
        self.name = name

    @classmethod
    def of(cls, field: Field, chosen: Sequence[str], language: str) -> Self:
        select = ui.ChannelSelect[Any](
            custom_id=f"irodori:server:channel:{field.name}",
            channel_types=[ChannelType.text, ChannelType.news],
            placeholder=say(f"server-{field.kind}-none", language),
            min_values=0,
            max_values=MAX_CHANNELS if field.kind == "channels" else 1,
            default_values=[discord.Object(int(id)) for id in chosen[:MAX_CHANNELS]],
        )
        return cls(field.name, select)

    @classmethod
    def restore(cls, match: re.Match[str], item: "ui.ChannelSelect[Any]") -> Self:
        return cls(match["name"], item)

    async def on_use(self, interaction: Interaction) -> None:
        field = find_field(self.name)
        ids = tuple(str(channel.id) for channel in self.item.values)
        value = ids if field.kind == "channels" else next(iter(ids), None)
        await _change(interaction, self.name, value)


class NumberField(Component[Select], template="irodori:server:number:(?P<name>[a-z_]+)"):
    """Chooses one of the numbers of a field."""

    def __init__(self, name: str, options: list[SelectOption]) -> None:
        super().__init__(Select(custom_id=f"irodori:server:number:{name}", options=options))
        self.name = name

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        return cls(match["name"], item.options)

    async def on_use(self, interaction: Interaction) -> None:
        await _change(interaction, self.name, int(self.item.values[0]))


class SwitchField(Component[Button], template="irodori:server:switch:(?P<name>[a-z]+)"):
    """Turns a field on or off."""

    def __init__(self, name: str, on: bool = False, language: str = "en") -> None:
        label = say("server-turn-off" if on else "server-turn-on", language)
        style = ButtonStyle.secondary if on else ButtonStyle.primary
        custom_id = f"irodori:server:switch:{name}"
        super().__init__(Button(style=style, label=label, custom_id=custom_id))
        self.name = name

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["name"])

    async def on_use(self, interaction: Interaction) -> None:
        guild = _require_admin(interaction)
        community = interaction.client.studio.community
        if self.name != "status":
            on = getattr(await community.settings(guild), self.name)
            await _change(interaction, self.name, not on)
        elif await is_operator(interaction):
            await community.set_shows_model(not await community.shows_model())
            interaction.client.dispatch("community_change")
            await _show(interaction, BOT)
        else:
            raise NotAllowed("operators-only")


class RoleField(Component["ui.RoleSelect[Any]"], template="irodori:server:role"):
    """Chooses the role whose limits are shown."""

    def __init__(self, select: "ui.RoleSelect[Any]") -> None:
        super().__init__(select)

    @classmethod
    def of(cls, role: str | None, language: str) -> Self:
        select = ui.RoleSelect[Any](
            custom_id="irodori:server:role",
            placeholder=say("server-role-none", language),
            default_values=[] if role is None else [discord.Object(int(role))],
        )
        return cls(select)

    @classmethod
    def restore(cls, match: re.Match[str], item: "ui.RoleSelect[Any]") -> Self:
        return cls(item)

    async def on_use(self, interaction: Interaction) -> None:
        await _show(interaction, ROLES, str(self.item.values[0].id))


class LimitField(
    Component[Select], template="irodori:server:limit:(?P<name>cooldown|daily):(?P<role>[0-9]+)"
):
    """Chooses a limit of a role, which then has limits of its own."""

    def __init__(self, name: str, role: str, options: list[SelectOption]) -> None:
        custom_id = f"irodori:server:limit:{name}:{role}"
        super().__init__(Select(custom_id=custom_id, options=options))
        self.name, self.role = name, role

    @classmethod
    def of(cls, name: str, role: str, limits: GuildLimits, language: str) -> Self:
        value = getattr(limits.role_limits.get(role, limits), name)
        unit = "server-role-seconds" if name == "cooldown" else "server-role-pictures"
        options = [
            SelectOption(
                label=say(unit, language, count=choice)
                if choice
                else say("server-role-unlimited", language),
                value=str(choice),
                default=choice == value,
            )
            for choice in sorted({*ROLE_CHOICES[name], value})
        ]
        return cls(name, role, options)

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        return cls(match["name"], match["role"], item.options)

    async def on_use(self, interaction: Interaction) -> None:
        limits = await interaction.client.studio.guilds.limits(_require_admin(interaction))
        own = limits.role_limits.get(self.role, RoleLimits(limits.cooldown, limits.daily))
        own = replace(own, **{self.name: int(self.item.values[0])})
        await _change_role(interaction, self.role, own)


class LikeServer(Component[Button], template="irodori:server:likeserver:(?P<role>[0-9]+)"):
    """Gives a role the limits of the server again."""

    def __init__(self, role: str, language: str = "en") -> None:
        label, custom_id = say("server-role-like-server", language), "irodori:server:likeserver"
        super().__init__(Button(label=label, custom_id=f"{custom_id}:{role}"))
        self.role = role

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["role"])

    async def on_use(self, interaction: Interaction) -> None:
        await _change_role(interaction, self.role, None)


COMPONENTS = (
    SectionSelect,
    ChannelField,
    NumberField,
    SwitchField,
    RoleField,
    LimitField,
    LikeServer,
)


class Panel(ui.LayoutView):
    def __init__(self, section: str, state: State, language: str) -> None:
        super().__init__(timeout=None)
        title = f"### ⚙️ {say('server-title', language)}\n-# {say('server-hint', language)}"
        self.add_item(ui.TextDisplay(title))
        options = [
            SelectOption(
                label=say(f"server-section-{name}", language),
                value=name,
                emoji=ICONS[name],
                default=name == section,
            )
            for name in SECTIONS
            if name != BOT or state.shows_model is not None
        ]
        self.add_item(ui.ActionRow(SectionSelect(options)))
        self.add_item(ui.TextDisplay("\n".join(describe(section, state, language))))
        for field in SECTIONS[section]:
            self.add_item(ui.TextDisplay(say(field.key, language)))
            self.add_item(ui.ActionRow(_item(field, state, language)))
        if section == ROLES:
            self._add_role(state, language)
        if section == BOT and state.shows_model is not None:
            self.add_item(ui.ActionRow(SwitchField("status", state.shows_model, language)))

    def _add_role(self, state: State, language: str) -> None:
        """The select of roles, and the limits of the one that is chosen."""
        self.add_item(ui.ActionRow(RoleField.of(state.role, language)))
        if state.role is None:
            return
        for name in ROLE_CHOICES:
            label = say(f"server-role-{name}", language, role=f"<@&{state.role}>")
            self.add_item(ui.TextDisplay(label))
            self.add_item(ui.ActionRow(LimitField.of(name, state.role, state.limits, language)))
        if state.role in state.limits.role_limits:
            self.add_item(ui.ActionRow(LikeServer(state.role, language)))


async def open_panel(interaction: Interaction) -> None:
    """Shows the overview. Raises NotAllowed for members without Manage Server."""
    _require_admin(interaction)
    view = await _panel(interaction, OVERVIEW)
    await respond(lambda: interaction.response.send_message(view=view, ephemeral=True))


async def _change(interaction: Interaction, name: str, value: Any) -> None:
    guild = _require_admin(interaction)
    await defer_update(interaction)
    studio = interaction.client.studio
    if name == REPORTS:
        limits = await studio.guilds.limits(guild)
        await studio.quotas.save_limits(guild, replace(limits, reports_channel=value))
    else:
        await studio.community.change(guild, **{name: value})
        interaction.client.dispatch("community_change")
    view = await _panel(interaction, section_of(find_field(name)))
    await retry_once(lambda: interaction.edit_original_response(view=view))


async def _change_role(interaction: Interaction, role: str, own: RoleLimits | None) -> None:
    """Gives a role its own limits, or with None those of the server."""
    guild, studio = _require_admin(interaction), interaction.client.studio
    limits = await studio.guilds.limits(guild)
    others = {id: of_role for id, of_role in limits.role_limits.items() if id != role}
    changed = others if own is None else {**others, role: own}
    await studio.quotas.save_limits(guild, replace(limits, role_limits=changed))
    await _show(interaction, ROLES, role)


async def _show(interaction: Interaction, section: str, role: str | None = None) -> None:
    _require_admin(interaction)
    await defer_update(interaction)
    view = await _panel(interaction, section, role)
    await retry_once(lambda: interaction.edit_original_response(view=view))


async def _panel(interaction: Interaction, section: str, role: str | None = None) -> Panel:
    studio, guild = interaction.client.studio, str(interaction.guild_id)
    settings = await studio.community.settings(guild)
    operator = await is_operator(interaction)
    state = State(
        settings,
        await studio.guilds.limits(guild),
        await studio.community.shows_model() if operator else None,
        frozenset(str(channel.id) for channel in getattr(interaction.guild, "channels", ())),
        role=role,
    )
    state = replace(state, problems=tuple(_problems(interaction, section, state)))
    return Panel(section, state, await language_of(interaction))


def _require_admin(interaction: Interaction) -> str:
    """The server's id. Raises NotAllowed."""
    if interaction.guild_id is None or not interaction.permissions.manage_guild:
        raise NotAllowed("server-not-allowed")
    if not interaction.is_guild_integration():
        raise NotAllowed("server-not-here")
    return str(interaction.guild_id)


def _problems(interaction: Interaction, section: str, state: State) -> list[str]:
    """Keys of messages that say why a section does not work."""
    problems = []
    if section == "welcome" and not interaction.client.intents.members:
        problems.append("server-no-intent")
    if section in POSTING and (id := state.value(section)) is not None:
        channel = interaction.client.get_channel(int(id))
        if channel is None:
            problems.append("server-no-channel")
        elif isinstance(channel, discord.abc.GuildChannel) and channel.guild.me is not None:
            allowed = channel.permissions_for(channel.guild.me)
            if not allowed.is_superset(NEEDED):
                problems.append("server-no-permission")
    return problems


def _item(field: Field, state: State, language: str) -> Component[Any]:
    value = state.value(field.name)
    if field.kind in ("channel", "channels"):
        ids = value if field.kind == "channels" else [value]
        return ChannelField.of(field, [id for id in ids if id in state.channels], language)
    if field.kind == "switch":
        return SwitchField(field.name, value, language)
    options = [
        SelectOption(
            label=say(f"{field.key}-value", language, count=choice),
            value=str(choice),
            default=choice == value,
        )
        for choice in field.choices
    ]
    return NumberField(field.name, options)
