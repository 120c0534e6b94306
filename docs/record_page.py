"""Records how a face is found, shaped and morphed on the web page, as the README's animation.

    python docs/record_page.py

Each step of the recording is a screenshot of a phone, so that the animation is small. It is written
to docs/page-recording.webp.
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Locator, Page
from take_pictures import ROOT, browser_and_bot, post

SIZE = (360, 640)  # CSS pixels of the phone
SHOWN = (288, 512)  # pixels of the recording
SEED, CHOICES = 11, ((6,), (1, 6), (5,))  # of the search; the last choice is adopted
SHAPE = ("Hair length", (-7, -14, -20))  # a slider, and its positions
SHARES = range(10, 100, 20)  # positions of the morph, in percent
OTHER = "hair:blue eyes:red"  # the face to morph into
LONG, SHORT = 1100, 350  # milliseconds of a frame
QUALITY = 30
MOST_BYTES = 100_000


class Recording:
    def __init__(self, page: Page) -> None:
        self._page = page
        self._frames: list[Image.Image] = []
        self._durations: list[int] = []

    def show(self, milliseconds: int) -> None:
        """Adds the page as it is now."""
        self._page.evaluate("document.activeElement.blur()")
        self._page.wait_for_timeout(200)  # until buttons have their colors
        frame = Image.open(io.BytesIO(self._page.screenshot())).convert("RGB")
        self._frames.append(frame.resize(SHOWN, Image.Resampling.LANCZOS))
        self._durations.append(milliseconds)

    def save(self, path: Path) -> int:
        """Writes the animation; its size in bytes."""
        first, *others = self._frames
        first.save(
            path,
            save_all=True,
            append_images=others,
            duration=self._durations,
            loop=0,
            quality=QUALITY,
            method=6,
        )
        return path.stat().st_size


def find(page: Page, recording: Recording) -> None:
    """Chooses faces from each sheet, and adopts one."""
    page.goto(f"/find?seed={SEED}")
    for number, choice in enumerate(CHOICES, 1):
        for face in choice:
            candidate = page.locator(f".candidate:nth-child({face}):enabled")
            candidate.wait_for()
            if face == choice[0]:
                recording.show(LONG)
            candidate.click()
        recording.show(LONG)
        if number < len(CHOICES):
            page.get_by_role("button", name="Nearer").click()
            page.locator(f"#steps [aria-current]:nth-child({number + 1})").wait_for()
    page.get_by_role("button", name="Adopt").click()
    page.locator(".portrait").wait_for()


def shape(page: Page, recording: Recording) -> None:
    """Moves a slider of the adopted face."""
    id = page.url.rpartition("/")[2]
    page.goto(f"/#/{id}")
    page.locator("#result[data-state=done]:not([aria-busy])").wait_for()
    center(page.locator("#result"))
    recording.show(LONG)
    page.get_by_role("button", name="Shape").click()
    name, positions = SHAPE
    slider = page.get_by_role("slider", name=name)
    for position in positions:
        with page.expect_response("**/api/**"):
            slider.fill(str(position))
        page.locator("#result:not([aria-busy])").wait_for()
        page.wait_for_timeout(500)  # until the preview is drawn
        center(page.locator("#result"))
        recording.show(SHORT)
    recording.show(LONG)


def morph(page: Page, recording: Recording, other: str) -> None:
    """Turns the adopted face into another one."""
    id = page.url.rpartition("/")[2]
    page.goto("about:blank")
    page.goto(f"/#/{id}~{other}")
    page.locator("#result[data-state=morph]:not([aria-busy])").wait_for()
    for share in SHARES:
        page.locator("#share").fill(str(share))
        center(page.locator("#result"))
        recording.show(SHORT)
    recording.show(LONG)


def center(locator: Locator) -> None:
    locator.evaluate("element => element.scrollIntoView({ block: 'start', behavior: 'instant' })")


def main() -> None:
    with browser_and_bot() as (browser, address):
        width, height = SIZE
        page = browser.new_page(
            base_url=address,
            viewport={"width": width, "height": height},
            device_scale_factor=2,
            color_scheme="light",
            reduced_motion="reduce",
            bypass_csp=True,
        )
        page.set_default_timeout(120_000)  # for a busy machine
        (other,) = post(f"{address}/api/avatars", prompt=OTHER, seed=12)
        recording = Recording(page)
        find(page, recording)
        shape(page, recording)
        morph(page, recording, other["id"])
        written = recording.save(ROOT / "docs" / "page-recording.webp")
    if written > MOST_BYTES:
        sys.exit(f"the recording has {written} bytes; at most {MOST_BYTES} are wanted")


if __name__ == "__main__":
    main()
