"""Variations, mixes, portraits and morphs."""

import asyncio
import io
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from tiny_model import EYES, HAIR, add_model, attribute

from bot.errors import BadPrompt, NotFound
from bot.inference.engine import Engine
from bot.inference.latents import VARIATION_ANGLE
from bot.settings import EngineSettings
from bot.studio import Request, Studio
from bot.studio.morph_file import Format
from db.records import Avatar, Owner
from db.store import Store
from db.tasks import VARIATIONS
from export.registry import Registry

OTHER = Owner("discord", "2", "Ren")


def angle(a: npt.NDArray[np.float32], b: npt.NDArray[np.float32]) -> float:
    return float(np.arccos(np.dot(a, b) / np.linalg.norm(a) / np.linalg.norm(b)))


async def pair(studio: Studio, owner: Owner) -> tuple[Avatar, Avatar]:
    (a,) = await studio.painting.create("pink hair, red eyes", Request(owner), seed=1)
    (b,) = await studio.painting.create("blue hair, green eyes", Request(owner), seed=2)
    return a, b


async def test_variations_are_stored_as_a_family(studio: Studio, owner: Owner) -> None:
    (parent,) = await studio.painting.create("pink hair", Request(owner, private=True), seed=3)
    family = await studio.family.variations(
        parent.id, Request(owner, guild="5", channel="6"), seed=3
    )
    assert len(family) == VARIATIONS == 9
    for i, child in enumerate(family):
        assert (child.wish, child.conditions) == (parent.wish, parent.conditions)
        assert (child.seed, child.parents, child.prompt) == (3 + i, (parent.id,), parent.prompt)
        assert (child.private, child.guild, child.channel) == (True, "5", "6")
    angles = [angle(parent.latent, child.latent) for child in family]
    assert min(angles) > 0.05
    assert np.mean(angles) < 2 * VARIATION_ANGLE
    assert len({child.sha256 for child in family}) == 9
    same = await studio.family.variations(parent.id, Request(owner), seed=3)
    assert [child.sha256 for child in same] == [child.sha256 for child in family]


async def test_a_mix_has_two_parents_and_another_seed_gives_a_sibling(
    studio: Studio, owner: Owner
) -> None:
    a, b = await pair(studio, owner)
    children = [
        child
        for s in range(12)
        for child in await studio.family.mix(a.id, b.id, Request(OTHER), seed=s)
    ]
    for child in children:
        colors = (child.conditions["hair"], child.conditions["eyes"])
        assert colors in {("pink", "green"), ("blue", "red")}
        assert child.wish == child.conditions
        assert child.prompt == f"hair:{colors[0]} eyes:{colors[1]}"
        assert (child.parents, child.owner, child.private) == ((a.id, b.id), OTHER, False)
    assert len({child.sha256 for child in children}) == len(children)
    assert len({child.conditions["hair"] for child in children}) == 2
    (again,) = await studio.family.mix(a.id, b.id, Request(owner), seed=5)
    assert again.sha256 == children[5].sha256


async def test_a_child_of_a_private_parent_is_private(studio: Studio, owner: Owner) -> None:
    (a,) = await studio.painting.create("", Request(owner, private=True))
    (b,) = await studio.painting.create("", Request(owner))
    (c,) = await studio.painting.create("", Request(owner))
    for one, other, private in ((a, b, False), (b, a, False), (b, c, True)):
        (child,) = await studio.family.mix(one.id, other.id, Request(owner, private=private))
        assert child.private
    (child,) = await studio.family.mix(b.id, c.id, Request(owner))
    assert not child.private


async def test_a_child_outlives_its_parents(studio: Studio, owner: Owner) -> None:
    a, b = await pair(studio, owner)
    (child,) = await studio.family.mix(a.id, b.id, Request(OTHER))
    await studio.avatars.delete(a.id, owner)
    await studio.members.delete_everything(owner)
    assert (await studio.avatars.get(child.id, None)).parents == (a.id, b.id)
    assert (await studio.family.variations(child.id, Request(OTHER)))[0].parents == (child.id,)
    for deleted in (a, b):
        with pytest.raises(NotFound):
            await studio.family.mix(deleted.id, child.id, Request(OTHER))


async def test_prompts_of_others_are_not_copied_to_derived_avatars(
    studio: Studio, owner: Owner
) -> None:
    (parent,) = await studio.painting.create("my sister's pink hair", Request(owner))
    (own,) = await studio.painting.again(parent.id, Request(owner))
    assert own.prompt == "my sister's pink hair"
    (others,) = await studio.painting.again(parent.id, Request(OTHER))
    family = await studio.family.variations(parent.id, Request(OTHER))
    assert {avatar.prompt for avatar in (others, *family)} == {"hair:pink"}


