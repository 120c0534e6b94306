import asyncio
import io
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from paused_engine import TIMEOUT
from PIL import Image
from tiny_model import add_model, attribute

from bot.errors import BadPrompt, Busy, ModelUnavailable, NotAllowed, NotFound
from bot.inference.engine import Engine
from bot.inference.model import Model
from bot.settings import EngineSettings
from bot.studio import Request, Studio
from bot.studio.images import encode_png
from bot.studio.painting import MAX_COUNT
from db.records import Avatar, GalleryQuery, Owner
from db.store import Store
from db.tasks import SEEDS
from export.registry import Registry

OTHER = Owner("web", "0123abcd")
EVERYONE = GalleryQuery(scope="everyone", viewer=None, guild=None, values={})


async def pixels(studio: Studio, avatar: Avatar) -> npt.NDArray[np.int64]:
    """int [S, S, 3] of the stored picture."""
    picture = await studio.avatars.picture(avatar.id, avatar.owner)
    assert picture.format == "png"
    image = Image.open(io.BytesIO(picture.data))
    assert image.size == (picture.width, picture.height)
    return np.asarray(image.convert("RGB")).astype(np.int64)


async def test_an_avatar_matches_its_wish_and_is_stored(studio: Studio, owner: Owner) -> None:
    (avatar,) = await studio.painting.create(
        "Pink hair, ORANGE eyes!", Request(owner, guild="1", channel="2"), seed=7
    )
    assert avatar.wish == avatar.conditions == {"hair": "pink", "eyes": "orange"}
    assert (avatar.seed, avatar.model, avatar.parents) == (7, "tiny", ())
    assert (avatar.guild, avatar.channel, avatar.private) == ("1", "2", False)
    assert avatar.prompt == "Pink hair, ORANGE eyes!"
    assert avatar.condition.sum() == 2
    assert await studio.avatars.get(avatar.id, None) == avatar
    image = await pixels(studio, avatar)
    assert np.abs(image[:32].mean((0, 1)) - [250, 150, 200]).max() < 20
    assert np.abs(image[32:].mean((0, 1)) - [250, 150, 40]).max() < 20


async def test_a_seed_and_a_wish_paint_the_same_after_a_restart(
    studio: Studio, store: Store, registry: Registry, owner: Owner
) -> None:
    before = await studio.painting.create("red eyes", Request(owner), count=3, seed=SEEDS - 1)
    assert [avatar.seed for avatar in before] == [SEEDS - 1, 0, 1]
    engine = await Engine.open(registry, EngineSettings(provider="cpu", threads=2))
    after = Studio(engine, store)
    for old in before:
        (new,) = await after.painting.create({"eyes": "red"}, Request(OTHER), seed=old.seed)
        assert new.conditions == old.conditions
        assert np.abs(await pixels(after, new) - await pixels(studio, old)).max() <= 1
    await engine.close()


async def test_without_a_seed_avatars_differ(studio: Studio, owner: Owner) -> None:
    avatars = await studio.painting.create("", Request(owner), count=MAX_COUNT)
    more = await studio.painting.create({}, Request(owner))
    assert len({avatar.seed for avatar in avatars + more}) == MAX_COUNT + 1
    assert avatars[0].wish == {}
    assert set(avatars[0].conditions) == {"hair", "eyes"}


@pytest.mark.parametrize(
    ("wish", "changes", "message"),
    [
        ("hair:pnk", {}, "pnk"),
        ({"hair": "pnk"}, {}, "pink"),
        ({"mouth": "red"}, {}, "mouth"),
        ("", {"count": 0}, "count must be 1 to 9"),
        ("", {"count": 10}, "it is 10"),
        ("", {"seed": -1}, "seed must be 0 to 4294967295"),
        ("", {"seed": SEEDS}, "it is 4294967296"),
    ],
)
async def test_an_invalid_wish_stores_nothing(
    studio: Studio,
    store: Store,
    owner: Owner,
    wish: str | dict[str, str],
    changes: dict[str, Any],
    message: str,
) -> None:
    with pytest.raises(BadPrompt, match=message):
        await studio.painting.create(wish, Request(owner), **changes)
    assert await store.avatars.count() == 0


async def test_characters_that_databases_reject_are_removed_from_prompts(
    studio: Studio, owner: Owner
) -> None:
    (avatar,) = await studio.painting.create("pink\x00hair \udfff\n:)", Request(owner))
    assert (avatar.prompt, avatar.wish) == ("pink hair :)", {"hair": "pink"})
    (avatar,) = await studio.painting.create({"eyes": "Violet", "hair": "grey"}, Request(owner))
    assert avatar.prompt == "hair:gray eyes:purple"


