"""Number of CPU cores that this process may use, for serving and for training."""

import os
from collections.abc import Iterator
from pathlib import Path

from config.control_groups import read_limits


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
    """Cores that the process may use: microseconds of CPU time per period."""
    version_1 = ["cpu.cfs_quota_us", "cpu.cfs_period_us"]
    for text in read_limits(root, "cpu", version_1, "cpu.max"):
        try:
            quota, period = map(int, text.split())
        except ValueError:  # "max": no limit
            continue
        if quota > 0 and period > 0:  # -1: no limit
            yield quota / period
