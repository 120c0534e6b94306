"""Pages in other languages in a browser: what scripts say, and accessibility."""

import pytest
from browser import DESKTOP, PHONE, Visit, expect_no_horizontal_scrolling, wait_for_picture
from playwright.async_api import Page, expect

from bot.studio import Request, Studio
from db.records import Owner

from .test_browser_axe import AXE, RUN

NARROW = 280


async def test_scripts_speak_the_language_of_the_page(visit: Visit) -> None:
    page = await visit(DESKTOP, "?lang=ja")
    await page.get_by_role("radio", name="ピンク").first.check(force=True)
    await expect(page.locator("#prompt")).to_have_value("ピンクの髪")
    await page.locator("#prompt").fill("ピンクの髪、オレンジの目")
    await page.get_by_role("button", name="描く", exact=True).click()
    assert await wait_for_picture(page) == "ピンクの髪、オレンジの目"
    await expect(page.locator("#news")).to_have_text("描けました：ピンクの髪、オレンジの目")
    await expect(page.locator("#result .chip").first).to_have_text("ピンクの髪")
    await page.locator("#prompt").fill("male, pink hair")
    await expect(page.locator("#note")).to_contain_text("わからなかった言葉：「male」。")
    await page.locator("#prompt").fill("pimk hair")
    await page.get_by_role("button", name="描く", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("もしかして：ピンク")


async def test_a_link_to_another_language_keeps_the_picture(visit: Visit) -> None:
    page = await visit(DESKTOP, locale="zh-CN")
    await page.get_by_role("button", name="画", exact=True).click()
    await wait_for_picture(page)
    view = await page.evaluate("location.hash")
    assert len(view) > 2
    await page.get_by_role("link", name="English").click()
    await expect(page.get_by_role("button", name="Paint", exact=True)).to_be_visible()
    await wait_for_picture(page)
    assert await page.evaluate("location.hash") == view
    await page.goto("/gallery")  # remembered
    await expect(page.get_by_role("heading", name="Gallery")).to_be_visible()


@pytest.mark.parametrize("language", ["ja", "zh-CN"])
async def test_axe_finds_nothing_serious_in_translated_pages(
    visit: Visit, studio: Studio, owner: Owner, language: str
) -> None:
    a, b = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    (child,) = await studio.family.mix(a.id, b.id, Request(owner))
    page = await visit(DESKTOP, reduced_motion="reduce", locale=language)
    found = []
    paths = ["/?prompt=pimk", f"/#/{child.id}", "/find?seed=7", f"/a/{child.id}", "/wear"]
    for path in paths:
        await page.goto(path)
        await _settle(page, path)
        await page.evaluate(AXE)
        for width in (DESKTOP, PHONE):
            await page.set_viewport_size({"width": width, "height": 740})
            violations = await page.evaluate(RUN, "light")
            found += [f"{path}, {width}: {violation}" for violation in violations]
            await expect_no_horizontal_scrolling(page)
        await page.set_viewport_size({"width": NARROW, "height": 740})
        await expect_no_horizontal_scrolling(page)
    assert found == []


async def _settle(page: Page, path: str) -> None:
    if "#" in path:
        await wait_for_picture(page)
    elif path.startswith("/find"):
        await expect(page.locator("#faces[aria-busy]")).to_have_count(0)
