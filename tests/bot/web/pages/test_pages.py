import io
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from aiohttp import ClientSession, FormData
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import TCPSite
from PIL import Image
from tiny_model import EYES, add_model, attribute

from bot.inference.engine import Engine
from bot.settings import EngineSettings, WebSettings
from bot.studio import Request, Studio
from bot.web.app import create_app, create_runner
from bot.web.visitors import COOKIE
from db.records import Owner
from db.store import Store
from export.manifest import Attribute
from export.registry import Registry

from ..conftest import Client, Serve


class Page(HTMLParser):
    """Parses a page into tags as (name, attributes), and text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **attributes: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and attributes.items() <= a.items()]

    def swatches(self) -> list[dict[str, str | None]]:
        return [a for a in self.all("input", type="radio") if "wish." in (a.get("name") or "")]

    def tiles(self) -> list[str]:
        hrefs = [str(a["href"]) for a in self.all("a") if a.get("class") == "tile"]
        return [href for href in hrefs if href != "/a/"]  # the href of the template


async def get(client: Client, path: str, status: int = 200) -> Page:
    async with client.get(path, headers={"Accept": "text/html"}) as answer:
        assert answer.status == status, await answer.text()
        assert answer.content_type == "text/html"
        return Page(await answer.text())


async def test_the_studio_page_offers_the_models_values(client: Client) -> None:
    page = await get(client, "/")
    swatches = [a["value"] for a in page.all("input", type="radio", name="wish.eyes")]
    assert swatches == ["", *EYES.values]
    assert "Paint the first one" in page.text
    assert not page.all("button", type="submit")[0].get("disabled")


async def test_pages_have_no_inline_or_foreign_content(
    client: Client, studio: Studio, owner: Owner
) -> None:
    (avatar,) = await studio.painting.create("hair:pink", Request(owner))
    for path, status in (("/", 200), ("/find", 200), (f"/a/{avatar.id}", 200), ("/nothing", 404)):
        page = await get(client, path, status)
        for tag, attributes in page.tags:
            assert tag != "style"
            assert not any(name == "style" or name.startswith("on") for name in attributes), tag
            for name in ("src", "href", "action"):
                assert re.match(r"[/#](?!/)", attributes.get(name) or "/"), (tag, attributes)
        assert all("src" in script for script in page.all("script"))


async def test_links_of_the_page_exist(client: Client) -> None:
    page = await get(client, "/")
    files = [a["href"] for a in page.all("link") if a["rel"] != "manifest"]
    files += [a["src"] for a in page.all("script")]
    assert len(files) >= 3
    for file in files:
        async with client.get(str(file)) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
            tag = answer.headers["ETag"]
    async with client.get(str(file), headers={"If-None-Match": tag}) as answer:
        assert answer.status == 304
    async with client.get("/static/older/style.css") as answer:
        assert answer.headers["Cache-Control"] == "no-cache"
    for path in ("/static/../app.py", "/static/x/../../app.py", "/static/x/%2e%2e/app.py"):
        async with client.get(path) as answer:
            assert answer.status == 404


async def test_painting_without_javascript(client: Client, store: Store) -> None:
    form = {"prompt": "hair:pink", "wish.hair": "red", "wish.eyes": "orange", "seed": " 7 "}
    async with client.post("/paint", data=form) as answer:
        assert answer.status == 200
        assert COOKIE in answer.history[0].cookies
        id = answer.url.path.removeprefix("/a/")
        page = Page(await answer.text())
    avatar = await store.avatars.get(id)
    assert avatar is not None
    assert (avatar.wish, avatar.seed) == ({"hair": "pink", "eyes": "orange"}, 7)
    assert page.all("img", src=f"/images/{id}.png", alt="pink hair, orange eyes")
    assert re.search(r"seed\W*7\D.*model\W*tiny", page.text, re.IGNORECASE | re.DOTALL)


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"prompt": "hair:pimk <b>", "seed": "3"}, "Did you mean pink"),
        ({"prompt": "", "seed": "x<b>"}, "seed must be a whole number"),
        ({"prompt": "", "seed": str(2**32)}, "seed must be"),
        ({"prompt": "", "wish.hat": "red"}, "hat"),
    ],
)
async def test_an_error_without_javascript_keeps_the_form_values(
    client: Client, form: dict[str, str], error: str
) -> None:
    async with client.post("/paint", data=form, headers={"Accept": "text/html"}) as answer:
        assert answer.status == 400
        html = await answer.text()
    page = Page(html)
    assert error in page.text
    assert page.all("input", id="prompt")[0]["value"] == form["prompt"]
    assert page.all("input", id="seed")[0]["value"] == form.get("seed", "")
    assert "<b>" not in html


async def test_uploaded_files_are_ignored(client: Client) -> None:
    upload = FormData()
    upload.add_field("prompt", b"pink hair", filename="prompt.txt")
    async with client.post("/paint", data=upload) as answer:
        assert answer.status == 200  # read as a form without prompt
    async with client.post("/paint", data={"prompt": "x" * 20_000}) as answer:
        assert answer.status == 413


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/x-www-form-urlencoded", b"prompt=\xff\xfe"),
        ("application/x-www-form-urlencoded; charset=klingon", b"prompt=pink"),
        ("multipart/form-data", b"prompt"),
        ("multipart/form-data; boundary=a", b"prompt"),
        ("multipart/form-data; boundary=a", b"--a\r\n\r\nprompt\r\n--a--\r\n"),
    ],
)
async def test_an_unreadable_form_is_a_bad_request(
    client: Client, content_type: str, body: bytes
) -> None:
    headers = {"content-type": content_type}
    async with client.post("/paint", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert "form" in (await answer.json())["error"]


async def test_a_link_can_fill_in_the_form(client: Client) -> None:
    page = await get(client, "/?prompt=blue+eyes&seed=5")
    assert page.all("input", id="prompt")[0]["value"] == "blue eyes"
    assert page.all("input", id="seed")[0]["value"] == "5"
    checked = [a["value"] for a in page.swatches() if "checked" in a]
    assert checked == ["", "blue"]
    page = await get(client, "/?prompt=pimk+hair", status=400)
    assert "Did you mean pink?" in page.text


async def test_the_studio_shows_the_newest(client: Client, studio: Studio, owner: Owner) -> None:
    for _ in range(2):
        *_, last = await studio.painting.create("hair:pink", Request(owner), count=9)
    tiles = (await get(client, "/?any=thing&cursor=x")).tiles()
    assert (len(tiles), tiles[0]) == (12, f"/a/{last.id}")


async def test_error_pages_link_back(client: Client) -> None:
    for path, status in (
        ("/a/2222bbbb", 404),
        ("/gallery?cursor=x", 400),
        ("/gallery?hair=pimk", 400),
        ("/gallery?sort=best", 400),
        ("/gallery?hair=red&hair=pink", 400),
        ("/?prompt=a&prompt=b", 400),
    ):
        page = await get(client, path, status)
        assert page.all("a", href="/")
        assert page.text.strip()


async def test_the_first_page_sets_the_cookie(client: Client) -> None:
    async with client.get("/") as answer:
        assert answer.cookies[COOKIE]["httponly"]
        assert "private" in answer.headers["Cache-Control"]
    async with client.get("/") as answer:
        assert COOKIE not in answer.cookies


async def test_the_page_says_that_painting_is_turned_off(serve: Serve) -> None:
    client = await serve(paint="off")
    page = await get(client, "/")
    assert "disabled" in page.all("button", type="submit")[0]
    async with client.post("/paint", headers={"Accept": "text/html"}) as answer:
        assert answer.status == 403
        assert "turned off" in await answer.text()


async def test_a_shared_link_shows_its_picture(serve: Serve, studio: Studio, owner: Owner) -> None:
    client = await serve(public_url="https://irodori.example/")
    (avatar,) = await studio.painting.create("hair:pink eyes:red", Request(owner))
    page = await get(client, f"/a/{avatar.id}")
    (image,) = page.all("meta", property="og:image")
    assert image["content"] == f"https://irodori.example/images/{avatar.id}.png"
    assert page.all("a", href="/?prompt=hair%3Apink+eyes%3Ared")


@pytest.mark.parametrize(
    "attributes",
    [
        (attribute("smile", "yes no"), attribute('g"<i>lasses', "round <b>")),
        (),
    ],
)
async def test_any_model_has_a_page(
    tmp_path: Path, store: Store, attributes: tuple[Attribute, ...]
) -> None:
    registry = Registry(tmp_path / "models")
    add_model(registry, "other", attributes)
    registry.use("other")
    engine = await Engine.open(registry, EngineSettings(provider="cpu", threads=1, max_batch=1))
    try:
        studio = Studio(engine, store)
        async with TestClient(TestServer(create_app(studio, WebSettings()))) as client:
            async with client.post("/paint", data={"prompt": ""}) as answer:
                assert answer.status == 200
                assert "<b>" not in await answer.text()
            page = await get(client, "/")
            assert len(page.tiles()) == 1
            assert not page.all("b")
            assert not page.all("i")
            assert len(page.swatches()) == 3 * len(attributes)
    finally:
        await engine.close()


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


async def test_the_find_page_says_that_painting_is_turned_off(serve: Serve) -> None:
    page = await get(await serve(paint="off"), "/find")
    assert "Painting is turned off" in page.text
    assert all("disabled" in button for button in page.all("button"))


@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=x>', "{{ 7*7 }}", "粉色 ✿ ‮abc"]
)
async def test_prompts_are_escaped(client: Client, text: str) -> None:
    for url in ("/", "/gallery", "/matrix"):
        key = {"/": "prompt", "/gallery": "hair", "/matrix": "rows"}[url]
        async with client.get(url, params={key: text}, headers={"Accept": "text/html"}) as answer:
            html = await answer.text()
            assert answer.status in (200, 400)
        page = Page(html)
        assert not [image for image in page.all("img") if "onerror" in image]
        assert all(script.get("src") for script in page.all("script"))
        assert "{{" in html or "49" not in page.text
    form = {"prompt": f"pink hair {text}"}
    async with client.post("/paint", data=form, headers={"Accept": "text/html"}) as answer:
        page = Page(await answer.text())
    assert all(script.get("src") for script in page.all("script"))
    assert not [image for image in page.all("img") if "onerror" in image]


async def test_malformed_http_is_answered_and_logged_in_one_line(
    studio: Studio, engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    """Starts the server as `python -m bot` does."""
    runner = create_runner(create_app(studio, WebSettings()))
    await runner.setup()
    await TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with ClientSession(headers={"Accept": "text/html"}) as session:
            for path in ("/?prompt=", "/gallery?hair=", "/api/wish?prompt=", "/a/"):
                async with session.get(url + path + "x" * 100_000) as answer:
                    assert answer.status == (404 if path == "/a/" else 400)
                    json = path.startswith("/api/")
                    assert answer.content_type == ("application/json" if json else "text/html")
            async with session.get(url + "/?prompt=" + "x" * 1_000_000) as answer:
                assert answer.status == 400
            for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
                async with session.request(method, url + "/gallery") as answer:
                    assert (answer.status, answer.content_type) == (405, "text/html")
    finally:
        await runner.cleanup()
    assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 1
    assert not any(record.exc_info for record in caplog.records)


async def test_the_wear_page_shows_a_name_and_lines_to_copy(client: Client) -> None:
    page = await get(client, "/wear?name=Zo%C3%AB&values=hair:pink")
    (face,) = page.all("img", id="face")
    assert face["src"] == "/avatar/hair:pink/Zo%C3%AB.png"
    address = str(client.make_url("/")).rstrip("/") + str(face["src"])
    for line in (f"[img]{address}[/img]", f"![Zoë]({address})", f'<img src="{address}"'):
        assert line in page.text
    assert address.replace("/avatar/", "/avatar/v/tiny/") in page.text
    async with client.get(str(face["src"])) as answer:
        assert answer.status == 200
    assert "blue" in (await get(client, "/wear?values=hair:bleu", 400)).text


@pytest.mark.parametrize("path", ["/", "/find", "/gallery", "/matrix"])
async def test_keys_that_other_sites_add_to_links_are_ignored(client: Client, path: str) -> None:
    await get(client, f"{path}?utm_source=a&utm_source=b&fbclid=1")


async def test_the_gallery_ignores_only_unknown_keys(client: Client) -> None:
    await get(client, "/gallery?hair=nothing&utm_source=x", 400)


@pytest.mark.parametrize("path", ["/gallery", "/find", "/matrix"])
async def test_a_slash_at_the_end_redirects(client: Client, path: str) -> None:
    url = f"{path}/?sort=loved"
    async with client.get(url, allow_redirects=False) as answer:
        assert answer.status == 308
        assert answer.headers["Location"] == f"{path}?sort=loved"


async def test_the_morph_of_the_first_visit_is_painted_once(client: Client, studio: Studio) -> None:
    async with client.get("/welcome.webp") as answer:
        assert (answer.status, answer.content_type) == (200, "image/webp")
        with Image.open(io.BytesIO(await answer.read())) as morph:
            assert getattr(morph, "n_frames", 1) > 30
    painted = studio.engine_stats.pictures
    for path in ("/welcome.webp", "/welcome-still.webp", "/welcome.webp"):
        async with client.get(path) as answer:
            assert answer.status == 200
    with Image.open(io.BytesIO(await (await client.get("/welcome-still.webp")).read())) as still:
        assert getattr(still, "n_frames", 1) == 1
    assert studio.engine_stats.pictures == painted


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


async def test_files_for_browsers_and_search_engines(serve: Serve) -> None:
    client = await serve(public_url="https://faces.example.org")
    async with client.get("/robots.txt") as answer:
        assert "Disallow: /admin" in await answer.text()
    async with client.get("/manifest.webmanifest") as answer:
        assert answer.content_type == "application/manifest+json"
        manifest = await answer.json()
    async with client.get(manifest["icons"][0]["src"]) as answer:
        assert answer.content_type == "image/svg+xml"
    for path in ("/", "/gallery"):
        page = await get(client, path)
        image = {"property": "og:image", "content": "https://faces.example.org/welcome-still.webp"}
        assert page.all("meta", **image)
        assert page.all("link", rel="manifest")
