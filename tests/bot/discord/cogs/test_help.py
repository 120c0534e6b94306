import pytest
from discord_server import DiscordServer, Person
from tiny_model import attribute

from bot.discord.cogs.help import help_text
from bot.i18n.messages import LANGUAGES

pytestmark = pytest.mark.usefixtures("bot")


async def test_the_examples_are_the_models(mika: Person) -> None:
    reply = await mika.slash("help")
    assert reply.ephemeral
    assert "`/avatar hair:white eyes:yellow`" in reply.text
    assert "/morph" in reply.text


@pytest.mark.parametrize(("locale", "command"), [("zh-CN", "/头像"), ("ja", "/アバター")])
async def test_it_names_the_commands_as_discord_shows_them(
    discord: DiscordServer, locale: str, command: str
) -> None:
    reply = await discord.member("Yui", locale=locale).slash("help")
    assert f"`{command} hair:white" in reply.text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("attributes", [(), (attribute("hat", "red"), attribute("coat", "red"))])
def test_it_fits_into_a_message_of_any_model(language: str, attributes: tuple) -> None:
    assert len(help_text(attributes, language, "<@1>")) <= 2000
