from types import SimpleNamespace
from typing import Literal

import discord
import pytest
from discord import app_commands
from discord.app_commands.commands import validate_name

from bot.discord.options import CommandOption, option_names, suggest, wish_command
from bot.discord.translator import FluentTranslator
from export.manifest import Attribute


def attribute(name: str, *values: str) -> Attribute:
    return Attribute(name=name, values=values, frequencies=tuple(1 / len(values) for _ in values))


COLORS = "aqua black blonde blue brown gray green orange pink purple red white"
HAIR = attribute("hair", *COLORS.split())


@pytest.mark.parametrize(
    "name", ["hair", "Eye colour", "glasses/frame", "髪", "two  words", "'!?'", "x" * 50, "count"]
)
def test_every_attribute_gets_a_valid_option_name(name: str) -> None:
    option = option_names([name], taken=["count"])[name]
    assert validate_name(option) == option
    assert option != "count"


def test_similar_attributes_get_distinct_option_names() -> None:
    names = ["Eye colour", "eye-colour", "eye colour!", "y" * 32, "Y" * 33, "seed"]
    options = option_names(names, taken=["seed"])
    assert len(set(options.values()) | {"seed"}) == len(names) + 1
    assert all(validate_name(option) for option in options.values())


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("pink", "pink"),
        ("PINK ", "pink"),
        ("pnik", "pink"),
        ("bla", "black"),
        ("blond", "blonde"),
        ("golden", "blonde"),
        ("gol", "blonde"),
        ("cyan", "aqua"),
        ("silvr", "gray"),
        ("violet", "purple"),
        ("hite", "white"),
    ],
)
def test_the_nearest_value_is_suggested_first(text: str, value: str) -> None:
    assert suggest(HAIR, text)[0] == value


def test_without_input_the_most_frequent_values_are_suggested_first() -> None:
    uneven = Attribute(name="hat", values=("top", "straw", "none"), frequencies=(0.1, 0.2, 0.7))
    assert suggest(uneven, "") == ["none", "straw", "top"]


def test_suggestions_keep_discords_limits() -> None:
    many = attribute("hat", *(f"hat {i}" for i in range(40)), "z" * 120)
    assert len(suggest(many, "")) == 25
    assert suggest(many, "hat 33")[0] == "hat 33"
    assert all(len(value) <= 100 for value in suggest(many, "zzzz"))


async def test_translated_option_names_are_distinct() -> None:
    hair, similar = attribute("hair", "pink", "red"), attribute("hair color", "pink", "red")
    studio = SimpleNamespace(attributes=(hair, similar, attribute("nose", "big", "small")))
    fixed = {"sort": CommandOption(Literal["new", "loved"], "new")}

    async def run() -> None:
        raise AssertionError("the command is only described")

    command = wish_command(studio, "gallery", run, fixed)  # type: ignore[arg-type]
    tree = app_commands.CommandTree(discord.Client(intents=discord.Intents.none()))
    payload = await command.get_translated_payload(tree, FluentTranslator())
    names = [option.get("name_localizations", {}).get("ja") for option in payload["options"]]
    assert names == ["髪", None, None, "並び順"]
    assert payload["options"][0]["description_localizations"]["zh-CN"] == "头发: 粉色, 红色"
    choices = payload["options"][3]["choices"]
    assert [choice["name_localizations"]["zh-CN"] for choice in choices] == [
        "最新在前",
        "最受喜爱在前",
    ]
