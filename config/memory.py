"""Memory that this process may use."""

from pathlib import Path

import psutil

from config.control_groups import read_limits


def usable_memory(root: Path = Path("/")) -> int:
    """Bytes: the machine's memory, or less if a control group of the process has a limit.

    Containers and systemd slices have such limits. `root` is the root of the file system.
    """
    limits = read_limits(root, "memory", ["memory.limit_in_bytes"], "memory.max")
    found = [int(text) for text in limits if text.strip().isdigit()]  # "max", -1: no limit
    return min([int(psutil.virtual_memory().total), *found])
