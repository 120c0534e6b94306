"""Images, thumbnails and animations."""

import io

import numpy as np
import pytest
from PIL import Image

from bot.studio import Request, Studio
from db.records import Owner
from db.store import Store

from ..conftest import Client
from .conftest import get, image, paint, post


async def test_images_are_cached(client: Client) -> None:
    (avatar,) = await paint(client)
    async with client.get(avatar["image_url"]) as answer:
        assert answer.status == 200
        assert answer.content_type == "image/png"
        assert "immutable" in answer.headers["Cache-Control"]
        assert "Set-Cookie" not in answer.headers
        tag = answer.headers["ETag"]
    headers = {"If-None-Match": f'"other", {tag}'}
    async with client.get(avatar["image_url"], headers=headers) as answer:
        assert answer.status == 304
        assert await answer.read() == b""
        assert answer.headers["ETag"] == tag
    async with client.get(avatar["image_url"], headers={"If-None-Match": '"other"'}) as answer:
        assert answer.status == 200


async def test_private_deleted_and_unknown_pictures_are_indistinguishable(
    client: Client, studio: Studio, owner: Owner
) -> None:
    (private,) = await studio.painting.create({}, Request(owner, private=True))
    (deleted,) = await studio.painting.create({}, Request(owner))
    await studio.avatars.delete(deleted.id, owner)
    for id in (private.id, deleted.id, "2222bbbb", "%00", "%ED%A0%80", "a" * 3000):
        for path in (f"/images/{id}.png", f"/a/{id}"):
            async with client.get(path) as answer:
                assert answer.status == 404, path
                assert set(await answer.json()) == {"error"}
    async with client.get("/api/avatars") as answer:
        assert (await answer.json())["avatars"] == []


@pytest.mark.usefixtures("large")
async def test_pictures_come_in_several_sizes(client: Client) -> None:
    (avatar,) = await paint(client, seed=1)
    (small,) = await paint(client, seed=1, size=64)
    assert (avatar["width"], avatar["height"], small["width"]) == (256, 256, 64)
    full = np.asarray(await image(client, avatar["image_url"])).astype(int)
    for size in (64, 128, 256):
        scaled = np.asarray(await image(client, f"{avatar['image_url']}?size={size}")).astype(int)
        assert scaled.shape == (size, size, 3)
        k = 256 // size
        means = full.reshape(size, k, size, k, 3).mean((1, 3))
        assert np.abs(scaled - means).max() <= 1
    assert (await image(client, f"{small['image_url']}?size=256")).size == (64, 64)
    tags = set()
    for query in ("", "?size=64", "?size=128"):
        async with client.get(avatar["image_url"] + query) as answer:
            tags.add(answer.headers["ETag"])
    assert len(tags) == 3
    await post(client, "/api/avatars", 400, prompt="", size=100)


@pytest.mark.usefixtures("large")
async def test_a_thumbnail_is_made_once(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    (avatar,), (small,) = await paint(client), await paint(client, size=64)
    for of, size in ((avatar, 128), (small, 64)):
        thumb = await image(client, of["thumb_url"])
        assert (thumb.format, thumb.size) == ("WEBP", (size, size))
    stored = await store.avatars.thumbnail(avatar["id"])
    monkeypatch.setattr("bot.studio.avatars.thumbnail", None)  # thumbnails can no longer be made
    async with client.get(avatar["thumb_url"]) as answer:
        assert await answer.read() == stored
        assert "immutable" in answer.headers["Cache-Control"]
        tag = answer.headers["ETag"]
    async with client.get(avatar["thumb_url"], headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


async def test_a_transition_leads_from_face_to_face(client: Client) -> None:
    (a,), (b,) = await paint(client, "hair:black eyes:red"), await paint(client, "hair:white")
    url = f"/api/transition?a={a['id']}&b={b['id']}&frames=5"
    async with client.get(url) as answer:
        assert answer.content_type == "image/webp"
        assert (answer.headers["X-Frames"], answer.headers["X-Frame-Size"]) == ("5", "64")
        tag = answer.headers["ETag"]
        strip = np.asarray(Image.open(io.BytesIO(await answer.read())).convert("RGB")).astype(int)
    assert strip.shape == (64, 5 * 64, 3)
    for end, avatar in ((strip[:, :64], a), (strip[:, -64:], b)):
        full = np.asarray(await image(client, avatar["image_url"])).astype(int)
        assert np.abs(full - end).mean() < 8  # WebP is lossy
    brightness = [strip[:32, 64 * i : 64 * i + 64].mean() for i in range(5)]
    assert brightness == sorted(brightness)
    async with client.get(url, headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304


async def test_a_morph_can_be_downloaded(client: Client) -> None:
    ids = [avatar["id"] for avatar in await paint(client, count=3)]
    async with client.get("/api/morph.webp?ids=" + ",".join(ids)) as answer:
        assert answer.content_type == "image/webp"
        disposition = answer.headers["Content-Disposition"]
        assert disposition == f'attachment; filename="irodori-{"-".join(ids)}.webp"'
        animation = Image.open(io.BytesIO(await answer.read()))
    assert getattr(animation, "n_frames", 1) > 9
    for few in (ids[:1], ids[:1] * 2, ids * 2):
        assert await get(client, "/api/morph.webp?ids=" + ",".join(few), 400)
