"""Takes the README's picture of the web page: the committed model, a database of its own.

python docs/take_pictures.py
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
GALLERY = ["silver hair", "pink hair", "blue hair", "blonde hair", "green hair", "red hair", ""]
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
            for number, prompt in enumerate(GALLERY):
                paint(address, prompt, count=4, seed=100 * number)
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
        page.get_by_role("searchbox").or_(page.locator("input[name=prompt]")).first.fill(SHOWN)
        page.locator("input[name=seed]").fill("7")
        page.get_by_role("button", name="Paint").click()
        page.locator("img[alt*='pink hair, orange eyes']").first.wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=ROOT / "docs" / "page.png")
        browser.close()


if __name__ == "__main__":
    main()
