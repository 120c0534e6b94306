"""Pictures as circles, emoji, stickers and zip files."""

import asyncio
import io
import threading
import zipfile

import numpy as np
import pytest
from PIL import Image

from bot.studio import Studio
from bot.studio.converting import MAX_WAITING
from bot.studio.downloads import PACK_SIZES

from ..conftest import SECONDS, Client
from .conftest import get, image, paint, pixels

pytestmark = pytest.mark.usefixtures("large")


async def test_a_circle_has_transparent_corners_and_the_pictures_pixels(client: Client) -> None:
    (avatar,) = await paint(client)
    cropped = await image(client, f"/images/{avatar['id']}/circle.png")
    assert (cropped.mode, cropped.size) == ("RGBA", (256, 256))
    circle = np.asarray(cropped)
    y, x = np.mgrid[:256, :256] - 127.5
    distance = np.hypot(x, y)
    assert (circle[distance > 129] == 0).all()
    inside = distance < 127
    assert (circle[inside][:, 3] == 255).all()
    assert (circle[inside][:, :3] == (await pixels(client, avatar))[inside]).all()


@pytest.mark.parametrize(
    ("crop", "size", "limit"), [("emoji", 128, 256 * 1024), ("sticker", 320, 512 * 1024)]
)
async def test_emoji_and_stickers_are_as_discord_accepts_them(
    client: Client, crop: str, size: int, limit: int
) -> None:
    (avatar,) = await paint(client)
    async with client.get(f"/images/{avatar['id']}/{crop}.png") as answer:
        data = await answer.read()
        tag = answer.headers["ETag"]
        assert "immutable" in answer.headers["Cache-Control"]
    file = Image.open(io.BytesIO(data))
    assert (file.format, file.size, file.mode) == ("PNG", (size, size), "RGBA")
    assert size * size * 4 < limit  # of any picture, even if nothing can be compressed
    assert len(data) <= limit
    headers = {"If-None-Match": tag}
    async with client.get(f"/images/{avatar['id']}/{crop}.png", headers=headers) as answer:
        assert answer.status == 304
    assert (
        "circle, emoji, sticker"
        in (await get(client, f"/images/{avatar['id']}/x.png", 400))["error"]
    )


async def test_a_pack_has_nine_sizes_and_the_crops(client: Client) -> None:
    (avatar,) = await paint(client)
    name = f"irodori-{avatar['id']}"
    async with client.get(f"/images/{avatar['id']}/pack.zip") as answer:
        assert answer.content_type == "application/zip"
        assert f'filename="{name}.zip"' in answer.headers["Content-Disposition"]
        archive = zipfile.ZipFile(io.BytesIO(await answer.read()))
    sizes = {file: Image.open(io.BytesIO(archive.read(file))).width for file in archive.namelist()}
    assert len(PACK_SIZES) == 9
    assert sizes == {
        f"{name}.png": 256,
        **{f"{name}-{size}.png": size for size in PACK_SIZES},
        f"{name}-circle.png": 256,
        f"{name}-emoji.png": 128,
        f"{name}-sticker.png": 320,
    }


async def test_downloads_are_refused_while_too_many_are_waiting(
    client: Client, studio: Studio
) -> None:
    (avatar,) = await paint(client)
    path = f"/images/{avatar['id']}"
    converted = (f"{path}.png?size=64", f"{path}/circle.png", f"{path}/pack.zip")
    resumed = threading.Event()

    def wait() -> bytes:
        assert resumed.wait(SECONDS), "the test never resumed the conversions"
        return b""

    waiting = [asyncio.create_task(studio.converter.run(wait)) for _ in range(MAX_WAITING)]
    try:
        for url in converted:
            async with client.get(url) as answer:
                assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
        await image(client, f"{path}.png")
        await paint(client)
    finally:
        resumed.set()
        await asyncio.gather(*waiting)
    for url in converted:
        async with client.get(url) as answer:
            assert answer.status == 200


async def test_a_picture_is_enlarged_to_512_pixels_and_looks_the_same(client: Client) -> None:
    (avatar,) = await paint(client)
    path = f"/images/{avatar['id']}/large.png"
    large = await image(client, path)
    assert (large.mode, large.size) == ("RGB", (512, 512))
    halved = np.asarray(large.reduce(2)).astype(int)
    assert np.abs(halved - await pixels(client, avatar)).mean() < 4
    async with client.get(path) as answer:
        headers = {"If-None-Match": answer.headers["ETag"]}
    async with client.get(path, headers=headers) as answer:
        assert answer.status == 304
    assert "no picture" in (await get(client, "/images/xxxxxxxx/large.png", 404))["error"]
