"""Fixtures for several packages: a tiny model, and the services of the bot with it."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import hypothesis
import pytest
import pytest_asyncio
from external_data import FOLDER
from tiny_model import add_model

from bot.inference.engine import Engine
from bot.settings import EngineSettings
from bot.studio import Studio
from db.records import Owner
from db.store import Store
from export.registry import Registry

# One thread per process: tests run in parallel, small tensors are faster on one thread, and sums
# are the same on every machine. Set before PyTorch is imported; subprocesses inherit it.
os.environ["OMP_NUM_THREADS"] = "1"

# No time limit per example, for slow machines.
hypothesis.settings.register_profile("irodori", deadline=None)
hypothesis.settings.load_profile("irodori")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Starts the longest tests first, so that at the end no worker waits for them: those that have
    a time limit of their own.
    """
    items.sort(key=lambda item: item.get_closest_marker("timeout") is None)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests marked `external_data` if one of their files is missing."""
    for marker in item.iter_markers("external_data"):
        missing = [str(file) for file in marker.args if not file.is_file()]
        if missing:
            pytest.skip(
                f"no {', '.join(missing)}; TEST_DATA_DIR names another folder than {FOLDER}"
            )


@pytest.fixture(scope="session")
def chromium_path() -> str:
    # The first one has no windows, and needs three quarters of the time.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome")
    for name in names:
        if path := shutil.which(name):
            return path
    pytest.skip("no Chromium on this machine")


@pytest.fixture
def small_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes judges faster by a smaller input size, for tests that do not depend on it."""
    monkeypatch.setattr("train.metrics.fidelity.INPUT_SIZE", 64)


@pytest.fixture(scope="session")
def tiny_models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models, to be copied. Copying it is faster than adding a model, which waits for
    the disk.
    """
    registry = Registry(tmp_path_factory.mktemp("tiny") / "models")
    add_model(registry, "tiny")
    registry.use("tiny")
    return registry.root


@pytest.fixture
def registry(tmp_path: Path, tiny_models: Path) -> Registry:
    """One model, "tiny", in use: hair and eyes, 64 x 64."""
    shutil.copytree(tiny_models, tmp_path / "models")
    return Registry(tmp_path / "models")


@pytest.fixture
def shaped(registry: Registry) -> None:
    """Puts a model in use that has the directions hair_length and smile. To be requested before
    the fixtures that load the model.
    """
    add_model(registry, "shaped", directions=("hair_length", "smile"))
    registry.use("shaped")


@pytest.fixture
def engine_settings() -> EngineSettings:
    return EngineSettings(provider="cpu", threads=1, max_batch=16)


@pytest.fixture
async def engine(registry: Registry, engine_settings: EngineSettings) -> AsyncIterator[Engine]:
    engine = await Engine.open(registry, engine_settings)
    yield engine
    await engine.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty SQLite database with the newest schema. Copying it is faster than migrating."""
    file = tmp_path_factory.mktemp("db") / "irodori.db"
    await (await Store.open(f"sqlite+aiosqlite:///{file}")).close()
    return file


@pytest.fixture
async def store(tmp_path: Path, migrated_file: Path) -> AsyncIterator[Store]:
    shutil.copy(migrated_file, tmp_path)
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/irodori.db")
    yield store
    await store.close()


@pytest.fixture
def studio(engine: Engine, store: Store) -> Studio:
    return Studio(engine, store)


@pytest.fixture
def owner() -> Owner:
    return Owner("discord", "80351110224678912", "Nelly")
