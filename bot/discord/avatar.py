"""`/avatar`: paints, and shows what was painted."""

from typing import Any

from discord import app_commands

from bot.discord.buttons import deliver
from bot.discord.options import OwnOption, wish_command
from bot.discord.replies import Interaction, defer_answer, owner_of, place_of
from bot.studio import MAX_COUNT, SEEDS, Studio


def avatar_command(studio: Studio) -> app_commands.Command[Any, ..., None]:
    async def run(
        interaction: Interaction,
        wish: dict[str, str],
        *,
        count: int,
        seed: int | None,
        private: bool,
    ) -> None:
        await defer_answer(interaction, private=private)
        avatars = await studio.create(
            wish,
            owner=owner_of(interaction),
            count=count,
            seed=seed,
            private=private,
            **place_of(interaction),
        )
        await deliver(interaction, avatars)

    return wish_command(
        studio,
        "avatar",
        "Paint an anime face that nobody has drawn before",
        run,
        {
            "count": OwnOption(
                app_commands.Range[int, 1, MAX_COUNT], 1, f"How many pictures, 1 to {MAX_COUNT}"
            ),
            "seed": OwnOption(
                app_commands.Range[int, 0, SEEDS - 1],
                None,
                "The same seed, wish and model paint the same picture",
            ),
            "private": OwnOption(bool, False, "Only you will ever see it"),
        },
    )
