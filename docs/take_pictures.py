"""Takes the README's pictures of the web page: the committed model, a database of its own.

    python docs/take_pictures.py [NAME ...]

Each picture is a sheet of one page, on a desktop and a phone, in light and dark mode. The font is
Inter (apt-get install fonts-inter), or the system's default.
"""

import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw
from playwright.sync_api import Browser, Page, sync_playwright

from bot.passwords import PasswordHash

ROOT = Path(__file__).parents[1]
PASSWORD = "irodori"
SHOWN = "hair:pink eyes:orange"
SEED = 35
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include>/etc/fonts/fonts.conf</include>
  <match target="pattern">
    <test name="family" qual="all" compare="not_contains"><string>mono</string></test>
    <test name="family" qual="all" compare="not_contains"><string>Menlo</string></test>
    <edit name="family" mode="prepend_first" binding="strong"><string>Inter</string></edit>
  </match>
</fontconfig>
"""
DESKTOP, PHONE = (1280, 860), (360, 780)  # CSS pixels
SCALE = 2  # device pixels per CSS pixel; the sheet is scaled down
TALL = 500  # height of a window on the sheet, in pixels
GAP, ROUND = 20, 14  # pixels between the windows, and of their corners


def studio(page: Page) -> None:
    page.goto("/")
    page.locator("#prompt").fill(SHOWN)
    page.locator("#seed").fill(str(SEED))
    page.get_by_role("button", name="Paint", exact=True).click()
    page.locator("#result[data-state=done]:not([aria-busy])").wait_for()
    page.evaluate("document.activeElement.blur()")


def find(page: Page) -> None:
    """The second sheet of a search, with two faces chosen."""
    page.goto("/find?seed=11&choices=2")
    for number in (1, 6):
        page.locator(f".candidate:nth-child({number}):enabled").click()
    page.locator("h1").click()  # away from the faces


def shape(page: Page) -> None:
    """The sliders of a face, and the preview of longer hair."""
    studio(page)
    page.get_by_role("button", name="Shape").click()
    page.get_by_role("slider", name="Hair length").fill("20")
    page.locator(".preview").wait_for()
    page.evaluate("document.activeElement.blur(); scrollTo(0, 0)")


def picture(page: Page) -> None:
    """A face with parents and children."""
    page.goto("/gallery?sort=loved")
    page.locator("#grid .tile").first.click()
    page.locator(".portrait").wait_for()


def admin(page: Page) -> None:
    page.goto("/admin")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.locator(".admin").wait_for()


def at(path: str) -> Callable[[Page], object]:
    return lambda page: page.goto(path)


PAGES: dict[str, Callable[[Page], object]] = {
    "gallery": at("/gallery"),
    "matrix": at("/matrix"),
    "picture": picture,
    "admin": admin,
    "find": find,
    "studio": studio,  # this and the next one paint: the last
    "shape": shape,
}


def main() -> None:
    names = sys.argv[1:] or list(PAGES)
    if unknown := [name for name in names if name not in PAGES]:
        sys.exit(f"there is no page {unknown[0]}; there are {', '.join(PAGES)}")
    with browser_and_bot() as (browser, address):
        fill(address)
        for name in names:
            photograph(browser, address, name)


@contextmanager
def browser_and_bot() -> Iterator[tuple[Browser, str]]:
    """Chromium, and the address of a bot with the committed model and an empty database."""
    programs = ("chromium-headless-shell", "chromium", "google-chrome")
    chromium = next(filter(None, map(shutil.which, programs)), None)
    if chromium is None:
        sys.exit("this needs Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        bot = subprocess.Popen(
            [
                *(sys.executable, "-m", "bot", "--web.port", "0", "--web.paint_per_minute", "0"),
                *("--web.admin_password_hash", str(PasswordHash.of(PASSWORD))),
                *("--db.url", f"sqlite+aiosqlite:///{folder}/irodori.db"),
            ],
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if k != "DISCORD_TOKEN"},
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert bot.stdout is not None
            address = re.findall(r"http://[\d.:]+", bot.stdout.readline())[0]
            fonts = Path(folder) / "fonts.conf"
            fonts.write_text(FONTS)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium,
                    args=FLAGS,
                    env={**os.environ, "FONTCONFIG_FILE": str(fonts)},
                )
                yield browser, address
        finally:
            bot.terminate()
            bot.wait()


def fill(address: str) -> None:
    """Paints a face of each pair of colors, and a family with a favorite."""
    with urllib.request.urlopen(f"{address}/api/facets") as answer:
        hairs, eyes = (list(counts) for counts in json.load(answer).values())
    pairs = [f"hair:{hair} eyes:{eye}" for hair in hairs for eye in eyes]
    random.Random(5).shuffle(pairs)
    for seed, prompt in enumerate(pairs):
        post(f"{address}/api/avatars", prompt=prompt, seed=seed)
    (a,) = post(f"{address}/api/avatars", prompt=SHOWN, seed=SEED)
    (b,) = post(f"{address}/api/avatars", prompt="hair:blue eyes:red", seed=12)
    child, *_ = [
        post(f"{address}/api/mix", a=a["id"], b=b["id"], seed=seed)[0] for seed in (1, 2, 3, 4)
    ]
    for hair in ("white", "green"):
        post(f"{address}/api/avatars/{child['id']}/recolour", wish={"hair": hair})
    post(f"{address}/api/avatars/{child['id']}/favourite")
    for seed in (500, 600):
        post(f"{address}/api/avatars", prompt="", count=9, seed=seed)


def post(url: str, **body: Any) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def photograph(browser: Browser, address: str, name: str) -> None:
    """Saves the sheet of one page: light above dark, desktop beside phone."""
    rows = []
    for scheme in ("light", "dark"):
        windows = []
        for width, height in (DESKTOP, PHONE):
            page = browser.new_page(
                base_url=address,
                viewport={"width": width, "height": height},
                device_scale_factor=SCALE,
                color_scheme=scheme,
                reduced_motion="reduce",
                bypass_csp=True,  # it would forbid the scripts that wait for pictures below
            )
            page.set_default_timeout(120_000)  # for a busy machine
            PAGES[name](page)
            page.wait_for_timeout(2000)  # until the gallery has loaded more pages
            page.wait_for_function(
                "[...document.images].every((i) => (i.complete && i.naturalWidth)"
                " || !i.checkVisibility() || i.getBoundingClientRect().top > innerHeight)"
            )
            windows.append(window(page.screenshot()))
            page.close()
        rows.append(beside(windows, across=True))
    sheet = beside(rows, across=False)
    sheet.save(ROOT / "docs" / f"page-{name}.webp", quality=40, alpha_quality=70, method=6)


def window(png: bytes) -> Image.Image:
    """A screenshot as a window on the sheet: same height, round corners and a thin edge."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    size = (round(picture.width * TALL / picture.height), TALL)
    picture = picture.resize(size, Image.Resampling.LANCZOS)
    corners = Image.new("L", (4 * size[0], 4 * size[1]))
    ImageDraw.Draw(corners).rounded_rectangle(
        (0, 0, corners.width - 1, corners.height - 1), 4 * ROUND, fill=255
    )
    picture.putalpha(corners.resize(size, Image.Resampling.LANCZOS))
    edge = (128, 120, 130, 90)
    box = (0, 0, size[0] - 1, size[1] - 1)
    ImageDraw.Draw(picture, "RGBA").rounded_rectangle(box, ROUND, outline=edge)
    return picture


def beside(pictures: list[Image.Image], across: bool) -> Image.Image:
    """The pictures on one transparent sheet, with gaps between them."""
    step = [(p.width if across else p.height) + GAP for p in pictures]
    length = sum(step) - GAP
    thick = max(p.height if across else p.width for p in pictures)
    sheet = Image.new("RGBA", (length, thick) if across else (thick, length))
    for number, picture in enumerate(pictures):
        offset = sum(step[:number])
        sheet.paste(picture, (offset, 0) if across else (0, offset))
    return sheet


if __name__ == "__main__":
    main()
