"""Usable memory in control groups of both versions."""

from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import pytest

from config.memory import usable_memory

GIB = 2**30


@pytest.fixture(autouse=True)
def _eight_gibibytes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psutil.virtual_memory", lambda: SimpleNamespace(total=8 * GIB))


def write(root: Path, groups: str, limits: Mapping[str, int | str]) -> Path:
    files = {"proc/self/cgroup": groups}
    files |= {f"sys/fs/cgroup/{name}": str(limit) for name, limit in limits.items()}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    ("limit", "usable"), [("max", 8 * GIB), (3 * GIB, 3 * GIB), (64 * GIB, 8 * GIB)]
)
def test_the_limit_of_a_container(tmp_path: Path, limit: int | str, usable: int) -> None:
    assert usable_memory(write(tmp_path, "0::/", {"memory.max": limit})) == usable


@pytest.mark.parametrize(
    ("outer", "inner", "usable"), [(3 * GIB, "max", 3), ("max", 2 * GIB, 2), (2 * GIB, 5 * GIB, 2)]
)
def test_the_smallest_limit_of_nested_slices(
    tmp_path: Path, outer: int | str, inner: int | str, usable: int
) -> None:
    limits = {
        "system.slice/memory.max": outer,
        "system.slice/irodori.service/memory.max": inner,
        "other.slice/memory.max": GIB,
    }
    group = "0::/system.slice/irodori.service"
    assert usable_memory(write(tmp_path, group, limits)) == usable * GIB


def test_the_limit_of_version_1(tmp_path: Path) -> None:
    limits = {
        "memory/memory.limit_in_bytes": 9223372036854771712,  # no limit
        "memory/docker/memory.limit_in_bytes": 4 * GIB,
        "memory/docker/1234/memory.limit_in_bytes": -1,
    }
    groups = "9:cpu:/x\n4:memory:/docker/1234\n0::/"
    assert usable_memory(write(tmp_path, groups, limits)) == 4 * GIB


def test_a_container_that_knows_its_path_on_the_host_only(tmp_path: Path) -> None:
    groups = "4:memory:/docker/1234\n0::/docker/1234"
    limits = {"memory/memory.limit_in_bytes": 2 * GIB}
    assert usable_memory(write(tmp_path, groups, limits)) == 2 * GIB


def test_other_systems_have_no_control_groups(tmp_path: Path) -> None:
    assert usable_memory(tmp_path) == 8 * GIB
