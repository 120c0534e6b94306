"""Gallery, picture page and matrix in headless Chromium."""

import asyncio
from datetime import UTC, datetime

import pytest
from browser import DESKTOP, PHONE, Visit, expect_no_horizontal_scrolling
from playwright.async_api import Route, expect

from bot.studio import Request, Studio
from bot.studio.community.bracket import ROUND
from db.records import Owner


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_new_pictures_appear_in_the_gallery(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    await studio.painting.create("hair:pink eyes:red", Request(owner))
    page = await visit(width, "gallery")
    await expect(page.locator("#grid .tile")).to_have_count(1)
    await studio.painting.create("hair:green eyes:blue", Request(owner))
    first = page.locator("#grid .tile img").first
    await expect(first).to_have_attribute("alt", "green hair, blue eyes")
    await expect_no_horizontal_scrolling(page)


async def test_new_pictures_appear_after_the_stream_was_refused(
    visit: Visit, studio: Studio, owner: Owner
) -> None:
    """As with 503 or 429, after which browsers do not connect again."""
    page = await visit(DESKTOP)
    refused = asyncio.Event()

    async def refuse(route: Route) -> None:
        await route.fulfill(status=503)
        refused.set()

    await page.clock.install()
    await page.route("**/api/events", refuse)
    await page.goto("/gallery")
    await refused.wait()
    await page.unroute("**/api/events")
    await studio.painting.create("hair:green eyes:blue", Request(owner))
    async with page.expect_request("**/api/events") as reconnected:
        while not reconnected.is_done():  # the error may reach the page after the clock is moved
            await page.clock.run_for(30_000)
    tile = page.locator("#grid .tile img").first
    await expect(tile).to_have_attribute("alt", "green hair, blue eyes")


async def test_the_picture_of_the_week_leads_to_its_page(
    visit: Visit, studio: Studio, owner: Owner
) -> None:
    await studio.painting.create("hair:pink eyes:red", Request(owner, guild="1"), count=2)
    now, bracket = datetime.now(UTC), studio.community.bracket
    await bracket.step("1", now)
    await bracket.step("1", now + ROUND)
    page = await visit(PHONE, "gallery")
    await expect_no_horizontal_scrolling(page)
    await page.get_by_role("link", name="Picture of the week").click()
    await expect(page.get_by_role("heading", name="pink hair, red eyes")).to_be_visible()


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_matrix_picture_and_favorite(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    (avatar,) = await studio.painting.create("hair:pink eyes:red", Request(owner))
    page = await visit(width, "matrix")
    await expect_no_horizontal_scrolling(page)
    await page.get_by_role("link", name="pink hair, red eyes: 1").click()
    await expect(page.locator(".choice[aria-current]")).to_have_count(2)
    await page.locator("#grid .tile").click()
    await expect(page.get_by_role("heading", name="pink hair, red eyes")).to_be_visible()
    favorite = page.get_by_role("button", name="Favorite")
    await expect(favorite).to_have_accessible_name("Favorite 0")
    await favorite.click()
    await expect(favorite).to_have_accessible_name("Favorite 1")
    await expect(favorite).to_have_attribute("aria-pressed", "true")
    assert (await studio.avatars.get(avatar.id, viewer=None)).favorites == 1
    await expect_no_horizontal_scrolling(page)


@pytest.mark.parametrize("answered", [True, False])
async def test_endless_scrolling_continues_after_a_failed_request(
    visit: Visit, studio: Studio, owner: Owner, answered: bool
) -> None:
    for _ in range(7):
        await studio.painting.create("hair:pink", Request(owner), count=9)
    page = await visit(PHONE)
    failed = asyncio.Event()

    async def fail(route: Route) -> None:
        """The first request; without an answer, it stays open."""
        if failed.is_set():
            await route.continue_()
            return
        failed.set()
        if answered:
            await route.abort()

    await page.clock.install()
    await page.route("**/api/avatars?*", fail)
    await page.goto("/gallery")
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    await failed.wait()
    async with asyncio.timeout(60):
        while await page.locator("#older").count():  # the error may reach the page later
            await page.clock.run_for(3000)


async def test_older_pictures_do_not_move_the_page(
    visit: Visit, studio: Studio, owner: Owner
) -> None:
    """A browser that anchors the footer would scroll past them, and load page after page."""
    for _ in range(7):
        await studio.painting.create("hair:pink", Request(owner), count=9)
    page = await visit(PHONE)
    requested: asyncio.Queue[Route] = asyncio.Queue()
    await page.route("**/api/avatars?*cursor=*", requested.put)
    await page.goto("/gallery")
    await page.evaluate("scrollTo({ top: 1e6, behavior: 'instant' })")
    older = await requested.get()
    top, height = await page.evaluate("[scrollY, document.documentElement.scrollHeight]")
    await older.continue_()
    await page.wait_for_function(
        "before => document.documentElement.scrollHeight > before", arg=height
    )
    await page.evaluate(
        "new Promise((end) => requestAnimationFrame(() => requestAnimationFrame(end)))"
    )
    assert await page.evaluate("scrollY") == pytest.approx(top, abs=2)


@pytest.mark.parametrize(("width", "count"), [(PHONE, 108), (DESKTOP, 234)])
async def test_endless_scrolling_and_going_back(
    visit: Visit, studio: Studio, owner: Owner, width: int, count: int
) -> None:
    for _ in range(count // 9):
        await studio.painting.create("hair:pink", Request(owner), count=9)
    page = await visit(width, "gallery")
    # The viewport, 1.5 viewports above and below it, and partly visible rows.
    columns, rows = await page.locator("#grid").evaluate(
        """wall => {
            const tops = [...wall.children].map((tile) => tile.getBoundingClientRect().top);
            const columns = tops.filter((top) => top === tops[0]).length;
            return [columns, Math.ceil((4 * innerHeight) / (tops[columns] - tops[0])) + 1];
        }"""
    )
    assert columns * rows < count
    seen: set[str] = set()
    async with asyncio.timeout(200):
        while len(seen) < count:
            links = await page.locator("#grid .tile").evaluate_all("all => all.map(a => a.href)")
            assert len(links) <= columns * rows  # at any scroll position
            seen.update(links)
            # Wheel events would add up on a slow machine, and the page would skip tiles.
            await page.evaluate(
                """() => {
                    scrollBy({ top: 500, behavior: "instant" });
                    const frame = () => new Promise(requestAnimationFrame);
                    return frame().then(frame); // the tiles of this position
                }"""
            )
    await expect(page.locator("#older")).to_have_count(0)
    await page.evaluate("scrollTo(0, document.documentElement.scrollHeight / 2)")
    # Going back must restore the pictures that are visible now.
    await page.wait_for_function(
        """() => {
            const tile = document.querySelector(`#grid a[href='/a/${history.state?.id}']`);
            return tile && Math.abs(tile.getBoundingClientRect().top - history.state.top) < 3;
        }"""
    )
    assert await page.evaluate("new URLSearchParams(location.search).has('cursor')")
    middle = (
        "[...document.querySelectorAll('#grid .tile')]"
        ".find(a => a.getBoundingClientRect().top > 40)"  # a click does not scroll to it
    )
    id, top = await page.evaluate(f"(a => [a.pathname, a.getBoundingClientRect().top])({middle})")
    await page.locator(f"#grid a[href='{id}']").click()
    await expect(page.get_by_role("button", name="Favorite")).to_be_visible()
    await page.go_back()
    await page.wait_for_function(
        "([id, top]) => Math.abs(document.querySelector(`#grid a[href='${id}']`)"
        "?.getBoundingClientRect().top - top) < 3",
        arg=[id, top],
    )
