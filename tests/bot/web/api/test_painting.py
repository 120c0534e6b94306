"""Painting, favorites and deletion."""

import asyncio
import gzip
import json
import zlib
from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest
from aiohttp import ClientSession
from paused_engine import PausedEngine, wait_for_queue

from bot.errors import Busy
from bot.inference.engine import Engine
from bot.prompts.parser import MAX_LENGTH
from bot.studio import Request, Studio
from bot.web.requests import MAX_BODY
from bot.web.visitors import COOKIE
from db.records import Owner
from db.store import Store

from ..conftest import Client, Listen, Serve
from .conftest import JSON, get, image, paint, pixels, post


async def test_a_prompt_is_painted(client: Client) -> None:
    (avatar,) = await paint(client, "orange eyes, pink hair", seed=7)
    assert avatar == {
        "id": avatar["id"],
        "prompt": "orange eyes, pink hair",
        "wish": {"hair": "pink", "eyes": "orange"},
        "conditions": {"hair": "pink", "eyes": "orange"},
        "seed": 7,
        "model": "tiny",
        "url": f"/a/{avatar['id']}",
        "image_url": f"/images/{avatar['id']}.png",
        "thumb_url": f"/thumbs/{avatar['id']}.webp",
        "width": 64,
        "height": 64,
        "created": avatar["created"],
        "favourites": 0,
        "parents": [],
        "choices": None,
    }
    assert abs(datetime.now(UTC) - datetime.fromisoformat(avatar["created"])).total_seconds() < 60
    image = await pixels(client, avatar)
    assert image.shape == (64, 64, 3)
    upper, lower = image[:32].mean((0, 1)), image[32:].mean((0, 1))
    assert upper[2] > upper[1]  # pink has more blue than green, orange has less
    assert lower[2] < lower[1]


async def test_the_same_seed_paints_the_same_picture(client: Client) -> None:
    (one,) = await paint(client, "hair:red", seed=4)
    three = await paint(client, "hair:red", seed=3, count=3)
    assert [avatar["seed"] for avatar in three] == [3, 4, 5]
    same, other = await pixels(client, three[1]), await pixels(client, three[2])
    first = await pixels(client, one)
    assert np.abs(first - same).max() <= 1
    assert np.abs(first - other).max() > 1
    assert three[1]["conditions"] == one["conditions"]


