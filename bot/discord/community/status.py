"""Shows the model in use as the bot's status, if an operator has turned that on."""

import discord

from bot.discord.bot import IrodoriBot


class Status:
    """Remembers what the current connection shows."""

    def __init__(self) -> None:
        self._shown: str | None = None

    def forget(self) -> None:
        """After a new session, which shows nothing."""
        self._shown = None

    async def update(self, bot: IrodoriBot) -> None:
        wanted = bot.studio.model_name if await bot.studio.community.shows_model() else None
        if wanted != self._shown:
            activity = None if wanted is None else discord.CustomActivity(name=f"🎨 {wanted}")
            await bot.change_presence(activity=activity)
            self._shown = wanted
