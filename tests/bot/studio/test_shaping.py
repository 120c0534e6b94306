"""Faces moved along latent directions, and the words of prompts for them."""

import io

import numpy as np
import pytest
from PIL import Image

from bot.errors import BadPrompt, NotFound
from bot.inference.latents import draw_latent
from bot.prompts.traits import STRENGTH
from bot.studio import Request, Studio
from db.records import Owner
from db.store import Store
from db.tasks import ShapeTask, parse_task

OTHER = Owner("discord", "2", "Ren")


@pytest.fixture
def shapes(shaped: None, studio: Studio) -> Studio:
    """A studio whose model has directions."""
    return studio


async def test_a_shaped_child_keeps_values_and_other_directions(
    shapes: Studio, owner: Owner
) -> None:
    (parent,) = await shapes.painting.create("pink hair", Request(owner, private=True), seed=3)
    (child,) = await shapes.shaping.shape(parent.id, {"smile": -0.5}, Request(owner, guild="5"))
    assert (child.wish, child.conditions) == (parent.wish, parent.conditions)
    assert (child.parents, child.prompt, child.guild) == ((parent.id,), "pink hair", "5")
    assert child.private, "a child of a private avatar is private"
    assert child.latent[1] == pytest.approx(-1)
    assert (np.delete(child.latent, 1) == np.delete(parent.latent, 1)).all()
    assert (await shapes.shaping.positions(child))["smile"] == -0.5
    assert child.sha256 != parent.sha256
    (again,) = await shapes.shaping.shape(child.id, {"smile": -0.5}, Request(owner))
    assert again.sha256 == child.sha256


async def test_a_preview_shows_the_child_and_stores_nothing(
    shapes: Studio, store: Store, owner: Owner
) -> None:
    (parent,) = await shapes.painting.create("pink hair", Request(owner), seed=3)
    preview = await shapes.shaping.preview(parent.id, {"hair_length": 1}, Request(OTHER))
    assert await store.avatars.count() == 1
    (child,) = await shapes.shaping.shape(parent.id, {"hair_length": 1}, Request(owner))
    picture = await shapes.avatars.picture(child.id, owner)
    with Image.open(io.BytesIO(preview)) as seen, Image.open(io.BytesIO(picture.data)) as stored:
        assert seen.format == "WEBP"
        difference = np.asarray(seen.convert("RGB"), int) - np.asarray(stored, int)
    assert np.abs(difference).mean() < 4
    unchanged = await shapes.shaping.preview(parent.id, {}, Request(owner))
    assert unchanged != preview


@pytest.mark.parametrize(
    "shape", [{}, {"nose": 0.5}, {"smile": 1.01}, {"smile": float("nan")}, {"smile": -2}]
)
async def test_other_shapes_are_refused(
    shapes: Studio, owner: Owner, shape: dict[str, float]
) -> None:
    (parent,) = await shapes.painting.create("", Request(owner))
    with pytest.raises(BadPrompt):
        await shapes.shaping.shape(parent.id, shape, Request(owner))
    if shape:
        with pytest.raises(BadPrompt):
            await shapes.shaping.preview(parent.id, shape, Request(owner))


async def test_private_avatars_of_others_are_not_found(shapes: Studio, owner: Owner) -> None:
    (parent,) = await shapes.painting.create("", Request(owner, private=True))
    for call in (shapes.shaping.shape, shapes.shaping.preview):
        with pytest.raises(NotFound):
            await call(parent.id, {"smile": 1}, Request(OTHER))


async def test_a_model_without_directions_says_so(studio: Studio, owner: Owner) -> None:
    (parent,) = await studio.painting.create("", Request(owner))
    assert studio.shaping.directions == ()
    assert not studio.shaping.is_offered(parent)
    assert await studio.shaping.positions(parent) == {}
    with pytest.raises(BadPrompt, match="no directions"):
        await studio.shaping.shape(parent.id, {"smile": 1}, Request(owner))


async def test_the_task_of_a_pending_reply_paints_a_shape(shapes: Studio, owner: Owner) -> None:
    (parent,) = await shapes.painting.create("", Request(owner))
    task = ShapeTask(id=parent.id, shape={"smile": 1})
    assert parse_task(task.kind, task.arguments()) == task
    painted = await shapes.run(task, Request(owner))
    assert isinstance(painted, list)
    assert painted[0].latent[1] == pytest.approx(2)


async def test_words_of_a_prompt_shape_new_pictures(shapes: Studio, owner: Owner) -> None:
    prompt = "long pink hair, blue eyes, smiling"
    (avatar,) = await shapes.painting.create(prompt, Request(owner), seed=5)
    assert avatar.wish == {"hair": "pink", "eyes": "blue"}
    assert avatar.prompt == prompt
    expected = draw_latent(5, 8)
    expected[:2] = 2 * STRENGTH
    assert avatar.latent == pytest.approx(expected)
    assert shapes.painting.parse("smiling") == {}

    # The mention in Discord gives a wish and a prompt.
    (same,) = await shapes.painting.create(avatar.wish, Request(owner), seed=5, prompt=prompt)
    assert same.sha256 == avatar.sha256


async def test_children_keep_the_shape_of_the_prompt(shapes: Studio, owner: Owner) -> None:
    (avatar,) = await shapes.painting.create("short red hair 笑顔", Request(owner), seed=5)
    children = [
        *await shapes.painting.again(avatar.id, Request(OTHER), seed=6),
        *await shapes.family.recolor(avatar.id, {"hair": "blue"}, Request(OTHER)),
    ]
    children += await shapes.painting.again(children[1].id, Request(owner), seed=7)
    for child in children:
        shape = await shapes.shaping.positions(child)
        assert shape == {"hair_length": -STRENGTH, "smile": STRENGTH}
    assert children[0].prompt == "hair:red short hair, smiling"
    assert children[1].prompt == "hair:blue short hair, smiling"


async def test_words_do_not_reach_directions_that_the_model_lacks(
    studio: Studio, owner: Owner
) -> None:
    (avatar,) = await studio.painting.create("long pink hair", Request(owner), seed=5)
    assert avatar.latent == pytest.approx(draw_latent(5, 8))
    with pytest.raises(BadPrompt):
        await studio.painting.create("smiling", Request(owner))
