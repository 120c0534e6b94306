"""The page /wear in a browser."""

from browser import Visit
from playwright.async_api import expect


async def test_the_face_and_its_addresses_follow_what_is_typed(visit: Visit) -> None:
    page = await visit(path="wear")
    face, addresses = page.locator("#face"), page.locator("[data-address]")
    await expect(face).to_have_js_property("complete", True)
    await page.fill("#name", "Zoë")
    await page.fill("#values", "hair:pink")
    await expect(face).to_have_attribute("src", "/avatar/hair:pink/Zo%C3%AB.png")
    await expect(addresses.nth(0)).to_contain_text("/avatar/hair:pink/Zo%C3%AB.png")
    await expect(addresses.nth(1)).to_contain_text("/avatar/v/tiny/hair:pink/Zo%C3%AB.png")
    await expect(face).not_to_have_js_property("naturalWidth", 0)
    await page.fill("#values", "hair:bleu")
    await expect(page.locator("#problem")).to_contain_text("blue")
    await page.fill("#values", "hair:blue")
    await expect(page.locator("#problem")).to_be_empty()
    await expect(face).not_to_have_js_property("naturalWidth", 0)
