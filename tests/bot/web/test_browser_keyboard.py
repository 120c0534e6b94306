"""All pages by keyboard, in headless Chromium."""

import re

import pytest
from browser import Visit, wait_for_picture
from PIL import Image
from playwright.async_api import Locator, Page, expect

from bot.studio import Request, Studio
from db.records import Owner

# The focused element, its errors, and whether it is the goal.
INSPECT_FOCUS = """(goal) => {
  const at = document.activeElement;
  if (at === document.body) return null;
  const around = at.closest("label, .pick") ?? at;
  const ringed = [at, around].some((element) => {
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return outlineStyle !== "none" && parseFloat(outlineWidth) >= 2;
  });
  const { left, right, top, bottom } = at.getBoundingClientRect();
  const hit = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
  const errors = [];
  if (!ringed) errors.push("no focus ring");
  if (!around.contains(hit) && !hit?.contains(at)) errors.push(`it is behind ${hit?.outerHTML}`);
  const again = at.hasAttribute("data-stop");
  at.setAttribute("data-stop", "");
  const name = at.id || at.getAttribute("aria-label") || at.textContent.trim() || at.outerHTML;
  return { name, errors, again, reached: at === goal };
}"""


async def tab_to(page: Page, goal: Locator, key: str = "Tab") -> None:
    """Presses Tab until the goal has the focus; every focus must be visible."""
    for _ in range(100):
        await page.keyboard.press(key)
        at = await goal.evaluate(INSPECT_FOCUS)
        assert at is None or not at["errors"], at
        if at and at["reached"]:
            return
    raise AssertionError(f"{goal} is out of the keyboard's reach")


async def follow(page: Page, goal: Locator, address: str, key: str = "Tab") -> None:
    await tab_to(page, goal, key)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(address))


@pytest.mark.timeout(600)  # about 200 steps
async def test_every_page_works_by_keyboard(visit: Visit) -> None:
    page = await visit(permissions=["clipboard-read", "clipboard-write"])
    press = page.keyboard.press
    picture = page.locator("#result .picture")

    # Skip to the studio, and paint.
    await press("Tab")
    await expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    await press("Enter")
    await press("Tab")
    await expect(page.locator("#prompt")).to_be_focused()
    await page.keyboard.type("pink hair, red eyes")
    await press("Enter")
    assert await wait_for_picture(page) == "pink hair, red eyes"
    pink = str(await picture.get_attribute("data-id"))

    # Lock, and recolor with the arrow keys.
    await tab_to(page, page.locator("#lock"))
    await press("Space")
    await tab_to(page, page.get_by_role("radio", name="pink").first, "Shift+Tab")
    await press("ArrowRight")
    await expect(picture).to_have_attribute("alt", "purple hair, red eyes")
    await wait_for_picture(page)

    # Favorite, download, copy.
    favorite = page.locator("#favorite")
    await tab_to(page, favorite)
    await press("Enter")
    await expect(favorite).to_have_attribute("aria-pressed", "true")
    await tab_to(page, page.locator("#sizes a").first)
    async with page.expect_download() as wait:
        await press("Enter")
    file = await (await wait.value).path()
    assert Image.open(file).size == (64, 64)
    await tab_to(page, page.locator(".details summary"))
    await press("Enter")
    await tab_to(page, page.locator("#copy"))
    await press("Enter")
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == "/avatar hair:purple eyes:red"

    # Select two faces, morph them, and paint a child.
    for number in range(2):
        await tab_to(page, page.locator(".choose").nth(number))
        await press("Enter")
    await expect(page.locator("#result[data-state=morph]")).to_be_visible()
    share = page.locator("#share")
    await tab_to(page, share, "Shift+Tab")
    await press("ArrowRight")
    await expect(share).to_have_value("51")
    await tab_to(page, page.locator("#mix"))
    await press("Enter")
    await wait_for_picture(page)
    child = str(await picture.get_attribute("data-id"))
    await tab_to(page, page.locator("#undo"), "Shift+Tab")

    # The gallery with its filters; a picture and its family.
    await follow(page, page.get_by_role("link", name="See all"), "/gallery$")
    await follow(page, page.get_by_role("link", name="pink").first, "/gallery[?]hair=pink$")
    await tab_to(page, page.get_by_role("link", name="Skip to pictures"))
    await press("Enter")
    await follow(page, page.locator(f"#grid [href='/a/{pink}']"), f"/a/{pink}$")
    await follow(page, page.locator(f".family [href='/a/{child}']"), f"/a/{child}$")

    # The matrix, cell by cell.
    await follow(page, page.get_by_role("link", name="Gallery"), "/gallery$", "Shift+Tab")
    await follow(page, page.get_by_role("link", name="Matrix"), "/matrix$")
    await tab_to(page, page.locator(".matrix a").first)
    for key, times in (("ArrowDown", 8), ("ArrowRight", 8)):
        for _ in range(times):
            await press(key)
    await expect(page.get_by_role("link", name="pink hair, red eyes")).to_be_focused()
    await press("Enter")
    await expect(page).to_have_url(re.compile("/gallery[?]hair=pink&eyes=red$"))
    await expect(page.locator(f"#grid [href='/a/{pink}']")).to_be_visible()
    await page.go_back()
    await expect(page).to_have_url(re.compile("/matrix$"))


@pytest.mark.timeout(600)
async def test_nothing_traps_the_keyboard(visit: Visit, studio: Studio, owner: Owner) -> None:
    a, b = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    (child,) = await studio.family.mix(a.id, b.id, Request(owner))
    page = await visit()
    for path in ("/", "/gallery", "/matrix", f"/a/{child.id}", "/a/nothing"):
        await page.goto(path)
        names: list[str] = []
        while True:
            await page.keyboard.press("Tab")
            at = await page.evaluate(INSPECT_FOCUS)
            if at is None or [at["name"]] == names[:1]:  # after the last element
                break
            assert not at["errors"], (path, at)
            assert not at["again"], (path, at)
            names.append(at["name"])
        assert len(names) > 4, path
        assert names[:5] == ["Skip to content", "Irodori", "Studio", "Find", "Gallery"]
