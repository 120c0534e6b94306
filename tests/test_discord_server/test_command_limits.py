"""Limits of commands and suggestions."""

from typing import Any

import discord as discord_py
import pytest
from discord_server import BotError, DiscordServer

from .conftest import ScriptedBot, codes_at


async def test_more_than_25_suggestions_are_rejected(
    discord: DiscordServer, bot: ScriptedBot
) -> None:
    mio = discord.member("Mio")
    bot.suggestions = [str(n) for n in range(25)]
    assert len(await mio.autocomplete("do", word="")) == 25
    bot.suggestions = [str(n) for n in range(26)]
    with pytest.raises(BotError, match="25 or fewer"):
        await mio.autocomplete("do", word="")


async def test_suggestions_have_the_type_of_the_option(
    discord: DiscordServer, bot: ScriptedBot
) -> None:
    bot.suggestions = [7]  # type: ignore[list-item]
    with pytest.raises(BotError, match="BASE_TYPE_BAD_TYPE"):
        await discord.member("Mio").autocomplete("do", word="")


def option(name: str = "o", **more: Any) -> dict[str, Any]:
    return {"type": 3, "name": name, "description": "d"} | more


def choices(count: int) -> list[dict[str, str]]:
    return [{"name": str(n), "value": str(n)} for n in range(count)]


@pytest.mark.parametrize("with_schema", [True, False])
async def test_commands_over_a_limit_are_rejected(
    discord: DiscordServer, bot: ScriptedBot, with_schema: bool
) -> None:
    if not with_schema:
        discord.schemas = None
    command = {"name": "a", "description": "d"}
    long = [{"name": f"{n:099}", "value": value} for n, value in enumerate("abcdefghi")]
    known = await bot.tree.fetch_commands()
    for sent, path, code in (
        ([command | {"options": [option(str(n)) for n in range(26)]}], "0.options", "MAX_LENGTH"),
        (
            [command | {"options": [option(choices=choices(26))]}],
            "0.options.0.choices",
            "MAX_LENGTH",
        ),
        ([command | {"name": "Avatar"}], "0.name", "INVALID_NAME"),
        ([command | {"name": "a b"}], "0.name", "INVALID_NAME"),
        ([command | {"description": "x" * 101}], "0.description", "LENGTH"),
        ([command, command], "1.name", "DUPLICATE_NAME"),
        (
            [command | {"options": [option(), option("p", required=True)]}],
            "0.options.1",
            "REQUIRED_INVALID",
        ),
        ([command | {"options": [option(), option()]}], "0.options.1.name", "ALREADY_EXISTS"),
        (
            [command | {"options": [option(choices=choices(1), autocomplete=True)]}],
            "0.options.0.autocomplete",
            "AUTOCOMPLETE_WITH_CHOICES",
        ),
        ([{"name": "a", "description": "d", "type": 2}], "0.description", "CONTEXT_MENU"),
        (
            [command | {"options": [option(str(n), choices=long) for n in range(10)]}],
            "0",
            "TOO_LARGE",
        ),
    ):
        with pytest.raises(discord_py.HTTPException) as error:
            await bot.http.bulk_upsert_global_commands(bot.application_id or 0, sent)
        assert error.value.code == 50035
        violation = discord.violations.pop()
        (found,) = codes_at(violation.errors, path)
        assert found.endswith(code) or code in found, (path, found)
    many = [{"name": f"c{n}", "description": "d"} for n in range(101)]
    with pytest.raises(discord_py.HTTPException) as error:
        await bot.http.bulk_upsert_global_commands(bot.application_id or 0, many)
    assert error.value.code == 30032
    assert await bot.tree.fetch_commands() == known
