"""All pages in headless Chromium: layout shifts, error pages, and use without JavaScript."""

import asyncio
import re
from urllib.parse import quote

import pytest
from browser import DESKTOP, PHONE, Visit, expect_no_horizontal_scrolling, paint, wait_for_picture
from playwright.async_api import Page, Route, expect

from bot.studio import Request, Studio
from db.records import Owner

from .conftest import Serve

# Layout shifts without user input, as defined by the Layout Instability specification.
RECORD_SHIFTS = """
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const { value, hadRecentInput, sources } of list.getEntries()) {
      const names = sources.map(({ node }) => node?.className || node?.nodeName);
      if (!hadRecentInput) window.shifts.push([value, names.join(", ")]);
    }
  }).observe({ type: "layout-shift", buffered: true });
"""
AFTER_INPUT = 0.6  # seconds; shifts up to half a second after an input do not count


async def shifts(page: Page) -> list[list[object]]:
    """The layout shifts so far."""
    # Two frames, so that those of the last frame are included.
    result: list[list[object]] = await page.evaluate(
        "new Promise(r => requestAnimationFrame(() => requestAnimationFrame(() => "
        "setTimeout(() => r(window.shifts), 50))))"
    )
    return result


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_pages_have_no_layout_shift(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    a, b = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    (child,) = await studio.family.mix(a.id, b.id, Request(owner))
    await studio.painting.create("hair:blue", Request(owner), count=9)
    page = await visit(width)
    await page.add_init_script(RECORD_SHIFTS)

    async def slowly(route: Route) -> None:
        await asyncio.sleep(AFTER_INPUT)
        await route.continue_()

    await page.route("**/thumbs/**", slowly)
    await page.route("**/images/**", slowly)
    for path in ("/", "/gallery", "/gallery?hair=blue&sort=loved", "/matrix", f"/a/{child.id}"):
        await page.goto(path, wait_until="load")
        assert await shifts(page) == [], path
    # A picture that appears later causes no layout shift.
    await page.goto("/")
    await page.route("**/api/avatars", slowly)
    await page.route("**/api/avatars/*/variations", slowly)
    await paint(page, "green hair, blue eyes")
    assert await shifts(page) == []
    await page.get_by_role("button", name="Variations").click()
    await expect(page.locator(".sheet a")).to_have_count(9)
    assert await shifts(page) == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_pages_work_without_javascript(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    a, b = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    (child,) = await studio.family.mix(a.id, b.id, Request(owner))
    for _ in range(3):
        await studio.painting.create("hair:blue eyes:green", Request(owner), count=9)
    await studio.avatars.toggle_favorite(a.id, owner)
    page = await visit(width, "gallery", java_script_enabled=False)
    tiles = page.locator("#grid .tile")
    await expect(tiles).to_have_count(24)
    await page.get_by_role("link", name="Older").click()
    await expect(tiles).to_have_count(6)
    await page.get_by_role("link", name="Newer").click()
    await expect(tiles).to_have_count(24)
    await page.get_by_role("link", name="pink 3").click()
    await expect(tiles).to_have_count(3)
    await page.get_by_role("link", name="Most favorites").click()
    await expect(tiles).to_have_count(3)
    await expect(tiles.first).to_have_attribute("href", f"/a/{a.id}")
    await tiles.first.click()
    await expect(page.get_by_text("Favorites: 1")).to_be_visible()
    await expect(page.get_by_role("link", name="Open in the studio")).to_be_hidden()
    await page.locator(f".family [href='/a/{child.id}']").click()
    await expect(page.get_by_role("heading", name="Parents")).to_be_visible()
    await page.get_by_role("link", name="Gallery").click()
    await page.get_by_role("link", name="Matrix").click()
    await page.get_by_role("link", name="blue hair, green eyes: 27").click()
    await expect(tiles).to_have_count(24)
    await expect_no_horizontal_scrolling(page)


@pytest.mark.parametrize("width", [280, 737, 783])
async def test_nothing_is_cut_at_unusual_widths(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    (avatar,) = await studio.painting.create("hair:pink eyes:red", Request(owner))
    picture = f"/a/{avatar.id}", f"/proof/{avatar.id}"
    pages = "/", "/find", "/gallery", "/matrix", *picture, "/mine", "/wear", "/privacy", "/terms"
    page = await visit(width)
    for path in (*pages, "/nowhere", "/?lang=ja", "/?lang=zh-CN"):
        await page.goto(path)
        assert await page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_invalid_urls_show_error_pages(visit: Visit, width: int) -> None:
    page = await visit(width)
    page.on("dialog", lambda dialog: pytest.fail(f"a script ran: {dialog.message}"))
    html = "<img src=x onerror=alert(1)><script>alert(2)</script>"
    for address, status, text in (
        ("/a/nothing", 404, "There is no picture “nothing”"),
        ("/nowhere", 404, "There is nothing at /nowhere"),
        ("/gallery?cursor=x", 400, "This page of the gallery does not exist"),
        ("/gallery?hair=pimk", 400, "Did you mean pink?"),
        ("/gallery?sort=best", 400, "Sort must be"),
        ("/matrix?rows=hat", 400, "hat"),
        (f"/gallery?hair={quote(html)}", 400, "<img src=x"),
        (f"/?prompt={quote(html)}", 400, "There is no attribute “src”"),
        ("/?prompt=" + "x" * 100_000, 400, "Your prompt has 100000 characters"),
    ):
        answer = await page.goto(address)
        assert answer is not None
        assert answer.status == status, address
        await expect(page.locator(".problem:visible, .lost")).to_contain_text(text)
        await expect(page.get_by_role("link", name="Irodori")).to_be_visible()
        await expect_no_horizontal_scrolling(page)
    prompt = "粉色頭髮 ✿ شعر"  # all scripts are shown, some are parsed
    await page.goto(f"/?prompt={quote(prompt)}")
    await expect(page.locator("#prompt")).to_have_value(prompt)
    await expect(page.get_by_role("radio", name="pink").first).to_be_checked()


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_painting_turned_off_and_rate_limited(visit: Visit, serve: Serve, width: int) -> None:
    closed = await serve(paint="off")
    page = await visit(width, at=closed)
    await expect(page.get_by_role("button", name="Painting is turned off")).to_be_disabled()
    page = await visit(width, at=await serve(paint_per_minute=1))
    await paint(page, "pink hair, red eyes")
    await page.locator("#prompt").press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("reached its rate limit")
    assert await wait_for_picture(page) == "pink hair, red eyes"


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_a_picture_page_shows_its_family_and_opens_the_studio(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    a, b = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    child, sibling = [
        (await studio.family.mix(a.id, b.id, Request(owner), seed=seed))[0] for seed in (1, 2)
    ]
    (grandchild,) = await studio.family.recolor(child.id, {"hair": "blue"}, Request(owner))
    page = await visit(width, f"a/{child.id}")
    for title, ids in (
        ("Parents", {a.id, b.id}),
        ("Child", {grandchild.id}),
        ("Sibling", {sibling.id}),
    ):
        family = page.get_by_role("region", name=title, exact=True).get_by_role("link")
        hrefs = await family.evaluate_all("all => all.map(a => a.getAttribute('href'))")
        assert set(hrefs) == {f"/a/{id}" for id in ids}
    for fact in ("hair:pink eyes:red", str(child.seed), "tiny"):
        await expect(page.locator(".facts")).to_contain_text(fact)
    image = page.locator("meta[property='og:image']")
    address = str(await image.get_attribute("content"))
    assert (await page.request.get(address)).headers["content-type"] == "image/png"
    await expect_no_horizontal_scrolling(page)
    await page.get_by_role("link", name="Open in the studio").click()
    assert await wait_for_picture(page) == "pink hair, red eyes"
    await expect(page).to_have_url(re.compile(f"#/{child.id}$"))
    await expect(page.locator("#seed")).to_have_value(str(child.seed))


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_filter_counts_and_sorting_by_favorites(
    visit: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    loved, _ = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    await studio.painting.create("hair:blue eyes:red", Request(owner))
    await studio.avatars.toggle_favorite(loved.id, owner)
    page = await visit(width, "gallery")
    await page.get_by_role("link", name="Most favorites").click()
    tiles = page.locator("#grid .tile")
    await expect(tiles.first).to_have_attribute("href", f"/a/{loved.id}")
    await expect(tiles.first.locator(".loved")).to_have_text("1")
    await page.get_by_role("link", name="red 3").click()
    await page.get_by_role("link", name="pink 2").click()
    await expect(page.get_by_role("heading", name="Gallery")).to_contain_text("2 pictures")
    await expect(page).to_have_url(re.compile("sort=loved"))
    # Another value of the attribute, no value, and a value without pictures.
    await page.get_by_role("link", name="blue 1").click()
    await expect(page.get_by_role("heading", name="Gallery")).to_contain_text("1 picture")
    await page.get_by_role("link", name="black 0").first.click()
    await expect(page.get_by_text("No pictures match these filters.")).to_be_visible()
    await expect_no_horizontal_scrolling(page)
    await page.get_by_role("link", name="Paint the first one").click()
    await expect(page.locator("#prompt")).to_have_value("hair:black eyes:red")
