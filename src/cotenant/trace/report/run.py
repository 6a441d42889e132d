"""One simulated run, to be looked at span by span."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from cotenant.trace.spans import Trace


@dataclass(frozen=True, slots=True, kw_only=True)
class Draw:
    """Say what one tenant took of a memory, or all of them together where `tenant` is None.

    `points` are steps (t_ns, bytes_per_s), ascending in time; each holds until the next.
    """

    tenant: str | None
    points: tuple[tuple[int, float], ...]

    def __post_init__(self) -> None:
        if any(later[0] < earlier[0] for earlier, later in pairwise(self.points)):
            raise ValueError(f"points of {self.tenant or 'all tenants'} that go back in time")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bandwidth:
    """Show how a memory of `capacity_bytes_per_s` was drawn on."""

    memory: str
    capacity_bytes_per_s: float
    draws: tuple[Draw, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """Keep the trace of one seed of one policy at one load as an example."""

    policy: str
    load: float
    trace: Trace
    bandwidth: tuple[Bandwidth, ...] = ()
