"""Enlarging, sharing and keeping a picture in view, in a browser."""

import asyncio

import pytest
from browser import DESKTOP, PHONE, Visit, paint
from paused_engine import PausedEngine
from playwright.async_api import Page, Route, expect

from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import Owner

# A browser with a dialog for sharing, and one without, that has a clipboard or not.
SHARE = "navigator.share = async (link) => { window.shared = link; };"
CANCEL = "navigator.share = () => Promise.reject(new DOMException('', 'AbortError'));"
COPY = """Object.defineProperty(navigator, "share", { value: undefined });
Object.defineProperty(navigator, "clipboard",
  { value: { writeText: async (text) => { window.copied = text; } } });"""
NEITHER = """Object.defineProperty(navigator, "share", { value: undefined });
Object.defineProperty(navigator, "clipboard", { value: undefined });"""


@pytest.mark.parametrize("place", ["studio", "page"])
async def test_a_picture_is_enlarged_by_click_and_enter(
    visit: Visit, studio: Studio, owner: Owner, place: str
) -> None:
    (avatar,) = await studio.painting.create("pink hair, red eyes", Request(owner))
    page = await visit(DESKTOP, f"#/{avatar.id}" if place == "studio" else f"a/{avatar.id}")
    picture = page.locator(".enlarge")
    dialog = page.get_by_role("dialog", name="Enlarged picture")
    await expect(picture).to_be_visible()
    shown = await picture.bounding_box()
    await picture.click()
    enlarged = dialog.get_by_role("img", name="pink hair, red eyes")
    await expect(enlarged).to_be_visible()
    large = await enlarged.bounding_box()
    assert shown is not None
    assert large is not None
    assert large["width"] > max(512, shown["width"])
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await expect(picture).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(enlarged).to_be_visible()
    await dialog.get_by_role("button", name="Close").click()
    await expect(dialog).to_be_hidden()
    await expect(picture).to_be_focused()
    await page.keyboard.press("Enter")
    await enlarged.click()
    await expect(dialog).to_be_hidden()


async def test_without_javascript_the_picture_is_a_link_to_its_file(
    visit: Visit, studio: Studio, owner: Owner
) -> None:
    (avatar,) = await studio.painting.create("pink hair", Request(owner))
    page = await visit(DESKTOP, f"a/{avatar.id}", java_script_enabled=False)
    await expect(page.locator(".enlarge")).to_have_attribute("href", f"/images/{avatar.id}.png")


async def test_the_picture_is_large_on_wide_screens(visit: Visit) -> None:
    page = await visit(1920)
    await page.set_viewport_size({"width": 1920, "height": 1080})
    assert await page.locator("#result .easel").evaluate("e => e.clientWidth") == 560


async def test_on_a_phone_the_picture_stays_in_view_while_values_are_chosen(
    visit: Visit, studio: Studio, owner: Owner
) -> None:
    await studio.painting.create("", Request(owner), count=9)  # so that the form can leave the view
    page = await visit(PHONE, reduced_motion="reduce")
    await paint(page, "pink hair, red eyes")
    last = page.get_by_role("radiogroup", name="eyes").get_by_role("radio", name="blue")
    await last.scroll_into_view_if_needed()
    await expect(page.locator("#result .easel")).not_to_be_in_viewport()
    frame = page.locator("#result .frame")
    await expect(frame).to_be_in_viewport(ratio=1)
    box = await frame.bounding_box()
    assert box is not None
    assert box["width"] < 120
    # What has the keyboard's focus is not under it.
    await page.get_by_role("radiogroup", name="hair").get_by_role("radio", name="any").focus()
    await page.locator("#prompt").focus()
    prompt = await page.locator("#prompt").bounding_box()
    assert prompt is not None
    if await page.locator("#result[data-float]").count():
        assert prompt["y"] >= box["y"] + box["height"]
    await page.locator("#gallery .tile").last.scroll_into_view_if_needed()
    await page.evaluate("scrollTo(0, document.body.scrollHeight)")
    await expect(page.locator("#result[data-float]")).to_have_count(0)


