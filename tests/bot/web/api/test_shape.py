"""Faces moved along latent directions over the API."""

import io
from typing import Any

import pytest
from PIL import Image

from bot.studio import Studio
from db.store import Store

from ..conftest import Client, Serve
from .conftest import get, post
from .test_openapi import checked_answer


async def paint(client: Client) -> Any:
    (avatar,) = await checked_answer(client, "POST", "/api/avatars", json={"prompt": "", "seed": 7})
    return avatar


async def test_shapes_are_read_previewed_and_painted(
    shaped: None, client: Client, store: Store
) -> None:
    url = f"/api/avatars/{(await paint(client))['id']}/shape"
    before = (await checked_answer(client, "GET", url))["shape"]
    assert [*before] == ["hair_length", "smile"]

    preview = await checked_answer(client, "POST", f"{url}/preview", json={"shape": {"smile": 1}})
    with Image.open(io.BytesIO(preview)) as image:
        assert (image.format, image.size) == ("WEBP", (64, 64))
    assert await store.avatars.count() == 1

    (child,) = await checked_answer(client, "POST", url, json={"shape": {"smile": 1}})
    after = await checked_answer(client, "GET", f"/api/avatars/{child['id']}/shape")
    assert after["shape"] == {**before, "smile": 1}


@pytest.mark.parametrize("path", ["shape", "shape/preview"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({}, "shape"),
        ({"shape": "smile"}, 'shape must be an object such as {"hair_length": 0.5}; it is "smile"'),
        ({"shape": {"smile": "1"}}, 'shape.smile must be a number from -1 to 1; it is "1"'),
        ({"shape": {"smile": 1.5}}, "shape.smile must be a number from -1 to 1; it is 1.5"),
        ({"shape": {"smile": None}}, "shape.smile must be a number from -1 to 1; it is null"),
        ({"shape": {"nose": 1}}, "nose"),
        ({"shape": {f"d{number}": 1 for number in range(100)}}, "shape"),
    ],
)
async def test_invalid_shapes_are_refused(
    shaped: None, client: Client, path: str, body: object, text: str
) -> None:
    url = f"/api/avatars/{(await paint(client))['id']}/{path}"
    async with client.post(url, json=body) as answer:
        assert answer.status == 400
        assert text in (await answer.json())["error"]


async def test_previews_are_limited_like_pictures(
    shaped: None, serve: Serve, studio: Studio
) -> None:
    client = await serve(paint_per_minute=2)
    url = f"/api/avatars/{(await paint(client))['id']}/shape/preview"
    body = {"shape": {"smile": 1}}
    await checked_answer(client, "POST", url, json=body)
    async with client.post(url, json=body) as answer:
        assert answer.status == 429


async def test_previews_need_the_right_to_paint(shaped: None, serve: Serve) -> None:
    client = await serve()
    avatar = await paint(client)
    url = f"/api/avatars/{avatar['id']}/shape/preview"
    closed = await serve(paint="off")
    async with closed.post(url, json={"shape": {"smile": 1}}) as answer:
        assert answer.status == 403
    other_site = {"Origin": "https://elsewhere.example"}
    async with client.post(url, json={"shape": {"smile": 1}}, headers=other_site) as answer:
        assert answer.status == 403


async def test_a_model_without_directions(client: Client) -> None:
    url = f"/api/avatars/{(await paint(client))['id']}/shape"
    assert (await checked_answer(client, "GET", url)) == {"shape": {}}
    async with client.post(url, json={"shape": {"smile": 1}}) as answer:
        assert answer.status == 400
        assert "no directions" in (await answer.json())["error"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "shape"), ("POST", "shape"), ("POST", "shape/preview")]
)
async def test_unknown_pictures_are_not_found(client: Client, method: str, path: str) -> None:
    options: dict[str, Any] = {} if method == "GET" else {"json": {"shape": {"smile": 1}}}
    async with client.request(method, f"/api/avatars/22222222/{path}", **options) as answer:
        assert answer.status == 404


async def test_a_search_keeps_the_traits_of_its_prompt(
    shaped: None, client: Client, studio: Studio
) -> None:
    first = await get(client, "/api/find?prompt=pink+hair,+smiling&seed=7")
    assert first["prompt"] == "hair:pink smiling"
    search = {key: first[key] for key in ("prompt", "seed", "model")}
    for number in (1, 9):
        (avatar,) = await post(client, "/api/find", **search, choices=f"2.{number}")
        assert avatar["prompt"] == "hair:pink smiling"
        position = (await get(client, f"/api/avatars/{avatar['id']}/shape"))["shape"]["smile"]
        assert position == pytest.approx(0.75, abs=0.01)
