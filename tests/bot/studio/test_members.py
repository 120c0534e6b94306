"""Privacy, settings, export and deletion of members' data."""

import io
import json
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from png_recipes import without_recipe

from bot.errors import BadPrompt, NotAllowed, NotFound
from bot.studio import Request, Studio
from db.records import GalleryQuery, GuildLimits, MemberSettings, Owner, Scope, Sort
from db.store import Store

OTHER = Owner("discord", "2", "Ren")
SCOPES: tuple[Scope, ...] = ("mine", "guild", "everyone", "favourites")
SORTS: tuple[Sort, ...] = ("new", "loved")

# every action on a picture; the first id is the requested one, the second an own one
ACTIONS: dict[str, Callable[[Studio, Owner, str, str], Awaitable[Any]]] = {
    "get": lambda studio, me, id, own: studio.avatars.get(id, me),
    "picture": lambda studio, me, id, own: studio.avatars.picture(id, me),
    "again": lambda studio, me, id, own: studio.painting.again(id, Request(me)),
    "recolor": lambda studio, me, id, own: studio.family.recolor(id, {"hair": "red"}, Request(me)),
    "variations": lambda studio, me, id, own: studio.family.variations(id, Request(me)),
    "mix with": lambda studio, me, id, own: studio.family.mix(own, id, Request(me)),
    "mix": lambda studio, me, id, own: studio.family.mix(id, own, Request(me)),
    "mix with itself": lambda studio, me, id, own: studio.family.mix(id, id, Request(me)),
    "morph": lambda studio, me, id, own: studio.animations.morph([own, id], Request(me)),
    "favorite": lambda studio, me, id, own: studio.avatars.toggle_favorite(id, me),
    "delete": lambda studio, me, id, own: studio.avatars.delete(id, me),
}


@pytest.mark.parametrize("action", ACTIONS)
async def test_private_avatars_of_others_are_not_found(
    studio: Studio, store: Store, owner: Owner, action: str
) -> None:
    (private,) = await studio.painting.create("pink hair", Request(owner, private=True))
    (own,) = await studio.painting.create("blue hair", Request(OTHER))
    (deleted,) = await studio.painting.create("", Request(OTHER))
    await studio.avatars.delete(deleted.id, OTHER)
    count = await store.avatars.count()
    messages = set()
    strangers = (OTHER, Owner("web", owner.key), Owner("discord", owner.key + "0"))
    for id in (private.id, f" {private.id.upper()} ", deleted.id, "22222222"):
        for stranger in strangers if id == private.id else (OTHER,):
            with pytest.raises(NotFound) as error:
                await ACTIONS[action](studio, stranger, id, own.id)
            messages.add(str(error.value).replace(id.strip(), "ID"))
    assert messages == {"There is no picture “ID”. It may have been deleted."}
    assert await store.avatars.count() == count
    assert (await studio.avatars.get(private.id, owner)).favorites == 0


async def test_private_avatars_are_absent_from_galleries_of_others(
    studio: Studio, owner: Owner
) -> None:
    (private,) = await studio.painting.create("", Request(owner, guild="1", private=True))
    await studio.avatars.toggle_favorite(private.id, owner)
    for viewer in (owner, OTHER, None):
        for scope in SCOPES:
            if viewer is None and scope in ("mine", "favourites"):
                continue
            for sort in SORTS:
                query = GalleryQuery(scope, viewer, "1", {}, sort=sort, counted=True)
                page = await studio.gallery.page(query)
                mine = viewer == owner and scope in ("mine", "favourites")
                assert (len(page.avatars), page.count) == (int(mine), int(mine))


async def test_a_closed_server_gallery_cannot_be_read(studio: Studio, owner: Owner) -> None:
    (avatar,) = await studio.painting.create("", Request(owner, guild="1"))
    await studio.quotas.save_limits("1", GuildLimits(gallery=False))
    for viewer in (owner, None):
        with pytest.raises(NotAllowed, match="is closed"):
            await studio.gallery.page(GalleryQuery("guild", viewer, "1", {}))
    assert (await studio.gallery.page(GalleryQuery("guild", owner, "2", {}))).avatars == []
    for query in (GalleryQuery("mine", owner, "1", {}), GalleryQuery("everyone", owner, "1", {})):
        assert (await studio.gallery.page(query)).avatars == [avatar]


async def test_settings_are_validated_and_stored(studio: Studio, owner: Owner) -> None:
    assert await studio.members.settings(owner) == MemberSettings()
    settings = MemberSettings(private=True, size=64, language="ja")
    await studio.members.save_settings(owner, settings)
    for invalid, message in (
        (replace(settings, size=65), "64 pixels, not at 65"),
        (replace(settings, language="xx"), "xx"),
    ):
        with pytest.raises(BadPrompt, match=message):
            await studio.members.save_settings(owner, invalid)
    assert await studio.members.settings(owner) == settings
    assert await studio.members.settings(OTHER) == MemberSettings()


