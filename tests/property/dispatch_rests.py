"""A driver by a virtual clock that lets tenants rest, now and then or after each of their starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cotenant.dispatch import DROP, EVICT, START, SUSPEND, Steps


@dataclass(kw_only=True)
class Rested:
    """Serve arrivals (at_ns, tenant) to their end; `paced` says how long a tenant rests after each start, from when on.

    `starts` and `rests` are what happened: (now_ns, tenant, slot) and (tenant, from_ns, until_ns).
    """

    dispatcher: Steps
    paced: Mapping[int, tuple[int, int]]
    deadlines_ns: Sequence[int | None]
    starts: list[tuple[int, int, int]] = field(default_factory=list)
    rests: list[tuple[int, int, int]] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    _running: dict[int, int] = field(default_factory=dict)
    _left_ns: dict[int, int] = field(default_factory=dict)
    _tenants: dict[int, int] = field(default_factory=dict)

    def serve(self, arrivals: Sequence[tuple[int, int]]) -> None:
        coming, now_ns, requests = sorted(arrivals), 0, 0
        pacing = sorted((since_ns, tenant) for tenant, (since_ns, _) in self.paced.items())
        while True:
            wake_ns = self.dispatcher.wake_ns(now_ns)
            ends = [self._running[slot] + self._left_ns[slot] for slot in self._running]
            nexts = [*ends, *([coming[0][0]] if coming else []), *([pacing[0][0]] if pacing else []), *([wake_ns] if wake_ns else [])]
            if not nexts:
                return
            now_ns = max(now_ns, min(nexts))
            while pacing and pacing[0][0] <= now_ns:
                self._rest(pacing.pop(0)[1], now_ns)
            for slot in sorted(slot for slot in self._running if self._running[slot] + self._left_ns[slot] <= now_ns):
                self._finish(slot, now_ns)
            while coming and coming[0][0] <= now_ns:
                tenant = coming.pop(0)[1]
                deadline_ns = self.deadlines_ns[tenant]
                due_ns = None if deadline_ns is None else now_ns + deadline_ns
                self._tenants[self.dispatcher.arrive(requests, tenant, now_ns, due_ns)] = tenant
                requests += 1
            self._decide(now_ns)

    def _finish(self, slot: int, now_ns: int) -> None:
        del self._running[slot], self._left_ns[slot]
        if self.dispatcher.finish(slot, now_ns):
            self.ended.append(self._tenants.pop(slot))

    def _decide(self, now_ns: int) -> None:
        decisions = self.dispatcher.decide(now_ns)
        for decision in decisions:
            self._obey(decision.kind, decision.slot, now_ns)
        begun = {d.slot: self._tenants[d.slot] for d in decisions if d.kind == START}
        self.dispatcher.shares(now_ns)
        for slot, tenant in begun.items():
            self.starts.append((now_ns, tenant, slot))
        for tenant in sorted(set(begun.values())):
            if tenant in self.paced and self.paced[tenant][0] <= now_ns:
                self._rest(tenant, now_ns)

    def _obey(self, kind: int, slot: int, now_ns: int) -> None:
        if kind in (DROP, EVICT):
            self.ended.append(self._tenants.pop(slot))
        elif kind == SUSPEND:
            self._left_ns[slot] -= now_ns - self._running.pop(slot, now_ns)
        else:
            self._left_ns.setdefault(slot, self.dispatcher.lineup.steps[self.dispatcher.stage(slot)][1].duration_ns)
            self._running[slot] = now_ns

    def _rest(self, tenant: int, now_ns: int) -> None:
        until_ns = now_ns + self.paced[tenant][1]
        self.rests.append((tenant, now_ns, until_ns))
        self.dispatcher.rest(tenant, until_ns, paced=True)
