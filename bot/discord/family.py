"""Children of one picture, and of two: how they are ordered, and the button for siblings."""

import re
from typing import Any

from discord import ui

from bot.discord.components import is_made_private
from bot.discord.orders import Order, paint
from bot.discord.replies import Interaction, guarded, is_seen_alone, owner_of, settings_of
from bot.errors import NotFound
from bot.i18n.messages import say
from bot.studio import Studio
from db.store import Avatar


async def child_order(
    interaction: Interaction, work: str, parent: Avatar, alone: bool | None = None, **given: Any
) -> Order:
    """What the studio makes from one picture; `alone` is whether the answer is for one member, as
    the message is that was pressed on if nothing is said."""
    private = await is_made_private(interaction, parent)
    alone = private or (is_seen_alone(interaction) if alone is None else alone)
    given |= {"id": parent.id, "private": private}
    return Order(work, given, private=alone, named=not alone)


async def mix_order(
    interaction: Interaction,
    a: str,
    b: str,
    *,
    seed: int | None = None,
    private: bool | None = None,
    named: bool = False,
) -> Order:
    """A child of two pictures; that of a private one is private, too. Raises NotFound."""
    studio: Studio = interaction.client.studio
    me = owner_of(interaction)
    parents = [await studio.get(id, me) for id in (a, b)]
    settings = await settings_of(interaction)
    if private is None:
        private = settings.private or False
    private = private or any(parent.private for parent in parents)
    given = {
        "a": parents[0].id,
        "b": parents[1].id,
        "seed": seed,
        "size": settings.size,
        "private": private,
    }
    alone = private or is_seen_alone(interaction)
    return Order("mix", given, private=alone, named=named and not alone)


class Sibling(ui.DynamicItem[ui.Button[Any]], template="irodori:sibling:(?P<id>[0-9a-z]+)"):
    """Paints another child of the same two parents."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        super().__init__(
            ui.Button[Any](
                label=say("mix-sibling", language),
                emoji="👯",
                custom_id=f"irodori:sibling:{avatar_id}",
            )
        )
        self.avatar_id = avatar_id

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Sibling":
        return cls(match["id"])

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        studio: Studio = interaction.client.studio
        child = await studio.get(self.avatar_id, owner_of(interaction))
        if len(child.parents) != 2:
            raise NotFound("mix-no-parents")
        private = child.private or None
        try:
            order = await mix_order(interaction, *child.parents, private=private, named=True)
        except NotFound as error:
            raise NotFound("mix-parents-gone") from error
        await paint(interaction, order)
