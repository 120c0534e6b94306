"""The gallery, a picture's page and the matrix as people use them, in headless Chromium."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp.test_utils import TestClient
from playwright.async_api import Page, async_playwright, expect

from bot.studio import Studio
from db.store import Owner

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PHONE, DESK = 360, 1280
PATIENCE = 40_000  # milliseconds; on a machine that does other things, too

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Awaitable[Page]]


@pytest.fixture
async def visit(client: TestClient, chromium: str) -> AsyncIterator[Visit]:
    """Opens a page; at the end nothing was refused, broken or fetched from elsewhere."""
    wrong: list[str] = []
    home = str(client.make_url("/"))

    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        stack.push_async_callback(browser.close)

        async def open_page(width: int, path: str, **options: object) -> Page:
            viewport = {"width": width, "height": 740}
            context = await browser.new_context(viewport=viewport, **options)
            page = await context.new_page()
            page.set_default_timeout(PATIENCE)
            page.on("pageerror", lambda error: wrong.append(f"error: {error}"))
            page.on("request", lambda r: r.url.startswith(home) or wrong.append(f"to {r.url}"))
            page.on(
                "console",
                lambda m: "Content Security Policy" in m.text and wrong.append(m.text),
            )
            await page.goto(home + path)
            return page

        yield open_page
    assert wrong == []


async def no_sideways(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_a_picture_appears_by_itself(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    await studio.create("hair:pink eyes:red", owner=owner)
    page = await visit(width, "gallery")
    await expect(page.locator("#wall .tile")).to_have_count(1)
    await studio.create("hair:green eyes:blue", owner=owner)
    first = page.locator("#wall .tile img").first
    await expect(first).to_have_attribute("alt", "green hair, blue eyes")
    await no_sideways(page)


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_matrix_picture_and_favourite(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    (avatar,) = await studio.create("hair:pink eyes:red", owner=owner)
    page = await visit(width, "matrix")
    await no_sideways(page)
    await page.get_by_role("link", name="pink hair, red eyes: 1").click()
    await expect(page.locator(".choice[aria-current]")).to_have_count(2)
    await page.locator("#wall .tile").click()
    await expect(page.get_by_role("heading", name="pink hair, red eyes")).to_be_visible()
    favourite = page.get_by_role("button", name="Favourite")
    await favourite.click()
    await expect(favourite).to_have_attribute("aria-pressed", "true")
    assert (await studio.get(avatar.id, viewer=None)).favourites == 1
    await no_sideways(page)


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_scrolling_without_end_and_back(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    for _ in range(34):
        await studio.create("hair:pink", owner=owner, count=9)
    page = await visit(width, "gallery")
    seen: set[str] = set()
    while len(seen) < 306:
        links = await page.locator("#wall .tile").evaluate_all("all => all.map(a => a.href)")
        assert len(links) <= 150  # however far one goes
        seen.update(links)
        await page.mouse.wheel(0, 500)
        await page.wait_for_timeout(60)
    await expect(page.locator("#older")).to_have_count(0)
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    await page.wait_for_function("new URLSearchParams(location.search).has('cursor')")
    middle = (
        "[...document.querySelectorAll('#wall .tile')]"
        ".find(a => a.getBoundingClientRect().top >= 0)"
    )
    await page.wait_for_function(f"{middle}?.href")
    id, top = await page.evaluate(f"(a => [a.pathname, a.getBoundingClientRect().top])({middle})")
    await page.locator(f"#wall a[href='{id}']").click()
    await expect(page.get_by_role("button", name="Favourite")).to_be_visible()
    await page.go_back()
    await page.wait_for_function(
        "([id, top]) => Math.abs(document.querySelector(`#wall a[href='${id}']`)"
        "?.getBoundingClientRect().top - top) < 3",
        arg=[id, top],
    )
