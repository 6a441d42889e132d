"""What the control groups leave to this process."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from cotenant.backend.kernel_file import read, read_number


def cpus(root: Path) -> float | None:
    """Return how many CPUs' time the strictest group above allows, versions 1 and 2; None without a quota."""
    quotas = (_quota(folder) for folder in _folders(root, "cpu"))
    return min((quota for quota in quotas if quota is not None), default=None)


def memory_bytes(root: Path) -> int | None:
    """Return the strictest memory limit above; None without one."""
    names = ("memory.max", "memory.limit_in_bytes")
    limits = (read_number(folder / name) for folder in _folders(root, "memory") for name in names)
    return min((limit for limit in limits if limit is not None and limit > 0), default=None)


def _quota(folder: Path) -> float | None:
    quota, _, period = read(folder / "cpu.max").partition(" ")
    if not quota:
        quota, period = (read(folder / f"cpu.cfs_{name}_us") for name in ("quota", "period"))
    if not (quota.isdecimal() and period.isdecimal() and int(period)):
        return None  # `max` or -1: no quota
    return int(quota) / int(period)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """List the folders of this process's groups for a controller, from its own up to the mount."""
    groups = _groups(read(root / "proc/self/cgroup"))
    for line in read(root / "proc/self/mountinfo").splitlines():
        mount, _, kind = line.partition(" - ")
        filesystem, options = kind.split(" ")[0], kind.split(" ")[-1].split(",")
        if filesystem == "cgroup2":
            group = groups.get("")
        elif filesystem == "cgroup" and controller in options:
            group = groups.get(controller)
        else:
            continue
        if group is not None:
            yield from _upward(root, mount.split(" "), group)


def _groups(text: str) -> dict[str, str]:
    """Map each controller of version 1, and the empty string for version 2, to the group's path."""
    lines = (line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2)
    return {controller: path for _, controllers, path in lines for controller in controllers.split(",")}


def _upward(root: Path, mount: list[str], group: str) -> Iterator[Path]:
    """List the folders from a group up to the mount, whose own root in the hierarchy may be a group itself."""
    top, point = PurePosixPath(mount[3]), root / mount[4].lstrip("/")
    path = PurePosixPath(group)
    inside = path.is_relative_to(top) and ".." not in path.parts
    own = path.relative_to(top) if inside else PurePosixPath()
    yield point / own
    yield from (point / parent for parent in own.parents)