async def test_a_stored_size_that_the_model_does_not_support_is_ignored(
    studio: Studio, store: Store, owner: Owner
) -> None:
    await store.members.save_settings(owner, MemberSettings(True, 256, "ja"))
    assert await studio.members.settings(owner) == MemberSettings(True, None, "ja")


def read_zip(data: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        return {
            name: json.loads(archive.read(name)) if name.endswith(".json") else archive.read(name)
            for name in archive.namelist()
        }


async def test_the_export_contains_exactly_the_members_own_data(
    studio: Studio, owner: Owner
) -> None:
    mine = await studio.painting.create(
        "pink hair, ねえ :)", Request(owner, guild="1", private=True), count=3
    )
    (others,) = await studio.painting.create("", Request(OTHER))
    (hidden,) = await studio.painting.create("", Request(OTHER, private=True))
    for favorite in (others, mine[0]):
        await studio.avatars.toggle_favorite(favorite.id, owner)
    await studio.avatars.toggle_favorite(hidden.id, OTHER)
    await studio.reports.report(others.id, owner, "odd eyes")
    await studio.members.save_settings(owner, MemberSettings(language="ja"))
    await studio.avatars.delete(mine[1].id, owner)
    export = await studio.exports.export(owner)
    assert (export.part, export.parts) == (1, 1)
    files = read_zip(export.data)
    assert [entry["id"] for entry in files["avatars.json"]] == [mine[0].id, mine[2].id]
    for entry, avatar in zip(files["avatars.json"], (mine[0], mine[2]), strict=True):
        picture = await studio.avatars.picture(avatar.id, owner)
        assert files.pop(entry["picture"]) == without_recipe(picture.data)
        assert entry["prompt"] == avatar.prompt
        assert (entry["seed"], entry["guild"], entry["private"]) == (avatar.seed, "1", True)
        assert len(entry["latent"]) == len(avatar.latent)
    assert sorted(files["favourites.json"]) == sorted([others.id, mine[0].id])
    assert files["settings.json"]["language"] == "ja"
    assert files["reports.json"] == [{"id": others.id, "reason": "odd eyes"}]
    assert set(files) == {"avatars.json", "favourites.json", "reports.json", "settings.json"}


async def test_a_large_export_is_split_into_parts_below_the_upload_limit(
    studio: Studio, owner: Owner
) -> None:
    for _ in range(3):
        await studio.painting.create("", Request(owner), count=9)
    limit, part, after, ids = 60_000, 1, None, []
    while True:
        export = await studio.exports.export(owner, part=part, limit_bytes=limit)
        same = await studio.exports.export(owner, part=part, after=after, limit_bytes=limit)
        assert read_zip(same.data) == read_zip(export.data)
        assert len(export.data) <= limit
        files = read_zip(export.data)
        ids += [entry["id"] for entry in files["avatars.json"]]
        assert ("settings.json" in files) == (part == 1)
        assert (export.last is None) == (part == export.parts)
        if part == export.parts:
            break
        part, after = part + 1, export.last
    assert part > 2
    assert len(set(ids)) == len(ids) == 27
    for missing in (0, part + 1):
        with pytest.raises(NotFound):
            await studio.exports.export(owner, part=missing, limit_bytes=limit)


async def test_a_member_without_avatars_gets_an_empty_export(studio: Studio, owner: Owner) -> None:
    files = read_zip((await studio.exports.export(owner)).data)
    assert (files["avatars.json"], files["favourites.json"]) == ([], [])


async def test_a_forgotten_member_has_no_stored_data(
    studio: Studio, store: Store, owner: Owner
) -> None:
    mine = await studio.painting.create("pink hair", Request(owner), count=3)
    (kept,) = await studio.painting.create("", Request(OTHER))
    await studio.avatars.toggle_favorite(kept.id, owner)
    await studio.members.save_settings(owner, MemberSettings(private=True))
    assert await studio.members.delete_everything(owner) == 3
    for avatar in mine:
        with pytest.raises(NotFound):
            await studio.avatars.get(avatar.id, owner)
    assert await studio.members.settings(owner) == MemberSettings()
    assert (await studio.avatars.get(kept.id, None)).favorites == 0
    assert read_zip((await studio.exports.export(owner)).data)["avatars.json"] == []
    figures = await studio.statistics()
    assert (figures.pictures, figures.members, figures.favorites) == (1, 1, 0)
