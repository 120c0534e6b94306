"""Health and metrics."""

import re

import pytest

from db.store import Store

from ..conftest import Client
from .conftest import paint


async def test_health_reports_a_broken_database(
    client: Client, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with client.get("/healthz") as answer:
        assert (answer.status, await answer.json()) == (200, {"ok": True, "model": "tiny"})

    async def broken(*args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(store.galleries, "page", broken)
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
