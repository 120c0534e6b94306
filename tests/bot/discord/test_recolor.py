import pytest
from discord_server import Reply, UserClient
from tiny_model import EYES, HAIR, add_model

from bot.discord.components import MAX_OPTIONS
from bot.discord.recolor import color_options
from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import Owner
from db.store import Store
from export.manifest import Attribute
from export.registry import Registry

from .conftest import avatar_id

pytestmark = pytest.mark.usefixtures("bot")


def selected_labels(reply: Reply) -> dict[str, str]:
    """The labels of the selected options by custom id."""
    return {
        select.custom_id: option["label"]
        for select in reply.selects
        for option in select.options
        if option.get("default")
    }


async def test_recolor_menu_paints_the_same_face_in_other_colors(
    studio: Studio, mika: UserClient, ren: UserClient
) -> None:
    first = await mika.slash("avatar", hair="pink", eyes="orange", seed=7)
    panel = await ren.click(first, label="🎨")
    assert panel.ephemeral
    assert set(selected_labels(panel).values()) == {"pink hair", "orange eyes"}
    hair, eyes = (select.custom_id for select in panel.selects)
    await ren.select(panel, hair, ["hair=green"])
    assert set(selected_labels(panel).values()) == {"green hair", "orange eyes"}
    await ren.select(panel, eyes, ["eyes=aqua"])
    assert set(selected_labels(panel).values()) == {"green hair", "aqua eyes"}

    second = await ren.click(panel, label="Paint")
    assert not second.ephemeral
    assert "green hair, aqua eyes" in second.text
    before = await studio.avatars.get(avatar_id(first), None)
    after = await studio.avatars.get(avatar_id(second), None)
    assert after.owner.key == str(ren.id)
    assert (after.latent == before.latent).all()
    assert after.conditions == {"hair": "green", "eyes": "aqua"}
    assert after.parents == (before.id,)

    third = await ren.click(panel, label="Paint")
    assert third.id != second.id, "the panel can be used again"


async def test_recoloring_with_the_current_colors_paints_nothing(
    store: Store, mika: UserClient
) -> None:
    first = await mika.slash("avatar", hair="pink")
    panel = await mika.click(first, label="🎨")
    answer = await mika.click(panel, label="Paint")
    assert answer.ephemeral
    assert "already" in answer.text
    assert await store.avatars.count() == 1


async def test_a_recolored_private_avatar_stays_private(mika: UserClient) -> None:
    first = await mika.slash("avatar", hair="pink", private=True)
    panel = await mika.click(first, label="🎨")
    await mika.select(panel, panel.selects[0].custom_id, ["hair=green"])
    assert (await mika.click(panel, label="Paint")).ephemeral


async def test_recolor_menu_works_after_a_change_of_model(
    registry: Registry, engine: Engine, studio: Studio, mika: UserClient
) -> None:
    reply = await mika.slash("avatar", hair="pink", eyes="red")
    hats = Attribute(name="hat", values=("straw", "top"), frequencies=(0.5, 0.5))
    add_model(registry, "hatted", (HAIR, hats))
    registry.use("hatted")
    assert await engine.refresh()
    panel = await mika.click(reply, label="🎨")
    await mika.select(panel, panel.selects[0].custom_id, ["hair=white"])
    second = await mika.click(panel, label="Paint")
    avatar = await studio.avatars.get(avatar_id(second), None)
    assert avatar.model == "tiny"
    assert avatar.conditions == {"hair": "white", "eyes": "red"}
    assert await mika.autocomplete("avatar", eyes="") == []


async def test_recolor_menu_with_more_values_than_a_select_holds(studio: Studio) -> None:
    (avatar,) = await studio.painting.create({"hair": "pink"}, Request(Owner("web", "x")))
    values = ("pink", *(f"shade {i}" for i in range(40)))
    hair = Attribute(name="hair", values=values, frequencies=(0.0, *([1 / 40] * 40)))
    rows = color_options(avatar, (hair, EYES))
    assert len(rows) == 2
    assert len(rows[0]) == MAX_OPTIONS
    assert [option.label for option in rows[0] if option.default] == ["pink hair"]
