"""Admin pages in headless Chromium."""

import re
from pathlib import Path

import pytest
from browser import DESKTOP, PASSWORD_HASH, PHONE, Visit, expect_no_horizontal_scrolling, log_in
from playwright.async_api import Locator, Page, expect
from tiny_model import add_model
from training_run import begin, report

from bot.studio import Request, Studio
from db.records import Owner
from export.registry import Registry

from .conftest import Client, Serve

TWO_POINTS = re.compile(r"M[\d.]+ [\d.]+L[\d.]+ [\d.]+")


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A running training."""
    return begin(tmp_path / "runs" / "faces")


@pytest.fixture
async def client(serve: Serve, run: Path) -> Client:
    return await serve(admin_password_hash=PASSWORD_HASH, runs=run.parent)


@pytest.fixture
async def enter(visit: Visit) -> Visit:
    """Opens an admin page and logs in."""

    async def open_page(width: int, path: str, **options: object) -> Page:
        page = await visit(width, path, **options)
        await log_in(page)
        assert page.url.endswith(f"/{path}")
        return page

    return open_page


async def shift(page: Page) -> float:
    """The sum of layout shifts without user input."""
    return float(
        await page.evaluate(
            """new Promise(resolve => {
              const observer = new PerformanceObserver(list => resolve(
                list.getEntries().reduce((sum, e) => sum + (e.hadRecentInput ? 0 : e.value), 0)));
              observer.observe({ type: "layout-shift", buffered: true });
              setTimeout(() => resolve(0), 300);
            })"""
        )
    )


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_login_and_logout(enter: Visit, width: int) -> None:
    page = await enter(width, "admin/runs")
    await expect_no_horizontal_scrolling(page)
    await page.get_by_role("button", name="Log out").click()
    await expect(page.get_by_label("Describe a face")).to_be_visible()
    await page.go_back()
    await expect(page.get_by_label("Password")).to_be_visible()
    await page.get_by_label("Password").fill("wrong")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("alert")).to_have_text("Wrong password.")
    await expect_no_horizontal_scrolling(page)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_using_a_model_and_rolling_back(
    enter: Visit, registry: Registry, studio: Studio, width: int
) -> None:
    add_model(registry, "newer")
    add_model(registry, "broken")
    (registry.folder("broken") / "generator.onnx").write_bytes(b"nothing")
    page = await enter(width, "admin")
    await expect_no_horizontal_scrolling(page)
    table = page.get_by_role("region", name="Figures")
    await expect(table.get_by_role("columnheader")).to_have_count(3)

    def use(name: str) -> Locator:
        return page.locator(".card", has_text=name).get_by_role("button")

    await use("newer").click()
    await page.get_by_role("button", name="Cancel").click()
    assert studio.model_name == "tiny"
    await use("newer").click()
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("status")).to_have_text("newer is in use.")
    assert studio.model_name == "newer"
    await use("broken").click()
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("alert")).to_contain_text("The model cannot be used")
    await expect(use("broken")).to_have_text("Use this model")
    await page.get_by_role("button", name="Roll back to tiny").click()
    await page.get_by_role("button", name="Confirm").click()
    await expect(page.get_by_role("status")).to_have_text("tiny is in use.")
    assert studio.model_name == "tiny"
    await expect_no_horizontal_scrolling(page)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_the_load_is_drawn_and_updated(
    enter: Visit, studio: Studio, owner: Owner, width: int
) -> None:
    page = await enter(width, "admin/live")
    pictures = page.locator(".dials div", has_text="Pictures").locator("dd").first
    await expect(pictures).to_have_text("0")
    await expect(page.locator(".chart .plot path").first).to_be_attached()
    await studio.painting.create("hair:pink", Request(owner), count=3)
    await expect(pictures).to_have_text("3")
    await expect_no_horizontal_scrolling(page)
    assert await shift(page) < 0.02


async def test_in_forced_colors_a_curve_has_the_color_of_text(enter: Visit) -> None:
    page = await enter(DESKTOP, "admin/live", forced_colors="active", color_scheme="dark")
    curve = page.locator(".chart .plot path.stroke-1").first
    await expect(curve).to_be_attached()
    text = await page.evaluate("getComputedStyle(document.body).color")
    assert await curve.evaluate("path => getComputedStyle(path).stroke") == text


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_a_training_run_is_drawn_and_updated(enter: Visit, run: Path, width: int) -> None:
    page = await enter(width, "admin/runs")
    await expect(page.locator(".card .facts")).to_have_text("1,000 images · 50 images/s")
    await page.get_by_role("link", name="faces", exact=True).click()
    losses = page.locator(".chart", has_text="Losses")
    await expect(losses.locator("output")).to_have_text(["1.5", "0.5"])
    await expect(page.get_by_text("training", exact=True)).to_be_visible()
    report(run, 2000, generator=0.75, discriminator=0.25, hair_as_asked=0.5)
    await expect(losses.locator("output")).to_have_text(["0.75", "0.25"])
    # A curve of two points that is read by keyboard.
    await expect(losses.locator(".plot path.stroke-2")).to_have_attribute("d", TWO_POINTS)
    await losses.locator(".plot").focus()
    await page.keyboard.press("ArrowLeft")
    await expect(losses.locator("output")).to_have_text(["1.5", "0.5"])
    # The sample grids, selected by the slider.
    slider = page.get_by_role("slider")
    await slider.focus()
    await page.keyboard.press("ArrowLeft")
    grid = page.locator(".grids img")
    await expect(grid).to_have_attribute("alt", "Samples after 1 thousand images")
    await expect(grid).to_have_js_property("naturalWidth", 64)
    await expect_no_horizontal_scrolling(page)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_hiding_a_picture_and_showing_it_again(
    enter: Visit, client: Client, studio: Studio, owner: Owner, width: int
) -> None:
    first, second = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)

    async def status(id: str) -> int:
        async with client.get(f"/a/{id}") as answer:
            return answer.status

    page = await enter(width, "admin/pictures")
    await expect_no_horizontal_scrolling(page)
    item = page.locator(".picture-of", has_text=first.id)
    await item.get_by_role("button", name="Hide").click()
    await expect(page.get_by_role("status")).to_have_text(f"{first.id} is hidden.")
    assert await status(first.id) == 404
    await item.get_by_role("button", name="Show").click()
    await expect(page.get_by_role("status")).to_have_text(f"{first.id} is public again.")
    assert await status(first.id) == 200

    which = page.get_by_label("Picture id or link")
    await which.fill("what is it")
    await page.get_by_role("button", name="Hide picture").click()
    await expect(page.get_by_role("alert")).to_contain_text("Enter a picture's id or a link")
    await which.fill(f"https://faces.example.org/a/{second.id}?from=discord")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text(f"{second.id} is hidden.")
    assert await status(second.id) == 404
    hidden = page.locator(".picture-of[data-hidden]")
    await expect(hidden).to_have_count(1)
    await expect(hidden.locator("img")).to_have_js_property("complete", True)
    await hidden.get_by_role("button", name="Show").click()
    await expect(hidden).to_have_count(0)
    assert await status(second.id) == 200


async def test_admin_pages_work_by_keyboard(
    enter: Visit, registry: Registry, studio: Studio, owner: Owner
) -> None:
    """All pages can be reached and left by keyboard."""
    add_model(registry, "newer")
    (avatar,) = await studio.painting.create("hair:pink", Request(owner))
    page = await enter(DESKTOP, "admin")

    async def tab_to(name: str) -> None:
        for _ in range(40):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.textContent.trim()") == name:
                return
        raise AssertionError(f"{name} is not reached")

    await tab_to("Use this model")
    await page.keyboard.press("Enter")
    await tab_to("Confirm")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("newer is in use.")
    assert studio.model_name == "newer"
    await page.get_by_role("link", name="Irodori").focus()
    await tab_to("Pictures")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="Pictures", exact=True)).to_be_visible()
    await tab_to("Hide")
    await page.keyboard.press("Space")
    await expect(page.get_by_role("status")).to_have_text(f"{avatar.id} is hidden.")
    # the same button still has the focus
    await page.keyboard.press("Space")
    await expect(page.get_by_role("status")).to_have_text(f"{avatar.id} is public again.")


async def test_admin_pages_are_readable_without_javascript(enter: Visit) -> None:
    page = await enter(PHONE, "admin", java_script_enabled=False)
    for name in ("Models", "Live", "Runs", "Pictures"):
        await page.get_by_role("link", name=name, exact=True).click()
        await expect(page.get_by_role("heading", level=1)).to_contain_text(name)
        await expect(page.locator("[data-post]:visible, .plot:visible")).to_have_count(0)
    await page.get_by_role("link", name="Runs", exact=True).click()
    await page.get_by_role("link", name="faces", exact=True).click()
    await expect(page.locator(".chart output").first).to_have_text("1.5")
    await page.get_by_text("Latest reports").click()
    await expect(page.get_by_role("cell", name="1,000")).to_be_visible()


async def test_a_visitor_reports_a_picture_and_the_admin_dismisses_it(
    enter: Visit, client: Client, studio: Studio, owner: Owner
) -> None:
    (avatar,) = await studio.painting.create("hair:pink", Request(owner))
    page = await enter(DESKTOP, "admin/reports")
    await page.goto(str(client.make_url(f"/a/{avatar.id}")))
    await page.get_by_role("button", name="Report this picture").click()
    await page.get_by_label("What is wrong with it?").fill("not nice")
    await page.get_by_role("button", name="Report", exact=True).click()
    await expect(page.get_by_role("button", name="Reported")).to_be_disabled()
    await page.goto(str(client.make_url("/admin/reports")))
    await expect(page.locator("blockquote")).to_have_text("not nice")
    await page.get_by_role("button", name="Dismiss").click()
    await expect(page.get_by_text("No reports are open.")).to_be_visible()
    assert await studio.reports.open() == []


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_admin_pages_have_no_layout_shift_and_no_unnamed_elements(
    enter: Visit, client: Client, studio: Studio, owner: Owner, width: int
) -> None:
    await studio.painting.create("hair:pink", Request(owner), count=3)
    page = await enter(width, "admin")
    for path in ("/admin", "/admin/live", "/admin/runs", "/admin/runs/faces", "/admin/pictures"):
        await page.goto(str(client.make_url(path)))
        await page.wait_for_load_state("load")
        assert await shift(page) < 0.02, path
        await expect_no_horizontal_scrolling(page)
        nameless = await page.evaluate(
            """[...document.querySelectorAll("a, button, input, summary, [role=region], img")]
              .filter(e => e.checkVisibility() && !e.closest("[aria-hidden]")
                && !(e.textContent.trim() || e.ariaLabel || e.querySelector("img:not([alt=''])")
                     || e.hasAttribute("alt")
                     || e.labels?.length || e.getAttribute("aria-labelledby")))
              .map(e => e.outerHTML)"""
        )
        assert nameless == [], path
