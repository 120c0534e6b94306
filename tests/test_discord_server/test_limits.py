"""Requests over a limit of Discord get the error of Discord."""

import functools
import io
from typing import Any

import discord as discord_py
import pytest
from discord.http import Route
from discord_server import BotError, DiscordServer
from discord_server.model import User
from external_data import DISCORD_OPENAPI

from .conftest import ScriptedBot, codes_at, gallery, picture

V2 = 1 << 15


def button(custom_id: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": 2, "style": 1, "label": "b", "custom_id": custom_id} | more


def row(*children: dict[str, Any]) -> dict[str, Any]:
    return {"type": 1, "components": list(children)}


def select(count: int, **more: Any) -> dict[str, Any]:
    options = [{"label": str(n), "value": str(n)} for n in range(count)]
    return {"type": 3, "custom_id": "s", "options": options} | more


def text(length: int) -> dict[str, Any]:
    return {"type": 10, "content": "x" * length}


def pictures(count: int) -> dict[str, Any]:
    items = [{"media": {"url": f"https://example.com/{n}.png"}} for n in range(count)]
    return {"type": 12, "items": items}


TOO_LONG: dict[str, tuple[dict[str, Any], str, str]] = {
    "content": ({"content": "x" * 2001}, "content", "BASE_TYPE_MAX_LENGTH"),
    "custom_id too long": (
        {"components": [row(button("x" * 101))]},
        "components.0.components.0.custom_id",
        "BASE_TYPE_BAD_LENGTH",
    ),
    "custom_id empty": (
        {"components": [row(button(""))]},
        "components.0.components.0.custom_id",
        "BASE_TYPE_BAD_LENGTH",
    ),
    "custom_id twice": (
        {"content": "x", "components": [row(button(), button())]},
        "components.0.components.1.custom_id",
        "COMPONENT_CUSTOM_ID_DUPLICATED",
    ),
    "rows": (
        {"content": "x", "components": [row(button(str(n))) for n in range(6)]},
        "components",
        "BASE_TYPE_BAD_LENGTH",
    ),
    "buttons of a row": (
        {"content": "x", "components": [row(*[button(str(n)) for n in range(6)])]},
        "components.0.components",
        "BASE_TYPE_BAD_LENGTH",
    ),
    "button beside a select": (
        {"content": "x", "components": [row(select(2), button())]},
        "components.0.components.1",
        "COMPONENT_LAYOUT_WIDTH_EXCEEDED",
    ),
    "label": (
        {"content": "x", "components": [row(button(label="x" * 81))]},
        "components.0.components.0.label",
        "BASE_TYPE_MAX_LENGTH",
    ),
    "button without label": (
        {"content": "x", "components": [row(button(label=""))]},
        "components.0.components.0",
        "BUTTON_COMPONENT_INVALID_LABEL",
    ),
    "link without url": (
        {"content": "x", "components": [row(button(style=5))]},
        "components.0.components.0.url",
        "BASE_TYPE_REQUIRED",
    ),
    "options of a select": (
        {"content": "x", "components": [row(select(26))]},
        "components.0.components.0.options",
        "BASE_TYPE_BAD_LENGTH",
    ),
    "more values than options": (
        {"content": "x", "components": [row(select(2, max_values=3))]},
        "components.0.components.0.max_values",
        "NUMBER_TYPE_MAX",
    ),
    "text display without the flag": (
        {"components": [text(1)]},
        "components.0.type",
        "UNION_TYPE_CHOICES",
    ),
    "components": (
        {"flags": V2, "components": [{"type": 17, "components": [text(1)] * 20}] * 2},
        "components",
        "COMPONENT_MAX_TOTAL_COMPONENTS_EXCEEDED",
    ),
    "text of all displays": (
        {"flags": V2, "components": [text(2000), text(2001)]},
        "components",
        "COMPONENT_DISPLAYABLE_TEXT_SIZE_EXCEEDED",
    ),
    "pictures of a gallery": (
        {"flags": V2, "components": [pictures(11)]},
        "components.0.items",
        "BASE_TYPE_BAD_LENGTH",
    ),
    "content beside components": (
        {"flags": V2, "content": "x", "components": [text(1)]},
        "content",
        "MESSAGE_CANNOT_USE_LEGACY_FIELDS_WITH_COMPONENTS_V2",
    ),
    "button without a row": (
        {"flags": V2, "components": [button()]},
        "components.0.type",
        "UNION_TYPE_CHOICES",
    ),
    "picture that is not attached": (
        {
            "flags": V2,
            "components": [{"type": 12, "items": [{"media": {"url": "attachment://a.png"}}]}],
        },
        "components.0.items.0.media.url",
        "UNFURLED_MEDIA_ITEM_REFERENCED_ATTACHMENT_NOT_FOUND",
    ),
    "picture of the bot's disk": (
        {
            "flags": V2,
            "components": [{"type": 12, "items": [{"media": {"url": "file:///a.png"}}]}],
        },
        "components.0.items.0.media.url",
        "URL_TYPE_INVALID_SCHEME",
    ),
    "file that was not uploaded": (
        {"content": "x", "attachments": [{"id": "0", "filename": "a.png"}]},
        "attachments.0.id",
        "ATTACHMENT_NOT_FOUND",
    ),
    "embeds": ({"embeds": [{"title": "x"}] * 11}, "embeds", "BASE_TYPE_MAX_LENGTH"),
    "title of an embed": (
        {"embeds": [{"title": "x" * 257}]},
        "embeds.0.title",
        "BASE_TYPE_MAX_LENGTH",
    ),
    "text of all embeds": (
        {"embeds": [{"description": "x" * 3001}] * 2},
        "embeds",
        "MAX_EMBED_SIZE_EXCEEDED",
    ),
    "field of an embed": (
        {"embeds": [{"fields": [{"name": "a", "value": "x" * 1025}]}]},
        "embeds.0.fields.0.value",
        "BASE_TYPE_MAX_LENGTH",
    ),
}


@pytest.mark.parametrize("with_schema", [True, False])
async def test_messages_over_a_limit_are_rejected(
    discord: DiscordServer, bot: ScriptedBot, with_schema: bool
) -> None:
    if not with_schema:
        discord.schemas = None
    mio = discord.member("Mio")
    for case, (data, path, code) in TOO_LONG.items():
        bot.handler = bot.callback_handler(4, data)
        with pytest.raises(BotError, match="50035"):
            await mio.slash("do")
        await bot.handled.wait()
        (violation,) = discord.violations
        assert codes_at(violation.errors, f"data.{path}") == [code], case
        assert isinstance(bot.error, discord_py.HTTPException)
        assert bot.error.code == 50035
        discord.violations.clear()
    assert mio.messages() == []


async def test_messages_at_the_limits_are_accepted(
    discord: DiscordServer, bot: ScriptedBot
) -> None:
    rows = [row(*[button(f"{r} {b}", label="x" * 80) for b in range(5)]) for r in range(4)]
    for data in (
        {"content": "x" * 2000, "components": [*rows, row(select(25, max_values=25))]},
        {"flags": V2, "components": [text(2000), text(2000)]},
        {"flags": V2, "components": [{"type": 14}] * 38 + [row(button("x" * 100))]},
        {"flags": V2, "components": [pictures(10)]},
        {"embeds": [{"description": "x" * 3000}] * 2},
    ):
        bot.handler = bot.callback_handler(4, data)
        await discord.member("Mio").slash("do")
    assert discord.violations == []


@pytest.mark.external_data(DISCORD_OPENAPI)
async def test_violations_of_the_schema_are_rejected(
    discord: DiscordServer, bot: ScriptedBot
) -> None:
    data = {"content": "x", "components": [row(button(style=9))], "tts": "loud"}
    bot.handler = bot.callback_handler(4, data)
    with pytest.raises(BotError):
        await discord.member("Mio").slash("do")
    (violation,) = discord.violations
    assert codes_at(violation.errors, "data.tts") == ["BASE_TYPE_BAD_TYPE"]
    assert codes_at(violation.errors, "data.components.0.components.0.style")


@pytest.mark.external_data(DISCORD_OPENAPI)
async def test_answers_of_the_fake_server_are_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    payload = User.payload
    monkeypatch.setattr(User, "payload", lambda user: payload(user) | {"id": user.id})

    async def login() -> None:
        async with DiscordServer() as discord:
            Route.BASE = discord.api_url
            async with discord_py.Client(intents=discord_py.Intents.none()) as client:
                await client.login(discord.token)

    with pytest.raises(AssertionError, match=r"GET /users/@me 200: id"):
        await login()


async def test_an_empty_message_is_rejected(discord: DiscordServer, bot: ScriptedBot) -> None:
    bot.handler = lambda interaction: interaction.response.send_message("")
    with pytest.raises(BotError, match="50006 Cannot send an empty message"):
        await discord.member("Mio").slash("do")


async def send_files(interaction: discord_py.Interaction, files: list[discord_py.File]) -> None:
    await interaction.response.send_message(files=files)


async def test_files_over_10_mib_and_requests_over_25_mib_are_rejected(
    discord: DiscordServer, bot: ScriptedBot
) -> None:
    mio = discord.member("Mio")
    for sizes in ([10 * 2**20 + 1], [9 * 2**20] * 3):
        files = [
            discord_py.File(io.BytesIO(bytes(size)), f"{n}.bin") for n, size in enumerate(sizes)
        ]
        bot.handler = functools.partial(send_files, files=files)
        with pytest.raises(BotError, match="40005 Request entity too large"):
            await mio.slash("do")
    largest = discord_py.File(io.BytesIO(bytes(10 * 2**20)), "largest.bin")
    bot.handler = functools.partial(send_files, files=[largest])
    assert (await mio.slash("do")).attachments[0].size == 10 * 2**20


async def test_alt_text_and_file_names_are_stored(discord: DiscordServer, bot: ScriptedBot) -> None:
    mio = discord.member("Mio")

    async def handler(interaction: discord_py.Interaction) -> None:
        file = discord_py.File(picture(), "my cat.png", description="x" * length)
        await interaction.response.send_message(file=file)

    bot.handler, length = handler, 1024
    reply = await mio.slash("do")
    assert reply.alt_texts == ["x" * 1024]
    assert reply.pictures[0].filename == "my_cat.png"
    assert (reply.pictures[0].width, reply.pictures[0].height) == (64, 64)
    length = 1025
    with pytest.raises(BotError, match="1024 or fewer"):
        await mio.slash("do")


async def test_modals_over_a_limit_are_rejected(discord: DiscordServer, bot: ScriptedBot) -> None:
    field = {"type": 4, "style": 1, "custom_id": "f", "label": "l"}
    form = {"title": "t", "custom_id": "c", "components": [row(field)]}
    for data, path in (
        (form | {"title": "x" * 46}, "data.title"),
        (form | {"custom_id": "x" * 101}, "data.custom_id"),
        (form | {"components": []}, "data.components"),
        (
            form | {"components": [row(field | {"custom_id": str(n)}) for n in range(6)]},
            "data.components",
        ),
        (
            form | {"components": [row(field), row(field)]},
            "data.components.1.components.0.custom_id",
        ),
    ):
        bot.handler = bot.callback_handler(9, data)
        with pytest.raises(BotError, match="50035"):
            await discord.member("Mio").slash("do")
        assert codes_at(discord.violations.pop().errors, path), path


async def test_invisible_content_is_a_violation(discord: DiscordServer, bot: ScriptedBot) -> None:
    mio = discord.member("Mio")
    loopback = {"type": 12, "items": [{"media": {"url": f"{discord.url}/images/a.png"}}]}
    bot.handler = bot.callback_handler(4, {"flags": V2, "components": [loopback]})
    await mio.slash("do")
    assert "loopback" in discord.violations.pop().message

    async def send_unused_file(interaction: discord_py.Interaction) -> None:
        file = discord_py.File(picture(), "a.png")
        await interaction.response.send_message(view=gallery(), file=file)

    bot.handler = send_unused_file
    reply = await mio.slash("do")
    assert reply.pictures == []
    assert "in no component" in discord.violations.pop().message

    async def drop_file(interaction: discord_py.Interaction) -> None:
        file = discord_py.File(picture(), "a.png")
        await interaction.response.send_message(view=gallery("a.png"), file=file)
        message = await interaction.original_response()
        assert message.attachments == [], "attachments exclude files that components show"
        await message.edit(attachments=message.attachments)

    bot.handler = drop_file
    reply = await mio.slash("do")
    await bot.handled.wait()
    assert "dropped a.png" in discord.violations.pop().message
    assert bot.error is None
