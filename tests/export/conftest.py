from pathlib import Path

import pytest
from small_models import make_manifest, write_generator

from export.registry import Registry


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """Three models, b the oldest; nothing is in use."""
    registry = Registry(tmp_path / "models")
    for day, name in enumerate(("b", "a", "c"), start=1):
        registry.add(make_manifest(name, day), write_generator())
    return registry
