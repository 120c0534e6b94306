"""The privacy policy and the terms of use."""

import pytest
from aiohttp.test_utils import TestClient, TestServer

from bot.i18n.messages import LANGUAGES, say
from bot.inference.engine import Engine
from bot.settings import PrivacySettings, WebSettings
from bot.studio import Studio
from bot.web.app import create_app
from bot.web.languages import accepted_language
from bot.web.pages.legal import SECTIONS
from db.store import Store

from ..conftest import Client


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("page", SECTIONS)
async def test_pages_are_in_the_language_of_the_browser(
    engine: Engine, store: Store, page: str, language: str
) -> None:
    settings = PrivacySettings(
        operator="Ōkami <Club>", contact="mail@example.org", guild_days=14, picture_days=90
    )
    app = create_app(Studio(engine, store, settings), WebSettings())
    async with TestClient(TestServer(app)) as client:
        headers = {"Accept-Language": f"{language},fr;q=0.5", "Accept-Encoding": "gzip"}
        async with client.get(f"/{page}", headers=headers) as answer:
            text = await answer.text()
            assert answer.status == 200
            assert answer.headers["Content-Language"] == language
            assert answer.headers["Vary"] == "Accept-Language, Cookie, Accept-Encoding"
    assert f'lang="{language}"' in text
    assert "Ōkami &lt;Club&gt;" in text
    assert "mail@example.org" in text
    for section in SECTIONS[page]:
        assert say(f"{page}-page-{section}", language) in text
        assert say(f"{page}-page-{section}-text", language).replace("'", "&#39;") in text
    if page == "privacy":
        for days in ("14", "90"):
            assert days in text


async def test_without_an_operator_the_page_says_so(client: Client) -> None:
    async with client.get("/privacy") as answer:
        text = await answer.text()
    assert "has given no name" in text
    assert "nobody&#39;s favorite" not in text, "pictures are kept by default"
    assert "30 days" in text


@pytest.mark.parametrize("path", ["/", "/gallery", "/matrix", "/nothing"])
async def test_every_page_links_to_both(client: Client, path: str) -> None:
    async with client.get(path, headers={"Accept": "text/html"}) as answer:
        text = await answer.text()
    assert 'href="/privacy"' in text
    assert 'href="/terms"' in text


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("fr,ja;q=0.5", "ja"),
        ("en;q=0.4, zh-TW;q=0.9", "zh-CN"),
        ("en-US,en;q=0.9,ja;q=0.1", "en"),
        ("ja;q=0,*", "en"),
        ("sv", "en"),
        (";;q=,,", "en"),
    ],
)
def test_the_accepted_language(header: str, language: str) -> None:
    assert accepted_language(header) == language
