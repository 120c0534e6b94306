"""Measures response times of the web page and of queries with many pictures, and page sizes.

    python benchmarks/web.py [--pictures N] [--requests N] [--models DIR] [--folder DIR]

The database is a temporary SQLite file with synthetic rows, see `synthetic_pictures`. One owner has
nine tenths of the pictures, another one the rest, whose data is deleted at the end.
Requests are sequential over loopback from the same process, so the times include the
client. The size of a page is the compressed size of its HTML, styles and scripts.

A second database has as many pictures of a model with three attributes of 40 values each. With a
million pictures, the databases take 3 GB each, one after the other, below `--folder`.
"""

import argparse
import asyncio
import gc
import posixpath
import random
import re
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from synthetic_pictures import FORGOTTEN, MANY, fill
from tiny_model import add_model

from bot.errors import ModelUnavailable
from bot.inference.engine import Engine
from bot.settings import EngineSettings, WebSettings
from bot.studio import Request, Studio
from bot.web.app import create_app
from db.records import GalleryQuery, Owner, Sort
from db.store import Store
from export.manifest import Attribute
from export.registry import Registry

Client = TestClient[web.Request, web.Application]

LIMIT_MS = 50  # p99 of the first page
LIMIT_QUERY_MS = 100  # p99 with any number of pictures
LIMIT_KB = 60  # of each page, without pictures
HEAD = f"\n{'':32}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}"
MANY_VALUES = 3, 40  # attributes, and values of each
EXPORT_BYTES = 100_000  # of a part, so that its list takes the most time


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--pictures", type=int, default=100_000)
    parser.add_argument("--requests", type=int, default=200, help="of each kind")
    parser.add_argument("--models", type=Path, default=Path("models"))
    parser.add_argument("--folder", type=Path, help="of the databases, instead of /tmp")
    arguments = parser.parse_args()
    try:
        slow = asyncio.run(measure(arguments))
        return int(asyncio.run(measure_many_values(arguments)) or slow)
    except ModelUnavailable as error:
        print(error, file=sys.stderr)
        return 2


async def measure(arguments: argparse.Namespace) -> bool:
    """Returns whether a limit is exceeded."""
    async with serving(Registry(arguments.models), arguments) as (client, studio, store, ids):
        new = await studio.painting.create({}, Request(Owner("web", "benchmark")), count=9)
        ids = [avatar.id for avatar in new] + ids
        slow = await time_all(client, studio, ids, arguments.requests)
        slow = await time_queries(store, studio, ids, arguments.requests) or slow
        slow = await measure_sizes(client, ids[0]) or slow
        return await time_forgetting(store) or slow


async def measure_many_values(arguments: argparse.Namespace) -> bool:
    """Returns whether a limit is exceeded."""
    number, values = MANY_VALUES
    names = tuple(f"value {n}" for n in range(values))
    attributes = tuple(
        Attribute(name=f"attribute {n}", values=names, frequencies=(1 / values,) * values)
        for n in range(number)
    )
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        registry = Registry(Path(folder))
        add_model(registry, "many-values", attributes)
        registry.use("many-values")
        async with serving(registry, arguments) as (client, studio, store, ids):
            print(f"\n{number} attributes of {values} values")
            kinds = {name: urls for name, urls in pages(studio, ids).items() if "filter" in name}
            kinds["gallery"] = forever(lambda: "/gallery")
            kinds["matrix"] = forever(lambda: "/matrix")
            slow = await time_pages(client, kinds, arguments.requests)
            filtered = queries(store, studio, ids)
            return await time_each(filtered, arguments.requests) or slow


@asynccontextmanager
async def serving(
    registry: Registry, arguments: argparse.Namespace
) -> AsyncIterator[tuple[Client, Studio, Store, list[str]]]:
    """The web page with a filled database, and the public ids of its pictures, newest first."""
    engine = await Engine.open(registry, EngineSettings(provider="cpu"))
    with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
        path = Path(folder) / "irodori.db"
        url = f"sqlite+aiosqlite:///{path}"
        await (await Store.open(url)).close()
        start = time.perf_counter()
        ids = fill(path, engine.model.manifest, arguments.pictures)
        seconds, size = time.perf_counter() - start, path.stat().st_size / 1e6
        print(f"{arguments.pictures} pictures, {size:.0f} MB, written in {seconds:.0f} s")
        store = await Store.open(url)
        try:
            studio = Studio(engine, store)
            app = create_app(studio, WebSettings(paint_per_minute=0))
            async with TestClient(TestServer(app)) as client:
                gc.collect()
                gc.freeze()  # as the bot does when it starts
                yield client, studio, store, ids
        finally:
            await store.close()
            await engine.close()


def forever(make: Callable[[], str]) -> Iterator[str]:
    return iter(make, None)


