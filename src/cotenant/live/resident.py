"""What a process holds in memory, and whether its threads get on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_NS_PER_TICK = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
_STATE, _USER, _SYSTEM = 0, 11, 12  # man 5 proc_pid_stat, behind the name


class Progress(NamedTuple):
    """Hold a thread's CPU time so far, in ticks of the kernel, and whether it sleeps: neither runs nor waits for a core or a disk."""

    cpu_ns: int
    sleeps: bool


def private_bytes(pid: int) -> int:
    """Return what a process alone has in memory: no files, no shared memory; 0 for one that is gone."""
    try:
        _, resident, shared, *_ = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()
    except (OSError, ValueError):
        return 0
    return (int(resident) - int(shared)) * _PAGE_BYTES


def progress(pid: int, thread: int) -> Progress | None:
    """Return how a thread gets on; None if it is gone."""
    try:
        told = Path(f"/proc/{pid}/task/{thread}/stat").read_text(encoding="ascii", errors="replace")
        fields = told.rpartition(")")[2].split()
        ticks = int(fields[_USER]) + int(fields[_SYSTEM])
    except (OSError, ValueError, IndexError):
        return None
    return Progress(cpu_ns=ticks * _NS_PER_TICK, sleeps=fields[_STATE] not in "RD")
