"""How much of the CPU others took."""

from __future__ import annotations

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

from cotenant.units import NS_PER_S

PROC_STAT = Path("/proc/stat")
_IDLE = (3, 4)  # idle, iowait (man 5 proc)
_FIELDS = 8  # up to steal: guest time is counted in user already


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Hold CPU seconds so far on our cores: all that was not idle, steal included, and our own with reaped children."""

    at_s: float
    busy_s: float
    own_s: float
    cores: int


def others_share(before: Reading, after: Reading) -> float:
    """Return what others took between two readings over what the cores could give, in [0, 1]."""
    capacity_s = (after.at_s - before.at_s) * after.cores
    others_s = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    return min(max(others_s / capacity_s, 0.0), 1.0) if capacity_s > 0 else 0.0


def read_meter() -> Reading:
    """Read the meter now; where the system keeps no /proc/stat, others count as none."""
    usages = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    own_s = sum(usage.ru_utime + usage.ru_stime for usage in usages)
    cores = _own_cores()
    try:
        busy_s = busy_ticks(PROC_STAT.read_text(), cores) / os.sysconf("SC_CLK_TCK")
    except OSError:
        busy_s = own_s
    return Reading(at_s=time.monotonic_ns() / NS_PER_S, busy_s=busy_s, own_s=own_s, cores=len(cores))


def busy_ticks(stat: str, cores: frozenset[int]) -> int:
    """Add up the ticks of /proc/stat in which these cores were not idle, steal included."""
    lines = (line.split() for line in stat.splitlines())
    counted = {words[0]: [int(word) for word in words[1 : 1 + _FIELDS]] for words in lines if words and words[0].startswith("cpu")}
    return sum(ticks for core in cores for i, ticks in enumerate(counted.get(f"cpu{core}", [])) if i not in _IDLE)


def _own_cores() -> frozenset[int]:
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))
