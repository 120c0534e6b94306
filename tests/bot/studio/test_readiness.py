import asyncio
import sqlite3
from pathlib import Path

import pytest
from paused_engine import PausedEngine

from bot.inference.engine import Engine
from bot.inference.model import Model
from bot.studio import Studio
from db.store import Store


async def test_a_bot_that_paints_and_stores_is_ready(studio: Studio, store: Store) -> None:
    assert await studio.check_ready() is None
    assert await store.notes.get("checked") is not None


async def test_concurrent_checks_paint_once_and_their_result_is_cached(
    studio: Studio, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    paused = PausedEngine(engine, monkeypatch)
    checks = [asyncio.create_task(studio.check_ready()) for _ in range(9)]
    await paused.batch_started()
    paused.resume()
    assert await asyncio.gather(*checks) == [None] * 9
    monkeypatch.setattr("bot.inference.engine.RECENT_SECONDS", 0)
    assert await studio.check_ready() is None
    assert paused.batches == [1]
    monkeypatch.setattr("bot.studio.readiness.CACHE_SECONDS", 0)
    assert await studio.check_ready() is None
    assert paused.batches == [1, 1]


async def test_a_model_that_fails_is_not_ready(
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(*arrays: object) -> None:
        raise RuntimeError("the device is lost")

    monkeypatch.setattr("bot.studio.readiness.CACHE_SECONDS", 0)
    with monkeypatch.context() as patch:
        patch.setattr(Model, "paint", fail)
        for _ in range(2):
            assert await studio.check_ready() == (
                "the engine does not paint: Painting failed. Please try again."
            )
    assert caplog.text.count("the bot is not ready") == 1
    assert await studio.check_ready() is None


async def test_a_model_that_hangs_is_not_ready(
    studio: Studio, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.inference.engine.CHECK_SECONDS", 0.01)
    paused = PausedEngine(engine, monkeypatch)
    assert await studio.check_ready() == "the engine does not answer"
    paused.resume()


async def test_a_locked_database_is_not_ready(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.engine.BUSY_SECONDS", 0.1)
    monkeypatch.setattr("bot.studio.readiness.CACHE_SECONDS", 0)
    file = tmp_path / "locked.db"
    store = await Store.open(f"sqlite+aiosqlite:///{file}")
    studio = Studio(engine, store)
    assert await studio.check_ready() is None
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert await studio.check_ready() == "the database cannot be written"
    other.execute("ROLLBACK")
    other.close()
    assert await studio.check_ready() is None
    await store.close()
