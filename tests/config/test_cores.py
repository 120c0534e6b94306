"""Usable cores in control groups of both versions."""

from pathlib import Path

import pytest

from config.cores import usable_cores


@pytest.fixture(autouse=True)
def _eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda process: set(range(8)), raising=False)


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    return root


@pytest.mark.parametrize(
    ("share", "cores"), [("max 100000", 8), ("250000 100000", 2), ("5000 100000", 1), (None, 8)]
)
def test_the_quota_of_a_container(tmp_path: Path, share: str | None, cores: int) -> None:
    files = {"sys/fs/cgroup/cpu.max": share} if share else {}
    assert usable_cores(write(tmp_path, {"proc/self/cgroup": "0::/"} | files)) == cores


@pytest.mark.parametrize(("outer", "inner", "cores"), [(3, 5, 3), (5, 3, 3), (0, 4, 4), (4, 0, 4)])
def test_the_smallest_quota_of_nested_slices(
    tmp_path: Path, outer: int, inner: int, cores: int
) -> None:
    files = {
        f"sys/fs/cgroup/{folder}/cpu.max": f"{quota * 1000 or 'max'} 1000"
        for folder, quota in (("user.slice", outer), ("user.slice/train.service", inner))
    }
    group = {"proc/self/cgroup": "0::/user.slice/train.service"}
    assert usable_cores(write(tmp_path, group | files)) == cores


@pytest.mark.parametrize("mount", ["cpu", "cpu,cpuacct"])
def test_the_quota_of_version_1(tmp_path: Path, mount: str) -> None:
    files = {
        "proc/self/cgroup": f"9:memory:/x\n4:{mount}:/docker/1234\n0::/",
        f"sys/fs/cgroup/{mount}/docker/cpu.cfs_quota_us": "-1",
        f"sys/fs/cgroup/{mount}/docker/cpu.cfs_period_us": "100000",
        f"sys/fs/cgroup/{mount}/docker/1234/cpu.cfs_quota_us": "300000",
        f"sys/fs/cgroup/{mount}/docker/1234/cpu.cfs_period_us": "100000",
    }
    assert usable_cores(write(tmp_path, files)) == 3


def test_a_container_that_knows_its_path_on_the_host_only(tmp_path: Path) -> None:
    files = {
        "proc/self/cgroup": "2:cpu:/docker/1234\n0::/docker/1234",
        "sys/fs/cgroup/cpu/cpu.cfs_quota_us": "150000",
        "sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000",
    }
    assert usable_cores(write(tmp_path, files)) == 2


def test_other_systems_have_no_control_groups(tmp_path: Path) -> None:
    assert usable_cores(tmp_path) == 8
