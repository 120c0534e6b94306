"""Number of CPU cores that this process may use, for serving and for training."""

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath


def usable_cores(root: Path = Path("/")) -> int:
    """The cores of this process's affinity, or fewer if its control groups have a CPU quota.

    Containers and systemd slices have such quotas. `root` is the root of the file system.
    """
    try:
        cores = len(os.sched_getaffinity(0))
    except AttributeError:  # macOS, Windows
        cores = os.cpu_count() or 1
    return max(1, min([cores, *(round(quota) for quota in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """Cores that the process's control group and each group around it may use."""
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        number, controllers, group = line.split(":", 2)
        if number == "0":  # version 2
            mounts, files = ["", "unified"], ["cpu.max"]
        elif "cpu" in controllers.split(","):
            mounts, files = [controllers, "cpu"], ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
        else:
            continue
        path = PurePosixPath(group.lstrip("/"))
        for mount in mounts:
            # In a container the path may be that on the host, whose folders do not exist here.
            for folder in (path, *path.parents) if path.parts else (path,):
                quota = _quota([root / "sys/fs/cgroup" / mount / folder / file for file in files])
                if quota is not None:
                    yield quota


def _quota(files: list[Path]) -> float | None:
    """Microseconds of CPU time per period; None without a limit, which is "max" or -1."""
    try:
        quota, period = map(int, " ".join(file.read_text("utf-8") for file in files).split())
    except (OSError, ValueError):
        return None
    return quota / period if quota > 0 and period > 0 else None
