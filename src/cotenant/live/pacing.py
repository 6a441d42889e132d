"""Pacing: who may start how many bytes a second, and for whose sake."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cotenant.describe import Card, Option, Plan
from cotenant.dispatch import RESUME, START, SUSPEND, Decision, Lineup, Steps
from cotenant.errors import InputError
from cotenant.live.governor import Governor, Terms
from cotenant.live.meter import Meter
from cotenant.live.pace import OFF, Bucket
from cotenant.live.slowdown import Slowdowns
from cotenant.live.traffic import moved_bytes
from cotenant.registry import nearest
from cotenant.units import NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Say how fast a tenant may start segments, None for as it likes, and for whom; `slowdown` is its own of late, None where unknown."""

    bytes_per_s: float | None
    wanted: bool
    shared: bool
    victims: tuple[str, ...]
    slowdown: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Say of a stage what it takes alone, on how many lanes, what it moves, and whether its request ends with it."""

    tenant: int
    solo_ns: float
    lanes: int
    moved_bytes: float
    last: bool


@dataclass(slots=True, kw_only=True)
class _Pupil:
    """Hold what is known of one tenant: the rate that was asked for it, that of the policy's shares, and its bucket where it has one."""

    largest_bytes: float
    meter: Meter
    wanted: float = OFF
    shared: float = OFF
    bucket: Bucket | None = None