async def test_again_paints_the_same_wish_with_another_seed(studio: Studio, owner: Owner) -> None:
    (parent,) = await studio.painting.create(
        "a blonde", Request(owner, guild="1", private=True), seed=1
    )
    (child,) = await studio.painting.again(parent.id, Request(owner, guild="5", channel="6"))
    assert (child.wish, child.prompt) == (parent.wish, parent.prompt)
    assert child.seed != parent.seed
    assert child.parents == (parent.id,)
    assert (child.guild, child.channel, child.private) == ("5", "6", True)


async def test_recoloring_keeps_the_face_and_unnamed_attributes(
    studio: Studio, owner: Owner
) -> None:
    (parent,) = await studio.painting.create("hair:black eyes:green", Request(owner), seed=3)
    (child,) = await studio.family.recolor(parent.id, {"hair": "White"}, Request(OTHER))
    assert child.wish == child.conditions == {"hair": "white", "eyes": "green"}
    assert (child.seed, child.model, child.owner) == (3, "tiny", OTHER)
    assert child.parents == (parent.id,)
    np.testing.assert_array_equal(child.latent, parent.latent)
    old, new = await pixels(studio, parent), await pixels(studio, child)
    assert np.abs(old[32:] - new[32:]).max() <= 1
    assert (new[:32] > old[:32] + 100).all()


async def test_recoloring_one_open_attribute_keeps_the_drawn_value_of_the_other(
    studio: Studio, owner: Owner
) -> None:
    (parent,) = await studio.painting.create("", Request(owner), seed=11)
    (child,) = await studio.family.recolor(parent.id, {"eyes": "red"}, Request(owner))
    assert child.wish == {"eyes": "red"}
    assert child.conditions == {**parent.conditions, "eyes": "red"}
    with pytest.raises(BadPrompt, match="what should change"):
        await studio.family.recolor(parent.id, {}, Request(owner))
    with pytest.raises(BadPrompt, match="gray"):
        await studio.family.recolor(parent.id, {"eyes": "gray"}, Request(owner))


async def test_an_avatar_of_an_older_model_is_recolored_by_that_model(
    studio: Studio, engine: Engine, registry: Registry, owner: Owner
) -> None:
    (parent,) = await studio.painting.create("red hair", Request(owner), seed=5)
    wings = attribute("wings", "red blue")
    add_model(registry, "wings", (wings,), brightness=0.5)
    registry.use("wings")
    await engine.refresh()
    assert (studio.model_name, studio.attributes) == ("wings", (wings,))
    (child,) = await studio.family.recolor(parent.id, {"hair": "blue"}, Request(owner))
    assert child.model == "tiny"
    with pytest.raises(BadPrompt, match="hair"):
        await studio.painting.again(parent.id, Request(owner))


async def test_recoloring_with_a_deleted_model_is_rejected(
    studio: Studio, store: Store, registry: Registry, owner: Owner
) -> None:
    (parent,) = await studio.painting.create("red hair", Request(owner))
    add_model(registry, "next")
    registry.use("next")
    engine = await Engine.open(registry, EngineSettings(provider="cpu", threads=1))
    (registry.folder("tiny") / "manifest.json").unlink()
    with pytest.raises(ModelUnavailable, match="tiny"):
        await Studio(engine, store).family.recolor(parent.id, {"hair": "blue"}, Request(owner))
    assert (await Studio(engine, store).avatars.picture(parent.id, None)).format == "png"
    await engine.close()


async def test_a_private_avatar_is_found_only_by_its_owner(studio: Studio, owner: Owner) -> None:
    (avatar,) = await studio.painting.create("pink hair", Request(owner, private=True))
    assert (await studio.avatars.get(avatar.id, replace(owner, name="renamed"))).id == avatar.id
    for viewer in (None, OTHER, Owner("web", owner.key)):
        with pytest.raises(NotFound):
            await studio.avatars.get(avatar.id, viewer)
        with pytest.raises(NotFound):
            await studio.avatars.picture(avatar.id, viewer)
    for attempt in (
        studio.painting.again(avatar.id, Request(OTHER)),
        studio.family.recolor(avatar.id, {"hair": "red"}, Request(OTHER)),
        studio.avatars.toggle_favorite(avatar.id, OTHER),
        studio.avatars.delete(avatar.id, OTHER),
    ):
        with pytest.raises(NotFound):
            await attempt
    assert (await studio.gallery.page(EVERYONE)).avatars == []


@pytest.mark.parametrize("id", ["", "nosuchid", "x" * 999, "\x00", "\udfff", "' OR 1=1", "../etc"])
async def test_an_unknown_avatar_is_not_found(studio: Studio, owner: Owner, id: str) -> None:
    for attempt in (
        studio.avatars.get(id, owner),
        studio.avatars.picture(id, owner),
        studio.painting.again(id, Request(owner)),
        studio.avatars.toggle_favorite(id, owner),
        studio.avatars.delete(id, owner),
        studio.avatars.delete(id, owner, moderator=True),
    ):
        with pytest.raises(NotFound, match="There is no picture") as error:
            await attempt
        str(error.value).encode()


