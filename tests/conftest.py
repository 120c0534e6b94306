"""What tests of several packages share: a real, tiny model, and the bot's service on top of it."""

import os
from collections.abc import AsyncIterator
from pathlib import Path

import drawn_faces
import hypothesis
import pytest
from external_data import FOLDER
from tiny_model import add_model

from bot.inference.engine import Engine
from bot.settings import EngineSettings
from bot.studio import Studio
from db.records import Owner
from db.store import Store
from export.registry import Registry

# Before PyTorch is imported, and for what the tests start: they run side by side, small tensors are
# quicker on one thread, and sums come out the same on every machine.
os.environ["OMP_NUM_THREADS"] = "1"

# A busy machine is no reason to fail.
hypothesis.settings.register_profile("irodori", deadline=None)
hypothesis.settings.load_profile("irodori")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skips tests marked `external_data` where a file that they name is absent."""
    for marker in item.iter_markers("external_data"):
        absent = [str(file) for file in marker.args if not file.is_file()]
        if absent:
            pytest.skip(f"no {', '.join(absent)}; TEST_DATA_DIR names another folder than {FOLDER}")


@pytest.fixture(scope="session")
def real_features(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what judges know of the drawn faces: to look at them takes a while."""
    from train.data import load
    from train.metrics import Fidelity

    data = drawn_faces.write_zip(
        tmp_path_factory.mktemp("data") / "faces.zip", drawn_faces.face_files()
    )
    folder = tmp_path_factory.mktemp("features")
    Fidelity(load(data, 32), folder).prepare()
    return folder


@pytest.fixture
def small_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges look at smaller pictures, for tests of all that is around them."""
    monkeypatch.setattr("train.metrics.fidelity.INPUT_SIZE", 64)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """One model, "tiny", in use: hair and eyes, 64 x 64."""
    registry = Registry(tmp_path / "models")
    add_model(registry, "tiny")
    registry.use("tiny")
    return registry


@pytest.fixture
def engine_settings() -> EngineSettings:
    return EngineSettings(provider="cpu", threads=1, max_batch=16)


@pytest.fixture
async def engine(registry: Registry, engine_settings: EngineSettings) -> AsyncIterator[Engine]:
    engine = await Engine.open(registry, engine_settings)
    yield engine
    await engine.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/irodori.db")
    yield store
    await store.close()


@pytest.fixture
def studio(engine: Engine, store: Store) -> Studio:
    return Studio(engine, store)


@pytest.fixture
def owner() -> Owner:
    return Owner("discord", "80351110224678912", "Nelly")
