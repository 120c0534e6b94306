"""The page as people use it, in headless Chromium."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack

import pytest
from aiohttp.test_utils import TestClient
from playwright.async_api import Page, async_playwright, expect

from bot.studio import Studio
from db.store import GalleryQuery, Owner

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PHONE, DESK = 360, 1280
PATIENCE = 40_000  # milliseconds; on a machine that does other things, too

expect.set_options(timeout=PATIENCE)

Visit = Callable[..., Awaitable[Page]]


@pytest.fixture
async def visit(client: TestClient, chromium: str) -> AsyncIterator[Visit]:
    """Opens the page; at the end nothing was refused, broken or fetched from elsewhere."""
    wrong: list[str] = []
    home = str(client.make_url("/"))

    async with AsyncExitStack() as stack:
        playwright = await stack.enter_async_context(async_playwright())
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        stack.push_async_callback(browser.close)

        async def open_page(width: int = DESK, path: str = "", **options: object) -> Page:
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


async def painted(page: Page) -> str:
    """Waits for the picture and for its tile; what it shows."""
    await expect(page.locator("#result[data-state=done]")).to_be_visible()
    picture = page.locator("#result .picture")
    assert await picture.evaluate("image => image.naturalWidth") == 64
    return str(await picture.get_attribute("alt"))


async def no_sideways(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def newest(studio: Studio) -> dict[str, str]:
    query = GalleryQuery("everyone", viewer=None, guild=None, values={}, limit=1)
    return (await studio.gallery(query)).avatars[0].wish


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_painting_by_words(visit: Visit, width: int) -> None:
    page = await visit(width)
    await page.get_by_label("Who shall it be?").fill("orange eyes and pink hair")
    # The swatches follow the words.
    await expect(page.get_by_role("radio", name="pink").first).to_be_checked()
    await expect(page.get_by_role("radio", name="orange").last).to_be_checked()
    await page.get_by_label("seed").fill("7")
    await page.get_by_role("button", name="Paint").click()
    assert await painted(page) == "pink hair, orange eyes"
    facts = page.locator(".facts")
    await expect(facts).to_have_text("seed 7 · model tiny · link")
    await expect(page.locator(".tile img")).to_have_attribute("alt", "pink hair, orange eyes")
    await no_sideways(page)
    await page.get_by_role("link", name="link").click()
    await expect(page.get_by_text("seed 7 · model tiny")).to_be_visible()
    await no_sideways(page)


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_painting_by_swatches(visit: Visit, studio: Studio, width: int) -> None:
    page = await visit(width, has_touch=width == PHONE)
    hair = page.get_by_role("radiogroup", name="hair")
    eyes = page.get_by_role("radiogroup", name="eyes")
    press = "tap" if width == PHONE else "click"
    await getattr(hair.get_by_role("radio", name="green"), press)()
    await expect(page.locator("#prompt")).to_have_value("hair:green")
    await getattr(eyes.get_by_role("radio", name="red"), press)()
    await expect(page.locator("#prompt")).to_have_value("hair:green eyes:red")
    await getattr(hair.get_by_role("radio", name="any"), press)()
    await expect(page.locator("#prompt")).to_have_value("eyes:red")
    await getattr(page.get_by_role("button", name="Paint"), press)()
    assert (await painted(page)).endswith(", red eyes")
    assert await newest(studio) == {"eyes": "red"}
    await expect(page.locator("#result .chip")).to_have_count(2)
    await expect(page.locator("#result .chip[data-chance]")).to_have_count(1)
    sizes = await page.evaluate(
        "[...document.querySelectorAll('#paint label, button, #filter select')]"
        ".filter(e => e.matches('.swatch, .any, [type=submit], select'))"
        ".map(e => { const r = e.getBoundingClientRect(); return Math.min(r.width, r.height) })"
    )
    assert min(sizes) >= 43  # CSS pixels: room for a thumb


async def test_painting_by_keyboard_alone(visit: Visit, studio: Studio) -> None:
    page = await visit()
    press = page.keyboard.press
    await press("Tab")  # the name
    await press("Tab")
    await expect(page.locator("#prompt")).to_be_focused()
    await press("Tab")
    await press("ArrowRight")  # from "any" to the first hair
    await expect(page.locator("#prompt")).to_have_value("hair:aqua")
    await press("Tab")
    for _ in range(2):
        await press("ArrowRight")
    await expect(page.locator("#prompt")).to_have_value("hair:aqua eyes:black")
    await press("Tab")
    await expect(page.locator("#seed")).to_be_focused()
    await page.keyboard.type("12")
    await press("Tab")
    await expect(page.get_by_role("button", name="Paint")).to_be_focused()
    await press("Enter")
    assert await painted(page) == "aqua hair, black eyes"
    await expect(page.locator("#news")).to_have_text("Painted: aqua hair, black eyes.")
    # The button keeps the focus: once more, then once more by Enter in the prompt.
    await page.evaluate("document.querySelector('#result').dataset.state = 'empty'")
    await press("Enter")
    await painted(page)
    await page.locator("#prompt").focus()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("white hair")
    await page.evaluate("document.querySelector('#result').dataset.state = 'empty'")
    await press("Enter")
    assert (await painted(page)).startswith("white hair")
    await expect(page.locator(".tile")).to_have_count(3)
    # The swatches have followed, however soon Enter came.
    await expect(page.get_by_role("radio", name="white").first).to_be_checked()


async def test_a_skeleton_while_painting_and_a_mistake_told(
    visit: Visit, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await visit(PHONE)
    before = page.locator("#result[data-state=empty]")
    await expect(before).to_be_visible()
    await page.locator("#prompt").fill("pimk hair")
    await page.get_by_role("button", name="Paint").click()
    await expect(page.get_by_role("alert")).to_contain_text("Did you mean pink?")
    await expect(page.get_by_role("alert")).to_be_in_viewport()
    await expect(before).to_be_visible()

    async def hold(route) -> None:
        await expect(page.locator("#result[aria-busy=true][data-state=painting]")).to_be_visible()
        await page.locator("#prompt").press("Enter")  # does not paint twice
        await route.continue_()

    await page.route("**/api/avatars", hold)
    await page.locator("#prompt").fill("pink hair")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("button", name="Paint").click()
    assert (await painted(page)).startswith("pink hair")
    await expect(page.locator(".tile")).to_have_count(1)
    await page.route("**/api/avatars", lambda route: route.abort())
    await page.get_by_role("button", name="Paint").click()
    await expect(page.get_by_role("alert")).to_contain_text("does not answer")
    assert (await painted(page)).startswith("pink hair")


async def test_the_same_seed_again(visit: Visit) -> None:
    page = await visit()
    await page.get_by_role("button", name="Paint").click()
    await painted(page)
    seed = page.locator("#keep")
    await seed.click()
    await expect(page.locator("#seed")).to_have_value(await seed.inner_text())


async def test_older_pictures_in_place(visit: Visit, studio: Studio, owner: Owner) -> None:
    for _ in range(6):
        await studio.create("hair:pink", owner=owner, count=9)
    page = await visit(PHONE)
    home = page.url
    tiles = page.locator(".tile")
    for count in (24, 48, 54):
        await expect(tiles).to_have_count(count)
        if count < 54:
            await page.get_by_role("link", name="Older").click()
    await expect(page.get_by_role("link", name="Older")).to_have_count(0)
    await expect(tiles.nth(48)).to_be_focused()
    assert page.url == home
    hrefs = await tiles.evaluate_all("links => links.map(link => link.href)")
    assert len(set(hrefs)) == 54
    await no_sideways(page)


async def test_the_gallery_by_colours(visit: Visit, studio: Studio, owner: Owner) -> None:
    await studio.create("hair:pink eyes:red", owner=owner)
    await studio.create("hair:green eyes:red", owner=owner)
    page = await visit()
    tiles = page.locator(".tile")
    await expect(tiles).to_have_count(2)
    await page.locator("#filter").get_by_label("hair").select_option("pink")
    await expect(tiles).to_have_count(1)
    assert page.url.endswith("/?hair=pink")
    # A picture of other colours is no part of what is shown.
    await page.get_by_role("radiogroup", name="hair").get_by_role("radio", name="blue").click()
    await page.get_by_role("button", name="Paint").click()
    await painted(page)
    await expect(tiles).to_have_count(1)
    await page.reload()
    await expect(tiles).to_have_count(1)
    await page.locator("#filter").get_by_label("hair").select_option("any")
    await expect(tiles).to_have_count(3)
    await page.locator("#filter").get_by_label("eyes").select_option("yellow")
    await expect(tiles).to_have_count(0)
    await expect(page.get_by_text("Nobody has painted these colours yet.")).to_be_visible()


@pytest.mark.parametrize("width", [PHONE, DESK])
async def test_without_javascript(visit: Visit, studio: Studio, owner: Owner, width: int) -> None:
    for _ in range(3):
        await studio.create("hair:white", owner=owner, count=9)
    page = await visit(width, java_script_enabled=False)
    await page.locator("#prompt").fill("pink hair")
    await page.get_by_role("radiogroup", name="eyes").get_by_role("radio", name="orange").click()
    await page.get_by_role("button", name="Paint").click()
    await expect(page.get_by_role("img", name="pink hair, orange eyes")).to_be_visible()
    assert await newest(studio) == {"hair": "pink", "eyes": "orange"}
    await page.get_by_role("link", name="Paint another").click()
    await expect(page.locator("#prompt")).to_have_value("hair:pink eyes:orange")
    await expect(page.locator(".tile")).to_have_count(24)
    await page.get_by_role("link", name="Older").click()
    await expect(page.locator(".tile")).to_have_count(4)
    await page.locator("#filter").get_by_label("hair").select_option("pink")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".tile")).to_have_count(1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_stands_out_from_its_ground(visit: Visit, scheme: str) -> None:
    page = await visit(color_scheme=scheme)
    ratios = await page.evaluate(
        """() => {
          const style = getComputedStyle(document.documentElement);
          const light = (name) => {
            const hex = style.getPropertyValue(name).trim();
            const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
              .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ratio = (a, b) => {
            const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
            return (high + 0.05) / (low + 0.05);
          };
          return [["--ink", "--paper"], ["--soft", "--paper"], ["--soft", "--card"],
            ["--soft", "--wash-1"], ["--on-accent", "--accent"]].map(([a, b]) => ratio(a, b));
        }"""
    )
    assert min(ratios) >= 4.5  # WCAG AA
