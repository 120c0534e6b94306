from datetime import UTC, datetime

import numpy as np
import pytest
from tiny_model import add_model

from bot.errors import BadPrompt, ModelUnavailable
from bot.inference.engine import Engine
from bot.studio import Request, Studio
from bot.studio.finding import read_path
from bot.studio.search import FACES, Search
from db.records import GalleryQuery, Owner
from db.store import Store
from db.tasks import SEEDS, AdoptTask, FindTask
from export.registry import Registry

EVERYONE = GalleryQuery(scope="everyone", viewer=None, guild=None, values={})


async def test_a_sheet_shows_nine_faces_of_the_wish_and_is_not_stored(
    studio: Studio, owner: Owner
) -> None:
    search = await studio.finding.open("pink hair", 7)
    assert (search.model, search.wish, search.choices) == ("tiny", {"hair": "pink"}, ())
    sheet = await studio.finding.paint(search, Request(owner))
    assert sheet.images.shape == (FACES, 64, 64, 3)
    assert sheet.conditions == await studio.finding.describe(search)
    assert {c["hair"] for c in sheet.conditions} == {"pink"}
    assert (await studio.gallery.page(EVERYONE)).avatars == []


async def test_a_search_without_a_seed_starts_anywhere(studio: Studio) -> None:
    seeds = {(await studio.finding.open({})).seed for _ in range(10)}
    assert len(seeds) > 1
    assert all(0 <= seed < SEEDS for seed in seeds)


async def test_an_adopted_face_is_stored_as_it_was_shown_with_its_path(
    studio: Studio, owner: Owner
) -> None:
    search = await studio.finding.open({"eyes": "red"}, 7, choices=((1, 3), (2,)))
    sheet = await studio.finding.paint(search, Request(owner))
    (avatar,) = await studio.finding.adopt(search, 5, Request(owner, guild="1", channel="2"))
    assert avatar.owner == owner
    assert avatar.choices == "13.2.5"
    assert (avatar.seed, avatar.wish, avatar.prompt) == (7, {"eyes": "red"}, "eyes:red")
    assert avatar.conditions == sheet.conditions[4]
    assert (avatar.parents, avatar.private, avatar.guild) == ((), False, "1")
    assert (await studio.gallery.page(EVERYONE)).avatars == [avatar]
    repainted = await studio.finding.paint(search, Request(owner))
    np.testing.assert_array_equal(repainted.images, sheet.images)

    assert avatar.choices is not None
    assert read_path(avatar.choices) == (search.choices, 5)


async def test_an_adopted_face_is_found_again_after_a_change_of_the_model(
    studio: Studio, engine: Engine, registry: Registry, owner: Owner
) -> None:
    search = (await studio.finding.open({}, 7)).nearer((4,))
    shown = await studio.finding.paint(search, Request(owner))
    add_model(registry, "brighter", brightness=0.5)
    registry.use("brighter")
    assert await engine.refresh()
    sheet = await studio.finding.paint(search, Request(owner))
    np.testing.assert_array_equal(sheet.images, shown.images)
    (avatar,) = await studio.finding.adopt(search, 1, Request(owner))
    assert avatar.model == "tiny"
    assert (await studio.finding.open({})).model == "brighter"
    assert await studio.finding.open({}, 7, choices=((4,),), model="tiny") == search


async def test_an_order_is_adopted_once(studio: Studio, owner: Owner) -> None:
    task = AdoptTask(model="tiny", wish={}, seed=7, choices="13.5", private=True)
    request = Request(owner, order_id="1")
    first, second = [await studio.run(task, request) for _ in range(2)]
    assert first == second
    assert isinstance(first, list)
    assert first[0].private


async def test_a_task_opens_a_search(studio: Studio, owner: Owner) -> None:
    task = FindTask(wish={"hair": "pink"}, seed=7)
    sheet = await studio.run(task, Request(owner))
    assert not isinstance(sheet, list)
    search = await studio.finding.open({"hair": "pink"}, 7)
    expected = await studio.finding.paint(search, Request(owner))
    np.testing.assert_array_equal(sheet.images, expected.images)  # type: ignore[union-attr]


async def test_each_sheet_and_each_adopted_face_counts_as_one_picture(
    studio: Studio, store: Store, owner: Owner
) -> None:
    request = Request(owner, guild="1")
    search = await studio.finding.open({}, 7)
    await studio.finding.paint(search, request)
    await studio.finding.paint(search.nearer((1,)), request)
    await studio.finding.adopt(search, 1, request)
    used = await store.usage.since(owner, "1", datetime(2020, 1, 1, tzinfo=UTC))
    assert [usage.pictures for usage in used] == [1, 1, 1]


async def test_what_is_not_a_search_is_refused(studio: Studio, owner: Owner) -> None:
    request = Request(owner)
    five = Search("tiny", {}, 7, ((1,),) * 4)
    with pytest.raises(BadPrompt, match="at most 4"):
        await studio.finding.paint(five, request)
    with pytest.raises(BadPrompt):
        await studio.finding.paint(Search("tiny", {"hair": "bleu"}, 7), request)
    with pytest.raises(ModelUnavailable):
        await studio.finding.paint(Search("no-such-model", {}, 7), request)
    with pytest.raises(BadPrompt):
        await studio.finding.open({}, SEEDS)
    for choices in ("", "12", "1.23"):
        with pytest.raises(BadPrompt, match="exactly one"):
            read_path(choices)
    with pytest.raises(BadPrompt, match=r"x\.y"):
        read_path("x.y")