async def test_without_a_seed_pictures_differ(client: Client) -> None:
    (one,), (other,) = await paint(client), await paint(client, seed=None)
    assert one["seed"] != other["seed"]
    assert one["wish"] == {}
    assert set(one["conditions"]) == {"hair", "eyes"}


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ({"prompt": "hair:pimk"}, "pink"),
        ({"prompt": 7}, "prompt"),
        ({"prompt": None}, "prompt"),
        ({}, "prompt"),
        ({"prompt": "x" * (MAX_LENGTH + 1)}, str(MAX_LENGTH)),
        ({"prompt": "", "count": 0}, "count"),
        ({"prompt": "", "count": 10}, "count"),
        ({"prompt": "", "count": 2.5}, "count"),
        ({"prompt": "", "count": "2"}, "count"),
        ({"prompt": "", "count": True}, "count"),
        ({"prompt": "", "seed": -1}, "seed"),
        ({"prompt": "", "seed": 2**32}, "seed"),
        ({"prompt": "", "seed": 10**400}, "seed"),
        ({"prompt": "", "seed": "7"}, "seed"),
        ({"prompt": "", "sead": 7}, "sead"),
        ([], "object"),
        ("pink hair", "object"),
    ],
)
async def test_invalid_paint_requests_name_the_key(client: Client, body: object, text: str) -> None:
    async with client.post("/api/avatars", json=body) as answer:
        assert answer.status == 400
        assert text in (await answer.json())["error"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[" * 10_000,
        b'{"prompt": ""} x',
        b'{"prompt": "", "seed": ' + b"9" * 5000 + b"}",
        b'{"prompt": "", "seed": NaN}',
    ],
)
async def test_a_body_that_is_not_json_is_rejected(client: Client, body: bytes) -> None:
    headers = {"content-type": "application/json"}
    async with client.post("/api/avatars", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["error"]


async def test_a_body_with_a_wrong_content_encoding_is_rejected(client: Client) -> None:
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    async with client.post("/api/avatars", data=b'{"prompt": ""}', headers=headers) as answer:
        assert answer.status == 400


async def test_lone_surrogates_in_a_prompt_are_accepted(client: Client) -> None:
    body = b'{"prompt": "\\ud800 hair:pink \\u0000"}'
    headers = {"content-type": "application/json"}
    async with client.post("/api/avatars", data=body, headers=headers) as answer:
        assert answer.status == 201
        (avatar,) = await answer.json()
        assert avatar["wish"] == {"hair": "pink"}


async def test_http_errors_have_fitting_statuses(client: Client) -> None:
    async with client.post("/api/avatars", data=b'{"prompt": ""}') as answer:
        assert answer.status == 415
        assert "application/json" in (await answer.json())["error"]
    async with client.post("/api/avatars", json={"prompt": "x" * 20_000}) as answer:
        assert answer.status == 413
        assert "16 KiB" in (await answer.json())["error"]
    async with client.delete("/api/avatars") as answer:
        assert answer.status == 405
        assert set(answer.headers["Allow"].split(",")) >= {"GET", "POST"}
        assert "DELETE" in (await answer.json())["error"]
    async with client.get("/api/nothing") as answer:
        assert answer.status == 404
        assert "/api/nothing" in (await answer.json())["error"]


async def test_a_full_queue_answers_with_retry_after(
    client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*args: object, **kwargs: object) -> None:
        raise Busy(2.4)

    monkeypatch.setattr(studio.painting, "create", busy)
    async with client.post("/api/avatars", json={"prompt": ""}) as answer:
        assert answer.status == 503
        assert answer.headers["Retry-After"] == "3"
        assert (await answer.json())["error"]


async def test_internal_errors_do_not_leak_details(
    client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError("/home/secret")

    monkeypatch.setattr(studio.painting, "create", broken)
    async with client.post("/api/avatars", json={"prompt": ""}) as answer:
        assert answer.status == 500
        assert "secret" not in (await answer.json())["error"]


async def test_the_path_of_an_internal_error_forges_no_lines_of_the_log(
    client: Client,
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def broken(*args: object, **kwargs: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(studio.avatars, "get", broken)
    await get(client, "/api/avatars/x%0Aforged", 500)
    assert "x\\nforged" in caplog.text
    assert "\nforged" not in caplog.text


async def test_a_prompt_is_parsed(client: Client) -> None:
    async with client.get("/api/wish", params={"prompt": "blue eyes, blond hair"}) as answer:
        assert await answer.json() == {
            "wish": {"hair": "blonde", "eyes": "blue"},
            "shape": {},
            "prompt": "hair:blonde eyes:blue",
            "unused": [],
        }
    async with client.get("/api/wish", params={"prompt": "pimk hair"}) as answer:
        assert answer.status == 400


async def test_a_parsed_prompt_names_what_is_not_used(client: Client) -> None:
    read = await get(client, "/api/wish?prompt=male,+pink+hair,+sunglasses")
    assert (read["prompt"], read["unused"]) == ("hair:pink", ["male", "sunglasses"])


async def test_json_is_utf8_and_round_trips(client: Client) -> None:
    (avatar,) = await paint(client, "pink hair ✿")
    async with client.get("/api/avatars") as answer:
        assert json.loads(await answer.read())["avatars"] == [avatar]


async def test_favorites_belong_to_the_visitor(client: Client) -> None:
    (avatar,) = await paint(client)
    path = f"/api/avatars/{avatar['id']}"
    assert await post(client, f"{path}/favourite", 200) == {"favourite": True, "favourites": 1}
    assert (await get(client, path))["favourite"]
    client.session.cookie_jar.clear()
    assert not (await get(client, path))["favourite"]
    async with client.post(f"{path}/favourite", json={}) as answer:
        assert answer.cookies[COOKIE]["httponly"]
        assert await answer.json() == {"favourite": True, "favourites": 2}
    assert await post(client, f"{path}/favourite", 200) == {"favourite": False, "favourites": 1}
    (other,) = await paint(client)
    loved = await get(client, "/api/avatars?sort=loved")
    assert [(a["id"], a["favourites"]) for a in loved["avatars"]] == [
        (avatar["id"], 1),
        (other["id"], 0),
    ]


async def test_visitors_can_delete_only_their_own_pictures(client: Client, store: Store) -> None:
    (avatar,) = await paint(client)
    await image(client, avatar["thumb_url"])
    mine = {cookie.key: cookie.value for cookie in client.session.cookie_jar}
    client.session.cookie_jar.clear()
    for _ in range(2):  # without a cookie, and with the cookie of another visitor
        async with client.delete(f"/api/avatars/{avatar['id']}", headers=JSON) as answer:
            assert answer.status == 403
        await paint(client)
    assert await store.avatars.get(avatar["id"])
    url = f"/api/avatars/{avatar['id']}"
    async with client.delete(url, headers=JSON, cookies=mine) as answer:
        assert answer.status == 204
        assert await answer.read() == b""
    for path in (url, avatar["image_url"], avatar["thumb_url"], avatar["url"]):
        await get(client, path, 404)


@pytest.mark.parametrize(
    ("path", "body", "text"),
    [
        ("again", {"seed": "7"}, "seed"),
        ("again", {"sead": 7}, "sead"),
        ("recolour", {}, "wish"),
        ("recolour", {"wish": "blue"}, "wish"),
        ("recolour", {"wish": {"hair": 7}}, "wish.hair"),
        ("recolour", {"wish": {"hair": "bleu"}}, "blue"),
        ("recolour", {"wish": {}}, "change"),
        ("variations", [], "object"),
        ("favourite", {"favourite": True}, "favourite"),
    ],
)
async def test_invalid_bodies_name_the_key(
    client: Client, path: str, body: object, text: str
) -> None:
    (avatar,) = await paint(client)
    async with client.post(f"/api/avatars/{avatar['id']}/{path}", json=body) as answer:
        assert answer.status == 400
        assert text in (await answer.json())["error"]


async def test_a_key_that_appears_twice_is_rejected(client: Client) -> None:
    body = b'{"prompt": "hair:pink", "prompt": "hair:blue"}'
    async with client.post("/api/avatars", data=body, headers=JSON) as answer:
        assert answer.status == 400
        assert await answer.json() == {"error": '"prompt" is given more than once'}


@pytest.mark.parametrize(
    ("encoding", "status"),
    [("gzip", 400), ("deflate", 400), ("br", 415), ("zstd", 415), ("nonsense", 415)],
)
async def test_a_body_in_another_encoding_gets_an_error_in_json(
    listen: Listen, encoding: str, status: int
) -> None:
    server = await listen()
    headers = JSON | {"content-encoding": encoding}
    url = f"{server.url}/api/avatars"
    async with (
        ClientSession() as session,
        session.post(url, data=b'{"prompt": ""}', headers=headers) as answer,
    ):
        assert answer.status == status
        assert answer.content_type == "application/json"
        assert (await answer.json())["error"]


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", raw_deflate)],
)
async def test_compressed_bodies_are_read_up_to_the_limit(
    client: Client, encoding: str, compress: Callable[[bytes], bytes]
) -> None:
    headers = JSON | {"content-encoding": encoding}
    for spaces, cut, status in ((0, 0, 201), (0, 5, 400), (MAX_BODY, 0, 413)):
        body = compress(b'{"prompt": ""}' + b" " * spaces)
        body = body[: len(body) - cut]
        async with client.post("/api/avatars", data=body, headers=headers) as answer:
            assert answer.status == status
            assert answer.content_type == "application/json"


@pytest.mark.parametrize("charset", ["utf-16", "nonsense"])
async def test_a_body_is_utf8_whatever_its_content_type_says(client: Client, charset: str) -> None:
    headers = {"content-type": f"application/json; charset={charset}"}
    async with client.post("/api/avatars", data=b'{"prompt": ""}', headers=headers) as answer:
        assert answer.status == 201


async def test_favorites_are_limited_per_address(serve: Serve) -> None:
    client = await serve(paint_per_minute=3)
    (avatar,) = await paint(client)
    for status in (200, 200, 429):
        client.session.cookie_jar.clear()
        await post(client, f"/api/avatars/{avatar['id']}/favourite", status)


async def test_the_place_in_the_queue(
    client: Client, engine: Engine, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    await paint(client)  # so that the client has the cookie of a visitor
    assert await get(client, "/api/queue") == {"before": 0}
    paused = PausedEngine(engine, monkeypatch)
    other = asyncio.create_task(studio.painting.create("", Request(Owner("discord", "1"))))
    await paused.batch_started()
    own = asyncio.create_task(paint(client, count=2))
    await wait_for_queue(engine, 2)
    assert await get(client, "/api/queue") == {"before": 1}
    client.session.cookie_jar.clear()
    assert await get(client, "/api/queue") == {"before": 0}
    paused.resume()
    await asyncio.gather(other, own)
