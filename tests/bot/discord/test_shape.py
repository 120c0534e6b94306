"""The panel that moves a face along the directions of its model."""

import pytest
from discord_server import Reply, UserClient

from bot.discord.shape import MAX_ROWS, STEPS, ShapePanel, move, shape_of
from bot.errors import NotFound
from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import Owner
from db.store import Store
from export.registry import Registry

from .conftest import avatar_id

pytestmark = pytest.mark.usefixtures("shaped", "bot")


def labels(reply: Reply) -> list[str]:
    return [button.label for button in reply.buttons if button.label]


async def test_buttons_move_the_face_and_keep_paints_it(
    studio: Studio, store: Store, mika: UserClient, ren: UserClient
) -> None:
    first = await mika.slash("avatar", hair="pink", eyes="orange", seed=7)
    before = await studio.avatars.get(avatar_id(first), None)
    panel = await ren.click(first, label="Shape")
    assert panel.ephemeral
    assert len(panel.pictures) == 1
    assert labels(panel) == ["− Shorter hair", "+ Longer hair", "− Serious", "+ Smiling", "Keep"]
    shown = panel.pictures[0].url
    for _ in range(3):
        await ren.click(panel, label="+ Smiling")
    assert panel.pictures[0].url != shown
    assert "Smile +" in panel.text
    assert await store.avatars.count() == 1, "a preview is not stored"

    second = await ren.click(panel, label="Keep")
    assert not second.ephemeral
    after = await studio.avatars.get(avatar_id(second), None)
    assert after.parents == (before.id,)
    assert after.owner.key == str(ren.id)
    assert after.conditions == before.conditions
    positions = await studio.shaping.positions(before)
    start = round(positions["smile"] * STEPS)
    assert after.latent[1] == pytest.approx(2 * min(start + 3, STEPS) / STEPS, abs=1e-5)
    assert (after.latent[2:] == before.latent[2:]).all()
    assert after.latent[0] == before.latent[0]


async def test_the_ends_of_a_direction_are_disabled(mika: UserClient) -> None:
    panel = await mika.click(await mika.slash("avatar", seed=7), label="Shape")
    for _ in range(2 * STEPS):
        button = next(b for b in panel.buttons if b.label == "− Shorter hair")
        if button.disabled:
            break
        await mika.click(panel, label="− Shorter hair")
    assert "Hair length −3" in panel.text
    assert next(b for b in panel.buttons if b.label == "− Shorter hair").disabled


async def test_keeping_an_unchanged_face_paints_nothing(store: Store, mika: UserClient) -> None:
    panel = await mika.click(await mika.slash("avatar", seed=7), label="Shape")
    answer = await mika.click(panel, label="Keep")
    assert answer.ephemeral
    assert "Nothing has changed" in answer.text
    assert await store.avatars.count() == 1


async def test_a_private_face_stays_private(studio: Studio, mika: UserClient) -> None:
    panel = await mika.click(await mika.slash("avatar", private=True, seed=7), label="Shape")
    await mika.click(panel, label="+ Longer hair")
    child = await mika.click(panel, label="Keep")
    assert child.ephemeral
    me = Owner("discord", str(mika.id))
    assert (await studio.avatars.get(avatar_id(child), me)).private


async def test_faces_of_a_model_without_directions_have_no_button(
    shaped: None, registry: Registry, engine: Engine, mika: UserClient
) -> None:
    registry.use("tiny")
    assert await engine.refresh()
    reply = await mika.slash("avatar")
    assert "Shape" not in labels(reply)


async def test_the_panel_is_translated(studio: Studio) -> None:
    (avatar,) = await studio.painting.create("", Request(Owner("web", "x")))
    for language, label in (("ja", "+ 髪を長く"), ("zh-CN", "+ 头发长些"), ("en", "+ Longer hair")):
        panel = ShapePanel(avatar, ["hair_length"], ".", False, language)
        buttons = [getattr(child, "item", None) for child in panel.walk_children()]
        assert label in [getattr(button, "label", None) for button in buttons]


async def test_the_largest_panel_fits_into_a_message(studio: Studio) -> None:
    (avatar,) = await studio.painting.create("", Request(Owner("web", "x")))
    names = [f"direction_{number}" for number in range(MAX_ROWS)]
    panel = ShapePanel(avatar, names, "6" * MAX_ROWS, True, "en")
    assert panel.total_children_count <= 40
    ids = [getattr(item, "custom_id", "") or "" for item in panel.walk_children()]
    assert max(map(len, ids)) <= 100


def test_steps_start_at_the_position_of_the_face() -> None:
    assert move("..", 1, 1, 0.0) == ".4"
    assert move("..", 0, -1, -0.7) == "0."
    assert move("0.", 0, -1, 0.0) == "0."
    assert shape_of("0.6", ["a", "b", "c"]) == {"a": -1, "c": 1}
    with pytest.raises(NotFound):
        shape_of("..", ["a"])
