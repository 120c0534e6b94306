"""Buttons, selects, modals and context menus."""

from typing import Any, cast

import discord as discord_py
import pytest
from discord_server import BotError, DiscordServer, ImpossibleActionError, UserClient

from .conftest import ScriptedBot

Interaction = discord_py.Interaction


async def send_components(interaction: Interaction) -> None:
    view = discord_py.ui.View(timeout=None)
    view.add_item(discord_py.ui.Button(label="Again", custom_id="again"))
    view.add_item(discord_py.ui.Button(emoji="🗑️", custom_id="delete", disabled=True))
    options = [discord_py.SelectOption(label=name, value=name) for name in ("pink", "blue")]
    view.add_item(discord_py.ui.Select(custom_id="hair", options=options))
    await interaction.response.send_message("buttons", view=view)


async def test_a_button_updates_its_message(bot: ScriptedBot, mio: UserClient) -> None:
    bot.handler = send_components
    reply = await mio.slash("do")

    async def update(interaction: Interaction) -> None:
        await interaction.response.edit_message(content=f"clicked by {interaction.user.name}")

    bot.handler = update
    after = await mio.click(reply, label="Again")
    assert after.id == reply.id
    assert reply.content == "clicked by mio"

    async def later(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="later")

    bot.handler = later
    assert (await mio.click(reply, custom_id="again")).content == "later"

    async def another(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("another", ephemeral=True)

    bot.handler = another
    assert (await mio.click(reply, label="Again")).content == "another"


async def test_a_select_sends_its_values(bot: ScriptedBot, mio: UserClient) -> None:
    bot.handler = send_components
    reply = await mio.slash("do")

    async def show_values(interaction: Interaction) -> None:
        data = cast(dict[str, Any], interaction.data)
        await interaction.response.send_message(f"{data['values']}")

    bot.handler = show_values
    assert (await mio.select(reply, "hair", ["blue"])).content == "['blue']"
    for invalid in (["green"], ["pink", "blue"], []):
        with pytest.raises(ImpossibleActionError):
            await mio.select(reply, "hair", invalid)


async def test_disabled_and_missing_buttons_cannot_be_clicked(
    bot: ScriptedBot, mio: UserClient, ren: UserClient
) -> None:
    async def handler(interaction: Interaction) -> None:
        view = discord_py.ui.View(timeout=None)
        view.add_item(discord_py.ui.Button(label="Mine", custom_id="mine"))
        await interaction.response.send_message("only you", view=view, ephemeral=True)

    bot.handler = handler
    private = await mio.slash("do")
    with pytest.raises(ImpossibleActionError, match="does not see"):
        await ren.click(private, label="Mine")
    bot.handler = send_components
    reply = await mio.slash("do")
    with pytest.raises(ImpossibleActionError, match="cannot be clicked"):
        await mio.click(reply, label="🗑️")
    with pytest.raises(ImpossibleActionError, match="0 buttons"):
        await mio.click(reply, label="Other")


async def test_a_button_without_handler_fails(
    bot: ScriptedBot, discord: DiscordServer, mio: UserClient
) -> None:
    bot.handler = send_components
    reply = await mio.slash("do")
    discord.deadline = 0.2

    async def ignore(interaction: Interaction) -> None:
        pass

    bot.handler = ignore
    with pytest.raises(BotError, match="did not respond"):
        await mio.click(reply, label="Again")


@pytest.mark.parametrize("in_label_component", [True, False])
async def test_a_modal_is_submitted(
    bot: ScriptedBot, mio: UserClient, in_label_component: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ask(interaction: Interaction) -> None:
        form = discord_py.ui.Modal(title="Wish", custom_id="wish")
        label = None if in_label_component else "Hair"
        field = discord_py.ui.TextInput[discord_py.ui.View](
            label=label, custom_id="hair", max_length=10
        )
        if in_label_component:
            form.add_item(discord_py.ui.Label(text="Hair", component=field))
        else:
            form.add_item(field)

        async def on_submit(interaction: Interaction) -> None:
            await interaction.response.send_message(f"hair: {field.value}")

        monkeypatch.setattr(form, "on_submit", on_submit)
        await interaction.response.send_modal(form)

    async def do_nothing(interaction: Interaction) -> None:
        pass

    bot.handler = ask
    form = await mio.slash_for_modal("do")
    assert (form.title, list(form.fields)) == ("Wish", ["Hair"])
    for invalid in ({}, {"hair": "x" * 11}, {"hair": "x", "eyes": "y"}):
        with pytest.raises(ImpossibleActionError):
            await mio.submit(form, **invalid)
    bot.handler = do_nothing
    reply = await mio.submit(form, hair="pink")
    assert reply.content == "hair: pink"


async def test_a_context_menu_command_has_its_target(
    bot: ScriptedBot, mio: UserClient, ren: UserClient
) -> None:
    assert (await mio.user_command("Look", ren)).content == "that is Ren"


async def test_channels_and_roles_are_chosen_in_their_selects(
    bot: ScriptedBot, mio: UserClient, discord: DiscordServer
) -> None:
    async def send(interaction: Interaction) -> None:
        view = discord_py.ui.View(timeout=None)
        view.add_item(discord_py.ui.ChannelSelect(custom_id="where", min_values=0))
        view.add_item(discord_py.ui.RoleSelect(custom_id="who"))
        await interaction.response.send_message("selects", view=view)

    async def show(interaction: Interaction) -> None:
        data = cast(Any, interaction.data)
        names = [found["name"] for kind in data["resolved"].values() for found in kind.values()]
        await interaction.response.edit_message(content=f"{data['values']} {names}")

    bot.handler = send
    reply = await mio.slash("do")
    bot.handler = show
    art = discord.channel("art")
    await mio.choose(reply, "where", [art])
    assert reply.content == f"['{art.id}'] ['art']"
    role = discord.role("painters")
    await mio.choose(reply, "who", [role])
    assert reply.content == f"['{role.id}'] ['painters']"
    with pytest.raises(ImpossibleActionError, match="1 to 1 values"):
        await mio.choose(reply, "who", [])
