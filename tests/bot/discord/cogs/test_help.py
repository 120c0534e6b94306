import pytest
from discord_server import DiscordServer, UserClient
from tiny_model import attribute

from bot.discord.cogs.help import help_text
from bot.i18n.messages import LANGUAGES
from bot.studio import Studio
from db.records import MemberSettings, Owner
from export.manifest import Attribute

pytestmark = pytest.mark.usefixtures("bot")


async def test_examples_use_values_of_the_model(mika: UserClient) -> None:
    reply = await mika.slash("help")
    assert reply.ephemeral
    assert "`/avatar hair:white eyes:yellow`" in reply.text
    assert "/morph" in reply.text


@pytest.mark.parametrize(
    ("locale", "command", "count"),
    [("zh-CN", "/头像 头发:白色 眼睛:黄色", "数量"), ("ja", "/アバター 髪:白 目:黄色", "枚数")],
)
async def test_commands_and_options_have_the_names_that_discord_shows(
    discord: DiscordServer, studio: Studio, locale: str, command: str, count: str
) -> None:
    member = discord.member("Yui", locale=locale)
    assert f"`{command}`" in (await member.slash("help")).text
    await studio.members.save_settings(
        Owner("discord", str(member.id)), MemberSettings(language="en")
    )
    text = (await member.slash("help")).text
    assert f"`{command}`\nOptions" in text
    assert f"`{count}` paints up to nine" in text
    values = [option.partition(":")[2] for option in command.split()[1:]]
    assert (await member.slash("avatar", hair=values[0], eyes=values[1])).pictures


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("attributes", [(), (attribute("hat", "red"), attribute("coat", "red"))])
def test_help_fits_into_a_message_for_any_model(
    language: str, attributes: tuple[Attribute, ...]
) -> None:
    assert len(help_text(attributes, language, "<@1>")) <= 2000
