"""What people can do, what they see, and the rules of answering them."""

import asyncio

import discord as discord_py
import pytest
from discord_server import (
    MANAGE_MESSAGES,
    BotError,
    DiscordServer,
    ImpossibleError,
    Modal,
    Person,
    Reply,
)

from .conftest import Puppet, gallery, picture

Interaction = discord_py.Interaction


@pytest.fixture
def mio(discord: DiscordServer) -> Person:
    return discord.member("Mio")


@pytest.fixture
def ren(discord: DiscordServer) -> Person:
    return discord.member("Ren")


async def say_hello(interaction: Interaction) -> None:
    await interaction.response.send_message("hello")


async def with_buttons(interaction: Interaction) -> None:
    view = discord_py.ui.View(timeout=None)
    view.add_item(discord_py.ui.Button(label="Again", custom_id="again"))
    view.add_item(discord_py.ui.Button(emoji="🗑️", custom_id="delete", disabled=True))
    options = [discord_py.SelectOption(label=name, value=name) for name in ("pink", "blue")]
    view.add_item(discord_py.ui.Select(custom_id="hair", options=options))
    await interaction.response.send_message("buttons", view=view)


# Slash commands


async def test_options_are_passed_unchanged(
    discord: DiscordServer, puppet: Puppet, mio: Person, ren: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        given = interaction.namespace
        await interaction.response.send_message(f"{given.word} {given.times} {given.who.name}")

    puppet.act = act
    reply = await mio.slash("do", word="pink", times=9, who=ren)
    assert reply.content == "pink 9 ren"
    assert discord.violations == []


@pytest.mark.parametrize(
    "options", [{"times": 10}, {"times": "one"}, {"colour": "pink"}, {"who": "ren"}]
)
async def test_the_client_rejects_invalid_options(
    puppet: Puppet, mio: Person, options: dict[str, object]
) -> None:
    with pytest.raises(ImpossibleError):
        await mio.slash("do", **options)


async def test_commands_require_their_permissions(
    discord: DiscordServer, puppet: Puppet, mio: Person
) -> None:
    puppet.act = say_hello
    with pytest.raises(BotError, match="default_member_permissions"):
        await mio.slash("moderate")
    moderator = discord.member("Aoi", permissions=MANAGE_MESSAGES)
    assert (await moderator.slash("moderate")).content == "hello"


async def test_a_picture_is_attached_and_described(puppet: Puppet, mio: Person) -> None:
    async def act(interaction: Interaction) -> None:
        await interaction.response.defer()
        file = discord_py.File(picture("red"), "a.png", description="a red square")
        await interaction.followup.send(view=gallery("a.png"), file=file)

    puppet.act = act
    reply = await mio.slash("do")
    assert reply.text == "hello"
    assert reply.alt_texts == ["a red square"]
    assert reply.pictures[0].data == picture("red").getvalue()
    assert await reply.fetch(reply.pictures[0]) == picture("red").getvalue()


async def test_file_urls_expire(discord: DiscordServer, puppet: Puppet, mio: Person) -> None:
    async def act(interaction: Interaction) -> None:
        await interaction.response.send_message(file=discord_py.File(picture(), "a.png"))

    puppet.act = act
    reply = await mio.slash("do")
    discord.advance(25 * 3600)
    with pytest.raises(BotError, match="answers 404"):
        await reply.fetch(reply.pictures[0])


# The rules of answering


async def test_a_missing_answer_fails_the_interaction(
    puppet: Puppet, discord: DiscordServer, mio: Person
) -> None:
    never = asyncio.Event()
    discord.deadline = 0.2

    async def act(interaction: Interaction) -> None:
        await never.wait()
        await say_hello(interaction)

    puppet.act = act
    with pytest.raises(BotError, match="did not respond"):
        await mio.slash("do")
    never.set()
    await puppet.over.wait()
    assert isinstance(puppet.error, discord_py.NotFound)
    assert puppet.error.code == 10062
    assert [violation.code for violation in discord.violations] == [10062]
    assert mio.messages() == []


async def test_an_answer_after_3_seconds_is_rejected(
    puppet: Puppet, discord: DiscordServer, mio: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        discord.advance(3.1)
        await say_hello(interaction)

    puppet.act = act
    with pytest.raises(BotError):
        await mio.slash("do")
    await puppet.over.wait()
    assert isinstance(puppet.error, discord_py.NotFound)
    assert puppet.error.code == 10062


async def test_a_second_answer_is_rejected(
    puppet: Puppet, discord: DiscordServer, mio: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        await say_hello(interaction)
        await puppet.callback(interaction, 4, {"content": "once more"})

    puppet.act = act
    assert (await mio.slash("do")).content == "hello"
    await puppet.over.wait()
    assert isinstance(puppet.error, discord_py.HTTPException)
    assert puppet.error.code == 40060
    assert [reply.content for reply in mio.messages()] == ["hello"]


async def test_tokens_expire_after_15_minutes(
    puppet: Puppet, discord: DiscordServer, mio: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        await say_hello(interaction)
        discord.advance(14 * 60)
        await interaction.followup.send("in time")
        discord.advance(2 * 60)
        await interaction.followup.send("too late")

    puppet.act = act
    await mio.slash("do")
    await puppet.over.wait()
    assert isinstance(puppet.error, discord_py.HTTPException)
    assert puppet.error.code == 50027
    assert [reply.content for reply in mio.messages()] == ["hello", "in time"]


async def test_callback_types_must_fit_the_interaction(
    puppet: Puppet, discord: DiscordServer, mio: Person
) -> None:
    puppet.act = lambda interaction: puppet.callback(interaction, 7, {"content": "x"})
    with pytest.raises(BotError, match="Value must be one of"):
        await mio.slash("do")


async def test_a_deferred_interaction_must_be_finished(
    puppet: Puppet, discord: DiscordServer, mio: Person
) -> None:
    discord.patience = 0.2
    puppet.act = lambda interaction: interaction.response.defer()
    with pytest.raises(BotError, match="only deferred"):
        await mio.slash("do")


async def test_deferring_decides_whether_the_reply_is_ephemeral(
    puppet: Puppet, discord: DiscordServer, mio: Person, ren: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("secret", ephemeral=True)
        await interaction.followup.send("second", ephemeral=True)

    puppet.act = act
    reply = await mio.slash("do")
    await puppet.over.wait()
    assert not reply.ephemeral
    assert [seen.content for seen in ren.messages()] == ["secret"]
    assert [seen.content for seen in mio.messages()] == ["secret", "second"]


async def test_ephemeral_replies_are_visible_to_one_user(
    puppet: Puppet, discord: DiscordServer, mio: Person, ren: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        await interaction.response.send_message("psst", ephemeral=True)
        message = await interaction.original_response()
        await interaction.client.http.get_message(message.channel.id, message.id)

    puppet.act = act
    reply = await mio.slash("do")
    await puppet.over.wait()
    assert reply.ephemeral
    assert mio.sees(reply)
    assert not ren.sees(reply)
    assert isinstance(puppet.error, discord_py.NotFound)
    assert puppet.error.code == 10008, "channel routes do not reach it"


async def test_the_original_reply_is_fetched_edited_and_deleted(
    puppet: Puppet, discord: DiscordServer, mio: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        await say_hello(interaction)
        message = await interaction.edit_original_response(content="good day")
        again = await interaction.followup.send("more", wait=True)
        await again.edit(content="even more")
        assert (await interaction.original_response()).id == message.id
        assert (await interaction.followup.fetch_message(again.id)).content == "even more"
        await message.delete()
        await again.delete()
        await interaction.followup.fetch_message(again.id)

    puppet.act = act
    reply = await mio.slash("do")
    await puppet.over.wait()
    assert reply.content == "good day"
    assert reply.deleted
    assert isinstance(puppet.error, discord_py.NotFound)
    assert puppet.error.code == 10008


# Buttons, selects, forms, context menus


async def test_a_button_updates_its_message(puppet: Puppet, mio: Person) -> None:
    puppet.act = with_buttons
    reply = await mio.slash("do")

    async def update(interaction: Interaction) -> None:
        await interaction.response.edit_message(content=f"clicked by {interaction.user.name}")

    puppet.act = update
    after = await mio.click(reply, label="Again")
    assert after.id == reply.id
    assert reply.content == "clicked by mio"

    async def later(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_response(content="later")

    puppet.act = later
    assert (await mio.click(reply, custom_id="again")).content == "later"

    async def another(interaction: Interaction) -> None:
        await interaction.response.defer()
        await interaction.followup.send("another", ephemeral=True)

    puppet.act = another
    assert (await mio.click(reply, label="Again")).content == "another"


async def test_a_select_sends_its_values(puppet: Puppet, mio: Person) -> None:
    puppet.act = with_buttons
    reply = await mio.slash("do")

    async def chosen(interaction: Interaction) -> None:
        await interaction.response.send_message(f"{interaction.data['values']}")

    puppet.act = chosen
    assert (await mio.select(reply, "hair", ["blue"])).content == "['blue']"
    for wrong in (["green"], ["pink", "blue"], []):
        with pytest.raises(ImpossibleError):
            await mio.select(reply, "hair", wrong)


async def test_disabled_and_missing_buttons_cannot_be_clicked(
    puppet: Puppet, mio: Person, ren: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        view = discord_py.ui.View(timeout=None)
        view.add_item(discord_py.ui.Button(label="Mine", custom_id="mine"))
        await interaction.response.send_message("only you", view=view, ephemeral=True)

    puppet.act = act
    private = await mio.slash("do")
    with pytest.raises(ImpossibleError, match="does not see"):
        await ren.click(private, label="Mine")
    puppet.act = with_buttons
    reply = await mio.slash("do")
    with pytest.raises(ImpossibleError, match="cannot be clicked"):
        await mio.click(reply, label="🗑️")
    with pytest.raises(ImpossibleError, match="0 buttons"):
        await mio.click(reply, label="Other")


async def test_a_button_without_handler_fails(
    puppet: Puppet, discord: DiscordServer, mio: Person
) -> None:
    puppet.act = with_buttons
    reply = await mio.slash("do")
    discord.deadline = 0.2

    async def ignore(interaction: Interaction) -> None:
        pass

    puppet.act = ignore
    with pytest.raises(BotError, match="did not respond"):
        await mio.click(reply, label="Again")


@pytest.mark.parametrize("labelled", [True, False])
async def test_a_modal_is_submitted(puppet: Puppet, mio: Person, labelled: bool) -> None:
    async def ask(interaction: Interaction) -> None:
        form = discord_py.ui.Modal(title="Wish", custom_id="wish")
        if labelled:
            field = discord_py.ui.TextInput[discord_py.ui.View](custom_id="hair", max_length=10)
            form.add_item(discord_py.ui.Label(text="Hair", component=field))
        else:
            form.add_item(discord_py.ui.TextInput(label="Hair", custom_id="hair", max_length=10))

        async def on_submit(interaction: Interaction) -> None:
            (item,) = form.walk_children() if not labelled else [field]
            await interaction.response.send_message(f"hair: {item.value}")

        form.on_submit = on_submit
        await interaction.response.send_modal(form)

    async def nothing(interaction: Interaction) -> None:
        pass

    puppet.act = ask
    form = await mio.slash("do")
    assert isinstance(form, Modal)
    assert (form.title, list(form.fields)) == ("Wish", ["Hair"])
    for wrong in ({}, {"hair": "x" * 11}, {"hair": "x", "eyes": "y"}):
        with pytest.raises(ImpossibleError):
            await mio.submit(form, **wrong)
    puppet.act = nothing
    reply = await mio.submit(form, hair="pink")
    assert isinstance(reply, Reply)
    assert reply.content == "hair: pink"


async def test_a_context_menu_command_has_its_target(
    puppet: Puppet, mio: Person, ren: Person
) -> None:
    assert (await mio.user_command("Look", ren)).content == "that is Ren"


# Places


async def test_private_channels_and_other_guilds_are_inaccessible(
    puppet: Puppet, discord: DiscordServer, ren: Person
) -> None:
    async def act(interaction: Interaction) -> None:
        where = interaction.context
        owner = "user" if interaction.is_user_integration() else "guild"
        place = "guild" if where.guild else "bot dm" if where.dm_channel else "private"
        await interaction.response.send_message(f"{place}, {owner}")

    puppet.act = act
    aoi = discord.user("Aoi")
    elsewhere = discord.guild("Elsewhere", has_bot=False)
    away = discord.member("Aoi", elsewhere)
    assert (await ren.slash("do")).content == "guild, guild"
    assert (await ren.slash("do", channel=ren.dm)).content == "bot dm, guild"
    assert (await aoi.slash("do")).content == "bot dm, user"
    between = discord.dm(aoi.user, ren.user)
    assert (await aoi.slash("do", channel=between)).content == "private, user"
    assert (await away.slash("do")).content == "guild, user"
    with pytest.raises(BotError, match="does not see"):
        await ren.slash("do", channel=between)
    with pytest.raises(ImpossibleError, match="cannot read"):
        await ren.slash("do", channel=aoi.dm)
    assert discord.violations == []


async def test_user_apps_have_five_followups_and_no_channel_access(
    puppet: Puppet, discord: DiscordServer
) -> None:
    discord.member("Aoi", discord.guild("Elsewhere", has_bot=False), installed=True)
    aoi = discord.member("Aoi", discord.guilds[-1])

    async def act(interaction: Interaction) -> None:
        await say_hello(interaction)
        for number in range(5):
            await interaction.followup.send(str(number))
        await interaction.followup.send("6")

    puppet.act = act
    reply = await aoi.slash("do")
    await puppet.over.wait()
    assert isinstance(puppet.error, discord_py.HTTPException)
    assert puppet.error.code == 40094
    with pytest.raises(discord_py.Forbidden) as refused:
        await puppet.http.get_message(reply.channel.id, reply.id)
    assert refused.value.code == 50001


async def test_channel_routes_answer(puppet: Puppet, discord: DiscordServer, mio: Person) -> None:
    said = await mio.say("hi")
    secret = discord.channel("secret", only=[mio])
    http = puppet.http
    for call, code in (
        (http.get_channel(1), 10003),
        (http.get_channel(secret.id), 50001),
        (http.get_message(said.channel.id, 1), 10008),
        (http.edit_message(said.channel.id, said.id, params=params("x")), 50005),
        (http.delete_message(said.channel.id, said.id), 50013),
        (http.get_user(1), 10013),
        (http.get_guild(1), 10004),
        (http.get_member(discord.default_guild.id, 1), 10007),
    ):
        with pytest.raises(discord_py.HTTPException) as refused:
            await call
        assert refused.value.code == code
    assert len(discord.violations) == 8
    dm = await (await puppet.fetch_user(mio.id)).send("hello")
    await dm.edit(content="good day")
    assert [reply.content for reply in mio.messages(mio.dm)] == ["good day"]
    await dm.delete()
    assert mio.messages(mio.dm) == []


def params(content: str) -> discord_py.http.MultipartParameters:
    return discord_py.http.handle_message_parameters(content)


async def test_a_mention_is_dispatched_and_answered(
    puppet: Puppet, discord: DiscordServer, mio: Person
) -> None:
    reply = await mio.ask("pink hair")
    assert reply.content == "you called?"
    assert reply.message.reference is not None
    await mio.say("just talking")
    async with asyncio.timeout(discord.patience):
        mentioned, talked = await puppet.heard.get(), await puppet.heard.get()
    assert mentioned.content.endswith("pink hair")
    assert talked.content == "", "the content needs a privileged intent"


async def test_deleting_messages_requires_permission(
    puppet: Puppet, discord: DiscordServer, mio: Person, ren: Person
) -> None:
    puppet.act = say_hello
    reply = await mio.slash("do")
    with pytest.raises(ImpossibleError, match="may not delete"):
        await ren.remove(reply)
    await discord.member("Aoi", permissions=MANAGE_MESSAGES).remove(reply)
    assert mio.messages() == []