async def test_mixing_an_avatar_with_itself_is_rejected(studio: Studio, owner: Owner) -> None:
    a, b = await pair(studio, owner)
    with pytest.raises(BadPrompt, match="the same picture"):
        await studio.family.mix(a.id, a.id.upper(), Request(owner))
    with pytest.raises(BadPrompt, match="given twice"):
        await studio.animations.morph([a.id, b.id, a.id], Request(owner))
    for ids in ([], [a.id], [a.id] * 6):
        with pytest.raises(BadPrompt, match=f"2 to 5 pictures, not {len(ids)}"):
            await studio.animations.morph(ids, Request(owner))


async def test_a_portrait_is_always_the_same_face(
    studio: Studio, store: Store, registry: Registry, owner: Owner
) -> None:
    (first,) = await studio.painting.portrait(owner, Request(owner))
    (again,) = await studio.painting.portrait(replace(owner, name="renamed"), Request(owner))
    assert again == first
    (hidden,) = await studio.painting.portrait(owner, Request(owner, private=True))
    (others,) = await studio.painting.portrait(owner.key, Request(OTHER))
    (friend,) = await studio.painting.portrait(OTHER, Request(owner))
    assert (hidden.private, others.owner, friend.owner) == (True, OTHER, owner)
    assert first.sha256 == hidden.sha256 == others.sha256 != friend.sha256
    assert await store.avatars.count() == 4
    await studio.avatars.delete(first.id, owner)
    (repainted,) = await studio.painting.portrait(owner, Request(owner))
    assert (repainted.id != first.id, repainted.sha256) == (True, first.sha256)


async def test_a_portrait_is_distinct_from_other_avatars_of_its_seed(
    studio: Studio, owner: Owner
) -> None:
    (face,) = await studio.painting.portrait(OTHER, Request(owner))
    await studio.avatars.delete(face.id, owner)
    await studio.painting.create("red eyes", Request(owner), seed=face.seed)
    (repainted,) = await studio.painting.portrait(OTHER, Request(owner))
    assert (repainted.sha256, repainted.wish) == (face.sha256, {})


async def test_concurrent_portrait_requests_store_one_portrait(
    studio: Studio, store: Store, owner: Owner
) -> None:
    requests = [studio.painting.portrait("5", Request(owner)) for _ in range(5)]
    faces = await asyncio.gather(*requests, studio.painting.portrait("5", Request(OTHER)))
    assert len({face.id for (face,) in faces}) == 2
    assert await store.avatars.count() == 2


async def test_an_order_is_painted_once(studio: Studio, store: Store, owner: Owner) -> None:
    a, b = await pair(studio, owner)
    tasks: dict[str, Callable[[str], Awaitable[list[Avatar]]]] = {
        "create": lambda o: studio.painting.create("", Request(owner, order_id=o), count=3),
        "again": lambda o: studio.painting.again(a.id, Request(owner, order_id=o)),
        "recolor": lambda o: studio.family.recolor(
            a.id, {"hair": "red"}, Request(owner, order_id=o)
        ),
        "variations": lambda o: studio.family.variations(a.id, Request(owner, order_id=o)),
        "mix": lambda o: studio.family.mix(a.id, b.id, Request(owner, order_id=o)),
        "me": lambda o: studio.painting.portrait(owner, Request(owner, order_id=o)),
    }
    for order, task in tasks.items():
        stored = await task(order)
        count = await store.avatars.count()
        assert await task(order) == stored == await studio.avatars.of_order(order)
        assert await store.avatars.count() == count


async def test_a_morph_starts_and_ends_at_its_faces(
    studio: Studio, store: Store, owner: Owner
) -> None:
    a, b = await pair(studio, owner)
    (c,) = await studio.painting.create("white hair", Request(owner, private=True))
    count = await store.avatars.count()
    cases: list[tuple[list[str], Format]] = [
        ([a.id, b.id], "webp"),
        ([b.id.upper(), c.id, a.id], "gif"),
    ]
    for ids, format in cases:
        animation = await studio.animations.morph(ids, Request(owner, guild="1"), format=format)
        assert animation.ids == tuple(id.lower() for id in ids)
        assert (animation.format, animation.width, animation.reduced) == (format, 64, False)
        image = Image.open(io.BytesIO(animation.data))
        assert str(image.format).lower() == format
        first = np.asarray(image.convert("RGB")).astype(int)
        stored = await studio.avatars.picture(ids[0], owner)
        expected = np.asarray(Image.open(io.BytesIO(stored.data)).convert("RGB")).astype(int)
        assert np.abs(first - expected).mean() < 12
    assert await store.avatars.count() == count
    used = await store.usage.since(owner, "1", a.created - timedelta(days=1))
    assert [u.pictures for u in used] == [1, 1]  # each counts as one picture


