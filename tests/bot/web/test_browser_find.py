"""Finding a face by choosing, in headless Chromium."""

import re

import pytest
from browser import DESKTOP, PHONE, Visit, expect_no_horizontal_scrolling
from playwright.async_api import Page, expect

from bot.studio import Studio
from db.records import GalleryQuery

from .conftest import Client, Serve

EVERYONE = GalleryQuery(scope="everyone", viewer=None, guild=None, values={})


async def wait_for_sheet(page: Page, number: int) -> None:
    await expect(page.locator(f"#steps li:nth-child({number})[aria-current]")).to_have_count(1)
    await expect(page.locator("#faces[aria-busy]")).to_have_count(0)
    await expect(page.locator(".candidate:disabled")).to_have_count(0)


async def expect_chosen(page: Page, *numbers: int) -> None:
    pressed = page.locator(".candidate[aria-pressed=true] .number")
    await expect(pressed).to_have_text([str(number) for number in numbers])


async def pictures(page: Page) -> list[str]:
    """The pictures on the sheet, as data URLs."""
    urls: list[str] = await page.locator("#faces canvas").evaluate_all(
        "canvases => canvases.map((canvas) => canvas.toDataURL())"
    )
    return urls


async def test_choosing_undoing_and_adopting(visit: Visit, studio: Studio) -> None:
    page = await visit(DESKTOP, "find?prompt=pink+hair")
    await wait_for_sheet(page, 1)
    await expect(page).to_have_url(re.compile(r"/find\?prompt=hair%3Apink&seed=\d+&model=tiny$"))
    first = await pictures(page)
    assert len(set(first)) == 9
    nearer, adopt, undo = (page.locator(id) for id in ("#nearer", "#adopt", "#undo"))
    for button in (nearer, adopt, undo):
        await expect(button).to_be_disabled()

    await page.get_by_role("button", name=re.compile("^Face 3: pink hair, .* eyes$")).click()
    await expect(adopt).to_be_enabled()
    await page.get_by_role("button", name="Face 1: ").click()
    await expect_chosen(page, 1, 3)
    await expect(adopt).to_be_disabled()
    await nearer.click()
    await wait_for_sheet(page, 2)
    await expect(page).to_have_url(re.compile("choices=13&model=tiny$"))
    await expect_chosen(page)
    second = await pictures(page)
    assert not {*first} & {*second}

    await undo.click()
    await wait_for_sheet(page, 1)
    await expect_chosen(page, 1, 3)
    assert await pictures(page) == first
    await nearer.click()
    await wait_for_sheet(page, 2)
    assert await pictures(page) == second

    await page.go_back()
    await wait_for_sheet(page, 1)
    await page.go_forward()
    await wait_for_sheet(page, 2)
    await page.reload()
    await wait_for_sheet(page, 2)
    assert await pictures(page) == second

    await page.get_by_role("button", name="Face 7: ").click()
    await adopt.click()
    await expect(page).to_have_url(re.compile("/a/[a-z0-9]{8}$"))
    (avatar,) = (await studio.gallery.page(EVERYONE)).avatars
    assert avatar.choices == "13.7"
    await expect(page.get_by_role("button", name="Delete my picture")).to_be_visible()
    await page.get_by_role("link", name="by choosing").click()
    await wait_for_sheet(page, 2)
    assert await pictures(page) == second


async def test_a_search_by_keyboard(visit: Visit, studio: Studio) -> None:
    page = await visit(DESKTOP, "find?seed=7")
    press = page.keyboard.press
    await wait_for_sheet(page, 1)
    for key in ("2", "5", "5", "9"):
        await press(key)
    await expect_chosen(page, 2, 9)
    await press("Enter")
    await wait_for_sheet(page, 2)
    await press("Backspace")
    await wait_for_sheet(page, 1)
    await expect_chosen(page, 2, 9)
    for number in (2, 3, 4):
        await press("Enter")
        await wait_for_sheet(page, number)
        await press("1")
    await press("Enter")  # there is no fifth sheet
    await expect(page.locator("#nearer")).to_be_disabled()
    await page.locator("#adopt").focus()
    await press("Enter")
    await expect(page).to_have_url(re.compile("/a/"))
    (avatar,) = (await studio.gallery.page(EVERYONE)).avatars
    assert avatar.choices == "29.1.1.1"


async def test_typing_a_prompt_chooses_no_faces(visit: Visit) -> None:
    page = await visit(DESKTOP, "find?seed=7")
    await wait_for_sheet(page, 1)
    await page.get_by_label("Start with…").fill("red eyes 1")
    await page.keyboard.press("Backspace")
    await expect_chosen(page)
    await page.keyboard.press("Enter")
    await expect(page).to_have_url(re.compile(r"/find\?prompt=eyes%3Ared&seed=\d+&model=tiny$"))
    await expect(page.get_by_role("button", name="red eyes")).to_have_count(9)


async def test_a_mistake_is_shown_and_the_faces_stay(visit: Visit) -> None:
    page = await visit(DESKTOP, "find?seed=7")
    await wait_for_sheet(page, 1)
    faces = await pictures(page)
    await page.get_by_label("Start with…").fill("bleu hair")
    await page.get_by_role("button", name="New faces").click()
    await expect(page.get_by_role("alert")).to_contain_text("blue")
    assert await pictures(page) == faces
    await page.keyboard.press("Tab")
    await expect(page).to_have_url(re.compile(r"/find\?seed=7&model=tiny$"))


async def test_the_rate_limit_is_shown(visit: Visit, serve: Serve) -> None:
    client: Client = await serve(paint_per_minute=9)
    page = await visit(DESKTOP, "find?seed=7", client)
    await wait_for_sheet(page, 1)
    await page.keyboard.press("1")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("rate limit")
    await expect_chosen(page, 1)
    await expect(page.locator("#nearer")).to_be_enabled()


@pytest.mark.parametrize("width", [280, PHONE, 640, 740, 768, DESKTOP])
async def test_the_page_fits_its_width(visit: Visit, width: int) -> None:
    page = await visit(width, "find?seed=7")
    await wait_for_sheet(page, 1)
    await expect_no_horizontal_scrolling(page)
    await page.locator(".candidate").first.click()
    box = await page.locator("#nearer").bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 740, "the buttons are within reach"
