"""The studio page in headless Chromium."""

import re
from pathlib import Path

import pytest
from browser import DESKTOP, PHONE, Visit, expect_no_horizontal_scrolling, paint, wait_for_picture
from playwright.async_api import Locator, Route, expect
from tiny_model import add_model

from bot.inference.engine import Engine
from bot.studio import Request, Studio
from db.records import GalleryQuery, Owner
from export.registry import Registry

from .conftest import Serve


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """One model, "tiny", that paints 256 x 256."""
    registry = Registry(tmp_path / "models")
    add_model(registry, "tiny", upscaler=True)
    registry.use("tiny")
    return registry


async def edges(shown: Locator) -> tuple[float, float]:
    """The upper and the lower edge, in pixels of the window."""
    box = await shown.bounding_box()
    assert box is not None
    return box["y"], box["y"] + box["height"]


async def newest(studio: Studio) -> dict[str, str]:
    query = GalleryQuery("everyone", viewer=None, guild=None, values={}, limit=1)
    return (await studio.gallery.page(query)).avatars[0].wish


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_painting_by_prompt(visit: Visit, width: int) -> None:
    page = await visit(width)
    await page.get_by_label("Describe a face").fill("orange eyes and pink hair")
    # The swatches follow the prompt.
    await expect(page.get_by_role("radio", name="pink").first).to_be_checked()
    await expect(page.get_by_role("radio", name="orange").last).to_be_checked()
    await page.get_by_label("seed").fill("7")
    await page.get_by_role("button", name="Paint").click()
    assert await wait_for_picture(page) == "pink hair, orange eyes"
    picture = page.locator("#result .picture")
    assert await picture.evaluate("image => image.naturalWidth") == 256
    await expect(page.locator(".facts")).to_have_text("seed 7 · model tiny · link")
    await expect(page.locator(".tile img")).to_have_attribute("alt", "pink hair, orange eyes")
    await expect_no_horizontal_scrolling(page)
    await page.get_by_text("Details").click()
    await page.get_by_role("link", name="link", exact=True).click()
    await expect(page).to_have_url(re.compile("/a/[a-z0-9]+$"))


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_painting_by_swatches(visit: Visit, studio: Studio, width: int) -> None:
    page = await visit(width, has_touch=width == PHONE)
    hair = page.get_by_role("radiogroup", name="hair")
    eyes = page.get_by_role("radiogroup", name="eyes")
    press = "tap" if width == PHONE else "click"
    await getattr(hair.get_by_role("radio", name="green"), press)()
    await expect(page.locator("#prompt")).to_have_value("hair:green")
    await getattr(eyes.get_by_role("radio", name="red"), press)()
    await expect(page.locator("#prompt")).to_have_value("hair:green eyes:red")
    await getattr(hair.get_by_role("radio", name="any"), press)()
    await expect(page.locator("#prompt")).to_have_value("eyes:red")
    await getattr(page.get_by_role("button", name="Paint"), press)()
    assert (await wait_for_picture(page)).endswith(", red eyes")
    assert await newest(studio) == {"eyes": "red"}
    await expect(page.locator("#result .chip")).to_have_count(2)
    await expect(page.locator("#result .chip[data-random]")).to_have_count(1)
    sizes = await page.evaluate(
        "[...document.querySelectorAll('#paint label, button, .tools a, .face')]"
        ".filter(e => !e.matches('.ask label, .seed') && e.checkVisibility())"
        ".map(e => { const r = e.getBoundingClientRect(); return Math.min(r.width, r.height) })"
    )
    assert min(sizes) >= 43  # CSS pixels; large enough for touch


async def test_painting_by_keyboard_alone(visit: Visit, studio: Studio) -> None:
    page = await visit()
    press = page.keyboard.press
    await page.locator("#prompt").focus()
    await expect(page.locator("#prompt")).to_be_focused()
    await press("Tab")
    await press("ArrowRight")  # from "any" to the first hair
    await expect(page.locator("#prompt")).to_have_value("hair:aqua")
    await press("Tab")
    for _ in range(2):
        await press("ArrowRight")
    await expect(page.locator("#prompt")).to_have_value("hair:aqua eyes:black")
    await press("Tab")
    await expect(page.locator("#seed")).to_be_focused()
    await page.keyboard.type("12")
    await press("Tab")
    await expect(page.locator("#lock")).to_be_checked()
    await press("Space")
    await press("Tab")
    await expect(page.locator("#one")).to_be_focused()
    await press("Tab")
    await press("Tab")
    await expect(page.get_by_role("button", name="Paint")).to_be_focused()
    await press("Enter")
    assert await wait_for_picture(page) == "aqua hair, black eyes"
    await expect(page.locator("#news")).to_have_text("Painted: aqua hair, black eyes.")
    # The button keeps the focus: paint again, then by Enter in the prompt.
    await page.evaluate("document.querySelector('#result').dataset.state = 'empty'")
    await press("Enter")
    await wait_for_picture(page)
    await page.locator("#prompt").focus()
    await page.keyboard.press("Control+a")
    await page.keyboard.type("white hair")
    await page.evaluate("document.querySelector('#result').dataset.state = 'empty'")
    await press("Enter")
    assert (await wait_for_picture(page)).startswith("white hair")
    await expect(page.locator(".face")).to_have_count(3)
    # The swatches are updated even if Enter follows immediately.
    await expect(page.get_by_role("radio", name="white").first).to_be_checked()


