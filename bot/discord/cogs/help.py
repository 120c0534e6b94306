"""`/help`: a short list of commands, with examples for the model in use."""

from collections.abc import Mapping, Sequence

from discord import app_commands
from discord.ext import commands

from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.cogs.avatar import OPTIONS
from bot.discord.command_texts import description
from bot.discord.context import language_of
from bot.discord.options import localized_names, option_names
from bot.discord.replies import respond
from bot.i18n.messages import command_text, describe, language_for, say, value_name
from export.manifest import Attribute

SHOWN = ("find", "me", "mix", "morph", "gallery", "show", "settings", "privacy")


class HelpCog(commands.Cog):
    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    @app_commands.command(name="help", description=description("help"))
    async def help(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        language, names = await language_of(interaction), language_for(str(interaction.locale))
        text = help_text(studio.attributes, language, f"<@{self.bot.own_id}>", names)
        if studio.page_url:
            links = {page: f"<{studio.page_url}/{page}>" for page in ("privacy", "terms")}
            text += f"\n\n{say('legal-help', language, **links)}"
        await respond(lambda: interaction.response.send_message(text, ephemeral=True))


def help_text(
    attributes: Sequence[Attribute], language: str, mention: str, names: str = "en"
) -> str:
    """`names` is the language of the names of commands and options, which Discord chooses."""
    wish = example(attributes)
    lines = [
        say("help-title", language),
        f"`{' '.join(['/' + _name('avatar', names), *_typed(wish, names)])}`",
        say(
            "help-avatar", language, count=command_text("command-avatar", "count", names) or "count"
        ),
        "",
        say("help-mention", language, example=f"{mention} {describe(wish, language)}".strip()),
        say("help-buttons", language),
        "",
        *(f"`/{_name(name, names)}` – {_description(name, language)}" for name in SHOWN),
    ]
    return "\n".join(lines)


def example(attributes: Sequence[Attribute]) -> dict[str, str]:
    """A wish for the first two attributes: the most frequent value of each, or the next one if they
    are the same.
    """
    wish: dict[str, str] = {}
    for attribute in attributes[:2]:
        pairs = sorted(zip(attribute.frequencies, attribute.values, strict=True), reverse=True)
        free = [value for _, value in pairs if value not in wish.values()]
        wish[attribute.name] = (free or [pairs[0][1]])[0]
    return wish


def _typed(wish: Mapping[str, str], language: str) -> list[str]:
    """The wish as options of `/avatar`, such as "hair:pink" or "髪:ピンク"."""
    options = option_names(list(wish), taken=OPTIONS)
    localized = localized_names("avatar", list(wish), OPTIONS)
    return [
        f"{localized[name].get(language, options[name])}:{value_name(value, language)}"
        for name, value in wish.items()
    ]


def _name(name: str, language: str) -> str:
    return command_text(f"command-{name}", "name", language) or name


def _description(name: str, language: str) -> str | None:
    return command_text(f"command-{name}", "description", language)
