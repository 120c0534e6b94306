"""Commands that paint children of one or two pictures, and the button for siblings."""

from collections.abc import Callable

from bot.discord.bot import Interaction, PaintCommand
from bot.discord.components import Button, Component, is_made_private
from bot.discord.context import is_ephemeral, owner_of, settings_of
from bot.errors import NotFound
from bot.i18n.messages import say
from db.records import Avatar
from db.tasks import MixTask, Task


async def child_command(
    interaction: Interaction,
    parent: Avatar,
    task: Callable[..., Task],
    reply_private: bool | None = None,
) -> PaintCommand:
    """A command for the task `task(id=…, private=…)` on one picture. `reply_private` is whether the
    reply is private, by default whether the clicked message is.
    """
    private = await is_made_private(interaction, parent)
    if reply_private is None:
        reply_private = is_ephemeral(interaction)
    reply_private = private or reply_private
    return PaintCommand(
        task(id=parent.id, private=private),
        private=reply_private,
        names_requester=not reply_private,
    )


async def mix_command(
    interaction: Interaction,
    a: str,
    b: str,
    *,
    seed: int | None = None,
    private: bool | None = None,
    names_requester: bool = False,
) -> PaintCommand:
    """A command for a child of two pictures, private if a parent is. Raises NotFound."""
    studio = interaction.client.studio
    me = owner_of(interaction)
    parents = [await studio.avatars.get(id, me) for id in (a, b)]
    settings = await settings_of(interaction)
    if private is None:
        private = settings.private or False
    private = private or any(parent.private for parent in parents)
    task = MixTask(a=parents[0].id, b=parents[1].id, seed=seed, size=settings.size, private=private)
    reply_private = private or is_ephemeral(interaction)
    return PaintCommand(task, reply_private, names_requester and not reply_private)


class Sibling(Component[Button], template="irodori:sibling:(?P<id>[0-9a-z]+)"):
    """Paints another child of the same two parents."""

    def __init__(self, avatar_id: str, language: str = "en") -> None:
        super().__init__(
            Button(
                label=say("mix-sibling", language),
                emoji="👯",
                custom_id=f"irodori:sibling:{avatar_id}",
            )
        )
        self.avatar_id = avatar_id

    async def on_use(self, interaction: Interaction) -> None:
        studio = interaction.client.studio
        child = await studio.avatars.get(self.avatar_id, owner_of(interaction))
        if len(child.parents) != 2:
            raise NotFound("mix-no-parents")
        private = child.private or None
        try:
            first, second = child.parents
            command = await mix_command(
                interaction, first, second, private=private, names_requester=True
            )
        except NotFound as error:
            raise NotFound("mix-parents-gone") from error
        await interaction.client.paint(interaction, command)