async def test_a_skeleton_while_painting_and_an_error_message(
    visit: Visit, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await visit(PHONE)
    before = page.locator("#result[data-state=empty]")
    await expect(before).to_be_visible()
    await page.locator("#prompt").fill("pimk hair")
    await page.get_by_role("button", name="Paint").click()
    await expect(page.get_by_role("alert")).to_contain_text("Did you mean pink?")
    await expect(page.get_by_role("alert")).to_be_in_viewport()
    await expect(before).to_be_visible()

    async def check_and_continue(route: Route) -> None:
        await expect(page.locator("#result[aria-busy=true][data-state=painting]")).to_be_visible()
        await page.locator("#prompt").press("Enter")  # does not paint twice
        await route.continue_()

    await page.route("**/api/avatars", check_and_continue)
    await page.locator("#prompt").fill("pink hair")
    await expect(page.get_by_role("alert")).to_have_count(0)
    await page.get_by_role("button", name="Paint").click()
    assert (await wait_for_picture(page)).startswith("pink hair")
    await expect(page.locator(".tile")).to_have_count(1)
    await page.route("**/api/avatars", lambda route: route.abort())
    await page.get_by_role("button", name="Paint").click()
    await expect(page.get_by_role("alert")).to_contain_text("does not answer")
    assert (await wait_for_picture(page)).startswith("pink hair")


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_recoloring_a_locked_face(visit: Visit, studio: Studio, width: int) -> None:
    page = await visit(width)
    await paint(page, "pink hair, red eyes")
    seed = await page.locator("#seed").input_value()
    hair = page.get_by_role("radiogroup", name="hair")
    await page.get_by_label("Lock this face").check(force=True)
    await hair.get_by_role("radio", name="green").check(force=True)
    await expect(page.locator("#result .picture")).to_have_attribute("alt", "green hair, red eyes")
    await expect(page.locator(".face")).to_have_count(2)
    query = GalleryQuery("everyone", viewer=None, guild=None, values={}, limit=3)
    green, pink = (await studio.gallery.page(query)).avatars
    assert green.parents == (pink.id,)
    assert (green.seed, pink.seed) == (int(seed), int(seed))
    await expect_no_horizontal_scrolling(page)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_the_url_restores_the_view(visit: Visit, width: int) -> None:
    page = await visit(width)
    picture = page.locator("#result .picture")
    undo = page.get_by_role("button", name="Undo")
    await paint(page, "pink hair, red eyes")
    pink = page.url
    assert re.search(r"[?]prompt=pink\+hair%2C\+red\+eyes&seed=\d+#/[a-z0-9]+$", pink)
    await paint(page, "blue hair, red eyes")
    await page.get_by_role("button", name="Variations").click()
    cells = page.locator(".sheet a")
    await expect(cells).to_have_count(9)
    sheet = page.url
    await cells.nth(4).click()
    await wait_for_picture(page)
    await undo.click()
    await expect(cells.first).to_be_visible()
    assert page.url == sheet
    await undo.click()
    await expect(picture).to_be_visible()
    await undo.click()
    await expect(picture).to_have_attribute("alt", "pink hair, red eyes")
    assert page.url == pink
    await expect(page.locator("#prompt")).to_have_value("pink hair, red eyes")
    await expect(page.get_by_role("radio", name="pink").first).to_be_checked()
    await page.go_forward()
    await expect(picture).to_have_attribute("alt", "blue hair, red eyes")
    await page.reload()
    await expect(picture).to_have_attribute("alt", "blue hair, red eyes")
    await expect(page.locator(".face")).to_have_count(11)
    # Another browser shows the same.
    for url, count in ((pink, 1), (sheet, 9)):
        friend = await visit(width, url.split("/", 3)[3])
        await expect(friend.locator(".face")).to_have_count(count)
        await expect(friend.locator("#result[data-state=done], .sheet:visible")).to_have_count(1)


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_two_faces_are_morphed(visit: Visit, studio: Studio, width: int) -> None:
    page = await visit(width)
    await paint(page, "black hair, black eyes")
    await paint(page, "white hair, yellow eyes")
    if width == DESKTOP:
        await page.locator(".face").nth(1).drag_to(page.locator(".face").nth(0))
    else:
        await page.locator(".choose").nth(1).click()
        await expect(page.locator("#visit-help")).to_have_text(
            "Select another picture to mix or morph it with."
        )
        await page.locator(".choose").nth(0).click()
    await expect(page.locator("#result[data-state=morph]")).to_be_visible()
    light = (
        "c => c.getContext('2d').getImageData(0, 0, c.width, 16).data"
        ".reduce((sum, v, i) => i % 4 < 3 ? sum + v : sum, 0) / (3 * 16 * c.width)"
    )
    shades = []
    for share in ("0", "25", "53", "100"):
        await page.locator("#share").fill(share)
        shades.append(await page.locator(".between").evaluate(light))
    assert shades == sorted(shades)
    assert shades[0] + 100 < shades[-1]
    await page.locator("#share").press("ArrowLeft")
    text = await page.locator("#share").get_attribute("aria-valuetext")
    assert text == "1 % black hair, black eyes, 99 % white hair, yellow eyes"
    await expect_no_horizontal_scrolling(page)
    url = page.url
    await page.get_by_role("button", name="Mix them").click()
    await wait_for_picture(page)
    query = GalleryQuery("everyone", viewer=None, guild=None, values={}, limit=3)
    child, white, black = (await studio.gallery.page(query)).avatars
    assert child.parents == (black.id, white.id)
    await page.goto(url)
    await expect(page.locator("#result[data-state=morph]")).to_be_visible()


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_nine_pictures_favorite_download_and_discord_command(
    visit: Visit, studio: Studio, width: int
) -> None:
    page = await visit(width, permissions=["clipboard-read", "clipboard-write"])
    await page.locator("#nine").check(force=True)
    await page.locator("#seed").fill("40")
    await page.locator("#prompt").fill("pink hair, red eyes")
    await page.get_by_role("button", name="Paint", exact=True).click()
    cells = page.locator(".sheet a")
    await expect(cells).to_have_count(9)
    await expect_no_horizontal_scrolling(page)
    await cells.nth(2).click()
    await wait_for_picture(page)
    await expect(page.locator(".facts")).to_contain_text("seed 42")
    id = str(await page.locator("#result .picture").get_attribute("data-id"))
    heart = page.get_by_role("button", name="Favorite")
    await heart.click()
    await expect(heart).to_have_attribute("aria-pressed", "true")
    assert (await studio.avatars.get(id, None)).favorites == 1
    await page.reload()
    await expect(heart).to_have_attribute("aria-pressed", "true")
    sizes = page.locator("#sizes a")
    assert await sizes.evaluate_all("all => all.map(a => a.download)") == [
        f"irodori-{id}-{size}.png" for size in (64, 128, 256)
    ]
    await page.get_by_text("Details").click()
    await page.get_by_role("button", name="Copy").click()
    await expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = await page.evaluate("navigator.clipboard.readText()")
    assert copied == "/avatar hair:pink eyes:red seed:42 size:256"


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_without_javascript(visit: Visit, studio: Studio, width: int) -> None:
    page = await visit(width, java_script_enabled=False)
    home = page.url
    await page.locator("#prompt").fill("pink hair")
    await page.get_by_role("radiogroup", name="eyes").get_by_role("radio", name="orange").click()
    await page.get_by_role("button", name="Paint").click()
    await expect(page.get_by_role("img", name="pink hair, orange eyes")).to_be_visible()
    assert await newest(studio) == {"hair": "pink", "eyes": "orange"}
    await page.goto(home)
    await expect(page.locator(".tile:visible")).to_have_count(1)
    await expect(page.get_by_text("Lock this face")).to_be_hidden()
    await page.get_by_role("link", name="See all").click()
    await expect(page).to_have_url(re.compile("/gallery$"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_text_contrast(visit: Visit, scheme: str) -> None:
    page = await visit(color_scheme=scheme)
    ratios = await page.evaluate(
        """() => {
          const style = getComputedStyle(document.documentElement);
          const light = (name) => {
            const hex = style.getPropertyValue(name).trim();
            const [r, g, b] = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255)
              .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          const ratio = (a, b) => {
            const [low, high] = [light(a), light(b)].sort((x, y) => x - y);
            return (high + 0.05) / (low + 0.05);
          };
          return [["--ink", "--background"], ["--soft", "--background"], ["--soft", "--card"],
            ["--soft", "--wash-1"], ["--on-accent", "--accent"]].map(([a, b]) => ratio(a, b));
        }"""
    )
    assert min(ratios) >= 4.5  # WCAG AA


@pytest.mark.parametrize("made", ["variation", "child"])
async def test_a_locked_face_that_was_made_from_others_is_held(
    visit: Visit, studio: Studio, owner: Owner, made: str
) -> None:
    a, b = await studio.painting.create("hair:pink eyes:red", Request(owner), count=2)
    if made == "variation":
        face, *_ = await studio.family.variations(a.id, Request(owner))
    else:
        (face,) = await studio.family.mix(a.id, b.id, Request(owner))
    page = await visit(DESKTOP, f"#/{face.id}")
    await wait_for_picture(page)
    count = await page.locator(".face").count()
    await page.get_by_label("Lock this face").check(force=True)
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("nothing has changed")
    await expect(page.locator(".face")).to_have_count(count)  # no other face was painted
    await page.locator("#prompt").fill("green hair, red eyes")
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.locator("#result .picture")).to_have_attribute("alt", "green hair, red eyes")
    query = GalleryQuery("everyone", viewer=None, guild=None, values={}, limit=1)
    (green,) = (await studio.gallery.page(query)).avatars
    assert green.parents == (face.id,)
    assert (green.latent == face.latent).all()


async def test_a_locked_face_of_a_retired_model_is_held(
    visit: Visit, studio: Studio, registry: Registry, engine: Engine
) -> None:
    page = await visit(DESKTOP)
    await paint(page, "pink hair, red eyes")
    command = page.locator("#command")
    await expect(command).to_have_value(re.compile("seed:"))
    add_model(registry, "newer")
    registry.use("newer")
    await engine.refresh()
    await page.reload()
    await wait_for_picture(page)
    await expect(command).to_have_value("/avatar hair:pink eyes:red")
    await page.get_by_text("Details").click()
    await expect(page.locator("#model")).to_have_text(re.compile("tiny .no longer in use"))
    await page.get_by_label("Lock this face").check(force=True)
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("nothing has changed")
    await page.locator("#prompt").fill("green hair, red eyes")
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.locator("#result .picture")).to_have_attribute("alt", "green hair, red eyes")
    query = GalleryQuery("everyone", viewer=None, guild=None, values={}, limit=2)
    green, pink = (await studio.gallery.page(query)).avatars
    assert green.model == pink.model == "tiny"
    assert (green.latent == pink.latent).all()


@pytest.mark.parametrize("width", [280, PHONE, 737, 760, 783, DESKTOP])
async def test_the_page_with_a_picture_fits_its_width(visit: Visit, width: int) -> None:
    page = await visit(width)
    await page.locator("#seed").fill("4294967290")
    await page.locator("#prompt").fill("hair:pink eyes:red")
    await page.get_by_role("button", name="Paint", exact=True).click()
    await wait_for_picture(page)
    await expect_no_horizontal_scrolling(page)
    seed = page.locator("#seed")
    await seed.evaluate("seed => (seed.style.letterSpacing = '.08em')")  # as in wide fonts
    assert await seed.evaluate("seed => seed.scrollWidth <= seed.clientWidth")


async def test_on_a_phone_an_error_is_above_the_paint_bar(visit: Visit) -> None:
    page = await visit(PHONE)
    await page.set_viewport_size({"width": PHONE, "height": 640})
    await paint(page, "pink hair, red eyes")
    await page.evaluate("scrollTo(0, 0)")
    await page.locator("#prompt").fill("hair:nothing")
    await page.keyboard.press("Enter")
    alert = page.locator("#problem")
    await expect(alert).to_contain_text("nothing")
    top, bottom = await edges(alert)
    bar, _ = await edges(page.locator(".go"))
    assert top >= 0
    assert bottom <= bar


@pytest.mark.parametrize("size", [(640, 360), (844, 390)])
async def test_on_a_phone_in_landscape_the_picture_is_on_the_screen(
    visit: Visit, size: tuple[int, int]
) -> None:
    page = await visit(size[0])
    await page.set_viewport_size({"width": size[0], "height": size[1]})
    await paint(page, "pink hair, red eyes")
    await page.evaluate("scrollTo(0, 0)")
    top, bottom = await edges(page.locator("#result .picture"))
    assert top >= 0
    assert bottom <= size[1]


async def test_in_forced_colors_a_selection_is_outlined(visit: Visit) -> None:
    page = await visit(DESKTOP, "?prompt=hair:pink")
    await page.emulate_media(forced_colors="active")
    chosen = page.locator(".swatch:has(:checked)")
    assert await chosen.evaluate("node => getComputedStyle(node).outlineStyle") == "solid"
    other = page.locator(".swatch:not(:has(:checked))").first
    assert await other.evaluate("node => getComputedStyle(node).outlineStyle") == "none"


async def test_the_page_works_under_another_name_than_its_public_one(
    visit: Visit, serve: Serve
) -> None:
    """`visit` fails for a request to another site."""
    site = await serve(public_url="https://faces.example.org")
    page = await visit(DESKTOP, at=site)
    await paint(page, "pink hair, red eyes")
    await expect(page.locator(".face img")).to_have_js_property("complete", True)
    assert await page.locator(".face img").evaluate("image => image.naturalWidth") > 0
    assert (await page.locator("#link").get_attribute("href") or "").startswith("/a/")


async def test_words_that_are_not_used_are_named(visit: Visit) -> None:
    page = await visit(DESKTOP)
    await page.locator("#prompt").fill("male, pink hair")
    await expect(page.locator("#note")).to_have_text("Not understood: “male”. Used: hair:pink.")
    await page.locator("#prompt").fill("pink hair")
    await expect(page.locator("#note")).to_have_text("")


@pytest.mark.parametrize("width", [PHONE, DESKTOP])
async def test_the_page_opens_with_a_face_and_a_press_on_it_paints_another(
    visit: Visit, width: int
) -> None:
    page = await visit(width)
    face = page.locator(".welcome img")
    await expect(face).to_have_js_property("complete", True)
    assert await face.evaluate("image => image.naturalWidth") > 0
    top, bottom = await edges(face)
    assert top >= 0
    assert bottom <= 740
    await page.get_by_role("button", name="New face").click()
    await wait_for_picture(page)
    await expect(page.locator(".welcome")).to_be_hidden()


async def test_mix_with_and_morph_into_take_a_picture_of_the_strip_or_the_gallery(
    visit: Visit, studio: Studio
) -> None:
    page = await visit(DESKTOP)
    await paint(page, "pink hair, red eyes")
    await paint(page, "blue hair, green eyes")
    await page.get_by_role("button", name="Mix with…").click()
    await expect(page.locator("#tip")).to_contain_text("Choose the other one")
    await page.locator(".face").last.click()
    await expect(page.locator(".face")).to_have_count(3)
    await wait_for_picture(page)
    query = GalleryQuery("everyone", viewer=None, guild=None, values={}, limit=3)
    child, blue, pink = (await studio.gallery.page(query)).avatars
    assert child.parents == (blue.id, pink.id)

    await page.get_by_role("button", name="Morph into…").click()
    await page.locator(f"#gallery [href='/a/{pink.id}']").click()
    await expect(page.locator("#result[data-state=morph]")).to_be_visible()
    assert page.url.endswith(f"#/{child.id}~{pink.id}")
    await page.go_back()
    await wait_for_picture(page)
    mix = page.get_by_role("button", name="Mix with…")
    await mix.click()
    await page.keyboard.press("Escape")
    await expect(page.locator("#tip")).to_have_text("")
    await mix.click()
    await page.get_by_role("button", name="Cancel").click()
    await expect(page.get_by_role("button", name="Cancel")).to_be_hidden()
    await expect(page.locator("#tip")).to_have_text("")
    await expect(mix).to_be_focused()


async def test_same_face_other_values_locks_the_face(visit: Visit) -> None:
    page = await visit(DESKTOP)
    await paint(page, "pink hair, red eyes")
    await page.get_by_role("button", name="Same face, other values").click()
    await expect(page.get_by_label("Lock this face")).to_be_checked()
    hair = page.get_by_role("radiogroup", name="hair")
    await hair.get_by_role("radio", name="green").check(force=True)
    await expect(page.locator("#result .picture")).to_have_attribute("alt", "green hair, red eyes")


async def test_a_new_tab_has_the_visitors_pictures(visit: Visit) -> None:
    page = await visit(DESKTOP)
    await paint(page, "pink hair, red eyes")
    tab = await page.context.new_page()
    await tab.goto("/")
    await expect(tab.locator(".face")).to_have_count(1)
    await expect(tab.locator(".face img")).to_have_attribute("alt", "pink hair, red eyes")
