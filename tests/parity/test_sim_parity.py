"""One dispatcher, several drivers: compiled, plain, stepped and live decide alike."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cotenant.backend.fake import Fake
from cotenant.describe import (
    Array,
    Card,
    Closed,
    Crew,
    Model,
    Objective,
    Plan,
    Precision,
    Preemption,
    Request,
    Tensor,
    Workload,
)
from cotenant.dispatch import DROP, EVICT, NONE, RESUME, START, SUSPEND, Decision, Dispatcher
from cotenant.live import LiveDevice
from cotenant.policy import RUNNING, Policy
from cotenant.sim import Case, Loop, is_there, simulate
from cotenant.trace import Trace
from cotenant.trace.columns import Columns
from tests.sim_cases import US, board, case, cases, compiler, every_policy, late_last, memory, names, processor, request, share, tenant

FEW = settings(max_examples=max(10, settings.default.max_examples * 2 // 5) if settings.default else 10)
"""For what is run for every policy, several times."""

needs_numba = pytest.mark.skipif(not is_there(), reason="numba is not installed: pip install cotenant[sim]")


def compiled(policy: Policy) -> Loop | None:
    """Return the compiled loop for a policy, None without numba: late_last and promises are the state's, and need no other."""
    return compiler().loop(policy) if is_there() else None


def the_same(one: Columns, other: Columns) -> None:
    assert one.spans.tobytes() == other.spans.tobytes()
    assert one.endings.tobytes() == other.endings.tobytes()
    assert (one.segments, one.bytes_per_span) == (other.segments, other.bytes_per_span)


@needs_numba
@pytest.mark.parametrize("name", names())
@FEW
@given(drawn=cases())
def test_compiled_and_plain_leave_the_same_trace(name: str, drawn: Case) -> None:
    policy = every_policy()[name]
    for way in (policy, late_last(policy), replace(policy, promises=True)):
        plain = simulate(drawn, way, name=name)
        the_same(plain, simulate(drawn, way, name=name, loop=compiled(policy)))


@needs_numba
@pytest.mark.parametrize("name", names())
def test_lists_that_grow_leave_the_same_trace(name: str) -> None:
    """More outstanding than there is room for at first, more spans and more endings than reckoned."""
    platform = board(processor("p0", 2, Preemption.INSTANT), memories=[memory("m0", 4.0)])
    tenants = [tenant("a", 0, closed=150, deadline_ns=9 * US, drops=True), tenant("b", 1)]
    options = [share("a", ("p0", 1, US, 5000), ("p0", 1, US)), share("b", ("p0", 2, 2 * US), ("p0", 1, US))]
    requests = [request("b", 10 * index) for index in range(300)]
    crowd = case(platform, tenants, options, requests, horizon_ns=40 * US)
    policy = every_policy()[name]
    the_same(simulate(crowd, policy, name=name), simulate(crowd, policy, name=name, loop=compiled(policy)))


