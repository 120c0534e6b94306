"""Helpers for tests in headless Chromium; the fixture `visit` opens pages."""

from collections.abc import Awaitable, Callable

from argon2 import PasswordHasher
from playwright.async_api import Locator, Page, expect

from bot.passwords import PasswordHash

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PHONE, DESKTOP = 360, 1280  # CSS pixels
PASSWORD = "correct horse"
PASSWORD_HASH = str(PasswordHash.of(PASSWORD, PasswordHasher(1, 8, 1)))
TIMEOUT = 40_000  # milliseconds

Visit = Callable[..., Awaitable[Page]]


async def expect_no_horizontal_scrolling(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def wait_for_picture(page: Page) -> str:
    """Waits for the painted picture, and returns its description."""
    await expect(page.locator("#result[data-state=done]")).to_be_visible()
    await expect(page.locator("#result[aria-busy]")).to_have_count(0)
    picture = page.locator("#result .picture")
    assert await picture.evaluate("image => image.naturalWidth") > 0
    return str(await picture.get_attribute("alt"))


async def paint(page: Page, prompt: str) -> None:
    """Paints a prompt that names hair and eyes."""
    await page.locator("#prompt").fill(prompt)
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.locator("#result .picture")).to_have_attribute("alt", prompt)
    await wait_for_picture(page)


async def opposite_end(slider: Locator) -> str:
    """The end of a slider of a direction farther from its position, which depends on the face."""
    return "20" if int(await slider.input_value()) < 0 else "-20"


async def log_in(page: Page) -> None:
    """Logs in; the requested admin page opens."""
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(".admin")).to_be_visible()
