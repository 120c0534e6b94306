"""Training runs."""

import json
import os
import shutil
from pathlib import Path

from ..conftest import Client
from .conftest import page


async def test_training_runs_are_shown(admin: Client, runs: Path) -> None:
    assert "1,000 images · 50 images/s" in await page(admin, "/admin/runs")
    text = await page(admin, "/admin/runs/faces")
    assert '<dd>1,000</dd><dd class="aside">of 4,000</dd>' in text
    assert 'src="/admin/runs/faces/samples-000001k.png"' in text
    assert "&lt;faces&gt;.zip" in text
    async with admin.get("/admin/runs/faces/samples-000001k.png") as answer:
        assert (answer.status, answer.content_type) == (200, "image/png")
    with (runs / "faces" / "log.jsonl").open("a") as log:
        log.write('00, "seconds": 40}\n')
    assert '<dd>2,000</dd><dd class="aside">of 4,000</dd>' in await page(admin, "/admin/runs/faces")


async def test_a_damaged_run_does_not_break_the_page(admin: Client, runs: Path) -> None:
    for n, content in enumerate(("{", "[]", '{"settings": 7}', '{"settings": {"minutes": "x"}}')):
        (runs / f"odd {n}&").mkdir()
        (runs / f"odd {n}&" / "run.json").write_text(content)
        (runs / f"odd {n}&" / "samples-000001k.png").write_bytes(b"half a pict")
        text = await page(admin, f"/admin/runs/odd%20{n}&")
        assert ("This run is damaged" in text) == (n < 2)
    listed = await page(admin, "/admin/runs")
    assert "damaged" in listed
    assert 'href="/admin/runs/odd%200%26"' in listed
    shutil.rmtree(runs)
    assert "No training runs" in await page(admin, "/admin/runs")
    await page(admin, "/admin/runs/faces", 404)


async def test_runs_that_cannot_be_read_do_not_hide_the_others(admin: Client, runs: Path) -> None:
    huge = runs / "huge"
    huge.mkdir()
    (huge / "run.json").write_text(json.dumps({"format": 1, "settings": {"images": 10**399}}))
    (huge / "log.jsonl").write_text(f'{{"images": {10**399}}}\n{{"images": 1, "loss": {10**399}}}')
    for name in ("fifo", "loop", os.fsdecode(b"\xff\xfe")):
        (runs / name).mkdir()
        (runs / name / "run.json").write_text("{}")
    os.mkfifo(runs / "fifo" / "log.jsonl")
    os.mkfifo(runs / "fifo" / "samples-000002k.png")
    (runs / "loop" / "log.jsonl").symlink_to("log.jsonl")
    (runs / "nowhere").symlink_to("missing")
    (runs / "long").symlink_to("x" * 300)
    os.mkfifo(runs / "pipe")
    text = await page(admin, "/admin/runs")
    for name in ("huge", "fifo", "loop"):
        assert name in text
        await page(admin, f"/admin/runs/{name}")
