"""The panel to move a face along the latent directions of its model."""

import io
import re
from collections.abc import Sequence
from functools import partial
from typing import Self

import discord
from discord import ButtonStyle, MediaGalleryItem, ui

from bot.discord.bot import Interaction
from bot.discord.components import (
    ID,
    PRIVATE,
    Button,
    Component,
    components_of,
    is_reply_private,
)
from bot.discord.context import language_of, owner_of, request_of
from bot.discord.family import child_command
from bot.discord.permissions import require_admission
from bot.discord.replies import defer_answer, defer_update, retry_once
from bot.errors import BadPrompt, NotFound
from bot.i18n.messages import direction_ends, direction_name, say
from db.records import Avatar
from db.tasks import ShapeTask

STEPS = 3  # from the middle to each end of a direction
MAX_ROWS = 9  # of one panel; each counts as 3 of a message's 40 components
STATE = "(?P<state>[0-6.]*)"
"""A digit for each direction, from 0 to 2 × STEPS with STEPS in the middle, or `.` where the face
keeps its position."""
UNCHANGED = "."


async def open_panel(interaction: Interaction, avatar_id: str) -> None:
    """Raises NotFound, Blocked, WrongChannel, BadPrompt."""
    studio = interaction.client.studio
    await require_admission(interaction)
    avatar = await studio.avatars.get(avatar_id, owner_of(interaction))
    private = await is_reply_private(interaction, avatar)
    await defer_answer(interaction, private=True)
    names = [*await studio.shaping.positions(avatar)][:MAX_ROWS]
    if not names:
        raise BadPrompt("shape-none", model=avatar.model)
    await _show(interaction, avatar, UNCHANGED * len(names), private)


def shape_of(state: str, names: Sequence[str]) -> dict[str, float]:
    """The positions that a state sets, by direction. Raises NotFound for another model's state."""
    if len(state) != len(names):
        raise NotFound("shape-gone")
    return {
        name: (int(digit) - STEPS) / STEPS
        for name, digit in zip(names, state, strict=True)
        if digit != UNCHANGED
    }


def move(state: str, index: int, step: int, position: float) -> str:
    """The state after one step in a direction, from the face's `position` if it is unchanged."""
    digit = state[index]
    before = round(position * STEPS) + STEPS if digit == UNCHANGED else int(digit)
    after = min(max(before + step, 0), 2 * STEPS)
    return f"{state[:index]}{after}{state[index + 1 :]}"


async def _show(interaction: Interaction, avatar: Avatar, state: str, private: bool) -> None:
    """Edits the panel, with a preview of the state."""
    studio, language = interaction.client.studio, await language_of(interaction)
    positions = await studio.shaping.positions(avatar)
    names = [*positions][:MAX_ROWS]
    shape = shape_of(state, names)
    data = await studio.shaping.preview(avatar.id, shape, request_of(interaction))
    panel = ShapePanel(avatar, names, state, private, language)
    name = f"preview-{avatar.id}-{state.replace(UNCHANGED, '-')}.webp"

    async def edit() -> None:
        panel.show_picture(name)
        file = discord.File(io.BytesIO(data), filename=name)
        await interaction.edit_original_response(view=panel, attachments=[file])

    await retry_once(edit)


class Move(Component[Button], template="irodori:move:(?P<index>[0-9]{1,2}):(?P<step>[01])"):
    """Moves the face one step in a direction, and shows the preview."""

    def __init__(self, index: int, step: int, label: str = "", disabled: bool = False) -> None:
        button = Button(
            label=label, custom_id=f"irodori:move:{index}:{int(step > 0)}", disabled=disabled
        )
        super().__init__(button)
        self.index = index
        self.step = step

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(int(match["index"]), 1 if match["step"] == "1" else -1)

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        await defer_update(interaction)
        await require_admission(interaction)
        keep = _keep_button(interaction)
        avatar = await studio.avatars.get(keep.avatar_id, owner_of(interaction))
        positions = [*(await studio.shaping.positions(avatar)).values()][:MAX_ROWS]
        if len(positions) != len(keep.state) or self.index >= len(positions):
            raise NotFound("shape-gone")
        state = move(keep.state, self.index, self.step, positions[self.index])
        await _show(interaction, avatar, state, keep.reply_private)


class Keep(Component[Button], template=f"irodori:shape-keep:{ID}:{PRIVATE}:{STATE}"):
    """Paints and stores the face as the preview shows it."""

    def __init__(
        self, avatar_id: str, reply_private: bool, state: str, language: str = "en"
    ) -> None:
        super().__init__(
            Button(
                style=ButtonStyle.primary,
                label=say("shape-keep", language),
                emoji="🎨",
                custom_id=f"irodori:shape-keep:{avatar_id}:{int(reply_private)}:{state}",
            )
        )
        self.avatar_id = avatar_id
        self.reply_private = reply_private
        self.state = state

    @classmethod
    def pattern(cls) -> re.Pattern[str]:
        return cls.__discord_ui_compiled_template__

    @classmethod
    def restore(cls, match: re.Match[str], item: Button) -> Self:
        return cls(match["id"], match["private"] == "1", match["state"])

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        avatar = await studio.avatars.get(self.avatar_id, owner_of(interaction))
        shape = shape_of(self.state, [*await studio.shaping.positions(avatar)][:MAX_ROWS])
        if not shape:
            raise BadPrompt("shape-no-change")
        # The panel is always private, so it does not decide.
        task = partial(ShapeTask, shape=shape)
        command = await child_command(interaction, avatar, task, self.reply_private)
        await interaction.client.paint(interaction, command)


def _keep_button(interaction: Interaction) -> Keep:
    for component in components_of(interaction):
        match = Keep.pattern().fullmatch(component.custom_id or "")
        if match is not None:
            return Keep(match["id"], match["private"] == "1", match["state"])
    raise NotFound("shape-gone")


class ShapePanel(ui.LayoutView):
    """A preview, a row with the two ends of each direction, and the button to keep the face."""

    def __init__(
        self,
        avatar: Avatar,
        names: Sequence[str],
        state: str,
        private: bool,
        language: str = "en",
    ) -> None:
        super().__init__(timeout=None)
        self._picture: ui.MediaGallery[ShapePanel] = ui.MediaGallery()
        shown = [
            say("shape-step", language, name=direction_name(name, language), step=_signed(digit))
            for name, digit in zip(names, state, strict=True)
            if digit != UNCHANGED
        ]
        lines = [say("shape-title", language)]
        if shown:
            lines.append(f"-# {' · '.join(shown)}")
        self.add_item(ui.TextDisplay("\n".join(lines)))
        self.add_item(self._picture)
        for index, (name, digit) in enumerate(zip(names, state, strict=True)):
            less, more = direction_ends(name, language)
            row: ui.ActionRow[ShapePanel] = ui.ActionRow()
            row.add_item(Move(index, -1, f"− {less}", digit == "0"))
            row.add_item(Move(index, 1, f"+ {more}", digit == str(2 * STEPS)))
            self.add_item(row)
        self.add_item(ui.ActionRow(Keep(avatar.id, private, state, language)))

    def show_picture(self, name: str) -> None:
        """Shows the attached file of this name."""
        self._picture.items = [MediaGalleryItem(f"attachment://{name}")]


def _signed(digit: str) -> str:
    step = int(digit) - STEPS
    return f"{step:+d}".replace("-", "−") if step else "0"


COMPONENTS = (Move, Keep)
