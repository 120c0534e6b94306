"""Painting in the visitor's browser, also without the bot, in headless Chromium."""

import base64
import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import Visit, opposite_end, wait_for_picture
from PIL import Image
from playwright.async_api import Page, Route, expect

from bot.inference.conditions import complete_wish
from bot.inference.latents import draw_candidates, perturb, slerp
from bot.settings import EngineSettings
from bot.studio import Studio
from bot.web.app import _assets
from db.records import GalleryQuery
from export.directions import read_directions
from export.registry import Registry

from .conftest import Client

pytestmark = pytest.mark.usefixtures("browser_runtime")

MODELS = Path(__file__).parents[3] / "models"


@pytest.fixture
def registry() -> Registry:
    """The default model."""
    return Registry(MODELS)


@pytest.fixture
def engine_settings() -> EngineSettings:
    return EngineSettings(provider="cpu", threads=1, max_batch=2, upscaler="float")


async def turn_on(page: Page) -> None:
    await page.get_by_label("Paint in this browser").check()
    await expect(page.locator("#browser .help")).to_have_text(
        "Pictures stay in this browser until you keep them in the gallery."
    )


async def paint(page: Page, prompt: str, seed: int) -> None:
    await page.locator("#prompt").fill(prompt)
    await page.locator("#seed").fill(str(seed))
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.locator("#made")).to_have_text(str(seed))
    await wait_for_picture(page)


async def pixels(page: Page) -> np.ndarray:
    """Of the picture on display, int [S, S, 3]."""
    url = await page.locator("#result .picture").get_attribute("src")
    encoded = await page.evaluate(
        """async (url) => {
            const bytes = new Uint8Array(await (await fetch(url)).arrayBuffer());
            return btoa([...bytes].map((byte) => String.fromCharCode(byte)).join(""));
        }""",
        url,
    )
    return read_pixels(base64.b64decode(encoded))


def read_pixels(png: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(png)) as image:
        return np.asarray(image.convert("RGB")).astype(int)


async def painted_by_the_bot(client: Client, prompt: str, seed: int) -> np.ndarray:
    async with client.post("/api/avatars", json={"prompt": prompt, "seed": seed}) as answer:
        (avatar,) = await answer.json()
    async with client.get(avatar["image_url"]) as answer:
        return read_pixels(await answer.read())


