"""Linking a browser with a member of Discord, in Chromium."""

from browser import PHONE, Visit
from playwright.async_api import expect

from bot.studio import Request, Studio
from db.records import Owner

MIKA = Owner("discord", "1", "Mika")


async def test_a_visitor_links_and_unlinks_the_browser_by_keyboard(
    visit: Visit, studio: Studio
) -> None:
    (avatar,) = await studio.painting.create("hair:pink", Request(MIKA))
    code, _ = await studio.links.create_code(MIKA)
    page = await visit(PHONE, "mine")
    field = page.get_by_label("Code")
    await field.focus()
    await page.keyboard.type("AAAAA-AAAAA")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_contain_text("cannot be used")
    await expect(field).to_have_attribute("aria-invalid", "true")
    await field.fill(code.lower())
    await page.keyboard.press("Enter")
    await expect(page.get_by_text("linked with Mika")).to_be_visible()
    await expect(page.locator(f'a[href="/a/{avatar.id}"]')).to_have_count(1)
    await page.get_by_role("button", name="Unlink").press("Enter")
    await expect(field).to_be_visible()
    await expect(page.locator(f'a[href="/a/{avatar.id}"]')).to_have_count(0)
