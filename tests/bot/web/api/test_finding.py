"""Searches for a face by choosing."""

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bot.studio import Studio
from db.records import GalleryQuery

from ..conftest import Client, Serve
from .conftest import get, pixels, post

EVERYONE = GalleryQuery(scope="everyone", viewer=None, guild=None, values={})


async def strip(client: Client, sheet: dict[str, Any]) -> np.ndarray:
    async with client.get(sheet["image_url"]) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"].startswith("private")
        return np.asarray(Image.open(io.BytesIO(await answer.read()))).astype(np.int64)


async def test_a_search_from_its_first_sheet_to_the_adopted_face(
    client: Client, studio: Studio
) -> None:
    first = await get(client, "/api/find?prompt=pink+hair")
    assert first["wish"] == {"hair": "pink"}
    assert (first["prompt"], first["choices"], first["model"]) == ("hair:pink", "", "tiny")
    assert (first["round"], first["rounds"], len(first["faces"])) == (1, 4, 9)
    assert {face["conditions"]["hair"] for face in first["faces"]} == {"pink"}
    assert (await strip(client, first)).shape == (64, 9 * 64, 3)

    second = await get(client, f"/api/find?prompt=pink+hair&seed={first['seed']}&choices=31")
    assert (second["round"], second["choices"]) == (2, "13")
    assert (await studio.gallery.page(EVERYONE)).avatars == [], "sheets are not stored"
    faces = await strip(client, second)

    search = {key: second[key] for key in ("prompt", "seed", "model")}
    (avatar,) = await post(client, "/api/find", **search, choices="13.4")
    assert avatar["choices"] == "13.4"
    assert avatar["conditions"] == second["faces"][3]["conditions"]
    shown = faces[:, 3 * 64 : 4 * 64]
    assert np.abs(await pixels(client, avatar) - shown).mean() < 5  # WebP is lossy
    details = await get(client, f"/api/avatars/{avatar['id']}")
    assert details["own"]
    assert details["choices"] == "13.4"


async def test_a_search_is_the_same_for_every_visitor(client: Client, serve: Serve) -> None:
    url = "/api/find?seed=7&choices=1.23"
    sheet = await get(client, url)
    other = await serve()
    assert await get(other, url) == sheet
    np.testing.assert_array_equal(await strip(other, sheet), await strip(client, sheet))


async def test_image_addresses_are_of_this_site_whatever_its_public_url(serve: Serve) -> None:
    sheet = await get(await serve(public_url="https://example.org"), "/api/find")
    assert sheet["image_url"].startswith("/api/find.webp?")


async def test_a_painted_sheet_counts_as_nine_pictures(serve: Serve) -> None:
    client = await serve(paint_per_minute=18)
    for seed in (1, 2):
        sheet = await get(client, f"/api/find?seed={seed}")
        await strip(client, sheet)
    third = await get(client, "/api/find?seed=3")
    assert "rate limit" in (await get(client, third["image_url"], 429))["error"]


async def test_searching_is_painting(serve: Serve) -> None:
    client = await serve(paint="off")
    for url in ("/api/find", "/api/find.webp"):
        assert "turned off" in (await get(client, url, 403))["error"]
    body: dict[str, Any] = {"seed": 7, "choices": "1", "model": "tiny"}
    await post(client, "/api/find", 403, **body)


async def test_mistakes_are_named(client: Client) -> None:
    for url, mistake in (
        ("/api/find?choices=12.x", "12.x"),
        ("/api/find?choices=1.1.1.1", "at most 4"),
        ("/api/find?prompt=bleu+hair", "blue"),
        ("/api/find?sead=1", "sead"),
    ):
        assert mistake in (await get(client, url, 400))["error"]
    body: dict[str, Any] = {"seed": 7, "model": "tiny"}
    for choices in ("", "1.23"):
        error = (await post(client, "/api/find", 400, **body, choices=choices))["error"]
        assert "exactly one" in error


async def test_an_unknown_model_is_named_and_does_not_forge_lines_of_the_log(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    for url in ("/api/find?model=x%0Aforged", "/api/find.webp?model=x%0Aforged"):
        error = (await get(client, url, 404))["error"]
        assert error == "There is no model “x forged”. There are: tiny."
    await post(client, "/api/find", 404, seed=7, choices="1", model="x\nforged")
    assert "\nforged" not in caplog.text
