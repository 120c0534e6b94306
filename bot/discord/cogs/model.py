"""`/model`: lists and switches models, for operators."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord.autocompletion import limited
from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.command_texts import describe_options, description
from bot.discord.context import language_of
from bot.discord.permissions import require_operator
from bot.discord.replies import defer_answer, fill_in
from bot.i18n.messages import say, shorten
from bot.studio.models import ModelSummary
from export.figures import highlights

LISTED = 12  # models, the newest ones
MAX_CHOICES = 25


class ModelCog(commands.Cog):
    model = app_commands.Group(
        name="model",
        description=description("model"),
        default_permissions=discord.Permissions(0),
    )

    def __init__(self, bot: IrodoriBot) -> None:
        self.studio = bot.studio

    @model.command(name="list", description=description("model list"))
    async def list_models(self, interaction: Interaction) -> None:
        await self._admit(interaction)
        language = await language_of(interaction)
        models = await self.studio.models.all()
        lines = [_line(model, language) for model in models[-LISTED:]]
        if len(models) > LISTED:
            lines.insert(0, say("model-older", language, count=len(models) - LISTED))
        await fill_in(interaction, "\n".join(lines) or say("model-none", language))

    @model.command(name="use", description=description("model use"))
    @describe_options("model use", "model")
    async def use(self, interaction: Interaction, model: str) -> None:
        await self._admit(interaction)
        await self.studio.models.use(model)
        await self._tell_in_use(interaction)

    @use.autocomplete("model")
    @limited
    async def complete(
        self, interaction: Interaction, typed: str
    ) -> list[app_commands.Choice[str]]:
        names = [model.name for model in reversed(await self.studio.models.all())]
        found = [name for name in names if typed.casefold() in name.casefold() and len(name) <= 100]
        return [app_commands.Choice(name=name, value=name) for name in found[:MAX_CHOICES]]

    @model.command(name="rollback", description=description("model rollback"))
    async def rollback(self, interaction: Interaction) -> None:
        await self._admit(interaction)
        await self.studio.models.rollback()
        await self._tell_in_use(interaction)

    @model.command(name="reload", description=description("model reload"))
    async def reload(self, interaction: Interaction) -> None:
        await self._admit(interaction)
        await self.studio.models.reload()
        await self._tell_in_use(interaction)

    async def _admit(self, interaction: Interaction) -> None:
        await require_operator(interaction)
        await defer_answer(interaction, private=True)  # a model takes seconds to load

    async def _tell_in_use(self, interaction: Interaction) -> None:
        language = await language_of(interaction)
        await fill_in(interaction, say("model-in-use", language, name=self.studio.model_name))
        await interaction.client.offer_commands()


def _line(model: ModelSummary, language: str) -> str:
    """`▶ **faces64** · 2026-11-20 · hair as asked 99.0% · FD ratio (Lite2) 2.8`"""
    name = discord.utils.escape_markdown(model.name)
    facts = [f"**{name}**" if model.in_use else name]
    if model.problem is not None:
        facts.append(f"⚠️ {discord.utils.escape_markdown(shorten(model.problem, 200))}")
    if model.created is not None:
        facts.append(f"{model.created:%Y-%m-%d}")
    facts += [f"{label} {number}" for label, number in highlights(model.metrics)]
    return f"{'▶' if model.in_use else '▫'} {' · '.join(facts)}"