async def shared_page(visit: Visit, studio: Studio, owner: Owner, browser: str) -> tuple[Page, str]:
    """The page of a picture in this browser, after a click on Share; and its URL."""
    (avatar,) = await studio.painting.create("pink hair, red eyes", Request(owner))
    page = await visit(DESKTOP)
    await page.add_init_script(browser)
    await page.goto(f"/a/{avatar.id}?utm_source=x")
    await page.locator("#share").click()
    return page, str(await page.evaluate("location.origin")) + f"/a/{avatar.id}"


async def test_sharing_opens_the_dialog_of_the_system(
    visit: Visit, studio: Studio, owner: Owner
) -> None:
    page, url = await shared_page(visit, studio, owner, SHARE)
    shared = await page.evaluate("window.shared")
    assert shared == {"title": "pink hair, red eyes · Irodori", "url": url}


async def test_closing_the_dialog_of_the_system_is_no_error(
    visit: Visit, studio: Studio, owner: Owner
) -> None:
    page, _ = await shared_page(visit, studio, owner, CANCEL)
    await expect(page.get_by_role("alert")).to_be_hidden()
    await expect(page.locator("#share")).to_have_text("Share")


async def test_without_that_dialog_the_link_is_copied(
    visit: Visit, studio: Studio, owner: Owner
) -> None:
    page, url = await shared_page(visit, studio, owner, COPY)
    await expect(page.locator("#share")).to_have_text("Copied the link")
    assert await page.evaluate("window.copied") == url


async def test_without_a_clipboard_sharing_says_where_the_link_is(
    visit: Visit, studio: Studio, owner: Owner
) -> None:
    page, _ = await shared_page(visit, studio, owner, NEITHER)
    await expect(page.get_by_role("alert")).to_have_text(
        "The link is in the address bar. Copy it from there."
    )


# As Escape does by the HTML standard. Newer versions of Chromium reset the value of the dialog.
DISMISS = "dialog => dialog.close()"


async def test_a_dismissed_dialog_deletes_nothing_after_a_failed_deletion(visit: Visit) -> None:
    page = await visit(DESKTOP, "privacy")  # the gallery reloads when a picture is painted
    painted = await page.request.post("/api/avatars", data={"prompt": "pink hair"})
    (avatar,) = await painted.json()
    await page.goto(f"/a/{avatar['id']}")
    deletions: list[str] = []

    async def refuse(route: Route) -> None:
        if route.request.method != "DELETE":
            return await route.continue_()
        deletions.append(route.request.url)
        await route.fulfill(status=503, json={"error": "The database cannot be used."})

    await page.route("**/api/avatars/*", refuse)
    dialog = page.get_by_role("dialog", name="Delete this picture?")
    await page.get_by_role("button", name="Delete my picture").click()
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_role("alert")).to_have_text("The database cannot be used.")
    await page.get_by_role("button", name="Delete my picture").click()
    await dialog.evaluate(DISMISS)
    await expect(dialog).to_be_hidden()
    # A second deletion would be sent before this one, whose dialog is opened after it.
    await page.get_by_role("button", name="Delete my picture").click()
    await dialog.get_by_role("button", name="Delete", exact=True).click()
    await expect(page.get_by_role("alert")).to_have_text("The database cannot be used.")
    assert len(deletions) == 2


@pytest.mark.parametrize("path", ["", "find?seed=7"])
async def test_the_place_in_the_queue_is_shown_while_the_bot_is_busy(
    visit: Visit,
    engine: Engine,
    studio: Studio,
    owner: Owner,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
) -> None:
    page = await visit(DESKTOP, "" if path == "" else "gallery")
    paused = PausedEngine(engine, monkeypatch)
    others = [
        asyncio.create_task(studio.painting.create("", Request(Owner("discord", str(key)))))
        for key in range(3)
    ]
    await paused.batch_started()
    if path:
        await page.goto(f"/{path}")
    else:
        await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.get_by_text("3 pictures are painted before yours…").first).to_be_visible()
    paused.resume()
    await asyncio.gather(*others)
    await expect(page.get_by_text("painted before yours")).to_have_count(0)
