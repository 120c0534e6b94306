"""Texts in Discord with a model of 64 attributes."""

import pytest
from discord_server import DiscordServer, UserClient
from tiny_model import add_model, attribute

from bot.studio import Request, Studio
from db.records import Owner
from export.manifest import MAX_ATTRIBUTES, Attribute
from export.registry import Registry

ATTRIBUTES = tuple(
    attribute(f"attribute{i}", " ".join(f"a-long-value-{i}-{j}" for j in range(12)))
    for i in range(MAX_ATTRIBUTES)
)
# The values of one attribute fill most of a message, as do the names of the others.
LONG = tuple(
    Attribute(
        name=f"{a.name}-{'x' * 100}",
        values=tuple(v * 5 for v in a.values),
        frequencies=(1 / 12,) * 12,
    )
    for a in ATTRIBUTES
)


@pytest.fixture
def model(registry: Registry, request: pytest.FixtureRequest) -> None:
    add_model(registry, "many", getattr(request, "param", ATTRIBUTES))
    registry.use("many")


pytestmark = pytest.mark.usefixtures("model", "bot")


async def test_a_mention_with_an_unknown_word_says_what_can_be_chosen(mika: UserClient) -> None:
    reply = await mika.mention_bot("attribute3:nonsense")
    assert "a-long-value-3-0" in reply.text
    reply = await mika.mention_bot("nonsense")
    assert "“nonsense” is not a known word" in reply.text
    assert "a-long-value-0-0" in reply.text
    assert "attribute20" in reply.text


@pytest.mark.parametrize("model", [LONG], indirect=True)
async def test_a_text_above_the_limit_of_discord_is_shortened(mika: UserClient) -> None:
    reply = await mika.mention_bot("nonsense")
    assert "“nonsense” is not a known word" in reply.text
    assert len(reply.text) == 2000


async def test_finding_a_face_shows_a_sheet(mika: UserClient) -> None:
    sheet = await mika.slash("find")
    assert "sheet 1 of 4" in sheet.text
    (alt,) = sheet.alt_texts
    assert alt is not None
    assert alt.startswith("nine faces: 1: ")
    assert alt.endswith("…")


async def test_a_morph_shows_its_faces(studio: Studio, mika: UserClient) -> None:
    me = Request(Owner("discord", str(mika.id)))
    faces = [(await studio.painting.create({}, me))[0] for _ in range(3)]
    reply = await mika.slash("morph", a=faces[0].id, b=faces[1].id, c=faces[2].id)
    (alt,) = reply.alt_texts
    assert alt is not None
    assert alt.startswith("morph of anime avatars: ")


async def test_statistics_are_shown(
    discord: DiscordServer, studio: Studio, mika: UserClient
) -> None:
    me = Request(Owner("discord", str(mika.id)))
    for _ in range(5):
        (avatar,) = await studio.painting.create({}, me)
        await studio.avatars.toggle_favorite(avatar.id, me.owner)
    assert "attribute0" in (await discord.operator.slash("stats")).text
