"""A morph as a message: the animation, and the pictures that it goes through."""

import io
import re
from collections.abc import Sequence
from typing import Any

import discord
from discord import ui

from bot.animation import Animation, Format
from bot.discord.gallery import Open
from bot.discord.orders import Answer, Order, paint
from bot.discord.replies import Interaction, guarded, is_seen_alone, owner_of, settings_of
from bot.discord.text import MAX_ALT_TEXT, option_of, shorten, title
from bot.errors import Refusal
from bot.i18n.messages import say
from bot.studio import Studio
from db.store import Avatar

TOO_LARGE = 40005  # "Request entity too large"
SMALLER = 2  # each time that an upload is refused, the next one has at most so much less
TRIES = 4


async def deliver_animation(answer: Answer, animation: Animation) -> None:
    """Fill in a deferred answer; where the upload is refused as too large, with a smaller one.

    Raises Refusal.
    """
    studio: Studio = answer.client.studio
    faces = [await studio.get(id, answer.owner) for id in animation.ids]
    for _ in range(TRIES):
        try:
            await _show(answer, animation, faces)
            return
        except discord.HTTPException as error:
            if error.status != 413 and error.code != TOO_LARGE:
                raise
        limit = len(animation.data) // SMALLER
        given = answer.given | {"limit_bytes": limit}
        animation = await studio.morph(owner=answer.owner, **given)
    raise Refusal("morph-too-large")


async def _show(answer: Answer, animation: Animation, faces: Sequence[Avatar]) -> None:
    file = discord.File(
        io.BytesIO(animation.data),
        filename=f"irodori-morph-{'-'.join(face.id for face in faces)}.{animation.format}",
        description=_alt_text(faces, answer.language),
    )
    view = MorphView(animation, faces, answer.language)
    await answer.edit(content=_caption(answer, animation, faces), attachments=[file], view=view)


class Gif(ui.DynamicItem[ui.Button[Any]], template="irodori:gif:(?P<ids>[0-9a-z-]+)"):
    """Makes the same morph as a GIF, for where a WebP does not move."""

    def __init__(self, ids: Sequence[str], language: str = "en") -> None:
        label = say("morph-gif", language)
        custom_id = f"irodori:gif:{'-'.join(ids)}"
        super().__init__(ui.Button[Any](label=label, emoji="🎞️", custom_id=custom_id))
        self.ids = tuple(ids)

    @classmethod
    async def from_custom_id(
        cls, interaction: Interaction, item: ui.Item[Any], match: re.Match[str], /
    ) -> "Gif":
        return cls(match["ids"].split("-"))

    @guarded
    async def callback(self, interaction: Interaction) -> None:
        await paint(interaction, await morph_order(interaction, self.ids, "gif", named=True))


class MorphView(ui.View):
    def __init__(self, animation: Animation, faces: Sequence[Avatar], language: str) -> None:
        super().__init__(timeout=None)
        options = [option_of(face, language, number=i) for i, face in enumerate(faces, 1)]
        self.add_item(Open(options, say("morph-open", language)))
        if animation.format != "gif":
            self.add_item(Gif(animation.ids, language))


async def morph_order(
    interaction: Interaction, ids: Sequence[str], format: Format = "webp", *, named: bool = False
) -> Order:
    """A loop through these pictures, private if one of them is. Raises NotFound."""
    studio: Studio = interaction.client.studio
    faces = [await studio.get(id, owner_of(interaction)) for id in ids]
    given = {
        "ids": [face.id for face in faces],
        "format": format,
        "size": (await settings_of(interaction)).size,
        "limit_bytes": interaction.filesize_limit,
    }
    alone = any(face.private for face in faces) or is_seen_alone(interaction)
    return Order("morph", given, private=alone, named=named and not alone)


def _caption(answer: Answer, animation: Animation, faces: Sequence[Avatar]) -> str:
    language = answer.language
    titles = [discord.utils.escape_markdown(title(face, language)) for face in faces]
    names = " → ".join(f"{words} `{face.id}`" for words, face in zip(titles, faces, strict=True))
    facts = [say("morph-facts", language, seconds=round(animation.seconds, 1))]
    if answer.named:
        facts.insert(0, say("morph-for", language, member=f"<@{answer.owner.key}>"))
    if animation.reduced:
        facts.append(say("morph-reduced", language))
    heading = say("morph-title", language, count=len(faces))
    return f"**{heading}**\n{shorten(names, 1000)}\n-# {' · '.join(facts)}"


def _alt_text(faces: Sequence[Avatar], language: str) -> str:
    names = " → ".join(title(face, language) for face in faces)
    return shorten(say("morph-alt", language, faces=names), MAX_ALT_TEXT)
