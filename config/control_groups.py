"""Files of the control groups (cgroups, versions 1 and 2) that limit this process on Linux."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath


def read_limits(
    root: Path, controller: str, version_1: Sequence[str], version_2: str
) -> Iterator[str]:
    """The limits of the process's control group and of each group around it.

    `version_1` and `version_2` are the files of the controller; the texts of several files are
    joined by a space. `root` is the root of the file system.
    """
    try:
        lines = (root / "proc/self/cgroup").read_text("utf-8").splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        number, controllers, group = line.split(":", 2)
        if number == "0":
            mounts, files = ["", "unified"], [version_2]
        elif controller in controllers.split(","):
            mounts, files = [controllers, controller], list(version_1)
        else:
            continue
        path = PurePosixPath(group.lstrip("/"))
        for mount in mounts:
            # In a container the path may be that on the host, whose folders do not exist here.
            for folder in (path, *path.parents) if path.parts else (path,):
                base = root / "sys/fs/cgroup" / mount / folder
                try:
                    yield " ".join((base / file).read_text("utf-8") for file in files)
                except OSError:  # no such group, or the root group
                    continue
