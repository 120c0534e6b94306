"""Measures response times of the web page with 100,000 pictures, and the size of its pages.

    python benchmarks/web.py [--pictures N] [--requests N] [--models DIR]

The database is a temporary SQLite file with synthetic rows: values have the frequencies of the
training data; a twentieth of the pictures is private, a twentieth deleted, a tenth has favorites, a
third has parents. Requests are sequential over loopback from the same process, so the times include
the client. The size of a page is the compressed size of its HTML, styles and scripts.
"""

import argparse
import asyncio
import io
import json
import posixpath
import random
import re
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer
from PIL import Image

from bot.errors import ModelUnavailable
from bot.inference.conditions import complete_wish
from bot.inference.engine import Engine
from bot.settings import EngineSettings, WebSettings
from bot.studio import Request, Studio
from bot.web.app import create_app
from db.records import GalleryQuery, Owner, Sort
from db.store import Store
from export.manifest import Manifest
from export.registry import Registry

Client = TestClient[web.Request, web.Application]

LIMIT_MS = 50  # p99 of the first page
LIMIT_QUERY_MS = 100  # p99 of the queries of Discord's commands
LIMIT_KB = 60  # of each page, without pictures


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200, help="of each kind")
    parser.add_argument("--models", type=Path, default=Path("models"))
    arguments = parser.parse_args()
    try:
        return asyncio.run(measure(arguments))
    except ModelUnavailable as error:
        print(error, file=sys.stderr)
        return 2


async def measure(arguments: argparse.Namespace) -> int:
    """Returns 1 if a limit is exceeded, else 0."""
    registry = Registry(arguments.models)
    engine = await Engine.open(registry, EngineSettings(provider="cpu"))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "irodori.db"
        store = await Store.open(f"sqlite+aiosqlite:///{path}")
        try:
            start = time.perf_counter()
            ids = fill(path, engine.model.manifest, arguments.pictures)
            size = path.stat().st_size / 1e6
            print(
                f"{arguments.pictures} pictures, {size:.0f} MB, written in "
                f"{time.perf_counter() - start:.0f} s"
            )
            studio = Studio(engine, store)
            app = create_app(studio, WebSettings(paint_per_minute=0))
            async with TestClient(TestServer(app)) as client:
                new = await studio.painting.create({}, Request(Owner("web", "benchmark")), count=9)
                ids = [avatar.id for avatar in new] + ids
                slow = await time_all(client, studio, ids, arguments.requests)
                slow = await time_queries(store, studio, ids, arguments.requests) or slow
                large = await measure_sizes(client, ids[0])
        finally:
            await store.close()
            await engine.close()
    return 1 if slow or large else 0


