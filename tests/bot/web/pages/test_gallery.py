"""The gallery, the matrix, the page of a picture, and the visitor's own pictures."""

from pathlib import Path

from aiohttp.test_utils import TestClient, TestServer
from tiny_model import add_model, attribute

from bot.inference.engine import Engine
from bot.settings import EngineSettings, WebSettings
from bot.studio import Request, Studio
from bot.web.app import create_app
from db.records import Owner
from db.store import Store
from export.registry import Registry

from ..conftest import Client, Serve
from .html_page import get


async def test_attributes_may_be_called_as_keys_of_the_gallery(
    tmp_path: Path, store: Store, owner: Owner
) -> None:
    registry = Registry(tmp_path / "models")
    add_model(registry, "other", (attribute("sort", "new old"), attribute("limit", "1 2")))
    registry.use("other")
    engine = await Engine.open(registry, EngineSettings(provider="cpu", threads=1, max_batch=1))
    try:
        studio = Studio(engine, store)
        await studio.painting.create("sort:old limit:1", Request(owner))
        await studio.painting.create("sort:new limit:2", Request(owner))
        async with TestClient(TestServer(create_app(studio, WebSettings()))) as client:
            page = await get(client, "/gallery")
            links = {str(a["href"]) for a in page.all("a")}
            assert {"/gallery?wish.sort=old", "/gallery?wish.limit=1"} <= links
            chosen = await get(client, "/gallery?wish.sort=old&wish.limit=1&sort=loved")
            assert len(chosen.tiles()) == 1
            assert chosen.all("a", href="/gallery?wish.limit=1&sort=loved")
            async with client.get("/api/avatars?wish.limit=2&limit=5") as answer:
                (avatar,) = (await answer.json())["avatars"]
            assert avatar["wish"] == {"sort": "new", "limit": "2"}
    finally:
        await engine.close()


async def test_the_gallery_filtered_and_sorted(
    client: Client, studio: Studio, owner: Owner
) -> None:
    (first,) = await studio.painting.create("hair:pink eyes:red", Request(owner))
    await studio.painting.create("hair:pink eyes:blue", Request(owner), count=3)
    (last,) = await studio.painting.create("hair:green eyes:red", Request(owner))
    await studio.painting.create("hair:pink eyes:red", Request(owner, private=True))
    await studio.avatars.toggle_favorite(first.id, owner)

    newest = await get(client, "/gallery")
    assert len(newest.tiles()) == 5
    assert newest.tiles()[0] == f"/a/{last.id}"
    assert (await get(client, "/gallery?sort=loved")).tiles()[0] == f"/a/{first.id}"
    pink = await get(client, "/gallery?hair=pink&eyes=&sort=new")
    assert len(pink.tiles()) == 4
    links = [str(a["href"]) for a in pink.all("a") if str(a["href"]).startswith("/gallery")]
    assert "/gallery?hair=pink&eyes=red" in links
    red = await get(client, "/gallery?hair=pink&eyes=red")
    assert red.tiles() == [f"/a/{first.id}"]
    assert not (await get(client, "/gallery?hair=red")).tiles()


async def test_the_gallery_is_paged(client: Client, studio: Studio, owner: Owner) -> None:
    for _ in range(6):
        await studio.painting.create("hair:pink", Request(owner), count=9)
    for query in ("", "?hair=pink", "?sort=loved", "?hair=pink&sort=loved"):
        pages = [await get(client, f"/gallery{query}")]
        assert not pages[0].all("a", rel="prev")
        while older := pages[-1].all("a", rel="next"):
            pages.append(await get(client, str(older[0]["href"])))
        assert [len(page.tiles()) for page in pages] == [24, 24, 6]
        assert len({tile for page in pages for tile in page.tiles()}) == 54
        (newer,) = pages[1].all("a", rel="prev")
        assert (await get(client, str(newer["href"]))).tiles() == pages[0].tiles()


async def test_the_matrix_links_to_the_pictures(
    client: Client, studio: Studio, owner: Owner
) -> None:
    first, last = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    page = await get(client, "/matrix")
    links = [a["href"] for a in page.all("a") if str(a["href"]).startswith("/gallery?hair=")]
    assert links == ["/gallery?hair=pink&eyes=red"]
    shown = [str(image["src"]) for image in page.all("img")]
    assert f"/thumbs/{last.id}.webp" in shown
    assert f"/thumbs/{first.id}.webp" not in shown
    assert len(page.all("th")) >= 12 + 10
    turned = await get(client, "/matrix?rows=eyes&columns=hair")
    assert turned.all("a", href="/gallery?eyes=red&hair=pink")
    for query in ("rows=hat", "rows=hair&columns=hair"):
        await get(client, f"/matrix?{query}", 400)


async def test_a_picture_links_to_its_family(client: Client, studio: Studio, owner: Owner) -> None:
    a, b = await studio.painting.create("hair:pink", Request(owner), count=2)
    (child,) = await studio.family.mix(a.id, b.id, Request(owner))
    sibling, *_ = await studio.family.variations(a.id, Request(owner))
    page = await get(client, f"/a/{child.id}")
    for relative in (a, b, sibling):
        assert page.all("a", href=f"/a/{relative.id}")
    await studio.avatars.delete(b.id, owner)
    assert not (await get(client, f"/a/{child.id}")).all("a", href=f"/a/{b.id}")


async def test_an_adopted_picture_links_to_its_sheet(
    client: Client, studio: Studio, owner: Owner
) -> None:
    search = await studio.finding.open("pink hair", 7, choices=((1, 3), (2,)))
    (avatar,) = await studio.finding.adopt(search, 5, Request(owner))
    page = await get(client, f"/a/{avatar.id}")
    assert page.all("a", href="/find?prompt=hair%3Apink&seed=7&choices=13.2&model=tiny")
    assert "seed:7" not in page.text, "another picture has this wish and seed"


async def test_the_gallery_ignores_only_unknown_keys(client: Client) -> None:
    await get(client, "/gallery?hair=nothing&utm_source=x", 400)


async def test_the_visitors_own_pictures_and_favorites(
    client: Client, serve: Serve, studio: Studio, owner: Owner
) -> None:
    (others,) = await studio.painting.create("hair:red", Request(owner))
    assert (await get(client, "/mine")).tiles() == []
    async with client.post("/api/avatars", json={"prompt": "hair:pink"}) as answer:
        (own,) = await answer.json()
    async with client.post(f"/api/avatars/{others.id}/favourite", json={}) as answer:
        assert answer.status == 200
    assert (await get(client, "/mine")).tiles() == [f"/a/{own['id']}"]
    favorites = await get(client, "/mine?scope=favourites")
    assert favorites.tiles() == [f"/a/{others.id}"]
    async with client.get("/api/mine") as answer:
        assert [avatar["id"] for avatar in (await answer.json())["avatars"]] == [own["id"]]
    await studio.avatars.set_hidden(own["id"], hidden=True)
    assert (await get(client, "/mine")).tiles() == []
    stranger = await serve()
    assert (await get(stranger, "/mine")).tiles() == []
    empty = await get(stranger, "/mine?scope=favourites")
    assert "The heart on the page of a picture adds it" in empty.text
