import re
from pathlib import Path

import pytest
from aiohttp import ClientSession, FormData
from aiohttp.test_utils import TestClient, TestServer
from aiohttp.web import TCPSite
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
from .html_page import Page, get


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
            if attributes.get("rel") == "alternate":  # absolute, for search engines
                continue
            assert tag != "style"
            assert not any(name == "style" or name.startswith("on") for name in attributes), tag
            for name in ("src", "href", "action"):
                assert re.match(r"[/#?](?!/)", attributes.get(name) or "/"), (tag, attributes)
        assert all("src" in script for script in page.scripts())


async def test_links_of_the_page_exist(client: Client) -> None:
    page = await get(client, "/")
    files = [a["href"] for a in page.all("link") if a["rel"] in ("icon", "stylesheet")]
    files += [a["src"] for a in page.scripts()]
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


async def test_the_page_of_a_picture_by_a_retired_model_says_so(
    client: Client, registry: Registry, engine: Engine, studio: Studio, owner: Owner
) -> None:
    (avatar,) = await studio.painting.create("hair:pink", Request(owner), seed=7)
    add_model(registry, "newer")
    registry.use("newer")
    await engine.refresh()
    async with client.get(f"/a/{avatar.id}") as answer:
        page = Page(await answer.text())
    assert "tiny (no longer in use" in page.text
    assert "/avatar hair:pink" in page.text
    assert "seed:7" not in page.text, "it would paint another face"


async def test_links_of_a_picture_have_no_values_that_the_model_in_use_lacks(
    client: Client, registry: Registry, engine: Engine, studio: Studio, owner: Owner
) -> None:
    (avatar,) = await studio.painting.create("hair:pink eyes:red", Request(owner))
    add_model(registry, "newer", (attribute("hair", "pink green"),))
    registry.use("newer")
    await engine.refresh()
    page = await get(client, f"/a/{avatar.id}")
    assert "red eyes" in page.text
    assert page.all("a", href="/gallery?hair=pink")
    links = [str(a["href"]) for a in page.all("a")]
    assert not [link for link in links if "eyes" in link]
    for link in {link for link in links if link.startswith(("/gallery?", "/?"))}:
        await get(client, link)


@pytest.mark.usefixtures("shaped")
@pytest.mark.parametrize(
    ("form", "prompt"),
    [
        ({"prompt": "", "wish.hair": "red", "wish.eyes": "orange"}, "hair:red eyes:orange"),
        ({"prompt": "pink hair"}, "pink hair"),
        ({"prompt": "pink hair", "wish.hair": "red", "wish.eyes": ""}, "pink hair"),
        ({"prompt": "a smiling girl", "wish.hair": "red"}, "hair:red smiling"),
    ],
)
async def test_swatches_that_are_chosen_without_javascript_are_part_of_the_prompt(
    client: Client, store: Store, form: dict[str, str], prompt: str
) -> None:
    async with client.post("/paint", data=form) as answer:
        avatar = await store.avatars.get(answer.url.path.removeprefix("/a/"))
    assert avatar is not None
    assert avatar.prompt == prompt


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
        assert all(script.get("src") for script in page.scripts())
        assert "{{" in html or "49" not in page.text
    form = {"prompt": f"pink hair {text}"}
    async with client.post("/paint", data=form, headers={"Accept": "text/html"}) as answer:
        page = Page(await answer.text())
    assert all(script.get("src") for script in page.scripts())
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


@pytest.mark.parametrize(
    "path", ["/", "/find", "/gallery", "/matrix", "/mine", "/wear", "/privacy"]
)
async def test_keys_that_other_sites_add_to_links_are_ignored(client: Client, path: str) -> None:
    await get(client, f"{path}?utm_source=a&utm_source=b&fbclid=1")


@pytest.mark.parametrize("path", ["/gallery", "/find", "/matrix", "/mine", "/wear", "/terms"])
async def test_a_slash_at_the_end_redirects(client: Client, path: str) -> None:
    url = f"{path}/?sort=loved"
    async with client.get(url, allow_redirects=False) as answer:
        assert answer.status == 308
        assert answer.headers["Location"] == f"{path}?sort=loved"
