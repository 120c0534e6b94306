"""Measures the latency of the studio: pictures, families and morphs, including storage.

    python benchmarks/studio.py [--models DIR] [--rounds N]

One member without concurrent requests, the model in use at its largest size, and a database on this
disk. A morph must take 3 s at most on two cores. CPU time is the sum over all cores; unlike wall-
clock time it depends little on other load of the machine.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np

from bot.inference.engine import Engine
from bot.settings import EngineSettings
from bot.studio import Request, Studio
from db.records import Owner
from db.store import Store
from export.registry import Registry

MEMBER = Owner("discord", "1", "Nelly")


async def measure(studio: Studio, rounds: int) -> None:
    faces = await studio.painting.create("", Request(MEMBER), count=5, seed=0)
    a, b, c, d, e = (face.id for face in faces)
    attribute = studio.attributes[0]
    color = {attribute.name: attribute.values[0]}
    tasks: dict[str, Callable[[], Awaitable[Any]]] = {
        "a picture": lambda: studio.painting.create("", Request(MEMBER)),
        "a sheet of 9": lambda: studio.painting.create("", Request(MEMBER), count=9),
        "another color": lambda: studio.family.recolor(a, color, Request(MEMBER)),
        "9 variations": lambda: studio.family.variations(a, Request(MEMBER)),
        "a child of two": lambda: studio.family.mix(a, b, Request(MEMBER)),
        "a morph of 2, WebP": lambda: studio.animations.morph([a, b], Request(MEMBER)),
        "a morph of 2, GIF": lambda: studio.animations.morph([a, b], Request(MEMBER), format="gif"),
        "a morph of 3, WebP": lambda: studio.animations.morph([a, b, c], Request(MEMBER)),
        "a morph of 5, WebP": lambda: studio.animations.morph([a, b, c, d, e], Request(MEMBER)),
        "a morph of 5, GIF": lambda: studio.animations.morph(
            [a, b, c, d, e], Request(MEMBER), format="gif"
        ),
    }
    print(f"{'':22}{'median s':>10}{'worst s':>10}{'CPU s':>9}{'kB':>8}")
    for name, task in tasks.items():
        walls, cpus, size = [], [], 0
        for _ in range(rounds):
            wall, cpu = time.perf_counter(), time.process_time()
            result = await task()
            walls.append(time.perf_counter() - wall)
            cpus.append(time.process_time() - cpu)
            size = sum(p.bytes for p in result) if isinstance(result, list) else len(result.data)
        print(
            f"{name:22}{np.median(walls):10.3f}{max(walls):10.3f}"
            f"{np.median(cpus):9.3f}{size / 1000:8.0f}"
        )


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    engine = await Engine.open(Registry(options.models), EngineSettings())
    with tempfile.TemporaryDirectory() as folder:
        store = await Store.open(f"sqlite+aiosqlite:///{folder}/irodori.db")
        studio = Studio(engine, store)
        print(f"model {studio.model_name}, {studio.sizes[-1]} pixels, {engine.model.provider}")
        await measure(studio, options.rounds)
        await store.close()
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main())
