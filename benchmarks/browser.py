"""Measures how long the page paints a face in headless Chromium, and the bot on one core, and
compares the faces.

    python benchmarks/browser.py [--models DIR] [--faces N]

Both paint the best of the model's candidates with the float upscaler, one face after the other.
Needs `python -m bot web-runtime`, and Chromium.
"""

import argparse
import asyncio
import base64
import io
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from aiohttp import web
from PIL import Image
from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

from bot.inference.conditions import complete_wish
from bot.inference.engine import Engine
from bot.inference.latents import draw_candidates
from bot.settings import EngineSettings, WebSettings
from bot.studio import Studio
from bot.web.app import create_app, create_runner
from bot.web.keys import BROWSER_PAINTING
from config import ModelsSettings
from db.store import Store
from export.registry import Registry

PAINT = """async ([worker, address, count]) => {
    const { model, runtimes } = await (await fetch(address)).json();
    const painter = new Worker(worker, { type: "module" });
    const call = (name, argument) => new Promise((resolve, reject) => {
        painter.onmessage = ({ data }) => data.error ? reject(data.error) : resolve(data.result);
        painter.postMessage({ id: 0, name, argument });
    });
    const started = performance.now();
    await call("open", { model, runtime: runtimes.wasm, backend: "wasm" });
    const opened = performance.now() - started;
    const module = worker.replace("worker", "faces");
    const { drawCandidates, encode, completeWish } = await import(module);
    const times = { face: [], small: [] };
    const faces = [];
    for (let seed = 0; seed < count; seed++) {
        const latents = drawCandidates(seed, model.candidates, model.latent_dim);
        const condition = encode(completeWish({}, seed, model.attributes), model.attributes);
        let start = performance.now();
        const { png } = await call("paint", { latents, condition });
        times.face.push(performance.now() - start);
        faces.push(btoa([...png].map((byte) => String.fromCharCode(byte)).join("")));
        start = performance.now();
        await call("frame", { latent: latents[0], condition, large: false });
        times.small.push(performance.now() - start);
    }
    return { opened, ...times, faces };
}"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--models", type=Path, default=ModelsSettings().dir)
    parser.add_argument("--faces", type=int, default=40)
    arguments = parser.parse_args()
    return asyncio.run(measure(arguments))


async def measure(arguments: argparse.Namespace) -> int:
    settings = EngineSettings(provider="cpu", threads=1, upscaler="float")
    engine = await Engine.open(Registry(arguments.models), settings)
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite+aiosqlite:///{folder}/irodori.db")
        app = create_app(Studio(engine, store), WebSettings())
        package = app[BROWSER_PAINTING].package
        if package is None:
            print("browsers cannot paint: run `python -m bot web-runtime` first", file=sys.stderr)
            return 2
        runner = create_runner(app)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            found = await in_chromium(runner.addresses[0][1], package.url, arguments.faces)
        finally:
            await runner.cleanup()
            await store.close()
    faces, times = await by_the_bot(engine, arguments.faces)
    await engine.close()
    page, bot = median(found["face"]), median(times)
    print(f"loading in the browser           {found['opened']:8.0f} ms")
    print(f"a face in the browser            {page:8.1f} ms")
    print(f"a frame while a slider moves     {median(found['small']):8.1f} ms")
    print(f"a face by the bot, one core      {bot:8.1f} ms")
    print(f"browser / bot                    {page / bot:8.2f}")
    print_differences(faces, [decode(face) for face in found["faces"]])
    return 0


def decode(png: str) -> np.ndarray:
    """RGB of a base64 PNG."""
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        return np.asarray(image.convert("RGB"))


def print_differences(faces: list[np.ndarray], others: list[np.ndarray]) -> None:
    """Prints how many values of the faces differ by 1 of 255, by 2, and so on."""
    differences = np.abs(np.stack(faces).astype(int) - np.stack(others))
    for steps, count in enumerate(np.bincount(differences.ravel())):
        where = (differences == steps).any(axis=(1, 2, 3)).sum()
        print(f"values that differ by {steps} of 255  {count:12,} in {where} of {len(faces)} faces")


async def in_chromium(port: int, package: str, faces: int) -> Any:
    names = ("chromium-headless-shell", "chromium", "google-chrome")
    program = next(filter(None, map(shutil.which, names)), None)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        page = await browser.new_page()
        await page.goto(f"http://127.0.0.1:{port}/")
        script = await page.locator("script[src$='/studio.js']").get_attribute("src")
        assert script is not None
        worker = script.replace("studio.js", "local/worker.js")
        found = await page.evaluate(PAINT, [worker, package, faces])
        await browser.close()
        return found


async def by_the_bot(engine: Engine, count: int) -> tuple[list[np.ndarray], list[float]]:
    """The faces, and the milliseconds for each."""
    manifest = engine.model.manifest
    faces, times = [], []
    for seed in range(count):
        latents = draw_candidates(seed, engine.model.candidates, manifest.latent_dim)[None]
        condition = manifest.encode(complete_wish({}, seed, manifest))
        start = time.perf_counter()
        (face,), _ = await engine.paint_best(latents, condition[None])
        times.append(1000 * (time.perf_counter() - start))
        faces.append(face)
    return faces, times


if __name__ == "__main__":
    sys.exit(main())
