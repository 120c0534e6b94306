"""`/settings`: a member's defaults, in a panel that saves every change; with `server`, what the
server has turned on, see `bot.discord.community.panel`.
"""

import re
from dataclasses import replace
from typing import Self

import discord
from discord import SelectOption, app_commands, ui
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.command_texts import describe_options, description
from bot.discord.community import panel
from bot.discord.components import Component, Select
from bot.discord.context import language_of, owner_of, request_of, roles_of, settings_of
from bot.discord.replies import defer_update, respond, retry_once
from bot.i18n.messages import LANGUAGE_NAMES, LANGUAGES, say
from db.records import MemberSettings

DEFAULT = "default"


class Setting(Component[Select], template="irodori:set:(?P<what>[a-z]+)"):
    """One setting. The value "default" is the bot's default."""

    def __init__(self, what: str, options: list[SelectOption]) -> None:
        super().__init__(Select(custom_id=f"irodori:set:{what}", options=options))
        self.what = what

    @classmethod
    def restore(cls, match: re.Match[str], item: Select) -> Self:
        return cls(match["what"], item.options)

    async def on_use(self, interaction: Interaction) -> None:
        await defer_update(interaction)
        studio = interaction.client.studio
        me = owner_of(interaction)
        stored = await studio.members.stored_settings(me)
        settings = changed(stored, self.what, self.item.values[0])
        await studio.members.save_settings(me, settings)
        interaction.extras.pop("settings", None)  # the reply is in the new language
        language, hint = await language_of(interaction), await _hint(interaction, "settings-saved")
        view = SettingsPanel(settings, studio.sizes, language, hint)
        await retry_once(lambda: interaction.edit_original_response(view=view))


class SettingsPanel(ui.LayoutView):
    def __init__(
        self,
        settings: MemberSettings,
        sizes: tuple[int, ...],
        language: str,
        hint: str,
    ) -> None:
        super().__init__(timeout=None)
        default = {"": say("settings-private-default", language)}
        private = default | {
            "no": say("settings-private-no", language),
            "yes": say("settings-private-yes", language),
        }
        size = {"": say("settings-size-default", language)} | {
            str(size): say("settings-size-value", language, size=size) for size in sizes
        }
        speech = {"": say("settings-language-default", language)} | LANGUAGE_NAMES
        is_private = {None: "", False: "no", True: "yes"}[settings.private]
        self.add_item(ui.TextDisplay(f"### ⚙️ {say('settings-title', language)}\n{hint}"))
        for what, icon, choices, chosen in (
            ("private", "🔒", private, is_private),
            ("size", "📐", size, str(settings.size or "")),
            ("language", "🌐", speech, settings.language or ""),
        ):
            self.add_item(ui.TextDisplay(f"{icon} {say(f'settings-{what}', language)}"))
            self.add_item(ui.ActionRow(Setting(what, _options(choices, chosen))))


def changed(settings: MemberSettings, what: str, value: str) -> MemberSettings:
    """The settings with one value of the panel changed."""
    if what == "private":
        return replace(settings, private={"yes": True, "no": False}.get(value))
    if what == "size":
        return replace(settings, size=int(value) if value.isdecimal() else None)
    return replace(settings, language=value if value in LANGUAGES else None)


async def _hint(interaction: Interaction, key: str) -> str:
    """The hint of this key, and what is left of the member's quota in this server."""
    language = await language_of(interaction)
    hint = f"-# {say(key, language)}"
    quotas = interaction.client.studio.quotas
    left = await quotas.remaining(request_of(interaction), roles_of(interaction))
    if left is None:
        return hint
    facts = []
    if left.left is not None:
        facts.append(say("settings-left", language, left=left.left, daily=left.daily))
    if left.next_at is not None:
        when = discord.utils.format_dt(left.next_at, "R")
        facts.append(say("settings-next", language, when=when))
    return "\n".join([hint, *(f"⏳ {fact}" for fact in facts)])


def _options(choices: dict[str, str], chosen: str) -> list[SelectOption]:
    """The options of a select; a choice that no longer exists is shown as the default."""
    chosen = chosen if chosen in choices else ""
    return [
        SelectOption(label=label, value=value or DEFAULT, default=value == chosen)
        for value, label in choices.items()
    ]


class SettingsCog(commands.Cog):
    components = (Setting, *panel.COMPONENTS)

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(name="settings", description=description("settings"))
    @describe_options("settings", "server")
    async def settings(self, interaction: Interaction, server: bool = False) -> None:
        if server:
            await panel.open_panel(interaction)
            return
        studio = interaction.client.studio
        settings, language = await settings_of(interaction), await language_of(interaction)
        view = SettingsPanel(
            settings, studio.sizes, language, await _hint(interaction, "settings-hint")
        )
        await respond(lambda: interaction.response.send_message(view=view, ephemeral=True))
