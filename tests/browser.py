"""What tests in headless Chromium have in common; the fixture `visit` opens pages."""

from collections.abc import Awaitable, Callable

from argon2 import PasswordHasher
from playwright.async_api import Page, expect

from bot.passwords import PasswordHash

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
PHONE, DESK = 360, 1280  # CSS pixels
PASSWORD = "correct horse"
PASSWORD_HASH = str(PasswordHash.of(PASSWORD, PasswordHasher(1, 8, 1)))
TIMEOUT = 40_000  # milliseconds; on a machine that does other things, too

Visit = Callable[..., Awaitable[Page]]


async def no_sideways(page: Page) -> None:
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")


async def painted(page: Page) -> str:
    """Waits for the picture; what it shows."""
    await expect(page.locator("#result[data-state=done]")).to_be_visible()
    await expect(page.locator("#result[aria-busy]")).to_have_count(0)
    picture = page.locator("#result .picture")
    assert await picture.evaluate("image => image.naturalWidth") > 0
    return str(await picture.get_attribute("alt"))


async def ask(page: Page, words: str) -> None:
    """Paints what the words say: hair and eyes."""
    await page.locator("#prompt").fill(words)
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.locator("#result .picture")).to_have_attribute("alt", words)
    await painted(page)


async def log_in(page: Page) -> None:
    """Onto the admin's page that was asked for."""
    await page.get_by_label("Password").fill(PASSWORD)
    await page.keyboard.press("Enter")
    await expect(page.locator(".admin")).to_be_visible()
