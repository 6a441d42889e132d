"""What is taken of the machine already."""

from __future__ import annotations

import math
import os
import re
from dataclasses import dataclass
from pathlib import Path

from cotenant.backend.kernel_file import read, whole

_KIB = 1024
_STOLEN = 7  # man 5 proc_stat: user nice system idle iowait irq softirq steal; what guests take is within user
_MEMORY = re.compile(r"^(\w+):\s+(\d+) kB$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """Hold the size of a file system in memory, and what is free of it."""

    size_bytes: int
    free_bytes: int


def load(root: Path) -> float | None:
    """Return how many threads ran or wanted to in the last minute, on the average; None where the kernel does not show it."""
    try:
        found = float(read(root / "proc/loadavg").split(" ")[0])
    except ValueError:
        return None
    return found if 0 <= found < math.inf else None


def stolen(root: Path) -> float | None:
    """Return the part in [0, 1] of all CPU time since the start that a hypervisor gave to others; None where it is not shown."""
    words = read(root / "proc/stat").partition("\n")[0].split()
    times = [whole(word) for word in words[1 : _STOLEN + 2]]
    known = [time for time in times if time is not None and time >= 0]
    if words[:1] != ["cpu"] or len(known) <= _STOLEN or not sum(known):
        return None
    return known[_STOLEN] / sum(known)


def memory_bytes(root: Path) -> dict[str, int]:
    """Map what the kernel tells of memory (MemTotal, MemAvailable, SwapTotal, SwapFree, ...) to bytes."""
    told = ((name, whole(kib)) for name, kib in _MEMORY.findall(read(root / "proc/meminfo")))
    return {name: kib * _KIB for name, kib in told if kib is not None}


def shared_memory(root: Path) -> Space | None:
    """Measure /dev/shm, where processes share tensors; None where there is none."""
    try:
        found = os.statvfs(root / "dev/shm")
    except (OSError, AttributeError):
        return None
    return Space(size_bytes=found.f_frsize * found.f_blocks, free_bytes=found.f_frsize * found.f_bavail)
