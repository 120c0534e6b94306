"""Health and metrics."""

import asyncio
import logging
import re
import resource
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from bot.studio import Studio
from db.errors import StoreUnavailable
from db.store import Store

from ..conftest import Client
from .conftest import paint


@contextmanager
def full_disk(log: Path) -> Iterator[None]:
    """SQLite's write-ahead log cannot grow."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (log.stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@contextmanager
def read_only(log: Path) -> Iterator[None]:
    """SQLite refuses all writes, with the error of a read-only file system."""

    def refuse_writes(connection: Connection) -> None:
        connection.exec_driver_sql("PRAGMA query_only = ON")

    event.listen(Engine, "begin", refuse_writes)
    try:
        yield
    finally:
        event.remove(Engine, "begin", refuse_writes)


@pytest.mark.parametrize("disk", [full_disk, read_only])
async def test_readiness_is_refused_while_the_disk_cannot_be_written(
    client: Client, tmp_path: Path, disk: Any
) -> None:
    (avatar,) = await paint(client)
    with disk(tmp_path / "irodori.db-wal"):
        for path, status in (("/readyz", 503), ("/healthz", 503), ("/livez", 200)):
            async with client.get(path) as answer:
                assert answer.status == status
                if status == 503:
                    error = (await answer.json())["error"]
                    assert error == "the database cannot be written"
        async with client.post("/api/avatars", json={"prompt": ""}) as answer:
            assert answer.status == 503
            assert int(answer.headers["Retry-After"]) > 0
        async with client.get(avatar["image_url"]) as answer:
            assert answer.status == 200


async def test_health_reports_a_broken_database(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store.notes, "set", broken)
    async with client.get("/healthz") as answer:
        assert answer.status == 503
        assert (await answer.json())["ok"] is False


async def test_metrics_are_prometheus_text(client: Client) -> None:
    await paint(client, count=3)
    async with client.get("/no/such/page"):
        pass
    async with client.get("/metrics") as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        text = await answer.text()
    assert text.endswith("\n")
    sample = re.compile(r'[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [0-9.e+-]+')
    for line in text.splitlines():
        assert line.startswith(("# HELP ", "# TYPE ")) or sample.fullmatch(line), line
    assert "irodori_pictures_total 3" in text
    assert 'irodori_model_info{name="tiny"} 1' in text
    created = 'irodori_http_requests_total{method="POST",route="/api/avatars",status="201"} 1'
    assert created in text
    assert 'irodori_http_requests_total{method="any",route="unmatched",status="404"} 1' in text


async def test_metrics_have_histograms_of_latencies(client: Client) -> None:
    """Buckets of several processes can be added, unlike quantiles."""
    await paint(client)
    await paint(client, count=9)
    async with client.get("/metrics") as answer:
        text = await answer.text()

    def buckets(name: str, labels: str = "") -> list[float]:
        found = re.findall(rf'^{name}_bucket{{le="[^"]+"{labels}}} (.+)$', text, re.MULTILINE)
        return [float(count) for count in found]

    painting = buckets("irodori_paint_seconds")
    assert painting == sorted(painting)
    assert painting[-1] == 2
    assert "irodori_paint_seconds_count 2.0" in text
    answered = buckets("irodori_http_request_seconds", ',method="POST",route="/api/avatars"')
    assert answered[-1] == 2
    total = re.search(r'irodori_http_seconds_total{method="POST",route="/api/avatars"} (.+)', text)
    summed = re.search(
        r'irodori_http_request_seconds_sum{method="POST",route="/api/avatars"} (.+)', text
    )
    assert total is not None
    assert summed is not None
    assert float(total[1]) == pytest.approx(float(summed[1]))


@pytest.mark.parametrize("path", ["/readyz", "/healthz"])
async def test_readiness_is_refused_with_the_reason(
    client: Client, studio: Studio, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    async with client.get(path) as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True, "model": "tiny"})

    async def check_ready() -> str | None:
        return "the disk is full"

    monkeypatch.setattr(studio, "check_ready", check_ready)
    async with client.get(path) as answer:
        assert answer.status == 503
        assert int(answer.headers["Retry-After"]) > 0
        body = {"ok": False, "model": "tiny", "error": "the disk is full"}
        assert await answer.json() == body
    async with client.get("/livez") as answer:  # a restart would not help
        assert (answer.status, await answer.json()) == (200, {"ok": True})


async def test_an_unavailable_database_answers_503_and_is_logged_once(
    client: Client,
    store: Store,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Pictures that need no write are still shown, thumbnails that were never made included."""
    (avatar,) = await paint(client)

    async def full(*args: object) -> None:
        raise StoreUnavailable("the disk is full")

    for write in ("add", "save_thumbnail", "delete"):
        monkeypatch.setattr(store.avatars, write, full)
    with caplog.at_level(logging.WARNING):
        for _ in range(3):
            async with client.post("/api/avatars", json={"prompt": ""}) as answer:
                assert answer.status == 503
                assert int(answer.headers["Retry-After"]) > 0
                assert "database" in (await answer.json())["error"]
        form = {"prompt": ""}
        async with client.post("/paint", data=form, headers={"Accept": "text/html"}) as answer:
            assert (answer.status, answer.content_type) == (503, "text/html")
            assert int(answer.headers["Retry-After"]) > 0
    (record,) = caplog.records
    assert "the disk is full" in record.getMessage()
    assert record.exc_info is None
    for path in (avatar["image_url"], avatar["thumb_url"], avatar["url"], "/", "/gallery"):
        async with client.get(path) as answer:
            assert answer.status == 200


async def test_a_locked_database_is_reported_within_seconds(
    client: Client, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (avatar,) = await paint(client)

    async def status(method: str, path: str, **options: Any) -> int:
        async with client.request(method, path, **options) as answer:
            return answer.status

    with closing(sqlite3.connect(tmp_path / "irodori.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        started = time.monotonic()
        painting = [status("POST", "/api/avatars", json={"prompt": ""}) for _ in range(5)]
        found = await asyncio.gather(*painting, status("GET", "/readyz"))
        assert found == [503] * 6
        assert time.monotonic() - started < 8  # four, and some more for a slow machine
        assert await status("GET", avatar["image_url"]) == 200
        assert await status("GET", "/livez") == 200
    assert not any(record.exc_info for record in caplog.records)
    assert caplog.text.count("the database cannot be used") == 1
    assert await status("POST", "/api/avatars", json={"prompt": ""}) == 201