async def test_a_morph_past_the_upload_limit_is_reduced(studio: Studio, owner: Owner) -> None:
    a, b = await pair(studio, owner)
    full = await studio.animations.morph([a.id, b.id], Request(owner))
    smaller = await studio.animations.morph(
        [a.id, b.id], Request(owner), limit_bytes=len(full.data) - 1
    )
    assert smaller.reduced
    assert len(smaller.data) < len(full.data)
    with pytest.raises(BadPrompt, match="too large"):
        await studio.animations.morph([a.id, b.id], Request(owner), limit_bytes=100)


async def test_avatars_of_different_models_are_mixed_if_one_model_fits_both(
    studio: Studio, engine: Engine, registry: Registry, owner: Owner
) -> None:
    (old,) = await studio.painting.create("pink hair, red eyes", Request(owner))
    add_model(registry, "next", (HAIR, EYES), brightness=0.3)
    await studio.models.use("next")
    (new,) = await studio.painting.create("blue hair, green eyes", Request(owner))
    (child,) = await studio.family.mix(old.id, new.id, Request(owner))
    assert (old.model, new.model, child.model) == ("tiny", "next", "next")
    assert (await studio.animations.morph([old.id, new.id], Request(owner))).frames > 2

    add_model(registry, "wings", (attribute("wings", "red blue"),))
    await studio.models.use("wings")
    (winged,) = await studio.painting.create("", Request(owner))
    with pytest.raises(BadPrompt, match="different models"):
        await studio.family.mix(old.id, winged.id, Request(owner))
    with pytest.raises(BadPrompt, match="different models"):
        await studio.animations.morph([winged.id, new.id], Request(owner))
    # the model that painted both is still used
    (sibling,) = await studio.family.mix(child.id, new.id, Request(owner))
    assert sibling.model == "next"


async def test_available_sizes_come_from_the_model(
    registry: Registry, store: Store, owner: Owner
) -> None:
    add_model(registry, "large", upscaler=True)
    registry.use("large")
    engine = await Engine.open(registry, EngineSettings(provider="cpu", threads=1))
    studio = Studio(engine, store)
    try:
        assert studio.sizes == (64, 128, 256)
        (default,) = await studio.painting.create("", Request(owner), seed=1)
        (small,) = await studio.painting.create("", Request(owner), seed=1, size=64)
        assert (default.width, small.width, small.height) == (256, 64, 64)
        np.testing.assert_array_equal(default.latent, small.latent)
        with pytest.raises(BadPrompt, match="64, 128, 256 pixels, not at 100"):
            await studio.painting.create("", Request(owner), size=100)
        # a child is as large as its parent
        (child,) = await studio.family.recolor(small.id, {"hair": "red"}, Request(owner))
        assert child.width == 64
        assert {a.width for a in await studio.family.variations(small.id, Request(owner))} == {64}
        (me,) = await studio.painting.portrait(owner, Request(owner), size=128)
        (larger,) = await studio.painting.portrait(owner, Request(owner))
        assert (me.width, larger.width, me.seed) == (128, 256, larger.seed)
        animation = await studio.animations.morph([default.id, child.id], Request(owner), size=128)
        assert (animation.width, animation.height) == (128, 128)
    finally:
        await engine.close()


async def test_only_the_selected_candidate_is_stored(
    registry: Registry, store: Store, owner: Owner
) -> None:
    add_model(registry, "with_scorer", candidates=4)
    registry.use("with_scorer")
    engine = await Engine.open(registry, EngineSettings(provider="cpu", threads=1))
    studio = Studio(engine, store)
    try:
        avatars = await studio.painting.create(
            "pink hair, red eyes", Request(owner), count=9, seed=0
        )
        (single,) = await studio.painting.create("pink hair, red eyes", Request(owner), seed=4)
        assert single.sha256 == avatars[4].sha256
        (same,) = await studio.family.recolor(avatars[4].id, {"hair": "pink"}, Request(owner))
        assert same.sha256 == avatars[4].sha256  # the latent of the selected candidate
    finally:
        await engine.close()