@dataclass
class Stepped:
    """Drive a dispatcher on a virtual clock: work alone, and no costs; what runs together is kept in the order of its starts."""

    drawn: Case
    policy: Policy
    now_ns: int = 0
    left_ns: dict[int, float] = field(default_factory=dict)
    since_ns: dict[int, int] = field(default_factory=dict)
    on: list[int] = field(default_factory=list)
    slots: dict[int, int] = field(default_factory=dict)
    owners: list[tuple[int, int | None, float]] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    spans: list[tuple[int, int, int, int, int]] = field(default_factory=list)
    ends: dict[int, tuple[int, str]] = field(default_factory=dict)
    lanes: dict[int, list[int]] = field(default_factory=lambda: defaultdict(list))

    def __post_init__(self) -> None:
        self.dispatcher = Dispatcher(self.drawn.tenants, self.drawn.shares, self.drawn.platform, self.policy)
        self.known = {t.name: index for index, t in enumerate(self.drawn.tenants)}

    def arrive(self, index: int, due_ns: int | None, scale: float = 1.0) -> None:
        number = len(self.owners)
        self.owners.append((index, due_ns, scale))
        self.slots[number] = self.dispatcher.arrive(number, index, self.now_ns, due_ns)

    def finish_ns(self, number: int) -> int:
        left_ns = self.left_ns[number]
        whole = int(left_ns)
        return self.since_ns[number] + (whole + 1 if left_ns > whole + 1e-6 else whole)

    def next_finish(self) -> int | None:
        return min(self.on, key=self.finish_ns, default=None)

    def stop(self, number: int, lane: int | None = None) -> None:
        """Take a request off the list (the last takes its place there), and note its stretch."""
        if number in self.on:
            self.left_ns[number] = max(0.0, self.left_ns[number] - (self.now_ns - self.since_ns[number]))
            at = self.on.index(number)
            self.on[at] = self.on[-1]
            self.on.pop()
        position = self.dispatcher.state.slots[self.slots[number]].position
        for own in sorted(self.lanes[number]) if lane is None else [lane]:
            if self.now_ns > self.since_ns[number]:
                self.spans.append((number, position, own, self.since_ns[number], self.now_ns))
            self.lanes[number].remove(own)

    def run(self, number: int) -> None:
        self.since_ns[number] = self.now_ns
        self.on.append(number)

    def end(self, number: int, how: str) -> None:
        self.ends[number] = (self.now_ns, how)
        index = self.owners[number][0]
        if isinstance(self.drawn.tenants[index].arrival, Closed) and self.now_ns < self.drawn.horizon_ns:
            if how == "dropped":
                self.again.append(index)
            else:
                self.ask(index)

    def ask(self, index: int) -> None:
        deadline_ns = self.drawn.tenants[index].deadline_ns
        self.arrive(index, None if deadline_ns is None else self.now_ns + deadline_ns)

    def finish(self, number: int) -> None:
        self.stop(number)
        del self.left_ns[number]
        if self.dispatcher.finish(self.slots[number], self.now_ns):
            self.end(number, "done")

    def do(self, decision: Decision) -> None:
        number = decision.request
        if decision.kind == SUSPEND:
            self.stop(number, decision.lane)
        elif decision.kind == RESUME:
            self.lanes[number].append(decision.lane)
            self.run(number)
        elif decision.kind == START:
            self.lanes[number].append(decision.lane)
            step = self.dispatcher.lineup.steps[self.dispatcher.stage(decision.slot)][1]
            if len(self.lanes[number]) == step.width:  # by then whoever ran on one of them has been taken off the list
                self.left_ns.setdefault(number, step.duration_ns * self.owners[number][2])
                self.run(number)
        elif decision.kind in {DROP, EVICT}:
            self.left_ns.pop(number, None)
            self.end(number, "dropped" if decision.kind == DROP else "evicted")

    def decide(self) -> None:
        for decision in self.dispatcher.decide(self.now_ns):
            self.do(decision)
        self.dispatcher.validate(self.now_ns)

    def serve(self) -> None:
        for index, own in enumerate(self.drawn.tenants):
            if isinstance(own.arrival, Closed):
                for _ in range(own.arrival.outstanding or self.drawn.platform.lanes):
                    self.ask(index)
        coming = list(self.drawn.requests)
        while True:
            self.events_of_now(coming)
            self.decide()
            number, wake_ns = self.next_finish(), self.dispatcher.wake_ns(self.now_ns)
            instants = [self.finish_ns(number)] if number is not None else []
            instants += [wake_ns] if wake_ns is not None else []
            instants += [coming[0].arrival_ns] if coming else []
            instants += [self.now_ns + 1] if self.again else []
            if not instants:
                return
            self.now_ns = min(instants)

    def events_of_now(self, coming: list[Request]) -> None:
        while (number := self.next_finish()) is not None and self.finish_ns(number) <= self.now_ns:
            self.finish(number)
        while coming and coming[0].arrival_ns <= self.now_ns:
            r = coming.pop(0)
            self.arrive(self.known[r.tenant], r.due_ns, r.work_scale)
        for index in sorted(self.again):
            self.ask(index)
        self.again.clear()


