"""`/link` in Discord, and the code that it gives on the web page."""

import io
import json
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from discord_server import DiscordServer, Reply, UserClient

from bot.settings import WebSettings
from bot.studio import Studio, links
from bot.web.app import create_app

from ..conftest import avatar_id

pytestmark = pytest.mark.usefixtures("bot")

Browser = TestClient[web.Request, web.Application]


@pytest.fixture
async def browser(studio: Studio) -> AsyncIterator[Browser]:
    """A browser on the web page of the bot, with cookies of its own."""
    async with TestClient(TestServer(create_app(studio, WebSettings()))) as client:
        yield client


def code_in(reply: Reply) -> str:
    found = re.search(r"`([0-9A-Z]{5}-[0-9A-Z]{5})`", reply.text)
    assert found, reply.text
    return found[1]


async def enter(browser: Browser, code: str) -> str:
    """The page `/mine` after a code was entered."""
    async with browser.post("/mine/link", data={"code": code}) as answer:
        assert answer.status == 200
        return await answer.text()


async def paint(browser: Browser) -> str:
    async with browser.post("/api/avatars", json={"prompt": ""}) as answer:
        return str((await answer.json())[0]["id"])


async def mine(browser: Browser, scope: str = "mine") -> set[str]:
    async with browser.get("/api/mine", params={"scope": scope}) as answer:
        return {avatar["id"] for avatar in (await answer.json())["avatars"]}


async def test_a_linked_browser_shows_the_public_pictures_and_favorites_of_both(
    mika: UserClient, browser: Browser
) -> None:
    card = await mika.slash("avatar")
    private = await mika.slash("avatar", private=True)
    await mika.click(card, label="♥️")
    painted = await paint(browser)
    reply = await mika.slash("link")
    assert reply.ephemeral
    assert "Mika" in await enter(browser, code_in(reply))
    assert await mine(browser) == {avatar_id(card), painted}
    assert await mine(browser, "favourites") == {avatar_id(card)}
    async with browser.get(f"/images/{avatar_id(private)}.png") as answer:
        assert answer.status == 404
    gallery = await mika.slash("gallery", scope="mine")
    assert "1–3 of 3" in gallery.text


async def test_pictures_of_a_linked_browser_are_exported_deleted_and_forgotten_in_discord(
    studio: Studio, mika: UserClient, browser: Browser
) -> None:
    first, second = [await paint(browser) for _ in range(2)]
    await enter(browser, code_in(await mika.slash("link")))
    panel = await mika.slash("privacy")
    export = await mika.click(panel, label="Export")
    archive = zipfile.ZipFile(io.BytesIO(export.attachments[0].data))
    assert {a["id"] for a in json.loads(archive.read("avatars.json"))} == {first, second}
    await mika.click(await mika.slash("show", id=first), label="🗑️")
    assert await mine(browser) == {second}
    await mika.click(panel, label="Forget me")
    await mika.click(panel, label="Delete everything")
    assert await mine(browser) == set()
    async with browser.get("/mine") as answer:
        assert "Mika" not in await answer.text()


async def test_a_linked_browser_deletes_pictures_of_discord(
    mika: UserClient, ren: UserClient, browser: Browser
) -> None:
    own, strange = await mika.slash("avatar"), await ren.slash("avatar")
    await enter(browser, code_in(await mika.slash("link")))
    for card, status in ((own, 204), (strange, 403)):
        async with browser.delete(f"/api/avatars/{avatar_id(card)}", json={}) as answer:
            assert answer.status == status


async def test_a_code_works_once_and_only_the_newest_one(
    mika: UserClient, browser: Browser
) -> None:
    first = code_in(await mika.slash("link"))
    refused = await mika.slash("link")
    assert "just got a code" in refused.text
    await mika.click(await mika.slash("avatar"), label="♥️")
    assert "Mika" in await enter(browser, first.lower().replace("-", " "))
    async with browser.post("/mine/unlink") as answer:
        assert "Mika" not in await answer.text()
    assert await mine(browser, "favourites") == set()
    assert "cannot be used" in await enter(browser, first)


async def test_members_unlink_their_browsers(
    mika: UserClient, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "WAIT", timedelta())
    reply = await mika.slash("link")
    assert reply.buttons == []
    await enter(browser, code_in(reply))
    again = await mika.slash("link")
    assert "One browser" in again.text
    await mika.click(again, label="Unlink all browsers")
    assert "not linked any more" in again.text
    async with browser.get("/mine") as answer:
        assert "Mika" not in await answer.text()


@pytest.mark.parametrize(("locale", "word"), [("ja", "このコード"), ("zh-CN", "这个代码")])
async def test_the_code_is_explained_in_the_members_language(
    discord: DiscordServer, locale: str, word: str
) -> None:
    reply = await discord.member("Yui", locale=locale).slash("link")
    assert word in reply.text
    assert code_in(reply)
