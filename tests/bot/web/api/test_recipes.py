"""Recipes in pictures: opening files, and proofs."""

import base64
import io
import json
import struct
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, PngImagePlugin

from bot.studio import Request, Studio
from db.records import Owner, Picture
from db.store import Store
from export.registry import Registry

from ..conftest import Client, Serve
from .conftest import get, paint, pixels


async def download(client: Client, avatar: dict[str, Any], query: str = "") -> bytes:
    async with client.get(avatar["image_url"] + query) as answer:
        return await answer.read()


def recipe_in(data: bytes) -> dict[str, Any]:
    image = Image.open(io.BytesIO(data))
    assert isinstance(image, PngImagePlugin.PngImageFile)
    recipe: dict[str, Any] = json.loads(str(image.text["irodori"]))
    return recipe


def saved(image: Image.Image, recipe: object = None) -> bytes:
    """A PNG with this recipe, as a program that edits pictures saves it."""
    file, info = io.BytesIO(), PngImagePlugin.PngInfo()
    if recipe is not None:
        info.add_text("irodori", recipe if isinstance(recipe, str) else json.dumps(recipe))
    image.save(file, "PNG", pnginfo=info)
    return file.getvalue()


def with_recipe(data: bytes, **changes: object) -> bytes:
    return saved(Image.open(io.BytesIO(data)), recipe_in(data) | changes)


async def open_file(client: Client, data: bytes, status: int = 200) -> Any:
    headers = {"content-type": "image/png"}
    async with client.post("/api/open", data=data, headers=headers) as answer:
        assert answer.status == status, await answer.text()
        return await answer.json()


async def delete(client: Client, avatar: dict[str, Any]) -> None:
    headers = {"content-type": "application/json"}
    async with client.delete(f"/api/avatars/{avatar['id']}", headers=headers) as answer:
        assert answer.status == 204


async def test_a_downloaded_picture_carries_its_recipe(
    client: Client, store: Store, registry: Registry
) -> None:
    (avatar,) = await paint(client, "粉色头发", seed=7)
    data = await download(client, avatar)
    recipe = recipe_in(data)
    _, manifest = registry.load("tiny")
    stored = await store.avatars.get(avatar["id"])
    assert stored is not None
    assert base64.b64decode(recipe.pop("latent")) == stored.latent.astype("<f4").tobytes()
    assert recipe == {
        "version": 1,
        **{key: avatar[key] for key in ("id", "prompt", "wish", "conditions", "seed", "model")},
        "generator_sha256": manifest.files["generator.onnx"].sha256,
        "size": 64,
    }
    unsigned = await store.avatars.picture(avatar["id"])
    assert unsigned is not None
    assert b"irodori" not in unsigned.data  # storage keeps what was painted
    plain = np.asarray(Image.open(io.BytesIO(unsigned.data)))
    assert (np.asarray(Image.open(io.BytesIO(data))) == plain).all()


async def test_a_private_picture_carries_none(studio: Studio, owner: Owner) -> None:
    (avatar,) = await studio.painting.create({}, Request(owner, private=True))
    picture: Picture = await studio.avatars.picture(avatar.id, owner)
    assert b"irodori" not in picture.data


@pytest.mark.usefixtures("large")
@pytest.mark.parametrize("query", ["", "?size=128", "?size=64"])
async def test_a_downloaded_picture_opens_as_itself(client: Client, query: str) -> None:
    (avatar,) = await paint(client)
    opened = await open_file(client, await download(client, avatar, query))
    assert opened["avatar"] == avatar
    assert (opened["agreement"], opened["repainted"], opened["changed"]) == ("same", False, [])
    assert opened["message"] == "The file is this picture, unchanged."


async def test_a_deleted_picture_is_painted_again_from_its_recipe(client: Client) -> None:
    (avatar,) = await paint(client, "pink hair", seed=7)
    before, data = await pixels(client, avatar), await download(client, avatar)
    await delete(client, avatar)
    opened = await open_file(client, data)
    again = opened["avatar"]
    assert (opened["agreement"], opened["repainted"]) == ("same", True)
    assert "painted again" in opened["message"]
    assert again["id"] != avatar["id"]
    assert all(again[key] == avatar[key] for key in ("wish", "conditions", "seed", "model"))
    assert again["prompt"] == "hair:pink"  # not the text that was deleted with the picture
    assert (await pixels(client, again) == before).all()
    await delete(client, again)  # it belongs to the visitor who opened it


@pytest.mark.parametrize(
    ("changes", "part"),
    [({"seed": 8}, "seed"), ({"prompt": "mine"}, "prompt"), ({"latent": "AAAA"}, "latent")],
)
async def test_a_changed_recipe_is_told(
    client: Client, changes: dict[str, object], part: str
) -> None:
    (avatar,) = await paint(client, seed=7)
    data = await download(client, avatar)
    opened = await open_file(client, with_recipe(data, **changes))
    assert (opened["avatar"]["id"], opened["changed"]) == (avatar["id"], [part])
    assert "was changed" in opened["message"]


