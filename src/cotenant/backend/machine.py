"""This machine: its clusters of cores and its memory."""

from __future__ import annotations

import hashlib
import os
import platform
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from cotenant.backend import cgroup
from cotenant.backend.corelists import core_lists
from cotenant.backend.cpuinfo import Core, read_cores
from cotenant.backend.kernel_file import read, whole
from cotenant.backend.scheduling import SchedulingClass, permitted
from cotenant.describe import Memory, Platform, Preemption, Processor

MEMORY = "dram"
ALIKE = 0.9  # cores of a kind whose peaks differ by less are one cluster: vendors favour single cores by a few per cent
_NAMES = {1: ("cpu",), 2: ("cpu-big", "cpu-little"), 3: ("cpu-big", "cpu-middle", "cpu-little")}
_GIB = 2**30


def discover(root: Path = Path("/"), allowed: Iterable[int] | None = None) -> Platform:
    """Describe the cores that the calling thread may use (or `allowed`), within the cgroup's limits.

    A lane is a physical core: threads that share one also share its multipliers, so that a second lane there would
    add little and break the sum of lane times. A CPU quota is rounded down, to at least one lane, and leaves the
    cores of the fastest clusters.
    """
    open_to = frozenset(_affinity() if allowed is None else allowed)
    cores = read_cores(root, also=open_to)
    everyone = clusters(cores)
    usable = within(everyone, open_to, cgroup.cpus(root))
    total_bytes = _memory_bytes(root)
    return Platform(
        name=read(root / "proc/device-tree/model") or cores[0].model or cores[0].kind,
        processors=_processors(usable),
        memories=(Memory(name=MEMORY, capacity_bytes=min(total_bytes, cgroup.memory_bytes(root) or total_bytes)),),
        fingerprint=fingerprint(everyone, total_bytes),
    )


def present_cores(root: Path = Path("/")) -> frozenset[int]:
    """Return the numbers of all cores that the machine shows, whether this process may use them or not."""
    return frozenset(core.number for core in read_cores(root, also=core_lists(root).online or ()))


def clusters(cores: Sequence[Core]) -> tuple[tuple[Core, ...], ...]:
    """Group cores that are alike, the fastest cluster first; clusters of one kind get their frequency in its name."""
    found: list[list[Core]] = []
    for core in sorted(cores, key=lambda c: (-c.capacity, -c.max_khz, c.number)):
        home = next((cluster for cluster in found if _alike(cluster[0], core)), None)
        if home is None:
            found.append([core])
        else:
            home.append(core)
    kinds = [cluster[0].kind for cluster in found]
    return tuple(_named(cluster) if kinds.count(cluster[0].kind) > 1 else tuple(cluster) for cluster in found)


def _alike(fastest: Core, core: Core) -> bool:
    return core.kind == fastest.kind and core.peak >= ALIKE * fastest.peak


def _named(cluster: Sequence[Core]) -> tuple[Core, ...]:
    return tuple(replace(core, kind=f"{core.kind}-{cluster[0].peak}") for core in cluster)


def within(groups: Sequence[Sequence[Core]], allowed: frozenset[int], quota_cpus: float | None) -> tuple[tuple[Core, ...], ...]:
    """Keep one permitted thread of each physical core, and no more of them than the quota pays for."""
    left = len(allowed) if quota_cpus is None else max(1, int(quota_cpus))
    kept = []
    for cluster in groups:
        lanes = [core for core in cluster if core.number == min(allowed.intersection(core.siblings), default=None)][:left]
        left -= len(lanes)
        kept.append(tuple(lanes))
    return tuple(lanes for lanes in kept if lanes)


def _processors(usable: Sequence[Sequence[Core]]) -> tuple[Processor, ...]:
    names = _NAMES.get(len(usable)) or tuple(f"cpu-{index}" for index in range(len(usable)))
    preemption = Preemption.SEGMENT if permitted() is SchedulingClass.NORMAL else Preemption.CLASS
    return tuple(
        Processor(
            name=name,
            kind=cluster[0].kind,
            lanes=len(cluster),
            memory=MEMORY,
            preemption=preemption,
            cores=tuple(core.number for core in cluster),
        )
        for name, cluster in zip(names, usable, strict=True)
    )


def fingerprint(groups: Sequence[Sequence[Core]], memory_bytes: int) -> str:
    """Hash what decides how fast this machine is: not its name, nor what of it this process may use."""
    kinds = sorted((c[0].kind, c[0].model, c[0].max_khz, sorted(c[0].flags)) for c in groups)
    told = repr((platform.machine(), kinds, round(memory_bytes / _GIB)))
    return hashlib.sha256(told.encode()).hexdigest()[:16]


def _affinity() -> Iterable[int]:
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return range(os.cpu_count() or 1)


def _memory_bytes(root: Path) -> int:
    told = re.search(r"^MemTotal:\s+(\d+) kB", read(root / "proc/meminfo"), re.MULTILINE)
    if told and (total_kib := whole(told[1])) is not None:
        return total_kib * 1024
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
