"""Pictures: hide, show, list."""

import re

from bot.studio import Request, Studio
from db.records import Owner

from ..conftest import Client
from .conftest import page, post


async def test_a_hidden_picture_is_not_found_until_it_is_shown_again(
    admin: Client, studio: Studio, owner: Owner
) -> None:
    parent, other = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    (child,) = await studio.family.recolor(parent.id, {"hair": "blue"}, Request(owner))
    path = f"/admin/pictures/{parent.id}"
    assert await post(admin, f"{path}/hide") == {"id": parent.id, "hidden": True}
    assert await post(admin, f"{path}/hide") == {
        "id": parent.id,
        "hidden": True,
    }  # hiding twice has no further effect
    await page(admin, f"/a/{parent.id}", 404)
    for address in ("/gallery", "/", "/matrix", f"/a/{child.id}", f"/a/{other.id}"):
        assert parent.id not in await page(admin, address)
    async with admin.get("/api/facets") as answer:
        assert (await answer.json())["hair"]["pink"] == 1
    assert await studio.avatars.get(parent.id, viewer=owner)  # still visible to the owner
    (again,) = await studio.painting.again(parent.id, Request(owner))
    assert again.private  # a picture made from it is not public

    listed = await page(admin, "/admin/pictures")
    assert f"/admin/thumbs/{parent.id}.webp" in listed
    async with admin.get(f"/admin/thumbs/{parent.id}.webp") as answer:
        assert (answer.status, answer.content_type) == (200, "image/webp")
    assert await post(admin, f"{path}/show") == {"id": parent.id, "hidden": False}
    assert parent.id in await page(admin, "/gallery")
    async with admin.get("/api/facets") as answer:
        assert (await answer.json())["hair"]["pink"] == 2


async def test_admins_cannot_see_private_pictures(
    admin: Client, studio: Studio, owner: Owner
) -> None:
    (private,) = await studio.painting.create("hair:pink", Request(owner, private=True))
    assert private.id not in await page(admin, "/admin/pictures")
    for act in ("hide", "show"):
        await post(admin, f"/admin/pictures/{private.id}/{act}", 404)
    await page(admin, f"/admin/thumbs/{private.id}.webp", 404)
    assert (await studio.avatars.get(private.id, viewer=owner)).private


async def test_pictures_are_paged(admin: Client, studio: Studio, owner: Owner) -> None:
    for _ in range(3):
        await studio.painting.create("hair:pink", Request(owner), count=9)
    first = await page(admin, "/admin/pictures")
    [older] = re.findall(r'rel="next" href="([^"]+)"', first)
    second = await page(admin, older.replace("&amp;", "&"))
    ids = re.compile(r'data-hide="(\w+)"')
    assert len(ids.findall(first)) == 24
    assert len(set(ids.findall(first)) | set(ids.findall(second))) == 27
