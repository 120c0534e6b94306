"""The panel on `/mine` where a browser is linked with a member of Discord."""

import hashlib
from datetime import timedelta

import pytest

from bot.studio import Studio
from bot.studio import links as link_service
from bot.web.pages.link import TRIES_PER_MINUTE
from db.records import Owner
from db.store import Store

from ..conftest import Client, Serve
from .html_page import Page

MIKA = Owner("discord", "1", "Mika")
LAPTOP = Owner("web", "aa")


async def test_the_panel_speaks_the_visitors_language(client: Client) -> None:
    headers = {"Accept": "text/html", "Accept-Language": "ja"}
    async with client.get("/mine?link=wrong", headers=headers) as answer:
        page = Page(await answer.text())
    assert "Discordの絵" in page.text
    assert "使えません" in page.text
    assert page.all("html", lang="ja")


async def test_expired_and_invented_codes_link_nothing(
    client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    code, _ = await studio.links.create_code(MIKA)
    monkeypatch.setattr(link_service, "CODE_MINUTES", 0)
    for given in (code, "AAAAA-AAAAA", "", "x" * 1000):
        async with client.post("/mine/link", data={"code": given}) as answer:
            assert "cannot be used" in await answer.text()
    assert await studio.links.count_browsers(MIKA) == 0


async def test_codes_cannot_be_guessed_quickly(serve: Serve, studio: Studio) -> None:
    client, other = await serve(), await serve()
    code, _ = await studio.links.create_code(MIKA)
    for _ in range(TRIES_PER_MINUTE):
        async with client.post("/mine/link", data={"code": "AAAAA-AAAAA"}) as answer:
            assert answer.status == 200
    async with client.post("/mine/link", data={"code": code}) as answer:
        assert answer.status == 429
        assert int(answer.headers["Retry-After"]) > 0
    async with other.post("/mine/link", data={"code": code}) as answer:
        assert "Mika" in await answer.text()


async def test_other_sites_cannot_link_or_unlink(client: Client, studio: Studio) -> None:
    code, _ = await studio.links.create_code(MIKA)
    for path in ("/mine/link", "/mine/unlink"):
        headers = {"Origin": "https://example.org"}
        async with client.post(path, data={"code": code}, headers=headers) as answer:
            assert answer.status == 403
    assert await studio.links.count_browsers(MIKA) == 0


async def test_only_a_hash_of_the_code_is_stored(store: Store, studio: Studio) -> None:
    code, until = await studio.links.create_code(MIKA)
    written, long_ago = code.replace("-", ""), until - timedelta(days=1)
    assert len(written) == link_service.CODE_LENGTH
    for stored in (code, written):
        assert await store.links.use_code(stored, long_ago, LAPTOP) is None
    digest = hashlib.sha256(written.encode()).hexdigest()
    assert await store.links.use_code(digest, long_ago, LAPTOP) == MIKA
