"""The message of a morph: the animation, and a select of its pictures."""

import io
import re
from collections.abc import Sequence
from typing import Self

import discord
from discord import ui

from bot.discord.bot import Interaction, PaintCommand
from bot.discord.community.channels import Place, is_spoiler
from bot.discord.components import Button, Component
from bot.discord.context import is_ephemeral, owner_of, settings_of
from bot.discord.deferred_reply import DeferredReply
from bot.discord.open_picture import OpenSelect
from bot.discord.text import MAX_ALT_TEXT, option_of, title
from bot.errors import Refusal
from bot.i18n.messages import say, shorten
from bot.studio import Request
from bot.studio.morph_file import Format, Morph
from db.records import Avatar, PendingReply
from db.tasks import MorphTask

TOO_LARGE = 40005  # "Request entity too large"
REDUCTION = 2  # a refused upload is painted again with this fraction of its size
ATTEMPTS = 4  # to upload it


async def show_morph(reply: DeferredReply, morph: Morph) -> None:
    """Fills in a reply with a morph. If Discord refuses it as too large, paints a smaller one.

    Raises Refusal.
    """
    studio, owner, task = reply.client.studio, reply.pending.owner, reply.pending.task
    assert isinstance(task, MorphTask)
    faces = [await studio.avatars.get(id, owner) for id in morph.ids]
    for _ in range(ATTEMPTS):
        try:
            await _upload(reply, morph, faces)
            return
        except discord.HTTPException as error:
            if error.status != 413 and error.code != TOO_LARGE:
                raise
        smaller = task.model_copy(update={"limit_bytes": len(morph.data) // REDUCTION})
        painted = await studio.run(smaller, Request(owner))
        assert isinstance(painted, Morph)
        morph = painted
    raise Refusal("morph-too-large")


async def _upload(reply: DeferredReply, morph: Morph, faces: Sequence[Avatar]) -> None:
    file = discord.File(
        io.BytesIO(morph.data),
        filename=f"irodori-morph-{'-'.join(face.id for face in faces)}.{morph.format}",
        description=_alt_text(faces, reply.pending.language),
        spoiler=await is_spoiler(Place.of_reply(reply)),
    )
    view = MorphView(morph, faces, reply.pending.language)
    await reply.edit(content=_caption(reply.pending, morph, faces), attachments=[file], view=view)


class Gif(Component[Button], template="irodori:gif:(?P<ids>[0-9a-z-]+)"):
    """Paints the same morph as a GIF, for clients that do not play a WebP."""

    def __init__(self, ids: Sequence[str], language: str = "en") -> None:
        label = say("morph-gif", language)
        custom_id = f"irodori:gif:{'-'.join(ids)}"
        super().__init__(Button(label=label, emoji="🎞️", custom_id=custom_id))
        self.ids = tuple(ids)

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["ids"].split("-"))

    async def on_use(self, interaction: Interaction) -> None:
        command = await morph_command(interaction, self.ids, "gif", names_requester=True)
        await interaction.client.paint(interaction, command)


class MorphView(ui.View):
    def __init__(self, morph: Morph, faces: Sequence[Avatar], language: str) -> None:
        super().__init__(timeout=None)
        options = [option_of(face, language, number=i) for i, face in enumerate(faces, 1)]
        self.add_item(OpenSelect(options, say("morph-open", language)))
        if morph.format != "gif":
            self.add_item(Gif(morph.ids, language))


async def morph_command(
    interaction: Interaction,
    ids: Sequence[str],
    format: Format = "webp",
    *,
    names_requester: bool = False,
) -> PaintCommand:
    """A command for a loop through these pictures; private if one of them is. Raises NotFound."""
    studio = interaction.client.studio
    faces = [await studio.avatars.get(id, owner_of(interaction)) for id in ids]
    task = MorphTask(
        ids=tuple(face.id for face in faces),
        format=format,
        size=(await settings_of(interaction)).size,
        limit_bytes=interaction.filesize_limit,
    )
    private = any(face.private for face in faces) or is_ephemeral(interaction)
    return PaintCommand(task, private, names_requester and not private)


def _caption(pending: PendingReply, morph: Morph, faces: Sequence[Avatar]) -> str:
    language = pending.language
    titles = [discord.utils.escape_markdown(title(face, language)) for face in faces]
    names = " → ".join(f"{words} `{face.id}`" for words, face in zip(titles, faces, strict=True))
    facts = [say("morph-facts", language, seconds=round(morph.seconds, 1))]
    if pending.names_requester:
        facts.insert(0, say("morph-for", language, member=f"<@{pending.owner.key}>"))
    if morph.reduced:
        facts.append(say("morph-reduced", language))
    heading = say("morph-title", language, count=len(faces))
    return f"**{heading}**\n{shorten(names, 1000)}\n-# {' · '.join(facts)}"


def _alt_text(faces: Sequence[Avatar], language: str) -> str:
    names = " → ".join(title(face, language) for face in faces)
    return shorten(say("morph-alt", language, faces=names), MAX_ALT_TEXT)
