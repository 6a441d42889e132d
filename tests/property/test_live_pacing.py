"""Pacing and the dispatcher together, on a virtual clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotenant.describe import Memory, Objective, Plan, Platform, Preemption, Share
from cotenant.dispatch import RESUME, START, SUSPEND, Dispatcher, Steps
from cotenant.errors import InputError
from cotenant.live.pacing import Pacing
from cotenant.policy import Candidate, Policy, Scene, policies
from cotenant.units import NS_PER_S
from tests.property.dispatch_crews import MS, board, option, shares, tenant

TENANTS = (tenant("first", 0, closed=1), tenant("rest", 1, closed=2), tenant("calm", 2, closed=1))
OPTIONS = (option("first", ("p0", 1, 4 * MS)), option("rest", ("p0", 1, 3 * MS), ("p0", 1, 2 * MS)), option("calm", ("p0", 1, 5 * MS)))
SHARES = shares(*((o, 20.0) for o in OPTIONS))


def plan_of(own: tuple[Share, ...] = SHARES) -> Plan:
    return Plan(shares=own, promises=(), prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0)


@dataclass(kw_only=True)
class Paced:
    """Keep every tenant's requests outstanding on two lanes, or three; `harm` is what `rest` adds to what `first` takes.

    `moved` lists (now_ns, tenant, bytes) of every start, `ended` the tenants of the requests that ended.
    """

    dispatcher: Steps
    pacing: Pacing
    harm: float = 0.0
    now_ns: int = 1
    moved: list[tuple[int, int, float]] = field(default_factory=list)
    ended: list[int] = field(default_factory=list)
    _left_ns: dict[int, float] = field(default_factory=dict)
    _running: set[int] = field(default_factory=set)
    _arrived_ns: dict[int, tuple[int, int]] = field(default_factory=dict)
    _requests: int = 0

    def begin(self, *outstanding: int) -> None:
        self.pacing.follow(plan_of(), self.now_ns)
        for index, count in enumerate(outstanding):
            for _ in range(count):
                self._arrive(index)
        self._decide()

    def run(self, until_ns: int, step_ns: int = MS // 4) -> None:
        while self.now_ns < until_ns:
            self.now_ns += step_ns
            tenants = {self._arrived_ns[slot][0] for slot in self._running}
            over = []
            for slot in sorted(self._running):
                slowed = 1.0 + (self.harm if self._arrived_ns[slot][0] == 0 and 1 in tenants else 0.0)
                self._left_ns[slot] -= step_ns / slowed
                over += [slot] if self._left_ns[slot] <= 0.0 else []
            for slot in over:
                self._finish(slot)
            wake_ns = self.dispatcher.wake_ns(self.now_ns)
            if over or (wake_ns is not None and wake_ns <= self.now_ns + step_ns):
                self._decide()

    def _arrive(self, index: int) -> None:
        slot = self.dispatcher.arrive(self._requests, index, self.now_ns, None)
        self._arrived_ns[slot] = (index, self.now_ns)
        self._requests += 1

    def _finish(self, slot: int) -> None:
        self._running.discard(slot)
        del self._left_ns[slot]
        index, arrived_ns = self._arrived_ns[slot]
        self.pacing.ended(slot, 0, self.now_ns - arrived_ns, self.now_ns)
        if self.dispatcher.finish(slot, self.now_ns):
            self.ended.append(index)
            self._arrive(index)

    def _decide(self) -> None:
        decisions = self.dispatcher.decide(self.now_ns)
        self.pacing.decided(decisions, self.now_ns)
        for decision in decisions:
            if decision.kind == START:
                step = self.dispatcher.lineup.steps[self.dispatcher.stage(decision.slot)][1]
                self._left_ns.setdefault(decision.slot, float(step.duration_ns))
                self.moved.append((self.now_ns, self._arrived_ns[decision.slot][0], step.memory_bytes))
            if decision.kind in (START, RESUME):
                self._running.add(decision.slot)
            elif decision.kind == SUSPEND:
                self._running.discard(decision.slot)

    def rate(self, index: int, since_ns: int) -> float:
        """Return the bytes per s that a tenant has started from an instant on."""
        return sum(size for at_ns, who, size in self.moved if who == index and at_ns >= since_ns) * NS_PER_S / (self.now_ns - since_ns)


def paced(lanes: int = 2, *, governs: bool = False, policy: str = "rank_edf", harm: float = 0.0) -> Paced:
    dispatcher = Dispatcher(TENANTS, SHARES, board((lanes,), Preemption.CLASS), policies.get(policy))
    return Paced(dispatcher=dispatcher, pacing=Pacing(dispatcher=dispatcher, cards={}, governs=governs), harm=harm)


@settings(max_examples=10)
@given(st.floats(0.05, 0.7), st.sampled_from(("rank_edf", "fifo", "round_robin")))
def test_where_something_always_waits_a_set_rate_is_held_within_2_percent(part: float, policy: str) -> None:
    """Of what one lane could start; others fill what is left, and the tenants that are not paced get no less than before."""
    machine = paced(policy=policy)
    machine.begin(0, 2, 1)
    machine.run(1_000 * MS)
    rate = part * 3 * NS_PER_S
    machine.pacing.want("rest", rate, machine.now_ns)
    free = machine.rate(2, 0)
    machine.run(2_000 * MS)
    since_ns = machine.now_ns
    machine.run(8_000 * MS)
    assert machine.rate(1, since_ns) == pytest.approx(rate, rel=0.02)
    assert machine.rate(2, since_ns) >= 0.99 * free
    machine.pacing.want("rest", None, machine.now_ns)
    since_ns = machine.now_ns
    machine.run(since_ns + 1_000 * MS)
    assert machine.rate(1, since_ns) > 3 * NS_PER_S * 0.9


def test_everything_ends_while_paces_come_and_go() -> None:
    machine = paced(3)
    machine.begin(1, 2, 1)
    for index in range(20):
        machine.pacing.want("rest", None if index % 3 == 2 else 1e9 / (1 + index), machine.now_ns)
        machine.pacing.follow(plan_of(), machine.now_ns)
        machine.run(machine.now_ns + 100 * MS)
    assert set(machine.ended) == {0, 1, 2}
    assert machine.pacing.told()["rest"].wanted


def test_who_slows_rank_0_is_paced_and_released_when_it_harms_nobody() -> None:
    machine = paced(2, governs=True, harm=1.0)
    machine.begin(1, 1, 0)
    machine.run(3_000 * MS)
    told = machine.pacing.told()
    assert told["rest"].victims == ("first",)
    assert told["rest"].bytes_per_s is not None
    assert told["first"].bytes_per_s is None
    assert (told["first"].slowdown or 0) < 1.5
    machine.harm = 0.0
    machine.run(20_000 * MS)
    told = machine.pacing.told()
    assert (told["rest"].bytes_per_s, told["rest"].victims) == (None, ())


def test_a_plan_that_reckons_with_the_slowdown_has_nobody_paced() -> None:
    """The times of a plan have its slowdowns in them: what takes as long as planned is twice as slow as alone, and within its bound."""
    machine = paced(2, governs=True)
    machine.begin(1, 1, 0)
    machine.pacing.follow(replace(plan_of(), slowdowns=(("first", 2.0),)), machine.now_ns)
    machine.run(3_000 * MS)
    assert machine.pacing.told()["first"].slowdown == pytest.approx(2.0)
    assert machine.pacing.told()["rest"].bytes_per_s is None


def _half(candidate: Candidate, scene: Scene) -> float:
    return 0.5 * candidate.bytes_per_ns if candidate.tenant == 1 else candidate.bytes_per_ns


def test_a_policys_share_below_what_a_segment_would_take_is_a_pace() -> None:
    """Granted half of what its segments take, a tenant alone on a lane starts half as many."""
    policy = Policy(order=policies.get("rank").order, share=_half)
    here = board((2,), Preemption.CLASS)
    platform = Platform(
        name="b", processors=here.processors, memories=(Memory(name="dram", capacity_bytes=1, bandwidth_bytes_per_s=10 * NS_PER_S),)
    )
    dispatcher = Dispatcher(TENANTS, SHARES, platform, policy)
    machine = Paced(dispatcher=dispatcher, pacing=Pacing(dispatcher=dispatcher, cards={}, shares=True))
    machine.begin(0, 1, 1)
    machine.run(6_000 * MS)
    assert machine.pacing.told()["rest"].shared
    assert machine.pacing.told()["calm"].bytes_per_s is None
    assert machine.rate(1, 1_000 * MS) == pytest.approx(0.5 * 3 * NS_PER_S, rel=0.02)
    assert machine.rate(2, 1_000 * MS) == pytest.approx(3 * NS_PER_S, rel=0.02)


@pytest.mark.parametrize(
    ("name", "rate", "said"), [("rust", 1.0, "rest"), ("first", 1.0, "rank 0"), ("rest", 0.0, "more than 0"), ("rest", float("nan"), "nan")]
)
def test_who_cannot_be_paced_is_refused(name: str, rate: float, said: str) -> None:
    machine = paced()
    machine.begin(1, 1, 1)
    with pytest.raises(InputError, match=said):
        machine.pacing.want(name, rate, 1)
    assert all(pace.bytes_per_s is None for pace in machine.pacing.told().values())