@dataclass(slots=True, kw_only=True)
class Pacing:
    """Watch what starts and ends, and tell the dispatcher who rests; used under the device's lock alone.

    `governs`: who slows a better rank down is paced. `shares`: so is who is granted less by the policy than its segment would take.
    Rank 0, and who moves nothing that is known, never is.
    """

    dispatcher: Steps
    cards: Mapping[str, Card]
    governs: bool = False
    shares: bool = False
    _names: tuple[str, ...] = ()
    _stages: tuple[_Stage, ...] = ()
    _pupils: dict[str, _Pupil] = field(default_factory=dict)
    _running: dict[int, _Stage] = field(default_factory=dict)
    _slowdowns: Slowdowns = field(default_factory=lambda: Slowdowns(tenants=0))
    _governor: Governor | None = None

    def follow(self, plan: Plan, now_ns: int) -> None:
        """Go by the dispatcher's lineup, and by what a plan reckons with, from now on."""
        lineup, slowdowns = self.dispatcher.lineup, dict(plan.slowdowns)
        names = tuple(tenant.name for tenant in lineup.tenants)
        self._stages = _stages(lineup, self.cards, slowdowns)
        largest = {n: max((s.moved_bytes for s in self._stages if names[s.tenant] == n), default=0.0) for n in names}
        pupils = {n: self._pupils.get(n) or _Pupil(largest_bytes=0.0, meter=Meter(since_ns=now_ns)) for n in names}
        self._pupils = pupils
        for name, pupil in pupils.items():
            pupil.largest_bytes = largest[name]
        if names != self._names:
            self._names, self._slowdowns = names, Slowdowns(tenants=len(names))
            self._running.clear()
        self._governor = self._appointed(lineup, slowdowns) if self.governs else None
        for tenant in range(len(names)):
            self._set(tenant, now_ns)

    def want(self, tenant: str, bytes_per_s: float | None, now_ns: int) -> None:
        """Pace a tenant at a rate until told otherwise, None for as it likes; InputError for who cannot be paced, and for no rate."""
        if tenant not in self._pupils:
            raise InputError("tenant", tenant, nearest(str(tenant), self._names))
        index, pupil = self._names.index(tenant), self._pupils[tenant]
        if self.dispatcher.lineup.tenants[index].rank == 0:
            raise InputError(f"pace[{tenant}]", "rank 0", "a tenant of another rank: the first is never paced")
        if pupil.largest_bytes <= 0.0:
            raise InputError(f"pace[{tenant}]", "a network of which no bytes are counted", "one with layers, or options with memory_bytes")
        if bytes_per_s is not None and not 0.0 < bytes_per_s < OFF:
            raise InputError(f"pace[{tenant}]", bytes_per_s, "bytes per s, more than 0 and finite; None for as it likes")
        pupil.wanted = OFF if bytes_per_s is None else bytes_per_s
        self._set(index, now_ns)

    def told(self) -> dict[str, Pace]:
        """Tell how every tenant is paced."""
        return {name: self._told(index, pupil) for index, (name, pupil) in enumerate(self._pupils.items())}

    def decided(self, decisions: Iterable[Decision], now_ns: int) -> None:
        """Note who starts, is suspended and resumes; let whoever is paced rest after its start."""
        begun = {}
        for decision in decisions:
            if decision.kind == START:
                begun[decision.slot] = self._stages[self.dispatcher.stage(decision.slot)]
            elif decision.kind == SUSPEND:
                self._slowdowns.suspended(decision.slot, now_ns)
            elif decision.kind == RESUME:
                self._slowdowns.resumed(decision.slot, now_ns)
        self._running |= begun
        for slot, stage in begun.items():
            self._begin(slot, stage, now_ns)
        tenants = sorted({stage.tenant for stage in begun.values()})
        if self.shares and tenants:
            self._share(tenants, now_ns)
        for tenant in tenants:
            self._rest(tenant, now_ns)

    def ended(self, slot: int, taken_ns: int, latency_ns: int, now_ns: int, *, failed: bool = False) -> None:
        """Note that a slot's segment ended: what it took of its lane's CPU time, 0 where unknown, and its request's age."""
        if failed:
            self.forget(slot, now_ns)
        stage = self._running.pop(slot, None)
        if stage is None or self._governor is None:
            return
        self._slowdowns.ended(slot, taken_ns if stage.lanes == 1 else 0, stage.solo_ns, now_ns)
        if self._governor.ended(stage.tenant, latency_ns if stage.last else 0, now_ns):
            for tenant in range(len(self._names)):
                self._set(tenant, now_ns)

    def forget(self, slot: int, now_ns: int) -> None:
        """Note that a slot's segment came to nothing."""
        if self._running.pop(slot, None) is not None:
            self._slowdowns.forget(slot, now_ns)

    def _appointed(self, lineup: Lineup, slowdowns: Mapping[str, float]) -> Governor:
        terms = [
            Terms(rank=tenant.rank, bound=_bound(lineup.options, tenant.name, slowdowns), deadline_ns=tenant.deadline_ns)
            for tenant in lineup.tenants
        ]
        return Governor(terms=terms, slowdowns=self._slowdowns, drawn=self._drawn)

    def _drawn(self, tenant: int, now_ns: int) -> float:
        return self._pupils[self._names[tenant]].meter.bytes_per_s(now_ns)

    def _begin(self, slot: int, stage: _Stage, now_ns: int) -> None:
        pupil = self._pupils[self._names[stage.tenant]]
        if self.governs:
            self._slowdowns.started(slot, stage.tenant, stage.lanes, now_ns)
            pupil.meter.add(stage.moved_bytes, now_ns)
        if pupil.bucket is not None:
            pupil.bucket.charge(stage.moved_bytes, now_ns)

    def _share(self, tenants: Sequence[int], now_ns: int) -> None:
        """Set the paces by what the policy grants those who have just started something."""
        self.dispatcher.shares(now_ns)
        slots = self.dispatcher.state.slots
        for tenant in tenants:
            own = [slots[slot] for slot, stage in self._running.items() if stage.tenant == tenant]
            rate = sum(float(c.share) for c in own) * NS_PER_S if any(c.share < c.bytes_per_ns for c in own) else OFF
            pupil = self._pupils[self._names[tenant]]
            if rate != pupil.shared:
                pupil.shared = rate
                self._set(tenant, now_ns)

    def _set(self, tenant: int, now_ns: int) -> None:
        """Have a tenant keep to the least of its rates."""
        pupil = self._pupils[self._names[tenant]]
        rate = min(pupil.wanted, pupil.shared, OFF if self._governor is None else self._governor.rate(tenant))
        if rate == OFF or pupil.largest_bytes <= 0.0:
            if pupil.bucket is not None:
                pupil.bucket = None
                self.dispatcher.rest(tenant, now_ns, paced=False)
        elif pupil.bucket is None:
            pupil.bucket = Bucket.of(rate, pupil.largest_bytes, now_ns)
            self._rest(tenant, now_ns)
        elif (rate, pupil.largest_bytes) != (pupil.bucket.rate_bytes_per_s, pupil.bucket.largest_bytes):
            pupil.bucket.fill_at(rate, pupil.largest_bytes, now_ns)
            self._rest(tenant, now_ns)

    def _rest(self, tenant: int, now_ns: int) -> None:
        pupil = self._pupils[self._names[tenant]]
        if pupil.bucket is not None:
            self.dispatcher.rest(tenant, pupil.bucket.ready_ns(pupil.largest_bytes, now_ns), paced=True)

    def _told(self, tenant: int, pupil: _Pupil) -> Pace:
        victims = () if self._governor is None else self._governor.blamed_by(tenant)
        return Pace(
            bytes_per_s=None if pupil.bucket is None else pupil.bucket.rate_bytes_per_s,
            wanted=pupil.wanted < OFF,
            shared=pupil.shared < OFF,
            victims=tuple(self._names[victim] for victim in victims),
            slowdown=self._slowdowns.figure(tenant),
        )


def _stages(lineup: Lineup, cards: Mapping[str, Card], slowdowns: Mapping[str, float]) -> tuple[_Stage, ...]:
    """Say of each stage what pacing needs; a plan's times have its slowdowns in them."""
    names = [tenant.name for tenant in lineup.tenants]
    options = lineup.options
    return tuple(
        _Stage(
            tenant=names.index(options[k].tenant),
            solo_ns=step.duration_ns / slowdowns.get(options[k].artifact.model, 1.0),
            lanes=step.width,
            moved_bytes=moved_bytes(cards.get(options[k].tenant), options[k], step),
            last=step is options[k].chain[-1],
        )
        for k, step in lineup.steps
    )


def _bound(options: Iterable[Option], tenant: str, slowdowns: Mapping[str, float]) -> float:
    return max([1.0, *(slowdowns.get(option.artifact.model, 1.0) for option in options if option.tenant == tenant)])
