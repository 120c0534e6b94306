"""The sliders of the studio page in headless Chromium."""

import asyncio

import pytest
from browser import DESKTOP, PHONE, Visit, expect_no_horizontal_scrolling, opposite_end, paint
from playwright.async_api import Page, Route, expect

from bot.studio import Studio
from db.store import Store

pytestmark = pytest.mark.usefixtures("shaped")


async def open_sliders(page: Page) -> None:
    await paint(page, "pink hair, red eyes")
    await page.get_by_role("button", name="Shape").click()
    await expect(page.get_by_role("slider", name="Hair length")).to_be_visible()


async def shown_id(page: Page) -> str:
    return str(await page.locator("#result .picture").get_attribute("data-id"))


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_sliders_show_a_preview_and_keep_paints_it(
    visit: Visit, studio: Studio, store: Store, width: int
) -> None:
    page = await visit(width)
    await open_sliders(page)
    parent = await studio.avatars.get(await shown_id(page), None)
    positions = await studio.shaping.positions(parent)
    smile = page.get_by_role("slider", name="Smile")
    assert abs(float(await smile.input_value()) / 20 - positions["smile"]) <= 0.03
    keep = page.get_by_role("button", name="Keep")
    await expect(keep).to_be_disabled()
    await expect(page.locator(".preview")).to_be_hidden()

    end = await opposite_end(smile)
    await smile.fill(end)
    await expect(page.locator(".preview")).to_be_visible()
    await expect_no_horizontal_scrolling(page)
    assert await store.avatars.count() == 1
    await keep.click()
    await expect(page.locator("#result .picture")).not_to_have_attribute("data-id", parent.id)
    await expect(page.locator(".preview")).to_be_hidden()
    child = await studio.avatars.get(await shown_id(page), None)
    assert child.parents == (parent.id,)
    after = await studio.shaping.positions(child)
    assert after == {**positions, "smile": int(end) / 20}
    # The sliders follow the new face.
    await expect(smile).to_have_value(end)
    await expect(keep).to_be_disabled()


async def test_sliders_work_by_keyboard_and_can_be_reset(visit: Visit) -> None:
    page = await visit()
    await paint(page, "pink hair, red eyes")
    button = page.get_by_role("button", name="Shape")
    await button.focus()
    await page.keyboard.press("Enter")
    await expect(button).to_have_attribute("aria-expanded", "true")
    slider = page.get_by_role("slider", name="Hair length")
    await expect(slider).to_be_visible()
    start = await slider.input_value()
    end = await opposite_end(slider)
    await slider.focus()
    await page.keyboard.press("End" if end == "20" else "Home")
    await expect(slider).to_have_value(end)
    await expect(slider).to_have_attribute("aria-valuetext", f"{int(end) * 5} %")
    await expect(page.locator(".preview")).to_be_visible()
    await page.get_by_role("button", name="Reset").click()
    await expect(slider).to_have_value(start)
    await expect(slider).to_be_focused()
    await expect(page.locator(".preview")).to_be_hidden()
    await button.click()
    await expect(slider).to_be_hidden()


async def test_one_preview_is_requested_at_a_time_and_the_newest_positions_follow(
    visit: Visit,
) -> None:
    page = await visit()
    await open_sliders(page)
    requested: asyncio.Queue[Route] = asyncio.Queue()
    await page.route("**/shape/preview", requested.put)
    slider = page.get_by_role("slider", name="Hair length")
    end = int(await opposite_end(slider))
    await slider.fill(str(end))
    first = await requested.get()
    for position in (3, -3, end // 2):
        await slider.fill(str(position))
    await first.continue_()
    second = await requested.get()
    assert second.request.post_data_json == {"shape": {"hair_length": end / 40}}
    assert requested.empty()
    await second.fulfill(status=503, json={"error": "The queue is full."})
    await expect(page.get_by_role("alert")).to_have_text("The queue is full.")


async def test_several_pictures_have_no_sliders(visit: Visit) -> None:
    page = await visit()
    await open_sliders(page)
    await page.locator("#nine").check(force=True)
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.locator(".sheet a")).to_have_count(9)
    await expect(page.get_by_role("button", name="Shape")).to_be_hidden()
    await expect(page.locator("#sliders")).to_be_hidden()
