"""Takes the README's pictures of the web page: the committed model, a database of its own.

python docs/take_pictures.py
"""

import io
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).parents[1]
GALLERY = "silver, pink, blue, blonde, green, red, purple, brown, aqua, orange, black, any"
SHOWN = "hair:pink eyes:orange"


def main() -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("this needs Chromium: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        bot = subprocess.Popen(
            [
                *(sys.executable, "-m", "bot", "--web.port", "0"),
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
            for number, hair in enumerate(GALLERY.split(", ")):
                paint(address, f"hair:{hair}", count=6, seed=100 * number)
            photograph(chromium, address)
        finally:
            bot.terminate()
            bot.wait()


def paint(address: str, prompt: str, count: int, seed: int) -> None:
    body = json.dumps({"prompt": prompt, "count": count, "seed": seed}).encode()
    headers = {"Content-Type": "application/json"}
    urllib.request.urlopen(urllib.request.Request(f"{address}/api/avatars", body, headers)).close()


def photograph(chromium: str, address: str) -> None:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport={"width": 1200, "height": 1010})
        page.goto(address)
        page.locator("#prompt").fill(SHOWN)
        page.locator("#seed").fill("7")
        page.get_by_role("button", name="Paint", exact=True).click()
        page.locator("#result[data-state=done]:not([aria-busy])").wait_for()
        shoot(page, "studio")
        page.goto(f"{address}/gallery")
        shoot(page, "gallery")
        page.goto(f"{address}/matrix")
        shoot(page, "matrix")
        browser.close()


def shoot(page: Page, name: str) -> None:
    page.wait_for_load_state("networkidle")
    page.wait_for_function("[...document.images].every(i => i.complete || !i.checkVisibility())")
    picture = Image.open(io.BytesIO(page.screenshot()))
    picture.save(ROOT / "docs" / f"page-{name}.webp", quality=85, method=6)


if __name__ == "__main__":
    main()
