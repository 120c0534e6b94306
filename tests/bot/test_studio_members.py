"""What the studio remembers of members, and what it shows to whom."""

import io
import json
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from bot.errors import BadPrompt, NotAllowed, NotFound
from bot.studio import Studio
from db.store import GalleryQuery, GuildLimits, MemberSettings, Owner, Store

OTHER = Owner("discord", "2", "Ren")

# every way to name a picture; the first id is the one in question, the second one's own
WAYS: dict[str, Callable[[Studio, Owner, str, str], Awaitable[Any]]] = {
    "get": lambda studio, me, id, own: studio.get(id, me),
    "picture": lambda studio, me, id, own: studio.picture(id, me),
    "again": lambda studio, me, id, own: studio.again(id, owner=me),
    "recolour": lambda studio, me, id, own: studio.recolour(id, {"hair": "red"}, owner=me),
    "variations": lambda studio, me, id, own: studio.variations(id, owner=me),
    "mix with": lambda studio, me, id, own: studio.mix(own, id, owner=me),
    "mix": lambda studio, me, id, own: studio.mix(id, own, owner=me),
    "mix with itself": lambda studio, me, id, own: studio.mix(id, id, owner=me),
    "morph": lambda studio, me, id, own: studio.morph([own, id], owner=me),
    "favourite": lambda studio, me, id, own: studio.favourite(id, me),
    "delete": lambda studio, me, id, own: studio.delete(id, me),
}


@pytest.mark.parametrize("way", WAYS)
async def test_another_s_private_picture_is_as_if_it_were_not_there(
    studio: Studio, store: Store, owner: Owner, way: str
) -> None:
    (private,) = await studio.create("pink hair", owner=owner, private=True)
    (own,) = await studio.create("blue hair", owner=OTHER)
    (gone,) = await studio.create("", owner=OTHER)
    await studio.delete(gone.id, OTHER)
    count = await store.count()
    words = set()
    strangers = (OTHER, Owner("web", owner.key), Owner("discord", owner.key + "0"))
    for id in (private.id, f" {private.id.upper()} ", gone.id, "22222222"):
        for stranger in strangers if id == private.id else (OTHER,):
            with pytest.raises(NotFound) as refusal:
                await WAYS[way](studio, stranger, id, own.id)
            words.add(str(refusal.value).replace(id.strip(), "ID"))
    assert words == {"There is no avatar “ID”. It may have been deleted."}
    assert await store.count() == count
    assert (await studio.get(private.id, owner)).favourites == 0


async def test_a_private_picture_is_in_no_gallery_of_others(studio: Studio, owner: Owner) -> None:
    (private,) = await studio.create("", owner=owner, private=True, guild="1")
    await studio.favourite(private.id, owner)
    for viewer in (owner, OTHER, None):
        for scope in ("mine", "guild", "everyone", "favourites"):
            if viewer is None and scope in ("mine", "favourites"):
                continue
            for sort in ("new", "loved"):
                query = GalleryQuery(scope, viewer, "1", {}, sort=sort, counted=True)
                page = await studio.gallery(query)
                mine = viewer == owner and scope in ("mine", "favourites")
                assert (len(page.avatars), page.count) == (int(mine), int(mine))


async def test_a_closed_server_gallery(studio: Studio, owner: Owner) -> None:
    (avatar,) = await studio.create("", owner=owner, guild="1")
    await studio.save_limits("1", GuildLimits(gallery=False))
    for viewer in (owner, None):
        with pytest.raises(NotAllowed, match="switched off"):
            await studio.gallery(GalleryQuery("guild", viewer, "1", {}))
    assert (await studio.gallery(GalleryQuery("guild", owner, "2", {}))).avatars == []
    for scope in ("mine", "everyone"):
        assert (await studio.gallery(GalleryQuery(scope, owner, "1", {}))).avatars == [avatar]