def pages(studio: Studio, ids: list[str]) -> dict[str, Iterator[str]]:
    """URLs of pages and of the API, by kind."""
    rng = random.Random(1)
    attributes = studio.attributes

    def any_filter() -> str:
        some = rng.sample(attributes, rng.randint(1, len(attributes)))
        return "&".join(f"{a.name}={rng.choice(a.values)}" for a in some)

    def deep() -> str:
        return f"cursor=o{rng.randint(1, len(ids))}"  # cursors are consecutive numbers

    def deep_loved() -> str:
        return f"sort=loved&cursor=o{rng.randint(0, 1)}.{rng.randint(1, len(ids))}"

    kinds: dict[str, Iterator[str]] = {
        "first page: studio": forever(lambda: "/"),
        "first page: gallery": forever(lambda: "/gallery"),
        "gallery, any page": forever(lambda: f"/gallery?{deep()}"),
        "gallery, most loved": forever(lambda: "/gallery?sort=loved"),
        "gallery, most loved, any page": forever(lambda: f"/gallery?{deep_loved()}"),
        "picture page": forever(lambda: f"/a/{rng.choice(ids)}"),
        "thumbnail, first time": forever(map("/thumbs/{}.webp".format, ids).__next__),
        "thumbnail": forever(lambda: f"/thumbs/{rng.choice(ids[:50])}.webp"),
        "picture": forever(lambda: f"/images/{rng.choice(ids)}.png"),
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
    return kinds


async def time_all(client: Client, studio: Studio, ids: list[str], requests: int) -> bool:
    """Prints response times; returns whether a limit is exceeded."""
    kinds = pages(studio, ids)
    # ids[:9] are painted at the model's largest size
    small = forever(lambda: f"/images/{random.choice(ids[:9])}.png?size=64")
    kinds["picture at 64 pixels"] = small
    return await time_pages(client, kinds, requests)


async def time_pages(client: Client, kinds: Mapping[str, Iterator[str]], requests: int) -> bool:
    """Prints response times; returns whether a limit is exceeded."""
    print(HEAD)
    slow = False
    for name, urls in kinds.items():
        await timed(client, next(urls))
        times = [await timed(client, next(urls)) for _ in range(requests)]
        limit = LIMIT_MS if name.startswith("first page") else LIMIT_QUERY_MS
        slow = print_times(name, times, limit) or slow
    return slow


def queries(
    store: Store, studio: Studio, ids: list[str]
) -> dict[str, Callable[[], Awaitable[object]]]:
    """The queries behind Discord's commands."""
    rng = random.Random(2)
    many = len(ids)

    def counted(sort: Sort, filtered: bool = False) -> GalleryQuery:
        key = rng.randint(1, many)
        cursor = f"o{key}" if sort == "new" else f"o{rng.randint(0, 1)}.{key}"
        some = rng.sample(studio.attributes, rng.randint(1, 2)) if filtered else ()
        values = {a.name: rng.choice(a.values) for a in some}
        return GalleryQuery("everyone", MANY, None, values, cursor=cursor, sort=sort, counted=True)

    kinds: dict[str, Callable[[], Awaitable[object]]] = {
        "/gallery": lambda: studio.gallery.page(counted("new")),
        "/gallery, most loved": lambda: studio.gallery.page(counted("loved")),
        "/stats": studio.statistics,
        "/me": lambda: store.avatars.portrait(MANY, "model", rng.randint(0, many), False, 64),
        "export": lambda: studio.exports.export(MANY, limit_bytes=EXPORT_BYTES),
    }
    if len(studio.attributes) > 1:
        kinds["/gallery, any filter"] = lambda: studio.gallery.page(counted("new", True))
        kinds["/gallery, loved, any filter"] = lambda: studio.gallery.page(counted("loved", True))
    return kinds


async def time_queries(store: Store, studio: Studio, ids: list[str], requests: int) -> bool:
    """Prints response times of the queries behind Discord's commands; returns whether a limit is
    exceeded.
    """
    return await time_each(queries(store, studio, ids), requests)


async def time_each(kinds: Mapping[str, Callable[[], Awaitable[object]]], requests: int) -> bool:
    """Prints response times; returns whether a limit is exceeded."""
    print(HEAD)
    slow = False
    for name, query in kinds.items():
        await query()
        times = [await seconds(query) for _ in range(requests)]
        slow = print_times(name, times, LIMIT_QUERY_MS) or slow
    return slow


async def time_forgetting(store: Store) -> bool:
    """Deletes everything of an owner, and prints how long other writes wait meanwhile; returns
    whether a limit is exceeded.
    """
    start = time.perf_counter()
    forgetting = asyncio.create_task(store.members.delete_everything(FORGOTTEN))
    times: list[float] = []
    while not forgetting.done():
        times.append(await seconds(lambda: store.notes.set("benchmark", str(len(times)))))
        await asyncio.sleep(0.01)
    elapsed = time.perf_counter() - start
    print(f"\n{await forgetting} pictures of an owner deleted in {elapsed:.0f} s")
    print(HEAD)
    return print_times("a write meanwhile", times, LIMIT_QUERY_MS)


def print_times(name: str, times: Sequence[float], limit: float) -> bool:
    """Prints percentiles; returns whether the limit is exceeded."""
    p50, p99 = np.percentile(times, (50, 99)) * 1000
    longest = max(times) * 1000
    print(f"{name:32}{p50:>9.1f}{p99:>9.1f}{longest:>9.1f}  (limit: {limit})", flush=True)
    return bool(p99 > limit)


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
