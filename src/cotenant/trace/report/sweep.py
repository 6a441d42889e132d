"""The figures of every policy at every load."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """Name a tenant of the crew that was simulated; `deadline_ms` None without a deadline."""

    name: str
    rank: int
    deadline_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """Say how one tenant fared under one policy at one load.

    `slowdown` is the mean of time with others over solo time, `latencies_ms` ascending pairs (q, milliseconds) of what was done,
    q in [0, 1]; None and empty where nothing was done.
    """

    tenant: str
    slowdown: float | None
    latencies_ms: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Hold the figures of one policy at one load, means over the seeds.

    `sla` and `fairness` are in [0, 1], `antt` may be infinite, `p99_ms` is None where nothing was done; `miss_by_rank` are pairs
    (rank, share of its requests that missed), `dropped` pairs (reason, how many requests of a run). The intervals are of 95 %, (low, high),
    None where one seed allows none.
    """

    policy: str
    load: float
    sla: float
    stp: float
    antt: float
    fairness: float
    p99_ms: float | None
    miss_by_rank: tuple[tuple[int, float], ...]
    fates: tuple[Fate, ...]
    sla_ci95: Interval | None = None
    stp_ci95: Interval | None = None
    antt_ci95: Interval | None = None
    fairness_ci95: Interval | None = None
    p99_ms_ci95: Interval | None = None
    dropped: tuple[tuple[str, float], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """Hold one cell for every policy at every load, of one crew on one platform; ValueError if one is missing, twice or of a stranger.

    `load` multiplies as the study says; `about` are further facts for the head of the page, pairs (what, text).
    """

    platform: str
    crew: str
    loads: tuple[float, ...]
    seeds: int
    tenants: tuple[Member, ...]
    cells: tuple[Cell, ...]
    about: tuple[tuple[str, str], ...] = ()
    simulated: Literal[True] = True

    def __post_init__(self) -> None:
        wanted = Counter((policy, load) for policy in self.policies for load in self.loads)
        found = Counter((cell.policy, cell.load) for cell in self.cells)
        if wanted != found:
            raise ValueError(f"cells that are missing, twice or of no load: {sorted((wanted - found) + (found - wanted))}")
        strangers = {fate.tenant for cell in self.cells for fate in cell.fates} - {member.name for member in self.tenants}
        if strangers:
            raise ValueError(f"fates of tenants that are not of the crew: {sorted(strangers)}")

    @property
    def policies(self) -> tuple[str, ...]:
        """Name the policies, in the order of their cells."""
        return tuple(dict.fromkeys(cell.policy for cell in self.cells))
