"""CPU time that a child and the processes below it take."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cotenant.units import NS_PER_S

PROC = Path("/proc")
_TICKS = slice(11, 15)  # utime, stime, cutime, cstime, counted from behind the name (man 5 proc)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Hold the CPU time so far, of this process and all below it, with the instant (CLOCK_MONOTONIC) of reading it."""

    at_ns: int
    cpu_ns: int


def mark() -> Mark:
    """Read the CPU time now; without /proc that of this process alone."""
    below_ns = below_ticks(os.getpid()) * NS_PER_S // os.sysconf("SC_CLK_TCK")
    return Mark(at_ns=time.monotonic_ns(), cpu_ns=time.process_time_ns() + below_ns)


def spent_ns(before: Mark, after: Mark, window_ns: int) -> int:
    """Return what was taken between two marks, brought to the length of the window for which they were meant."""
    return brought_ns(max(after.cpu_ns - before.cpu_ns, 0), before, after, window_ns)


def brought_ns(taken_ns: int, before: Mark, after: Mark, window_ns: int) -> int:
    """Return what of a time, taken between two marks, comes to a window that is shorter than what passed, or longer."""
    passed_ns = after.at_ns - before.at_ns
    return round(taken_ns * window_ns / passed_ns) if passed_ns > 0 else 0


def below_ticks(pid: int, proc: Path = PROC) -> int:
    """Add up the ticks of all processes below one, and of those below that have ended and were reaped there; its own do not count."""
    found, waiting = 0, list(_children(pid, proc))
    while waiting:
        child = waiting.pop()
        with suppress(OSError):  # it has ended meanwhile
            fields = (proc / child / "stat").read_text().rpartition(")")[2].split()
            found += sum(int(ticks) for ticks in fields[_TICKS])
            waiting += _children(int(child), proc)
    return found


def _children(pid: int, proc: Path) -> Iterable[str]:
    with suppress(OSError):
        return [child for task in (proc / str(pid) / "task").iterdir() for child in (task / "children").read_text().split()]
    return []