def is_same_face(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether all values of two pictures differ by at most 1 of 255."""
    return int(np.abs(one - other).max()) <= 1


async def public_pictures(studio: Studio) -> list[Any]:
    query = GalleryQuery("everyone", viewer=None, guild=None, values={}, limit=9)
    return list((await studio.gallery.page(query)).avatars)


async def test_without_a_network_the_page_paints_the_faces_of_the_bot(
    visit: Visit, client: Client, studio: Studio
) -> None:
    page = await visit()
    await turn_on(page)
    await page.get_by_label("Paint in this browser").uncheck()
    await expect(page.locator("#browser .help")).to_contain_text("Downloads up to")
    await turn_on(page)  # at once, since everything is there
    await page.context.set_offline(True)
    await page.goto("/gallery")  # there is only the studio
    await expect(page.locator("#browser .help")).to_contain_text("The bot cannot be reached")
    await expect(page.locator("#gallery")).to_be_hidden()
    faces = {}
    # the small pictures of the last two have values near .5, which the bot may round otherwise
    wishes = (7, "hair:pink eyes:blue"), (2**32 - 1, "eyes:red"), (114, ""), (172, "")
    for seed, prompt in wishes:
        await paint(page, prompt, seed)
        faces[prompt, seed] = await pixels(page)
    await page.locator("#prompt").fill("a girl with golden hair")
    await page.get_by_role("button", name="Paint", exact=True).click()
    await expect(page.get_by_role("alert")).to_contain_text("Without the bot")
    assert await public_pictures(studio) == []
    for (prompt, seed), face in faces.items():
        expected = await painted_by_the_bot(client, prompt, seed)
        assert face.shape == expected.shape == (256, 256, 3)
        assert is_same_face(face, expected)


async def test_sliders_and_morphs_without_a_request_and_keeping_a_picture(
    visit: Visit, client: Client, studio: Studio
) -> None:
    page = await visit()
    await turn_on(page)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    await paint(page, "hair:green eyes:red", 3)
    first = await pixels(page)
    await page.locator("#shape").click()
    slider = page.get_by_label("Hair length")
    await slider.fill(await opposite_end(slider))
    await expect(page.locator(".preview")).to_be_visible()
    await expect(page.locator(".preview")).to_have_js_property("width", 256)
    await page.locator("#keep").click()
    await expect(page.locator("#visit .face")).to_have_count(2)
    await wait_for_picture(page)
    shaped = await pixels(page)
    assert np.abs(shaped - first).mean() > 3
    await page.locator("#morph-with").click()
    await page.locator("#visit .face").last.click()
    await expect(page.locator("#result[data-state=morph]")).to_be_visible()
    await expect(page.locator(".between")).to_have_js_property("width", 256)
    await page.locator("#share").fill("90")
    await page.locator("#visit .face").first.click()
    await wait_for_picture(page)
    home = str(client.make_url("/"))
    asked = {url.removeprefix(home).split("/")[0] for url in requests}
    assert asked <= {"images", "thumbs", "static", "browser"}  # which the service worker answers
    assert await public_pictures(studio) == []

    await page.get_by_role("button", name="Keep in the gallery").click()
    await expect(page.locator("#store")).to_be_hidden()
    await wait_for_picture(page)
    (kept,) = await public_pictures(studio)
    assert (kept.seed, kept.wish) == (3, {"hair": "green", "eyes": "red"})
    async with client.get(f"/images/{kept.id}.png") as answer:
        assert is_same_face(read_pixels(await answer.read()), shaped)
    await expect(page.locator(".tile")).to_have_count(1)
    await expect(page.locator("#visit .face")).to_have_count(2)


async def test_the_bot_paints_where_the_browser_cannot(visit: Visit, studio: Studio) -> None:
    page = await visit()

    async def refuse(route: Route) -> None:
        await route.fulfill(status=404)

    await page.context.route("**/generator.onnx", refuse)
    await page.get_by_label("Paint in this browser").check()
    await expect(page.locator("#browser .help")).to_contain_text("so the bot does")
    await expect(page.get_by_label("Paint in this browser")).not_to_be_checked()
    await paint(page, "hair:pink eyes:blue", 7)
    (avatar,) = await public_pictures(studio)
    assert avatar.seed == 7
    await expect(page.locator("#store")).to_be_hidden()


async def test_the_browser_draws_the_numbers_of_the_bot(visit: Visit, registry: Registry) -> None:
    page = await visit()
    folder, manifest = registry.load()
    directions = read_directions(folder, manifest)
    seeds = [0, 1, 2**31, 2**32 - 1, *(2654435761 * i % 2**32 for i in range(150))]
    shape = {"hair_length": 0.75, "eye_size": -0.5}
    wish = {"eyes": "blue"}
    drawn = await page.evaluate(
        """async ([module, model, seeds, shape, wish]) => {
            const faces = await import(module);
            return seeds.map((seed) => {
                const [a, b] = faces.drawCandidates(seed, 2, model.latent_dim);
                return {
                    candidates: [[...a], [...b]],
                    conditions: faces.completeWish(wish, seed, model.attributes),
                    varied: [...faces.perturb(a, seed)],
                    moved: [...faces.move(a, shape, model.directions)],
                    between: [...faces.slerp(a, b, 0.3)],
                };
            });
        }""",
        [
            _assets().urls["local/faces.js"],
            {**manifest.model_dump(mode="json"), **directions.model_dump(mode="json")},
            seeds,
            shape,
            wish,
        ],
    )
    for seed, found in zip(seeds, drawn, strict=True):
        candidates = draw_candidates(seed, 2, manifest.latent_dim)
        assert np.array_equal(np.array(found["candidates"], np.float32), candidates)
        assert found["conditions"] == complete_wish(wish, seed, manifest)
        for name, expected in (
            ("varied", perturb(candidates[0], seed)),
            ("moved", directions.move(candidates[0], shape)),
            ("between", slerp(candidates[0], candidates[1], 0.3)),
        ):
            assert np.allclose(found[name], expected, rtol=0, atol=1e-6), name
