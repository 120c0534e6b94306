"""`/gallery`: shows stored pictures, page by page."""

from collections.abc import Sequence
from typing import Any, Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.discord import gallery
from bot.discord.bot import Interaction, IrodoriBot
from bot.discord.card import open_card
from bot.discord.failures import is_accepted, report_failure
from bot.discord.gallery_state import GalleryState
from bot.discord.open_picture import ID_FORM, id_in_form
from bot.discord.options import CommandOption, wish_command
from db.records import Scope, Sort

SCOPES: dict[str, Scope] = {
    "everyone": "everyone",
    "server": "guild",
    "mine": "mine",
    "favourites": "favourites",
}


class GalleryCog(commands.Cog):
    components = gallery.COMPONENTS

    def __init__(self, bot: IrodoriBot) -> None:
        self.bot = bot

    def wish_commands(self) -> Sequence[app_commands.Command[Any, ..., None]]:
        async def run(
            interaction: Interaction, wish: dict[str, str], _: str | None, *, scope: str, sort: Sort
        ) -> None:
            await gallery.start(interaction, GalleryState(SCOPES[scope], sort, wish))

        studio = self.bot.studio
        options = {
            "scope": CommandOption(Literal["everyone", "server", "mine", "favourites"], "everyone"),
            "sort": CommandOption(Literal["new", "loved"], "new"),
        }
        return [wish_command(studio, "gallery", run, options)]

    @commands.Cog.listener()
    async def on_interaction(self, interaction: Interaction) -> None:
        """Handles submitted id forms, also of forms that were opened before a restart."""
        submitted = interaction.type is discord.InteractionType.modal_submit
        if not submitted or interaction.custom_id != ID_FORM:
            return
        if not await is_accepted(interaction):
            return
        try:
            await open_card(interaction, id_in_form(interaction))
        except Exception as error:
            await report_failure(interaction, error)