def fill(path: Path, manifest: Manifest, count: int) -> list[str]:
    """Fills the database; returns the public ids, newest first."""
    rng = random.Random(0)
    vectors = np.random.RandomState(0).standard_normal((64, manifest.latent_dim))
    latents = [vector.astype("<f4").tobytes() for vector in vectors]
    file = io.BytesIO()
    Image.linear_gradient("L").resize((64, 64)).convert("RGB").save(file, "PNG")
    picture = file.getvalue()
    now = datetime.now(UTC).replace(tzinfo=None).isoformat(" ")
    ids = [f"{number:08x}" for number in range(count)]  # real ids have no 0 or a
    avatars, values, parents = [], [], []
    counts: Counter[str] = Counter()
    newest: dict[str, int] = {}
    public = []
    for number in range(count):
        key, private, deleted = number + 1, rng.random() < 0.05, rng.random() < 0.05
        conditions = complete_wish({}, number, manifest)
        text = json.dumps(conditions)
        favorites = rng.randint(1, 40) if rng.random() < 0.1 else 0
        avatars.append(
            (
                *(key, ids[number], now, 1, private, manifest.name, number, text, text),
                *(rng.choice(latents), manifest.encode(conditions).tobytes(), len(picture)),
                *(f"{number:064x}", now if deleted else None, favorites),
            )
        )
        if deleted:
            continue
        values += [(name, value, key) for name, value in conditions.items()]
        if number > 100 and rng.random() < 1 / 3:
            parents += [(key, place, ids[number - rng.randint(1, 100)]) for place in range(2)]
        if not private:
            colors = json.dumps(conditions, sort_keys=True)
            counts[colors] += 1
            newest[colors] = key
            public.append(ids[number])
    with sqlite3.connect(path) as database:
        database.execute("INSERT INTO owners VALUES (1, 'discord', '1', 'Ann')")
        database.executemany(
            "INSERT INTO avatars (id, public_id, created, owner_id, private, model, seed, wish,"
            " conditions, latent, condition, bytes, sha256, deleted_at, favourites, prompt, format,"
            " width, height) VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,'pink hair','png',64,64)",
            avatars,
        )
        database.executemany(
            "INSERT INTO pictures VALUES (?, ?)", ((avatar[0], picture) for avatar in avatars)
        )
        database.executemany("INSERT INTO avatar_values VALUES (?, ?, ?)", values)
        database.executemany("INSERT INTO avatar_parents VALUES (?, ?, ?)", parents)
        database.executemany(
            "INSERT INTO colours VALUES (?, ?, ?)",
            ((colors, count, newest[colors]) for colors, count in counts.items()),
        )
    database.close()
    return public[::-1]


async def time_all(client: Client, studio: Studio, ids: list[str], requests: int) -> bool:
    """Prints response times; returns whether a first page exceeds its limit."""
    rng = random.Random(1)
    attributes = studio.attributes

    def any_filter() -> str:
        some = rng.sample(attributes, rng.randint(1, len(attributes)))
        return "&".join(f"{a.name}={rng.choice(a.values)}" for a in some)

    def deep() -> str:
        return f"cursor=o{rng.randint(1, len(ids))}"  # cursors are consecutive numbers

    def forever(make: Callable[[], str]) -> Iterator[str]:
        return iter(make, None)

    kinds: dict[str, Iterator[str]] = {
        "first page: studio": forever(lambda: "/"),
        "first page: gallery": forever(lambda: "/gallery"),
        "gallery, any page": forever(lambda: f"/gallery?{deep()}"),
        "gallery, most loved, any page": forever(
            lambda: f"/gallery?sort=loved&cursor=o{rng.randint(0, 1)}.{rng.randint(1, len(ids))}"
        ),
        "gallery, most loved": forever(lambda: "/gallery?sort=loved"),
        "picture page": forever(lambda: f"/a/{rng.choice(ids)}"),
        "thumbnail, first time": (f"/thumbs/{id}.webp" for id in ids[:requests]),
        "thumbnail": forever(lambda: f"/thumbs/{rng.choice(ids[:requests])}.webp"),
        "picture": forever(lambda: f"/images/{rng.choice(ids)}.png"),
        "picture at 64 pixels": forever(lambda: f"/images/{ids[rng.randrange(9)]}.png?size=64"),
        "API, a page": forever(lambda: f"/api/avatars?{deep()}&limit=24"),
        "API, a picture": forever(lambda: f"/api/avatars/{rng.choice(ids)}"),
        "API, facets": forever(lambda: "/api/facets"),
    }
    if attributes:
        kinds["gallery, any filter"] = forever(lambda: f"/gallery?{any_filter()}")
        kinds["gallery, any filter and page"] = forever(lambda: f"/gallery?{any_filter()}&{deep()}")
        kinds["most loved, any filter"] = forever(lambda: f"/gallery?{any_filter()}&sort=loved")
        kinds["API, facets, any filter"] = forever(lambda: f"/api/facets?{any_filter()}")
    if len(attributes) > 1:
        kinds["matrix"] = forever(lambda: "/matrix")
        kinds["API, matrix"] = forever(lambda: "/api/matrix")
    print(f"\n{'':32}{'p50 ms':>9}{'p99 ms':>9}")
    slow = False
    for name, urls in kinds.items():
        first = name.startswith("first page")
        if not name.endswith("first time"):
            await timed(client, next(urls))
        times = [await timed(client, next(urls)) for _ in range(requests)]
        p50, p99 = np.percentile(times, (50, 99)) * 1000
        slow = slow or (first and p99 > LIMIT_MS)
        limit = f"  (limit: {LIMIT_MS})" if first else ""
        print(f"{name:32}{p50:>9.1f}{p99:>9.1f}{limit}", flush=True)
    return slow


