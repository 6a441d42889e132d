"""What the control groups leave to this process."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cotenant.backend.kernel_file import numbers, read, read_number, whole

_NS_PER_US = 1000
_MOUNT_ROOT, _MOUNT_POINT = 3, 4  # man 5 proc_pid_mountinfo
_RELEASING = {"cpu.max": "max", "memory.max": "max", "cpu.cfs_quota_us": "-1", "memory.limit_in_bytes": "-1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Limited:
    """Hold what the strictest group allows (CPUs, bytes or microseconds, as asked), and the file that says so."""

    allowed: float
    file: Path

    @property
    def releasing(self) -> str:
        """Return what, written to the file, takes the limit away."""
        return _RELEASING.get(self.file.name, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Throttled:
    """Count the periods of a quota since the group was made, and those in which it was used up, for so long in all."""

    periods: int
    throttled: int
    throttled_ns: int


def shown(root: Path, controller: str = "cpu") -> bool:
    """Say whether any group of this process is to be seen, so that a limit which is not found is none."""
    return any(folder.is_dir() for folder in _folders(root, controller))


def cpus(root: Path) -> float | None:
    """Return how many CPUs' time the strictest group above allows, versions 1 and 2; None without a quota."""
    found = quota(root)
    return None if found is None else found.allowed


def quota(root: Path) -> Limited | None:
    """Return the strictest CPU quota above, in CPUs; None without one."""
    return _strictest(found for folder in _folders(root, "cpu") if (found := _quota(folder)))


def memory_bytes(root: Path) -> int | None:
    """Return the strictest memory limit above; None without one."""
    found = memory(root)
    return None if found is None else int(found.allowed)


def memory(root: Path) -> Limited | None:
    """Return the strictest memory limit above, in bytes; None without one."""
    names = ("memory.max", "memory.limit_in_bytes")
    files = (folder / name for folder in _folders(root, "memory") for name in names)
    limits = ((read_number(file), file) for file in files)
    return _strictest(Limited(allowed=limit, file=file) for limit, file in limits if limit is not None and limit > 0)


def realtime_us(root: Path) -> Limited | None:
    """Return the least real-time allowance above (version 1; 0 forbids SCHED_FIFO); None where the kernel keeps none for groups."""
    limits = ((read_number(file), file) for folder in _folders(root, "cpu") if (file := folder / "cpu.rt_runtime_us"))
    return _strictest(Limited(allowed=limit, file=file) for limit, file in limits if limit is not None and limit >= 0)


def cpuset(root: Path) -> tuple[int, ...]:
    """List the cores that the own group is confined to; empty where no group says."""
    names = ("cpuset.cpus.effective", "cpuset.effective_cpus", "cpuset.cpus")
    lists = (numbers(read(folder / name)) for folder in _folders(root, "cpuset") for name in names)
    return next((found for found in lists if found), ())


def throttled(root: Path) -> Throttled | None:
    """Return the counts of the nearest group above whose quota was ever used, else zeros; None where no group counts."""
    counts = [found for folder in _folders(root, "cpu") if (found := _throttled(read(folder / "cpu.stat")))]
    return next((found for found in counts if found.periods), counts[0] if counts else None)


def _throttled(stat: str) -> Throttled | None:
    told = {name: whole(count) or 0 for name, _, count in (line.partition(" ") for line in stat.splitlines())}
    if "nr_periods" not in told:
        return None
    throttled_ns = told.get("throttled_time", 0) or told.get("throttled_usec", 0) * _NS_PER_US
    return Throttled(periods=told["nr_periods"], throttled=told.get("nr_throttled", 0), throttled_ns=throttled_ns)


def _strictest(limits: Iterator[Limited]) -> Limited | None:
    return min(limits, key=lambda limit: limit.allowed, default=None)


def _quota(folder: Path) -> Limited | None:
    file = folder / "cpu.max"
    allowed, _, period = read(file).partition(" ")
    if not allowed:
        file = folder / "cpu.cfs_quota_us"
        allowed, period = read(file), read(folder / "cpu.cfs_period_us")
    allowed_us, period_us = whole(allowed), whole(period)
    if allowed_us is None or not period_us or allowed_us < 0 or period_us < 0:
        return None  # `max` or -1: no quota
    return Limited(allowed=allowed_us / period_us, file=file)


def _folders(root: Path, controller: str) -> Iterator[Path]:
    """List the folders of this process's groups for a controller, from its own up to the mount."""
    groups = _groups(read(root / "proc/self/cgroup"))
    for line in read(root / "proc/self/mountinfo").splitlines():
        place, _, kind = line.partition(" - ")
        mount, filesystem, options = place.split(" "), kind.split(" ")[0], kind.split(" ")[-1].split(",")
        if filesystem == "cgroup2":
            group = groups.get("")
        elif filesystem == "cgroup" and controller in options:
            group = groups.get(controller)
        else:
            continue
        if group is not None and len(mount) > _MOUNT_POINT:
            yield from _upward(root, mount[_MOUNT_ROOT], mount[_MOUNT_POINT], group)


def _groups(text: str) -> dict[str, str]:
    """Map each controller of version 1, and the empty string for version 2, to the group's path."""
    lines = (line.split(":", 2) for line in text.splitlines() if line.count(":") >= 2)
    return {controller: path for _, controllers, path in lines for controller in controllers.split(",")}


def _upward(root: Path, mounted: str, at: str, group: str) -> Iterator[Path]:
    """List the folders from a group up to the mount, whose own root in the hierarchy may be a group itself."""
    top, point = PurePosixPath(mounted), root / at.lstrip("/")
    path = PurePosixPath(group)
    inside = path.is_relative_to(top) and ".." not in path.parts
    own = path.relative_to(top) if inside else PurePosixPath()
    yield point / own
    yield from (point / parent for parent in own.parents)
