"""Measures how long the page paints a face in headless Chromium, and the bot on one core.

    python benchmarks/browser.py [--models DIR] [--faces N]

Both paint the best of the model's candidates with the float upscaler, one face after the other.
Needs `python -m bot web-runtime`, and Chromium.
"""

import argparse
import asyncio
import shutil
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from aiohttp import web
from playwright.async_api import async_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))

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
    const faces = worker.replace("worker", "faces");
    const { drawCandidates, encode, completeWish } = await import(faces);
    const times = { face: [], small: [] };
    for (let seed = 0; seed < count; seed++) {
        const latents = drawCandidates(seed, model.candidates, model.latent_dim);
        const condition = encode(completeWish({}, seed, model.attributes), model.attributes);
        let start = performance.now();
        await call("paint", { latents, condition });
        times.face.push(performance.now() - start);
        start = performance.now();
        await call("frame", { latent: latents[0], condition, large: false });
        times.small.push(performance.now() - start);
    }
    return { opened, ...times };
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
    bot = await by_the_bot(engine, arguments.faces)
    await engine.close()
    page = median(found["face"])
    print(f"loading in the browser           {found['opened']:8.0f} ms")
    print(f"a face in the browser            {page:8.1f} ms")
    print(f"a frame while a slider moves     {median(found['small']):8.1f} ms")
    print(f"a face by the bot, one core      {bot:8.1f} ms")
    print(f"browser / bot                    {page / bot:8.2f}")
    return 0


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


async def by_the_bot(engine: Engine, faces: int) -> float:
    """Milliseconds per face, the median."""
    manifest = engine.model.manifest
    conditions = np.zeros((1, manifest.condition_dim), np.float32)
    times = []
    for seed in range(faces):
        latents = draw_candidates(seed, engine.model.candidates, manifest.latent_dim)[None]
        start = time.perf_counter()
        await engine.paint_best(latents, conditions)
        times.append(1000 * (time.perf_counter() - start))
    return median(times)


if __name__ == "__main__":
    sys.exit(main())
