"""Slowdown: what segments take beside others, and beside whom."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

RECENT = 16
"""A tenant's figure is the mean of its last so many segments, the least and the greatest left out."""

WINDOW = 256
"""So many of a tenant's segments tell who slows it down."""

PROFILED = 8
"""What was profiled counts as so many segments that ran alone, in their solo time."""

LEAST_LANES = 8.0
"""Who ran beside less than so many segments, on one lane throughout, is not accused."""

MOST = 8.0
"""A segment that took longer, over its solo time, counts as this: the kernel's doing, or a page that was not there."""

_SHRINK = 0.5  # segments of evidence that nobody does anything: who was there together shares the blame


class Effect(NamedTuple):
    """Say how much one lane of a co-runner adds to a tenant's slowdown, with its standard error, and on how many lanes it ran meanwhile."""

    added: float
    error: float
    lanes: float

    @property
    def part(self) -> float:
        """Return what of the tenant's mean slowdown is the co-runner's doing."""
        return self.added * self.lanes


class Seen(NamedTuple):
    """Hold one segment: its time over its solo time, and on how many lanes each tenant ran beside it, on the mean."""

    slowdown: float
    beside: tuple[float, ...]


@dataclass(slots=True, kw_only=True)
class _Run:
    """Hold a segment that runs, or is suspended; `beside_ns` is how long each tenant's lanes have run meanwhile, but for what they ran
    before it, while it runs.
    """

    tenant: int
    lanes: int
    since_ns: int
    beside_ns: list[int]
    ran_ns: int = 0
    runs: bool = False


@dataclass(slots=True, kw_only=True)
class Slowdowns:
    """Watch what runs, tenants by index; `key` names a segment from its start to its end."""

    tenants: int
    _lanes: list[int] = field(init=False)
    _lane_ns: list[int] = field(init=False)
    _at_ns: int = 0
    _runs: dict[Hashable, _Run] = field(default_factory=dict)
    _seen: tuple[deque[Seen], ...] = field(init=False)

    def __post_init__(self) -> None:
        self._lanes, self._lane_ns = [0] * self.tenants, [0] * self.tenants
        self._seen = tuple(deque(maxlen=WINDOW) for _ in range(self.tenants))

    def started(self, key: Hashable, tenant: int, lanes: int, now_ns: int) -> None:
        """Note that a segment runs from now on."""
        self._runs[key] = _Run(tenant=tenant, lanes=lanes, since_ns=now_ns, beside_ns=[0] * self.tenants)
        self.resumed(key, now_ns)

    def resumed(self, key: Hashable, now_ns: int) -> None:
        """Note that a suspended segment runs again."""
        self._advance(now_ns)
        run = self._runs.get(key)
        if run is not None and not run.runs:
            run.beside_ns = [beside - ns for beside, ns in zip(run.beside_ns, self._lane_ns, strict=True)]
            run.since_ns, run.runs = now_ns, True
            self._lanes[run.tenant] += run.lanes

    def suspended(self, key: Hashable, now_ns: int) -> None:
        """Note that a segment does not run for now."""
        self._advance(now_ns)
        run = self._runs.get(key)
        if run is not None and run.runs:
            run.beside_ns = [beside + ns for beside, ns in zip(run.beside_ns, self._lane_ns, strict=True)]
            run.ran_ns, run.runs = run.ran_ns + now_ns - run.since_ns, False
            self._lanes[run.tenant] -= run.lanes

    def ended(self, key: Hashable, taken_ns: int, solo_ns: float, now_ns: int) -> None:
        """Note that a segment that ran has ended; `taken_ns` 0 is its time on its lanes."""
        self.suspended(key, now_ns)
        run = self._runs.pop(key, None)
        if run is not None and run.ran_ns > 0 and solo_ns > 0:
            beside = [ns / run.ran_ns for ns in run.beside_ns]
            beside[run.tenant] = max(0.0, beside[run.tenant] - run.lanes)
            self._seen[run.tenant].append(Seen(min(MOST, (taken_ns or run.ran_ns) / solo_ns), tuple(beside)))

    def forget(self, key: Hashable, now_ns: int) -> None:
        """Note that a segment that ran has come to nothing."""
        self.suspended(key, now_ns)
        self._runs.pop(key, None)

    def figure(self, tenant: int) -> float | None:
        """Return a tenant's slowdown of late; None after too few segments."""
        seen = self._seen[tenant]
        if len(seen) < RECENT:
            return None
        recent = sorted(seen[index].slowdown for index in range(-RECENT, 0))[1:-1]
        return sum(recent) / len(recent)

    def effects(self, tenant: int) -> tuple[Effect, ...]:
        """Say of every tenant what it adds to a tenant's slowdown: the difference of the means with and without it, others alike.

        That is least squares over who ran beside. Who hardly ran adds nothing, as far as is known.
        """
        seen = self._seen[tenant]
        beside = np.array([(1.0, *one.beside) for one in seen] + [(1.0,) + (0.0,) * self.tenants] * PROFILED)
        slowdown = np.array([one.slowdown for one in seen] + [1.0] * PROFILED)
        inverse = np.linalg.inv(beside.T @ beside + _SHRINK * np.diag([0.0] + [1.0] * self.tenants))
        added = inverse @ (beside.T @ slowdown)
        rest = slowdown - beside @ added
        errors = np.sqrt(np.diag(inverse) * (rest @ rest) / max(1, len(slowdown) - self.tenants - 1))
        lanes = beside[:, 1:].sum(axis=0)
        known = lanes >= LEAST_LANES
        mean = lanes / max(1, len(seen))
        return tuple(Effect(float(b), float(e), float(n)) for b, e, n in zip(added[1:] * known, errors[1:], mean, strict=True))

    def _advance(self, now_ns: int) -> None:
        passed_ns = now_ns - self._at_ns
        if passed_ns > 0:
            self._at_ns = now_ns
            for tenant, lanes in enumerate(self._lanes):
                self._lane_ns[tenant] += lanes * passed_ns