async def test_settings_are_checked_and_kept(studio: Studio, owner: Owner) -> None:
    assert await studio.settings(owner) == MemberSettings()
    settings = MemberSettings(private=True, size=64, language="ja")
    await studio.save_settings(owner, settings)
    for wrong, message in (({"size": 65}, "64 pixels, not at 65"), ({"language": "xx"}, "xx")):
        with pytest.raises(BadPrompt, match=message):
            await studio.save_settings(owner, replace(settings, **wrong))
    assert await studio.settings(owner) == settings
    assert await studio.settings(OTHER) == MemberSettings()


async def test_a_size_that_the_model_cannot_paint_any_more_is_left_out(
    studio: Studio, store: Store, owner: Owner
) -> None:
    await store.desk.save_settings(owner, MemberSettings(True, 256, "ja"))
    assert await studio.settings(owner) == MemberSettings(True, None, "ja")


def opened(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {
            name: json.loads(archive.read(name)) if name.endswith(".json") else archive.read(name)
            for name in archive.namelist()
        }


async def test_the_export_has_everything_of_mine_and_nothing_else(
    studio: Studio, owner: Owner
) -> None:
    mine = await studio.create("pink hair, ねえ :)", owner=owner, count=3, guild="1", private=True)
    (others,) = await studio.create("", owner=OTHER)
    (hidden,) = await studio.create("", owner=OTHER, private=True)
    for liked in (others, mine[0]):
        await studio.favourite(liked.id, owner)
    await studio.favourite(hidden.id, OTHER)
    await studio.save_settings(owner, MemberSettings(language="ja"))
    await studio.delete(mine[1].id, owner)
    takeout = await studio.export(owner)
    assert (takeout.part, takeout.parts) == (1, 1)
    files = opened(takeout.data)
    assert [entry["id"] for entry in files["avatars.json"]] == [mine[0].id, mine[2].id]
    for entry, avatar in zip(files["avatars.json"], (mine[0], mine[2]), strict=True):
        picture = await studio.picture(avatar.id, owner)
        assert files.pop(entry["picture"]) == picture.data
        assert entry["prompt"] == avatar.prompt
        assert (entry["seed"], entry["guild"], entry["private"]) == (avatar.seed, "1", True)
        assert len(entry["latent"]) == len(avatar.latent)
    assert sorted(files["favourites.json"]) == sorted([others.id, mine[0].id])
    assert files["settings.json"]["language"] == "ja"
    assert set(files) == {"avatars.json", "favourites.json", "settings.json"}


async def test_a_large_export_comes_in_parts_that_fit(studio: Studio, owner: Owner) -> None:
    for _ in range(3):
        await studio.create("", owner=owner, count=9)
    limit, part, ids = 60_000, 1, []
    while True:
        takeout = await studio.export(owner, part=part, limit_bytes=limit)
        assert len(takeout.data) <= limit
        files = opened(takeout.data)
        ids += [entry["id"] for entry in files["avatars.json"]]
        assert ("settings.json" in files) == (part == 1)
        if part == takeout.parts:
            break
        part += 1
    assert part > 2
    assert len(set(ids)) == len(ids) == 27
    for missing in (0, part + 1):
        with pytest.raises(NotFound):
            await studio.export(owner, part=missing, limit_bytes=limit)


async def test_who_has_nothing_gets_an_empty_export(studio: Studio, owner: Owner) -> None:
    files = opened((await studio.export(owner)).data)
    assert (files["avatars.json"], files["favourites.json"]) == ([], [])


async def test_who_is_forgotten_is_gone(studio: Studio, store: Store, owner: Owner) -> None:
    mine = await studio.create("pink hair", owner=owner, count=3)
    (kept,) = await studio.create("", owner=OTHER)
    await studio.favourite(kept.id, owner)
    await studio.save_settings(owner, MemberSettings(private=True))
    assert await studio.forget(owner) == 3
    for avatar in mine:
        with pytest.raises(NotFound):
            await studio.get(avatar.id, owner)
    assert await studio.settings(owner) == MemberSettings()
    assert (await studio.get(kept.id, None)).favourites == 0
    assert opened((await studio.export(owner)).data)["avatars.json"] == []
    figures = await studio.statistics()
    assert (figures.pictures, figures.members, figures.favourites) == (1, 1, 0)