async def test_ids_are_matched_regardless_of_case_and_spaces(studio: Studio, owner: Owner) -> None:
    (avatar,) = await studio.painting.create("", Request(owner))
    assert (await studio.avatars.get(f" {avatar.id.upper()}\n", None)).id == avatar.id


@pytest.mark.parametrize(
    "written",
    ["`{}`", "irodori-{}.png", "irodori-{}-256.png", "https://faces.example.org/a/{}?a=1", "/a/{}"],
)
async def test_an_id_is_found_in_what_people_copy(
    studio: Studio, owner: Owner, written: str
) -> None:
    (avatar,) = await studio.painting.create("", Request(owner))
    assert (await studio.avatars.get(written.format(avatar.id), None)).id == avatar.id


async def test_only_the_owner_or_a_moderator_can_delete_an_avatar(
    studio: Studio, owner: Owner
) -> None:
    mine, yours = await studio.painting.create("", Request(owner), count=2)
    with pytest.raises(NotAllowed):
        await studio.avatars.delete(mine.id, OTHER)
    assert (await studio.avatars.delete(mine.id, owner)).id == mine.id
    assert (await studio.avatars.delete(yours.id, OTHER, moderator=True)).id == yours.id
    for deleted in (mine, yours):
        with pytest.raises(NotFound):
            await studio.avatars.get(deleted.id, owner)
        with pytest.raises(NotFound):
            await studio.avatars.delete(deleted.id, owner)


async def test_a_favorite_is_toggled_and_counted(studio: Studio, owner: Owner) -> None:
    (avatar,) = await studio.painting.create("", Request(owner))
    assert await studio.avatars.toggle_favorite(avatar.id, owner) == (True, 1)
    assert await studio.avatars.toggle_favorite(avatar.id, OTHER) == (True, 2)
    assert await studio.avatars.toggle_favorite(avatar.id, owner) == (False, 1)
    assert (await studio.avatars.get(avatar.id, None)).favorites == 1


async def test_the_gallery_is_filtered_by_synonyms_and_paged(studio: Studio, owner: Owner) -> None:
    await studio.painting.create("pink hair", Request(owner), count=3)
    await studio.painting.create("gray hair", Request(owner), count=2)
    gray = await studio.gallery.page(replace(EVERYONE, values={"Hair": "Silver"}))
    assert [avatar.conditions["hair"] for avatar in gray.avatars] == ["gray"] * 2
    first = await studio.gallery.page(replace(EVERYONE, limit=3))
    second = await studio.gallery.page(replace(EVERYONE, limit=3, cursor=first.older))
    assert [len(first.avatars), len(second.avatars)] == [3, 2]
    assert second.older is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": {"hair": "pnk"}}, "pink"),
        ({"values": {"mouth": "red"}}, "mouth"),
        ({"cursor": "nonsense"}, "first"),
        ({"scope": "mine"}, "who you are"),
        ({"scope": "favourites"}, "who you are"),
        ({"scope": "guild"}, "server"),
        ({"limit": 0}, "not 0"),
        ({"limit": 101}, "1 to 100"),
    ],
)
async def test_an_unknown_gallery_is_rejected(
    studio: Studio, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadPrompt, match=message):
        await studio.gallery.page(replace(EVERYONE, **changes))


async def test_the_next_batch_is_painted_while_pictures_are_encoded(
    studio: Studio, owner: Owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoding, painting_again = threading.Event(), threading.Event()
    paint = Model.paint

    def note_painting(*arguments: Any) -> Any:
        if encoding.is_set():
            painting_again.set()
        return paint(*arguments)

    def encode_slowly(image: Any) -> bytes:
        encoding.set()
        assert painting_again.wait(TIMEOUT), "no batch is painted during the encoding"
        return encode_png(image)

    monkeypatch.setattr(Model, "paint", note_painting)
    monkeypatch.setattr("bot.studio.painter.encode_png", encode_slowly)
    first = asyncio.create_task(studio.painting.create({}, Request(owner)))
    assert await asyncio.to_thread(encoding.wait, TIMEOUT)
    await studio.painting.create({}, Request(OTHER))
    assert len(await first) == 1


async def test_a_full_queue_stores_nothing(registry: Registry, store: Store, owner: Owner) -> None:
    engine = await Engine.open(registry, EngineSettings(provider="cpu", threads=1, queue=9))
    studio = Studio(engine, store)
    answers = await asyncio.gather(
        *(studio.painting.create("", Request(owner), count=9) for _ in range(3)),
        return_exceptions=True,
    )
    await engine.close()
    stored = [answer for answer in answers if isinstance(answer, list)]
    assert {type(answer) for answer in answers} == {list, Busy}
    assert await store.avatars.count() == 9 * len(stored)