async def test_changed_pixels_are_told(client: Client) -> None:
    (avatar,) = await paint(client, seed=7)
    data = await download(client, avatar)
    image = Image.open(io.BytesIO(data))
    image.putpixel((20, 20), tuple(255 - v for v in image.getpixel((20, 20))))  # type: ignore[union-attr]
    opened = await open_file(client, saved(image, recipe_in(data)))
    assert (opened["agreement"], opened["changed"]) == ("different", [])
    assert "was changed" in opened["message"]


async def test_the_recipe_of_another_picture_is_told(client: Client) -> None:
    one, other = await paint(client, count=2)
    data = await download(client, one)
    foreign = with_recipe(data, **recipe_in(await download(client, other)))
    opened = await open_file(client, foreign)
    assert (opened["avatar"]["id"], opened["agreement"]) == (other["id"], "different")
    await delete(client, other)
    opened = await open_file(client, foreign)
    assert (opened["repainted"], opened["agreement"]) == (True, "different")
    assert "was changed" in opened["message"]


FACE = Image.new("RGB", (64, 64))


def resized(png: bytes, side: int) -> bytes:
    """The PNG with another width and height in its header, and the same pixels."""
    header = b"IHDR" + struct.pack(">II", side, side) + png[24:29]
    return png[:12] + header + struct.pack(">I", zlib.crc32(header)) + png[33:]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GIF89a", "not a PNG"),
        (saved(FACE)[:60], "not a PNG"),
        (resized(saved(FACE), 3000), "too large to be opened"),
        (resized(saved(FACE), 20_000), "too large to be opened"),
        (saved(FACE), "has no recipe"),
        (saved(FACE, "{"), "JSON is not valid"),
        (saved(FACE, {"version": 2}), "version is not valid"),
        (saved(FACE, {"id": "abc\0"}), "id is not valid"),
        (b"\0" * (4 * 2**20 + 1), "larger than 4 MiB"),
    ],
)
async def test_a_file_that_cannot_be_opened_is_refused_with_the_reason(
    client: Client, data: bytes, expected: str
) -> None:
    assert expected in (await open_file(client, data, 400))["error"]


@pytest.mark.parametrize(
    ("changes", "status", "expected"),
    [
        ({"model": "none"}, 404, "the model none that painted it is not here"),
        ({"generator_sha256": "0" * 64}, 404, "the model tiny here is not the one"),
        ({"latent": "AAAA"}, 400, "latent"),
        ({"latent": base64.b64encode(np.full(8, np.nan, "<f4").tobytes()).decode()}, 400, "latent"),
        ({"conditions": {}}, 400, "conditions"),
        ({"wish": {"hat": "red"}}, 400, "hat"),
        ({"size": 100}, 400, "100"),
        ({"seed": -1}, 400, "seed is not valid"),
    ],
)
async def test_an_invalid_recipe_of_a_deleted_picture_is_not_painted(
    client: Client, changes: dict[str, object], status: int, expected: str
) -> None:
    (avatar,) = await paint(client)
    data = await download(client, avatar)
    await delete(client, avatar)
    assert expected in (await open_file(client, with_recipe(data, **changes), status))["error"]
    assert (await get(client, "/api/avatars"))["avatars"] == []


async def test_a_hidden_picture_is_neither_opened_nor_painted_again(
    client: Client, studio: Studio
) -> None:
    (avatar,) = await paint(client)
    data = await download(client, avatar)
    await studio.avatars.set_hidden(avatar["id"], True)
    assert avatar["id"] in (await open_file(client, data, 404))["error"]


async def test_opening_files_and_proofs_are_limited(serve: Serve) -> None:
    client = await serve(paint_per_minute=2)
    (avatar,) = await paint(client)
    data = await download(client, avatar)
    await open_file(client, data)
    await open_file(client, data, 429)
    await get(client, f"/api/avatars/{avatar['id']}/proof", 429)


async def test_a_proof_says_that_every_pixel_agrees(client: Client, store: Store) -> None:
    for avatar in await paint(client, count=2):
        assert await get(client, f"/api/avatars/{avatar['id']}/proof") == {
            "agreement": "same",
            "largest_difference": 0,
            "mean_difference": 0.0,
            "same_file": True,
        }
        headers = {"Accept": "text/html", "Sec-Fetch-Site": "cross-site"}  # a link elsewhere
        async with client.get(f"/proof/{avatar['id']}", headers=headers) as answer:
            assert answer.status == 200
            assert "every pixel is the same, as is every byte" in await answer.text()
    assert len((await get(client, "/api/avatars"))["avatars"]) == 2
    await get(client, "/proof/22222222", 404)


async def test_a_proof_says_that_a_picture_was_changed(
    client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    (avatar,) = await paint(client)
    changed = np.array(Image.open(io.BytesIO(await download(client, avatar))))

    async def picture(id: str) -> Picture:
        return Picture(saved(Image.fromarray(changed)), "png", 64, 64, "")

    monkeypatch.setattr("db.avatars.AvatarRepository.picture", lambda self, id: picture(id))
    changed[:8] ^= 1
    proof = await get(client, f"/api/avatars/{avatar['id']}/proof")
    assert (proof["agreement"], proof["largest_difference"]) == ("near", 1)
    changed[:8] ^= 128
    assert (await get(client, f"/api/avatars/{avatar['id']}/proof"))["agreement"] == "different"
    async with client.get(f"/proof/{avatar['id']}") as answer:
        assert "the result differs" in await answer.text()
