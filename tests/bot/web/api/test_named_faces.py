"""Faces by name: `/avatar/<name>.png`."""

import asyncio
import hashlib

import numpy as np
import numpy.typing as npt
import pytest
from aiohttp.test_utils import TestClient, TestServer
from tiny_model import COLORS, add_model

from bot.inference.engine import Engine
from bot.settings import EngineSettings, WebSettings
from bot.studio import Studio
from bot.studio.named_faces import CACHE_BYTES
from bot.web.app import create_app
from db.store import Store
from export.registry import Registry

from ..conftest import Client, Serve
from .conftest import get, image, paint, pixels


async def read(client: Client, path: str) -> bytes:
    async with client.get(path) as answer:
        assert answer.status == 200, await answer.text()
        return await answer.read()


async def face_of(client: Client, path: str) -> npt.NDArray[np.int64]:
    return np.asarray(await image(client, path)).astype(np.int64)


async def test_a_name_always_gives_the_same_face_which_is_not_stored(
    client: Client,
    studio: Studio,
    registry: Registry,
    engine_settings: EngineSettings,
    store: Store,
) -> None:
    nelly, other = await read(client, "/avatar/nelly.png"), await read(client, "/avatar/other.png")
    assert nelly != other
    assert await read(client, "/avatar/nelly.png") == nelly
    assert (await get(client, "/api/avatars"))["avatars"] == []
    restarted = await Engine.open(registry, engine_settings)
    app = create_app(Studio(restarted, store), WebSettings())
    async with TestClient(TestServer(app)) as again:
        assert await read(again, "/avatar/nelly.png") == nelly
    await restarted.close()


async def test_the_face_of_a_name_is_that_of_its_seed(client: Client) -> None:
    seed = int.from_bytes(hashlib.sha256(b"name:nelly").digest()[:4], "big")
    (avatar,) = await paint(client, seed=seed)
    assert (await face_of(client, "/avatar/nelly.png") == await pixels(client, avatar)).all()
    (avatar,) = await paint(client, "hair:pink", seed=seed)
    pink = await face_of(client, "/avatar/hair:pink/nelly.png")
    assert (pink == await pixels(client, avatar)).all()
    assert np.abs(pink[:32].mean((0, 1)) - COLORS["pink"]).max() < 30


async def test_several_values_are_separated_by_commas(client: Client) -> None:
    both = await face_of(client, "/avatar/hair:pink,eyes:blue/nelly.png")
    assert (both == await face_of(client, "/avatar/pink%20hair%20blue%20eyes/nelly.png")).all()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Nelly", "nelly"),
        ("%20nelly%20", "nelly"),
        ("zo%C3%AB", "ZOE%CC%88"),  # composed, and decomposed in upper case
        ("%E3%83%8D%E3%83%AA%E3%83%BC", "ネリー"),
    ],
)
async def test_spellings_of_a_name_give_one_face(client: Client, one: str, other: str) -> None:
    assert await read(client, f"/avatar/{one}.png") == await read(client, f"/avatar/{other}.png")


@pytest.mark.parametrize(
    "name", ["a.b.png", "a%2Fb", "%7Bid%7D", "%F0%9F%8C%B8", "%ED%A0%80", "%25"]
)
async def test_any_text_is_a_name(client: Client, name: str) -> None:
    assert await read(client, f"/avatar/{name}.png") != await read(client, "/avatar/a.png")


async def test_files_come_in_formats_and_sizes(client: Client) -> None:
    whole = await image(client, "/avatar/nelly.png")
    assert (whole.format, whole.size) == ("PNG", (64, 64))
    webp = await image(client, "/avatar/nelly.webp")
    assert (webp.format, webp.size) == ("WEBP", (64, 64))
    small = await image(client, "/avatar/nelly.png?size=32")
    means = np.asarray(whole).astype(int).reshape(32, 2, 32, 2, 3).mean((1, 3))
    assert np.abs(np.asarray(small).astype(int) - means).max() <= 1
    assert (await image(client, "/avatar/nelly.png?size=512")).size == (64, 64)  # not enlarged


@pytest.mark.usefixtures("large")
async def test_a_model_with_an_upscaler_gives_its_largest_picture(client: Client) -> None:
    assert (await image(client, "/avatar/nelly.png")).size == (256, 256)


async def test_a_pinned_face_outlives_a_change_of_the_model(
    client: Client, engine: Engine, registry: Registry
) -> None:
    old = await read(client, "/avatar/nelly.png")
    add_model(registry, "brighter", brightness=0.5)
    registry.use("brighter")
    await engine.refresh()
    new = await read(client, "/avatar/nelly.png")
    assert new != old
    assert await read(client, "/avatar/v/tiny/nelly.png") == old
    assert await read(client, "/avatar/v/brighter/nelly.png") == new
    pink = await read(client, "/avatar/v/tiny/hair:pink/nelly.png")
    assert pink not in (old, await read(client, "/avatar/hair:pink/nelly.png"))


