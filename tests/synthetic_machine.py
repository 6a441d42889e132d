"""A machine on a virtual clock in which tenants slow one another down by known factors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

MS = 1_000_000


@dataclass(kw_only=True)
class Machine:
    """Run one lane for each tenant, which starts no segment before `ready_ns(tenant, now_ns)`.

    `harm[v][c]` is what c adds to v's slowdown while it runs, `duty[c]` how much of the time it does.

    `noise` is the relative standard deviation of what a segment takes. `started` and `ended` are told what happens, as
    (key, tenant, now_ns) and (key, tenant, taken_ns, now_ns).
    """

    harm: Sequence[Sequence[float]]
    duty: list[float]
    solo_ns: Sequence[int]
    started: Callable[[int, int, int], None]
    ended: Callable[[int, int, int, int], None]
    ready_ns: Callable[[int, int], int] = lambda _, now_ns: now_ns
    noise: float = 0.0
    seed: int = 0
    now_ns: int = 0
    _left: dict[int, list[float]] = field(default_factory=dict)
    _next_ns: dict[int, int] = field(default_factory=dict)
    _keys: int = 0

    def __post_init__(self) -> None:
        self._rng = np.random.default_rng(self.seed)
        self._next_ns = dict.fromkeys(range(len(self.duty)), 0)

    def run(self, until_ns: int, step_ns: int = MS // 4) -> None:
        """Go on until an instant, in steps: in each, what runs gets on by the step over its slowdown at that time."""
        while self.now_ns < until_ns:
            for tenant in sorted(t for t, at_ns in self._next_ns.items() if max(at_ns, self.ready_ns(t, self.now_ns)) <= self.now_ns):
                self._start(tenant)
            beside = sorted(self._left)
            self.now_ns += step_ns
            for tenant in beside:
                left = self._left[tenant]
                left[0] -= step_ns / (1.0 + sum(self.harm[tenant][other] for other in beside if other != tenant))
                if left[0] <= 0.0:
                    self._end(tenant)

    def _start(self, tenant: int) -> None:
        work = self.solo_ns[tenant] * max(0.5, 1.0 + self.noise * self._rng.standard_normal())
        self._left[tenant] = [work, self.now_ns, self._keys]
        del self._next_ns[tenant]
        self.started(self._keys, tenant, self.now_ns)
        self._keys += 1

    def _end(self, tenant: int) -> None:
        _, since_ns, key = self._left.pop(tenant)
        taken_ns = self.now_ns - int(since_ns)
        idle_ns = taken_ns * (1.0 - self.duty[tenant]) / self.duty[tenant] * self._rng.uniform(0.0, 2.0)
        self._next_ns[tenant] = self.now_ns + int(idle_ns)
        self.ended(int(key), tenant, taken_ns, self.now_ns)
