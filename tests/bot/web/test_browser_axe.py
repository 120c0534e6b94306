"""Accessibility of all pages by axe-core, at two widths, light and dark."""

from collections.abc import AsyncIterator, Callable
from importlib.resources import files
from pathlib import Path

import pytest
from browser import DESKTOP, PASSWORD_HASH, PHONE, Visit, log_in, opposite_end, paint
from playwright.async_api import Page, expect
from training_run import begin

from bot.studio import Request, Studio
from db.records import Owner

from .conftest import Client, Serve

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
# For the dark scheme, only the rules that depend on colors.
RUN = """async (scheme) => {
  const ADDED = ["target-size", "label-content-name-mismatch"];
  const options =
    scheme === "dark"
      ? { runOnly: ["color-contrast", "link-in-text-block"] }
      : { rules: Object.fromEntries(ADDED.map((rule) => [rule, { enabled: true }])) };
  const { violations } = await axe.run(document, options);
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" | ")}`);
}"""

States = Callable[[Page, str], AsyncIterator[str]]


async def studio_page(page: Page, child: str) -> AsyncIterator[str]:
    await page.goto("/")
    yield "empty"
    await paint(page, "black hair, black eyes")
    yield "a picture"
    await page.get_by_role("button", name="Shape").click()
    slider = page.get_by_role("slider", name="Hair length")
    await slider.fill(await opposite_end(slider))
    await expect(page.locator(".preview")).to_be_visible()
    yield "sliders"
    await page.get_by_role("button", name="Shape").click()
    await page.get_by_label("Lock this face").check(force=True)
    yield "a face held"
    await page.locator("#nine").check(force=True)
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.locator(".sheet a")).to_have_count(9)
    yield "nine"
    await page.locator(".choose").nth(1).click()
    await page.locator(".choose").nth(9).click()
    await expect(page.locator("#result[data-state=morph]")).to_be_visible()
    yield "a morph"
    await page.goto("/?prompt=pimk+hair")
    yield "a mistake"


async def find_page(page: Page, child: str) -> AsyncIterator[str]:
    await page.goto("/find?seed=7")
    await expect(page.locator("#faces[aria-busy]")).to_have_count(0)
    yield "nine faces"
    await page.keyboard.press("1")
    await page.keyboard.press("5")
    yield "two chosen"
    await page.goto("/find?choices=x")
    await expect(page.locator("#problem")).to_contain_text("cannot be read as choices")
    yield "a mistake"


async def admin_pages(page: Page, child: str) -> AsyncIterator[str]:
    await page.goto("/admin")
    yield "login"
    await log_in(page)
    yield "models"
    for path in ("models/tiny", "live", "runs", "runs/faces", "pictures", "reports"):
        await page.goto(f"/admin/{path}")
        yield path


async def picture_page(page: Page, child: str) -> AsyncIterator[str]:
    await page.goto(f"/a/{child}")
    yield "a picture"
    await page.locator(".enlarge").click()
    yield "the enlarged picture"
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Report this picture").click()
    yield "the form of a report"


def plain(*paths: str) -> States:
    async def states(page: Page, child: str) -> AsyncIterator[str]:
        for path in paths:
            await page.goto(path.format(child=child))
            yield path

    return states


PAGES: dict[str, States] = {
    "studio": studio_page,
    "find": find_page,
    "gallery": plain(
        "/gallery", "/gallery?hair=pink", "/gallery?hair=black&eyes=black", "/gallery?sort=loved"
    ),
    "matrix": plain("/matrix"),
    "mine": plain("/mine", "/mine?scope=favourites", "/mine?link=wrong"),
    "picture": picture_page,
    "legal": plain("/privacy", "/terms"),
    "wear": plain("/wear", "/proof/{child}"),
    "admin": admin_pages,
    "errors": plain("/a/nothing", "/gallery?cursor=x", "/offline"),
}


@pytest.fixture
async def client(serve: Serve, tmp_path: Path) -> Client:
    begin(tmp_path / "runs" / "faces")
    return await serve(admin_password_hash=PASSWORD_HASH, runs=tmp_path / "runs")


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.timeout(600)  # the slowest test
@pytest.mark.usefixtures("shaped")
async def test_axe_finds_nothing_serious(
    visit: Visit, studio: Studio, owner: Owner, name: str
) -> None:
    a, b = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    (child,) = await studio.family.mix(a.id, b.id, Request(owner))
    await studio.family.recolor(child.id, {"hair": "blue"}, Request(owner))
    await studio.family.variations(a.id, Request(owner))
    await studio.avatars.toggle_favorite(child.id, owner)
    await studio.reports.report(child.id, Owner("web", "visitor"), "not nice")
    # Animations must end before the check.
    page = await visit(DESKTOP, reduced_motion="reduce")
    found = []
    async for state in PAGES[name](page, child.id):
        # The content security policy would block a script element.
        await page.evaluate(AXE)
        for width in (PHONE, DESKTOP):
            await page.set_viewport_size({"width": width, "height": 740})
            for scheme in ("light", "dark"):
                await page.emulate_media(color_scheme=scheme)
                found += [
                    f"{state}, {width}, {scheme}: {violation}"
                    for violation in await page.evaluate(RUN, scheme)
                ]
    assert found == []


async def test_axe_reports_violations(visit: Visit) -> None:
    page = await visit(DESKTOP, "nowhere")
    await page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    await page.evaluate(AXE)
    (violation,) = await page.evaluate(RUN, "light")
    assert violation == "label: <input>"