@pytest.mark.parametrize(
    ("path", "status", "expected"),
    [
        ("nelly.jpg", 400, "the address must end with .png or .webp; it ends with .jpg"),
        ("nelly.png?size=15", 400, "size must be a whole number from 16 to 512; it is 15"),
        ("nelly.png?big=1", 400, 'unknown key "big"; valid keys: size'),
        ("%20.png", 400, "The name is empty: write one, as in /avatar/nelly.png."),
        (f"{'n' * 101}.png", 400, "A name has at most 100 characters; this one has 101."),
        ("hair:bleu/nelly.png", 400, "blue"),
        ("v/none/nelly.png", 404, "There is no model “none”. There are: tiny."),
        ("v/..%2Ftiny/nelly.png", 404, "There are: tiny."),
    ],
)
async def test_errors_say_what_would_be_right(
    client: Client, path: str, status: int, expected: str
) -> None:
    async with client.get(f"/avatar/{path}", headers={"Accept": "text/html"}) as answer:
        assert answer.status == status
        assert expected in (await answer.json())["error"]
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Cache-Control" not in answer.headers


async def test_pinned_faces_are_cached_for_ever_and_others_revalidated(client: Client) -> None:
    for path, expected in (
        ("/avatar/nelly.png", "public, max-age=3600, must-revalidate"),
        ("/avatar/v/tiny/nelly.png", "public, max-age=31536000, immutable"),
    ):
        async with client.get(path) as answer:
            assert answer.headers["Cache-Control"] == expected
            assert "Set-Cookie" not in answer.headers
            tag = answer.headers["ETag"]
        async with client.get(path, headers={"If-None-Match": tag}) as answer:
            assert (answer.status, await answer.read()) == (304, b"")
            assert answer.headers["Cache-Control"] == expected
            assert answer.headers["Access-Control-Allow-Origin"] == "*"


async def test_only_faces_by_name_are_open_to_other_sites(client: Client) -> None:
    (avatar,) = await paint(client)
    elsewhere = {"Origin": "https://forum.example", "Sec-Fetch-Site": "cross-site"}
    async with client.get("/avatar/nelly.png", headers=elsewhere) as answer:
        assert answer.status == 200
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    for path in ("/", "/api/avatars", avatar["image_url"], avatar["thumb_url"], "/wear"):
        async with client.get(path, headers=elsewhere) as answer:
            assert "Access-Control-Allow-Origin" not in answer.headers


async def test_new_faces_are_limited_per_address(serve: Serve) -> None:
    client = await serve(named_faces_per_minute=2, paint_per_minute=1)
    for name in ("a", "b", "a", "b"):  # the last two are in memory
        await read(client, f"/avatar/{name}.png")
    async with client.get("/avatar/c.png") as answer:
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0
    await paint(client)  # has its own limit


async def test_loading_an_older_model_counts_as_many_faces(
    serve: Serve, engine: Engine, registry: Registry
) -> None:
    add_model(registry, "older")
    add_model(registry, "oldest")
    client = await serve(named_faces_per_minute=61)
    await read(client, "/avatar/v/older/a.png")
    await read(client, "/avatar/v/older/b.png")  # is loaded now
    async with client.get("/avatar/v/oldest/a.png") as answer:
        assert answer.status == 429


async def test_without_painting_there_are_no_new_faces(serve: Serve) -> None:
    client = await serve(paint="off")
    assert "turned off" in (await get(client, "/avatar/nelly.png", 403))["error"]


async def test_a_face_that_many_want_at_once_is_painted_once(
    client: Client, engine: Engine, studio: Studio
) -> None:
    painted = engine.stats.pictures
    files = await asyncio.gather(
        *(read(client, f"/avatar/nelly.{format}") for format in ("png", "webp") for _ in range(8))
    )
    assert len(set(files)) == 2
    assert engine.stats.pictures == painted + 1


async def test_the_memory_for_faces_is_bounded(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert CACHE_BYTES <= 64 * 2**20
    faces = studio.named_faces
    first = await faces.paint(faces.identify("first"), "user")
    monkeypatch.setattr("bot.studio.named_faces.CACHE_BYTES", len(first.data) * 5 // 2)
    await faces.paint(faces.identify("second"), "user")
    assert faces.cached(faces.identify("first")) is not None  # the last used
    await faces.paint(faces.identify("third"), "user")
    assert faces.cached(faces.identify("second")) is None
    assert faces.cached(faces.identify("first")) == first
