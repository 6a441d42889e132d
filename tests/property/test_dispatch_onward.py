"""Who need not ask at a boundary: it is told beforehand, and what would be decided there is that it goes on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from cotenant.describe import Preemption, Share, Tenant
from cotenant.dispatch import RESUME, START, SUSPEND, Decision, Dispatcher
from cotenant.policy import policies
from tests.property.dispatch_crews import MS, board, crews, option, shares, tenant

RUNNING_ON = [name for name in policies.names() if policies.get(name).runs_on]
KEPT = (
    "position",
    "stage",
    "since_ns",
    "ran_ns",
    "state",
    "late",
    "width",
    "segment_ns",
    "remaining_ns",
    "expected_ns",
    "observed_ns",
    "pace",
)
"""What of a slot is the same whether it was started anew or passed on."""


@dataclass(slots=True)
class Foreseen:
    """Do as a dispatcher does; where what it started need not ask, hold what is decided there against that."""

    dispatcher: Any
    recorded: tuple[list[Any], ...] = ()
    """What the policy was asked in a decision, to be held against what it decided."""
    checked: int = 0
    free: dict[int, tuple[int, tuple[int, ...]]] = field(default_factory=dict)
    """By slot: until when it need not ask, and its lanes."""
    asks: tuple[int, int] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self.dispatcher, name)

    def arrive(self, *arrival: Any) -> int:
        self.asks = None
        return int(self.dispatcher.arrive(*arrival))

    def fail(self, slot: int) -> None:
        self._happened()
        self.dispatcher.fail(slot)

    def apply(self, plan: tuple[Share, ...], tenants: tuple[Tenant, ...] | None = None, renewed: Collection[str] = ()) -> list[int]:
        self._happened()
        return list(self.dispatcher.apply(plan, tenants, renewed))

    def flush(self) -> list[int]:
        self._happened()
        return list(self.dispatcher.flush())

    def finish(self, slot: int, now_ns: int) -> bool:
        ended = bool(self.dispatcher.finish(slot, now_ns))
        self.asks = None if ended or self.asks is not None else (slot, now_ns)
        if ended:
            self.free.pop(slot, None)
        return ended

    def decide(self, now_ns: int) -> list[Decision]:
        decisions: list[Decision] = self.dispatcher.decide(now_ns)
        lanes: dict[int, list[int]] = {}
        for decision in decisions:
            if decision.kind == START:
                lanes.setdefault(decision.slot, []).append(decision.lane)
        began = {slot: tuple(sorted(own)) for slot, own in lanes.items()}
        alone = self.asks is not None and [*began] == [self.asks[0]] and len(decisions) == len(began[self.asks[0]])
        if self.asks is not None:
            self._check(now_ns, began, alone=alone)
        if not alone:
            self.free = {slot: (min(until_ns, self._stays_ns(slot, now_ns)), own) for slot, (until_ns, own) in self.free.items()}
        until_ns = self.dispatcher.steady_ns(now_ns)
        self.free |= {slot: (until_ns, own) for slot, own in began.items()}
        self.asks = None
        return decisions

    def _stays_ns(self, slot: int, now_ns: int) -> int:
        """Ask, which must change nothing."""
        before, lengths = repr(self.dispatcher.state), [len(record) for record in self.recorded]
        until_ns = int(self.dispatcher.stays_ns(slot, now_ns))
        for record, length in zip(self.recorded, lengths, strict=True):
            del record[length:]
        assert repr(self.dispatcher.state) == before
        return until_ns

    def _check(self, now_ns: int, began: dict[int, tuple[int, ...]], *, alone: bool) -> None:
        assert self.asks is not None
        slot, finished_ns = self.asks
        until_ns, own = self.free.pop(slot, (-1, ()))
        if finished_ns == now_ns < until_ns and self._stays(slot, own):
            slots = self.dispatcher.state.slots
            instead = [one for one in began if one != slot and slots[one].tenant == slots[slot].tenant]
            assert alone or (len(began) == 1 and instead)
            assert instead or began[slot] == own or len(own) == 1
            self.checked += alone

    def _stays(self, slot: int, own: tuple[int, ...]) -> bool:
        """Say whether the segment that is to come could follow on the same lanes."""
        c = self.dispatcher.state.slots[slot]
        lanes = self.dispatcher.lineup.lanes
        return len(own) == c.width and all(lanes[lane][0] == c.processor for lane in own)

    def _happened(self) -> None:
        self.free.clear()
        self.asks = None


@given(st.data(), st.sampled_from(RUNNING_ON), st.sampled_from((None, Preemption.SEGMENT, Preemption.CLASS, Preemption.INSTANT)))
def test_who_need_not_ask_would_go_on(data: st.DataObject, name: str, preemption: Preemption | None) -> None:
    crew = data.draw(crews(crowded=preemption))
    loop: Any = crew.loop(policies.get(name), foreseen=False)
    loop.dispatcher = Foreseen(loop.dispatcher, (loop.asked, loop.orders))
    changes = [(at, crew.plans[(i + 1) % 2]) for i, at in enumerate(crew.changes)]
    loop.run(60 * MS, crew.arrivals, crew.closed, changes)


def test_it_is_so_for_most_segments_of_those_who_are_flat_out() -> None:
    """Three tenants with a request each always waiting, on two lanes."""
    tenants = tuple(tenant(name, 1) for name in "abc")
    plan = shares(*((option(name, *[("p0", 1, MS)] * 10), 30.0) for name in "abc"))
    foreseen = Foreseen(Dispatcher(tenants, plan, board((2,)), policies.get("rank_edf")))
    asked, now_ns = 0, 0
    running: dict[int, int] = {}
    for index in range(3):
        foreseen.arrive(asked, index, now_ns, None)
        asked += 1
    for step in range(2000):
        for decision in foreseen.decide(now_ns):
            running[decision.slot] = now_ns + MS + step % 7 * 1000
        slot = min(running, key=lambda one: running[one])
        now_ns = running.pop(slot)
        owner = int(foreseen.state.slots[slot].tenant)
        if foreseen.finish(slot, now_ns):
            foreseen.arrive(asked, owner, now_ns, None)
            asked += 1
    assert foreseen.checked > 1000


ARRIVALS = st.lists(st.tuples(st.integers(1, 9 * MS), st.integers(0, 3)), min_size=10, max_size=60)
DEADLINES = st.tuples(*[st.none() | st.integers(1, 90)] * 4)


def checked(name: str, preemption: Preemption, arrivals: list[tuple[int, int]], deadlines_ms: tuple[int | None, ...]) -> int:
    """Serve requests that come, end and pass their boundaries at instants of their own; return how many boundaries were foreseen."""
    tenants = tuple(tenant(name, rank) for name, rank in zip("abcd", (0, 1, 1, 2), strict=True))
    widths = (1, 1, 1, 2)
    plan = shares(*((option(t.name, *[("p0", w, MS)] * 6), 30.0) for t, w in zip(tenants, widths, strict=True)))
    foreseen = Foreseen(Dispatcher(tenants, plan, board((3,), preemption), policies.get(name)))
    now_ns, running = 0, dict[int, int]()
    coming = iter(enumerate(arrivals))
    following = next(coming, None)
    came_ns = arrivals[0][0]
    while following is not None or running:
        soonest = min(running, key=lambda one: running[one], default=None)
        if following is not None and (soonest is None or came_ns < running[soonest]):
            request, (_, owner) = following
            now_ns, due_ms = came_ns, deadlines_ms[owner]
            foreseen.arrive(request, owner, now_ns, None if due_ms is None else now_ns + due_ms * MS)
            following = next(coming, None)
            came_ns += following[1][0] if following is not None else 0
        else:
            assert soonest is not None
            now_ns = running.pop(soonest)
            foreseen.finish(soonest, now_ns)
        for decision in foreseen.decide(now_ns):
            if decision.kind == START:
                running[decision.slot] = now_ns + MS + 1 + 1009 * (decision.request + 1) + now_ns % 1013
            elif decision.kind == SUSPEND:
                running.pop(decision.slot, None)
            elif decision.kind == RESUME:
                running[decision.slot] = now_ns + MS // 2 + decision.request
    return foreseen.checked


@given(st.sampled_from(RUNNING_ON), st.sampled_from(Preemption), ARRIVALS, DEADLINES)
def test_who_runs_when_others_come_is_told_until_when_it_need_not_ask(
    name: str, preemption: Preemption, arrivals: list[tuple[int, int]], deadlines_ms: tuple[int | None, ...]
) -> None:
    checked(name, preemption, arrivals, deadlines_ms)


def test_those_who_are_told_so_are_many() -> None:
    arrivals = [(2 * MS + 7919 * i % MS, i % 3) for i in range(100)]
    boundaries = 5 * len(arrivals)
    assert checked("edf", Preemption.CLASS, arrivals, (20, 70, 90, None)) > boundaries / 2


def test_who_interrupts_goes_on_as_long_as_no_other_lane_is_free() -> None:
    """Else it goes there at its next boundary, and whom it interrupted resumes."""
    tenants = (tenant("first", 0), tenant("long", 1), tenant("short", 1))
    plan = shares(*((option(t.name, *[("p0", 1, MS)] * count), 30.0) for t, count in zip(tenants, (4, 4, 2), strict=True)))
    dispatcher = Dispatcher(tenants, plan, board((2,), Preemption.CLASS), policies.get("rank"))
    long, short = dispatcher.arrive(0, 1, 0, None), dispatcher.arrive(1, 2, 0, None)
    dispatcher.decide(0)
    came_ns = MS // 2
    first = dispatcher.arrive(2, 0, came_ns, None)
    assert (SUSPEND, long) in [(d.kind, d.slot) for d in dispatcher.decide(came_ns)]
    assert dispatcher.steady_ns(came_ns) > came_ns
    assert not dispatcher.finish(short, MS)
    dispatcher.decide(MS)
    assert dispatcher.stays_ns(first, MS) > MS
    assert dispatcher.finish(short, 2 * MS)
    dispatcher.decide(2 * MS)
    assert dispatcher.stays_ns(first, 2 * MS) == 2 * MS
    dispatcher.finish(first, 3 * MS)
    decided = [(d.kind, d.slot) for d in dispatcher.decide(3 * MS)]
    assert decided == [(START, first), (RESUME, long)]


@settings(max_examples=50)
@given(st.integers(1, 8), st.integers(1, 2), st.lists(st.integers(1, 3 * MS), min_size=1, max_size=7), st.none() | st.integers(1, 30))
def test_to_pass_on_is_to_finish_and_be_started(segments: int, width: int, times: list[int], due_ms: int | None) -> None:
    """In all that a slot holds, whatever its segments really take."""
    plan = shares((option("a", *[("p0", width, MS)] * (segments + 1)), 30.0))
    one, other = (Dispatcher((tenant("a", 1),), plan, board((2,)), policies.get("rank_edf")) for _ in range(2))
    for dispatcher in (one, other):
        dispatcher.arrive(0, 0, 0, None if due_ms is None else due_ms * MS)
        dispatcher.decide(0)
    now_ns, slot = 0, next(i for i, c in enumerate(one.state.slots) if c.request == 0)
    for taken_ns in times[:segments]:
        now_ns += taken_ns
        one.pass_on(slot, now_ns)
        other.finish(slot, now_ns)
        other.decide(now_ns)
        assert [getattr(one.state.slots[slot], name) for name in KEPT] == [getattr(other.state.slots[slot], name) for name in KEPT]
        assert [lane.running for lane in one.state.lanes].count(slot) == width
        one.validate(now_ns)
