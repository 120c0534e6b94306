import re
from html.parser import HTMLParser

import pytest
from aiohttp import FormData
from aiohttp.test_utils import TestClient, TestServer
from tiny_model import EYES, add_model, attribute

from bot.engine import Engine
from bot.settings import EngineSettings, WebSettings
from bot.studio import Studio
from bot.web.app import create_app
from bot.web.visitors import COOKIE
from db.store import Owner, Store
from export.registry import Registry


class Page(HTMLParser):
    """A page's tags as (name, attributes), and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str, **wanted: str) -> list[dict[str, str | None]]:
        return [a for t, a in self.tags if t == tag and wanted.items() <= a.items()]

    def tiles(self) -> list[str]:
        hrefs = [str(a["href"]) for a in self.all("a") if a.get("class") == "tile"]
        return [href for href in hrefs if href != "/a/"]  # that one is the template's


async def get(client: TestClient, path: str, status: int = 200) -> Page:
    async with client.get(path, headers={"Accept": "text/html"}) as answer:
        assert answer.status == status, await answer.text()
        assert answer.content_type == "text/html"
        return Page(await answer.text())


async def test_the_first_page_offers_what_the_model_can(client: TestClient) -> None:
    page = await get(client, "/")
    swatches = [a["value"] for a in page.all("input", type="radio", name="wish.eyes")]
    assert swatches == ["", *EYES.values]
    assert "The first picture will be yours" in page.text
    assert not page.all("button", type="submit")[0].get("disabled")


async def test_nothing_is_inline_and_nothing_is_from_elsewhere(
    client: TestClient, studio: Studio, owner: Owner
) -> None:
    (avatar,) = await studio.create("hair:pink", owner=owner)
    for path, status in (("/", 200), (f"/a/{avatar.id}", 200), ("/nothing", 404)):
        page = await get(client, path, status)
        for tag, attributes in page.tags:
            assert tag != "style"
            assert not any(name == "style" or name.startswith("on") for name in attributes), tag
            for name in ("src", "href", "action"):
                assert re.match(r"/(?!/)", attributes.get(name) or "/"), (tag, attributes)
        assert all("src" in script for script in page.all("script"))


async def test_what_the_page_links_to_exists(client: TestClient) -> None:
    page = await get(client, "/")
    files = [a["href"] for a in page.all("link")] + [a["src"] for a in page.all("script")]
    assert len(files) == 3
    for file in files:
        async with client.get(str(file)) as answer:
            assert answer.status == 200
            assert "immutable" in answer.headers["Cache-Control"]
    async with client.get("/static/../app.py") as answer:
        assert answer.status == 404


async def test_painting_without_javascript(client: TestClient, store: Store) -> None:
    form = {"prompt": "hair:pink", "wish.hair": "red", "wish.eyes": "orange", "seed": " 7 "}
    async with client.post("/paint", data=form) as answer:
        assert answer.status == 200
        assert COOKIE in answer.history[0].cookies
        id = answer.url.path.removeprefix("/a/")
        page = Page(await answer.text())
    avatar = await store.get(id)
    assert avatar is not None
    assert (avatar.wish, avatar.seed) == ({"hair": "pink", "eyes": "orange"}, 7)
    assert page.all("img", src=f"/images/{id}.png", alt="pink hair, orange eyes")
    assert "seed 7 · model tiny" in page.text


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"prompt": "hair:pimk <b>", "seed": "3"}, "Did you mean pink"),
        ({"prompt": "", "seed": "x<b>"}, "seed must be a whole number"),
        ({"prompt": "", "seed": str(2**32)}, "seed must be"),
        ({"prompt": "", "wish.hat": "red"}, "hat"),
    ],
)
async def test_a_mistake_without_javascript_keeps_what_was_typed(
    client: TestClient, form: dict[str, str], said: str
) -> None:
    async with client.post("/paint", data=form, headers={"Accept": "text/html"}) as answer:
        assert answer.status == 400
        html = await answer.text()
    page = Page(html)
    assert said in page.text
    assert page.all("input", id="prompt")[0]["value"] == form["prompt"]
    assert page.all("input", id="seed")[0]["value"] == form.get("seed", "")
    assert "<b>" not in html


async def test_an_upload_is_no_order(client: TestClient) -> None:
    upload = FormData()
    upload.add_field("prompt", b"pink hair", filename="prompt.txt")
    async with client.post("/paint", data=upload) as answer:
        assert answer.status == 200  # read as a form whose prompt is left out
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
async def test_a_form_that_cannot_be_read_is_no_fault_of_ours(
    client: TestClient, content_type: str, body: bytes
) -> None:
    headers = {"content-type": content_type}
    async with client.post("/paint", data=body, headers=headers) as answer:
        assert answer.status == 400
        assert "form" in (await answer.json())["error"]


async def test_a_link_may_carry_a_wish(client: TestClient) -> None:
    page = await get(client, "/?prompt=blue+eyes&seed=5")
    assert page.all("input", id="prompt")[0]["value"] == "blue eyes"
    assert page.all("input", id="seed")[0]["value"] == "5"
    checked = [a["value"] for a in page.all("input", type="radio") if "checked" in a]
    assert checked == ["", "blue"]
    page = await get(client, "/?prompt=pimk+hair", status=400)
    assert "Did you mean pink?" in page.text


async def test_the_gallery_without_javascript(
    client: TestClient, studio: Studio, owner: Owner
) -> None:
    for _ in range(3):
        await studio.create("hair:pink", owner=owner, count=9)
    await studio.create("hair:green", owner=owner)
    first = await get(client, "/")
    (older,) = first.all("a", rel="next")
    second = await get(client, str(older["href"]))
    assert (len(first.tiles()), len(second.tiles())) == (24, 4)
    assert not set(first.tiles()) & set(second.tiles())
    assert not second.all("a", rel="next")
    (newer,) = second.all("a", rel="prev")
    assert (await get(client, str(newer["href"]))).tiles() == first.tiles()

    green = await get(client, "/?hair=green&eyes=")
    assert len(green.tiles()) == 1
    pink = await get(client, "/?hair=pink")
    rest = await get(client, str(pink.all("a", rel="next")[0]["href"]))
    assert (len(pink.tiles()), len(rest.tiles())) == (24, 3)
    assert "Nobody has painted these colours yet" in (await get(client, "/?hair=red")).text


async def test_broken_links_lead_back(client: TestClient) -> None:
    for path, status in (("/a/2222bbbb", 404), ("/?cursor=x", 400), ("/?hair=pimk", 400)):
        page = await get(client, path, status)
        assert page.all("a", href="/")
        assert page.text.strip()


async def test_the_visitor_is_known_from_the_first_page_on(client: TestClient) -> None:
    async with client.get("/") as answer:
        assert answer.cookies[COOKIE]["httponly"]
        assert "private" in answer.headers["Cache-Control"]
    async with client.get("/") as answer:
        assert COOKIE not in answer.cookies


async def test_where_painting_is_closed_the_page_says_so(serve) -> None:
    client = await serve(paint="off")
    page = await get(client, "/")
    assert "disabled" in page.all("button", type="submit")[0]
    async with client.post("/paint", headers={"Accept": "text/html"}) as answer:
        assert answer.status == 403
        assert "switched off" in await answer.text()


async def test_a_shared_link_shows_its_picture(serve, studio: Studio, owner: Owner) -> None:
    client = await serve(public_url="https://irodori.example/")
    (avatar,) = await studio.create("hair:pink eyes:red", owner=owner)
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
async def test_any_model_has_a_page(tmp_path, store: Store, attributes) -> None:
    registry = Registry(tmp_path / "models")
    add_model(registry, "other", attributes)
    registry.use("other")
    engine = await Engine.open(registry, EngineSettings(provider="cpu", threads=1, max_batch=1))
    try:
        studio = Studio(engine, store)
        async with TestClient(TestServer(create_app(studio, engine, WebSettings()))) as client:
            async with client.post("/paint", data={"prompt": ""}) as answer:
                assert answer.status == 200
                assert "<b>" not in await answer.text()
            page = await get(client, "/")
            assert len(page.tiles()) == 1
            assert not page.all("b")
            assert not page.all("i")
            assert len(page.all("input", type="radio")) == 3 * len(attributes)
    finally:
        await engine.close()