@pytest.mark.parametrize("name", names())
@FEW
@given(drawn=cases(plain=True, exits=False))
def test_a_dispatcher_that_is_stepped_decides_like_the_loop(name: str, drawn: Case) -> None:
    """The class that the live device steps, and the loop that is compiled: same spans on the same lanes, same endings."""
    policy = replace(every_policy()[name], promises=True)
    stepped = Stepped(drawn, policy)
    stepped.serve()
    looped = simulate(drawn, policy, name=name, loop=compiled(every_policy()[name]))
    assert stepped.spans == [row[:5] for row in looped.spans.tolist()]
    outcomes = {1: "done", 2: "dropped", 4: "evicted"}
    assert stepped.ends == {i: (int(row["finish_ns"]), outcomes[int(row["outcome"])]) for i, row in enumerate(looped.endings)}


class Held(Fake):
    """A fake engine whose runs end when they are told to; which run is which is what they were asked with."""

    def __init__(self) -> None:
        super().__init__()
        self.state = threading.Condition()
        self.holds = False
        self.inside: set[int] = set()
        self.let_go: set[int] = set()

    def answer(self, stem: str, precision: Precision, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        number = int(inputs["x"][0, 0])
        with self.state:
            if self.holds:
                self.inside.add(number)
                self.state.notify_all()
                self.state.wait_for(lambda: number in self.let_go)
                self.inside.discard(number)
        return super().answer(stem, precision, inputs)

    def wait_for(self, numbers: set[int]) -> None:
        """Wait until just these runs are under way."""
        with self.state:
            assert self.state.wait_for(lambda: self.inside == numbers, 10)

    def release(self, numbers: set[int]) -> None:
        with self.state:
            self.let_go |= numbers
            self.state.notify_all()


class Silent:
    """A timer that never rings: the test does, by its own clock."""

    def __init__(self, *, clock: Callable[[], int], ring: Callable[[], None]) -> None:
        self.ring = ring

    def start(self) -> None: ...

    def set(self, at_ns: int | None) -> None: ...

    def stop(self) -> None: ...


@dataclass
class Served:
    """Drive a live device by a virtual clock: nothing goes on but when it is let."""

    drawn: Case
    name: str
    now_ns: int = 0
    left_ns: dict[int, int] = field(default_factory=dict)
    since_ns: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.engine = Held()
        self.crew = Crew(workload=Workload(tenants=self.drawn.tenants), policy=self.name)

    def device(self) -> LiveDevice:
        x = Tensor(name="x", dtype="float32", shape=(1, 2))
        cards = [
            Card(
                tenant=t.name,
                model=Model(name=t.name, digest=t.name, layers=(), edges=(), cuts=(), inputs=(x,), outputs=(x,), parameters=0),
                files=((Precision.FP32, f"{t.name}.onnx"),),
                variants=(),
            )
            for t in self.drawn.tenants
        ]
        plan = Plan(shares=self.drawn.shares, promises=(), prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0)
        return LiveDevice(
            crew=self.crew, platform=self.drawn.platform, cards=cards, plan=plan, engines=[self.engine], keeps_trace=True,
            clock=lambda: self.now_ns,
        )  # fmt: skip

    def running(self, device: LiveDevice) -> dict[int, int]:
        """Return who runs, each with its planned time; and wait until just those, and who is set aside, are in the engine."""
        with device._serving.lock:
            s, lineup = device._ongoing.dispatcher.state, device._ongoing.dispatcher.lineup
            found = {c.request: lineup.steps[c.position][1].duration_ns for c in s.slots if c.state == RUNNING}
            aside = {s.slots[row.suspended].request for row in s.lanes if row.suspended != NONE}
        self.engine.wait_for({*found, *aside})
        return found

    def settle(self, device: LiveDevice) -> None:
        """Note who runs from now on, and what those that were interrupted have left."""
        found = self.running(device)
        for number in [number for number in self.since_ns if number not in found]:
            self.left_ns[number] -= self.now_ns - self.since_ns.pop(number)
        for number, duration_ns in found.items():
            self.left_ns.setdefault(number, duration_ns)
            self.since_ns.setdefault(number, self.now_ns)

    def finish(self, device: LiveDevice, number: int) -> None:
        """Let a run end, and wait until its lane has reported and decided."""
        del self.left_ns[number], self.since_ns[number]
        self.engine.release({number})
        pause = threading.Event()
        while self.outstanding(device, number):
            pause.wait(0.0005)

    def outstanding(self, device: LiveDevice, number: int) -> bool:
        with device._serving.lock:
            return any(c.request == number for c in device._ongoing.dispatcher.state.slots)

    def serve(self) -> Trace:
        with patch("cotenant.live.serving.Timer", Silent), self.device() as device:
            self.engine.holds = True
            try:
                self.go(device)
            finally:
                self.engine.release(set(range(1000)))
            return device.trace(self.drawn.horizon_ns)

    def go(self, device: LiveDevice) -> None:
        coming = list(enumerate(self.drawn.requests))
        while True:
            ends = {number: since_ns + self.left_ns[number] for number, since_ns in self.since_ns.items()}
            wake_ns = device._ongoing.dispatcher.wake_ns(self.now_ns)
            instants = [*ends.values(), *(r.arrival_ns for _, r in coming[:1]), *([] if wake_ns is None else [wake_ns])]
            if not instants:
                return
            self.now_ns = min(instants)
            due = [number for number, end_ns in ends.items() if end_ns == self.now_ns]
            if due:
                self.finish(device, due[0])
            elif coming and coming[0][1].arrival_ns == self.now_ns:
                number, r = coming.pop(0)
                device.submit(r.tenant, {"x": np.full((1, 2), number, np.float32)})
            else:
                device._serving.tick()
            self.settle(device)


@st.composite
def whole_models(draw: st.DrawFn) -> Case:
    """Draw requests of one segment each, such that no two events coincide: a live device decides after each of them."""
    way = draw(st.sampled_from([Preemption.SEGMENT, Preemption.CLASS]))
    lanes = draw(st.integers(1, 2))
    count = draw(st.integers(1, 3))
    tenants = [
        tenant(
            f"t{i}",
            draw(st.integers(0, 2)),
            deadline_ns=draw(st.none() | st.integers(4000, 30_000)),
            drops=draw(st.booleans()),
            newest=draw(st.booleans()),
            queue=draw(st.none() | st.integers(1, 2)),
        )
        for i in range(count)
    ]
    shares = [share(t.name, ("p0", 1, draw(st.integers(1000, 9000)))) for t in tenants]
    instants = sorted(draw(st.lists(st.integers(0, 30_000), min_size=2, max_size=9, unique=True)))
    asked = [(draw(st.sampled_from(tenants)), at_ns) for at_ns in instants]
    requests = [request(t.name, at_ns, None if t.deadline_ns is None else at_ns + t.deadline_ns) for t, at_ns in asked]
    return case(board(processor("p0", lanes, way)), tenants, shares, requests, 40 * US)


@pytest.mark.parametrize("name", ["rank_edf", "edf", "fifo", "sjf"])
@FEW
@given(drawn=whole_models())
def test_the_live_device_on_a_virtual_clock_decides_like_the_simulator(name: str, drawn: Case) -> None:
    """Real threads and the fake engine, whose runs end when the simulated ones would: same spans on the same lanes, same endings."""
    columns = simulate(drawn, replace(every_policy()[name], promises=True), name=name)
    instants = [*columns.endings["arrival_ns"].tolist(), *columns.endings["finish_ns"].tolist()]
    assume(len(set(instants)) == len(instants))
    trace, expected = Served(drawn, name).serve(), columns.trace()
    assert sorted((s.start_ns, s.stop_ns, s.request, s.lanes) for s in trace.spans if s.stop_ns > s.start_ns) == sorted(
        (s.start_ns, s.stop_ns, s.request, s.lanes) for s in expected.spans
    )
    assert sorted((e.request, e.finish_ns or 0, str(e.outcome), e.reason) for e in trace.endings) == sorted(
        (e.request, e.finish_ns or 0, str(e.outcome), e.reason) for e in expected.endings
    )