async def time_queries(store: Store, studio: Studio, ids: list[str], requests: int) -> bool:
    """Prints response times of the queries behind Discord's commands; returns whether one exceeds
    its limit. One owner has all pictures.
    """
    rng = random.Random(2)
    ann, many = Owner("discord", "1"), len(ids)

    def counted(sort: Sort) -> GalleryQuery:
        key = rng.randint(1, many)
        cursor = f"o{key}" if sort == "new" else f"o{rng.randint(0, 1)}.{key}"
        return GalleryQuery("everyone", ann, None, {}, cursor=cursor, sort=sort, counted=True)

    kinds: dict[str, Callable[[], Awaitable[object]]] = {
        "/gallery": lambda: studio.gallery.page(counted("new")),
        "/gallery, most loved": lambda: studio.gallery.page(counted("loved")),
        "/stats": studio.statistics,
        "/me": lambda: store.avatars.portrait(ann, "model", rng.randint(0, many), False, 64),
        "list for an export": lambda: store.avatars.picture_sizes(ann),
    }
    print(f"\n{'':32}{'p50 ms':>9}{'p99 ms':>9}")
    slow = False
    for name, query in kinds.items():
        await query()
        p50, p99 = np.percentile([await seconds(query) for _ in range(requests)], (50, 99)) * 1000
        slow = slow or p99 > LIMIT_QUERY_MS
        print(f"{name:32}{p50:>9.1f}{p99:>9.1f}  (limit: {LIMIT_QUERY_MS})", flush=True)
    return slow


async def seconds(query: Callable[[], Awaitable[object]]) -> float:
    start = time.perf_counter()
    await query()
    return time.perf_counter() - start


async def timed(client: Client, url: str) -> float:
    """Response time in seconds."""
    start = time.perf_counter()
    async with client.get(url, headers={"Accept": "text/html,*/*"}) as answer:
        await answer.read()
        assert answer.status == 200, (url, answer.status)
    return time.perf_counter() - start


async def measure_sizes(client: Client, id: str) -> bool:
    """Prints page sizes; returns whether a page exceeds its limit."""

    async def compressed_size(url: str) -> tuple[int, str]:
        headers = {"Accept": "text/html,*/*", "Accept-Encoding": "gzip"}
        async with client.get(url, headers=headers) as answer:
            text = await answer.text()
            length = int(answer.headers.get("Content-Length", 0))
        return length or len(text.encode()), text

    print(f"\n{'':32}{'page kB':>9}{'all kB':>9}")
    large = False
    for name, url in {
        "studio": "/",
        "gallery": "/gallery",
        "matrix": "/matrix",
        "picture page": f"/a/{id}",
    }.items():
        page, html = await compressed_size(url)
        total, seen = page, set()
        left = re.findall(r'(?:src|href)="(/static/[^"]+\.(?:js|css|svg|woff2))"', html)
        while left:
            asset = left.pop()
            if asset in seen:
                continue
            seen.add(asset)
            length, text = await compressed_size(asset)
            total += length
            folder = asset.rpartition("/")[0]
            modules = re.findall(r'from "(\.[^"]+)"', text)
            left += [posixpath.normpath(f"{folder}/{module}") for module in modules]
        large = large or total > LIMIT_KB * 1000
        print(f"{name:32}{page / 1000:>9.1f}{total / 1000:>9.1f}  (limit: {LIMIT_KB})")
    return large


if __name__ == "__main__":
    sys.exit(main())
