"""The live device on the fake engine: every request ends once, in order of rank."""

from __future__ import annotations

import asyncio
import math
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations, pairwise
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.backend.fake import Fake, Gate
from cotenant.backend.scheduling import SchedulingClass
from cotenant.describe import (
    Answer,
    Array,
    Arrival,
    Artifact,
    Card,
    Closed,
    Crew,
    Discipline,
    External,
    Memory,
    Model,
    Objective,
    Option,
    Outcome,
    Periodic,
    Plan,
    Platform,
    Precision,
    Preemption,
    Processor,
    Promise,
    Share,
    Source,
    Step,
    Tenant,
    Tensor,
    Workload,
)
from cotenant.errors import InputError
from cotenant.live import Client, LiveDevice
from cotenant.live.allowance import SAVED_NS, SHARE, Allowance
from cotenant.live.lane import Job, LaneThread
from cotenant.live.terms import leaves_room
from cotenant.policy import Candidate, Policy, Scene
from cotenant.registry import Registry
from cotenant.units import NS_PER_MS

X = {"x": np.ones((1, 2), np.float32)}


def platform(lanes: int = 1, preemption: Preemption = Preemption.SEGMENT) -> Platform:
    processor = Processor(name="cpu", kind="k", lanes=lanes, memory="dram", preemption=preemption)
    return Platform(name="here", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1 << 30),))


def tenant(
    name: str, rank: int, *, deadline_ns: int | None = None, discipline: Discipline = Discipline.IN_ORDER, queue: int | None = None
) -> Tenant:
    source = Source(model=f"{name}.onnx")
    return Tenant(name=name, source=source, arrival=External(), rank=rank, deadline_ns=deadline_ns, discipline=discipline, queue=queue)


def option(name: str, width: int = 1) -> Option:
    artifact = Artifact(model=name, precision=Precision.FP32, engine="fake", memory="dram", resident_bytes=1)
    step = Step(segment=0, processor="cpu", width=width, duration_ns=1_000_000)
    return Option(tenant=name, artifact=artifact, chain=(step,), demand=(), latency_ns=1_000_000)


def plan(tenants: tuple[Tenant, ...], rate_per_s: float = 10.0, width: int = 1) -> Plan:
    shares = tuple(Share(option=option(t.name, width), rate_per_s=rate_per_s) for t in tenants)
    return Plan(shares=shares, promises=(), prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0)


def card(name: str) -> Card:
    x = Tensor(name="x", dtype="float32", shape=(1, 2))
    model = Model(name=name, digest=name, layers=(), edges=(), cuts=(), inputs=(x,), outputs=(x,), parameters=0)
    return Card(tenant=name, model=model, files=((Precision.FP32, f"{name}.onnx"),), variants=())


def device_of(
    fake: Fake, *tenants: Tenant, lanes: int = 1, preemption: Preemption = Preemption.SEGMENT, width: int = 1, policy: str = "rank_edf"
) -> LiveDevice:
    return LiveDevice(
        crew=Crew(workload=Workload(tenants=tenants), policy=policy),
        platform=platform(lanes, preemption),
        cards=[card(t.name) for t in tenants],
        plan=plan(tenants, width=width),
        engines=[fake],
        keeps_trace=True,
    )


def ended(thread: threading.Thread) -> bool:
    """Say whether a thread ends soon: one of best effort may have to wait for a core."""
    thread.join(10)
    return not thread.is_alive()


@contextmanager
def gated(*tenants: Tenant, lanes: int = 1, preemption: Preemption = Preemption.SEGMENT) -> Iterator[tuple[LiveDevice, Gate]]:
    """Open a device whose runs wait at a gate, once its sessions are loaded and warm."""
    gate = Gate()
    gate.release(len(tenants))
    with device_of(Fake(spend=gate.spend), *tenants, lanes=lanes, preemption=preemption) as device:
        try:
            yield device, gate
        finally:
            gate.release(math.inf)


def test_an_answer_carries_the_outputs_and_how_it_ended() -> None:
    with device_of(Fake(), tenant("a", 0)) as device:
        answer = device.submit("a", X).result(10)
    assert answer.outcome is Outcome.DONE
    assert answer.option == "fake fp32 cpux1"
    np.testing.assert_array_equal(next(iter(answer.outputs.values())), X["x"])


def test_an_answer_can_be_awaited() -> None:
    with device_of(Fake(), tenant("a", 0)) as device:
        assert asyncio.run(device.infer("a", X)).outcome is Outcome.DONE


def test_the_first_rank_goes_first_when_a_lane_falls_free() -> None:
    order: list[str] = []
    with gated(tenant("first", 0), tenant("rest", 1)) as (device, gate):
        running = device.submit("rest", X)
        assert gate.arrived(3)
        waiting = [device.submit(name, X) for name in ("rest", "first", "rest", "first")]
        for name, future in zip(("rest", "first", "rest", "first"), waiting, strict=True):
            future.add_done_callback(lambda _, name=name: order.append(name))  # type: ignore[misc]
        gate.release(math.inf)
        for future in (running, *waiting):
            future.result(10)
    assert order == ["first", "first", "rest", "rest"]


def test_rank_0_starts_beside_what_it_interrupts() -> None:
    """The operating system preempts: both threads of the one lane have a request under way."""
    with gated(tenant("first", 0), tenant("rest", 1), preemption=Preemption.CLASS) as (device, gate):
        rest = device.submit("rest", X)
        assert gate.arrived(3)
        first = device.submit("first", X)
        assert gate.arrived(4)
        assert gate.held == 2
        gate.release(math.inf)
        assert {first.result(10).outcome, rest.result(10).outcome} == {Outcome.DONE}


def test_a_failing_engine_fails_its_own_request_with_the_cause() -> None:
    with device_of(Fake(fails={"a": [1]}), tenant("a", 0), tenant("b", 1)) as device:
        answers = [device.submit(name, X).result(10) for name in ("a", "b", "a")]
    assert [a.outcome for a in answers] == [Outcome.FAILED, Outcome.DONE, Outcome.DONE]
    assert "fake" in answers[0].reason


def test_closing_answers_or_counts_everything() -> None:
    with gated(tenant("a", 0)) as (device, gate):
        futures = [device.submit("a", X) for _ in range(5)]
        assert gate.arrived(2)
        device.close()
        outcomes = [f.result(1).outcome for f in futures]
        count = device.stats()["a"]
    assert outcomes.count(Outcome.DROPPED) == 4
    assert (count.asked, count.dropped, count.failed, count.outstanding, count.lost) == (5, 4, 1, 0, 0)


def test_a_closed_device_refuses() -> None:
    device = device_of(Fake(), tenant("a", 0))
    device.close()
    with pytest.raises(InputError, match="open device"):
        device.submit("a", X)


@pytest.mark.parametrize(
    ("name", "inputs", "said"),
    [
        ("b", X, "did you mean a|known: a"),
        ("a", {}, r"a\.x: missing; float32 \[1, 2\]"),
        ("a", {"x": np.ones((2, 2), np.float32)}, r"a\.x: float32 \[2, 2\]; float32 \[1, 2\]"),
        ("a", {"x": np.ones((1, 2))}, r"a\.x: float64"),
        ("a", {**X, "y": X["x"]}, r"a\.y: unknown input"),
        ("a", {"x": [[1.0, 2.0]]}, r"a\.x: list; a numpy array"),
    ],
)
def test_what_does_not_fit_is_refused_in_one_line(name: str, inputs: dict[str, Array], said: str) -> None:
    with device_of(Fake(), tenant("a", 0)) as device:
        with pytest.raises(InputError, match=said) as refused:
            device.submit(name, inputs)
        assert device.stats()["a"].asked == 0
    assert "\n" not in str(refused.value)


def test_another_plan_is_served_without_losing_what_is_outstanding() -> None:
    tenants = (tenant("a", 0),)
    with device_of(Fake(), *tenants, lanes=2) as device:
        futures = [device.submit("a", X) for _ in range(20)]
        device.apply(plan(tenants, rate_per_s=50.0, width=2))
        futures += [device.submit("a", X) for _ in range(20)]
        answers = [f.result(10) for f in futures]
    assert {a.outcome for a in answers} == {Outcome.DONE}
    assert answers[-1].option == "fake fp32 cpux2"


def test_a_request_that_can_no_longer_be_in_time_is_dropped_by_the_timer() -> None:
    late = tenant("late", 1, deadline_ns=20_000_000, discipline=Discipline.DROP_LATE)
    with gated(tenant("first", 0), late) as (device, gate):
        device.submit("first", X)
        assert gate.arrived(3)
        answer = device.submit("late", X).result(10)
        gate.release(math.inf)
    assert (answer.outcome, answer.reason) == (Outcome.DROPPED, "too late")


@pytest.mark.parametrize(
    ("discipline", "started"), [(Discipline.IN_ORDER, [0, 2, 3]), (Discipline.DROP_LATE, [0, 2, 3]), (Discipline.NEWEST_FIRST, [0, 3, 2])]
)
def test_the_oldest_that_waits_is_answered_at_once_when_the_queue_is_full(discipline: Discipline, started: list[int]) -> None:
    with gated(tenant("first", 0, discipline=discipline, queue=2)) as (device, gate):
        running = device.submit("first", X)
        assert gate.arrived(2)
        first, second, third = (device.submit("first", X) for _ in range(3))
        dropped = first.result(10)
        assert not running.done()
        gate.release(math.inf)
        assert {f.result(10).outcome for f in (running, second, third)} == {Outcome.DONE}
        trace, count = device.trace(1), device.stats()["first"]
    assert (dropped.outcome, dropped.reason) == (Outcome.DROPPED, "queue full")
    assert [span.request for span in trace.spans] == started
    assert (count.asked, count.done, count.dropped, count.lost) == (4, 3, 1, 0)


@pytest.mark.parametrize("preemption", [Preemption.SEGMENT, Preemption.CLASS])
def test_everything_a_client_asks_is_accounted_for_and_no_lane_runs_two_at_once(preemption: Preemption) -> None:
    tenants = (tenant("first", 0), tenant("rest", 1))
    asking = tuple(Tenant(name=t.name, source=t.source, rank=t.rank, arrival=Closed(outstanding=3)) for t in tenants)
    with device_of(Fake(), *tenants, lanes=2, preemption=preemption) as device:
        workload = Workload(tenants=asking)
        client = Client(device=device, workload=workload, lanes=2, inputs={t.name: [X] for t in tenants}, stop=threading.Event())
        start_ns = device.start_clock()
        client.ask(start_ns, 100_000_000)
        assert device.drain(10)
        trace = device.trace(100_000_000)
    assert all(count.lost == 0 and count.asked == count.done for count in device.stats().values())
    assert len(trace.endings) == sum(asked for _, asked in trace.asked)
    for lane in range(2):
        spans = sorted((s.start_ns, s.stop_ns) for s in trace.spans if lane in s.lanes)
        assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_lane_held_up_in_a_callback_takes_no_work_from_the_others() -> None:
    going_on = threading.Event()
    with gated(tenant("a", 1), tenant("b", 1), lanes=2) as (device, gate):
        held_up = device.submit("a", X)
        assert gate.arrived(3)
        held_up.add_done_callback(lambda _: going_on.wait(10))
        gate.release(math.inf)
        outcomes = {device.submit("b", X).result(5).outcome for _ in range(6)}
        assert not going_on.is_set()
        going_on.set()
    assert outcomes == {Outcome.DONE}


@pytest.mark.parametrize(
    ("arrival", "promised_per_s", "room"),
    [
        (Periodic(every_ns=100 * NS_PER_MS), 10.0, True),
        (Periodic(every_ns=100 * NS_PER_MS), 9.0, False),
        (Closed(), 10.0, False),
        (External(rate_per_s=10.0), 10.0, True),
        (External(), 10.0, False),
    ],
)
def test_rank_0_is_urgent_only_where_its_arrivals_are_promised_whole(arrival: Arrival, promised_per_s: float, room: bool) -> None:
    first = Tenant(name="first", source=Source(model="zoo:x"), arrival=arrival, rank=0)
    promise = Promise(tenant="first", rate_per_s=promised_per_s, solo_rate_per_s=10.0)
    with device_of(Fake(), tenant("first", 0)) as device:
        plan = replace(device.plan, promises=(promise,))
    assert leaves_room((first, tenant("rest", 1)), plan) is room


def shared_model(*tenants: Tenant, apart: bool) -> Plan:
    """Plan every tenant onto one model: one artifact for all, or one for rank 0 and one for the rest."""

    def of(tenant: Tenant) -> Option:
        known = option(tenant.name)
        place = f"cpu{' rank 0' if tenant.rank == 0 else ''}" if apart else ""
        return replace(known, artifact=replace(known.artifact, model="m", place=place))

    return replace(plan(tenants), shares=tuple(Share(option=of(t), rate_per_s=10.0) for t in tenants))


@pytest.mark.parametrize(("shared", "copies"), [(True, 1), (False, 2 * 2)])
def test_tenants_of_one_model_use_one_copy_but_rank_0_does_not_interrupt_it(shared: bool, copies: int) -> None:
    tenants = (tenant("first", 0), tenant("a", 1), tenant("b", 1))
    fake = Fake(shares_sessions=shared)
    cards = [replace(card("m"), tenant=t.name) for t in tenants]
    served = shared_model(*tenants, apart=not shared)
    crew = Crew(workload=Workload(tenants=tenants))
    with LiveDevice(crew=crew, platform=platform(2, Preemption.CLASS), cards=cards, plan=served, engines=[fake]) as device:
        futures = [device.submit(t.name, X) for _ in range(20) for t in tenants]
        outcomes = {future.result(10).outcome for future in futures}
    assert outcomes == {Outcome.DONE}
    assert sum(fake.loads.values()) == copies


def test_a_callback_may_wait_for_what_another_lane_can_serve() -> None:
    with device_of(Fake(), tenant("a", 1), lanes=2) as device:
        waited: Future[Outcome] = Future()
        first = device.submit("a", X)
        first.add_done_callback(lambda _: waited.set_result(device.submit("a", X).result(5).outcome))
        assert waited.result(10) is Outcome.DONE


def test_a_callback_that_exits_costs_no_lane() -> None:
    with gated(tenant("a", 1)) as (device, gate):
        device.submit("a", X).add_done_callback(lambda _: sys.exit(3))
        gate.release(math.inf)
        assert device.submit("a", X).result(5).outcome is Outcome.DONE
    assert not device.broken


@dataclass(frozen=True, kw_only=True)
class Raises(Registry[Policy]):
    """Offer a policy that fails once it is asked."""

    error: type[Exception] = ValueError

    def get(self, name: str, path: str | None = None) -> Policy:
        def order(candidate: Candidate, scene: Scene) -> float:
            raise self.error(f"no order for {candidate.request}")

        return Policy(order=order)


RAISES = Raises(what="policy", package="cotenant.policy", group="cotenant.policies")


@pytest.mark.parametrize("kind", [ValueError, RuntimeError, AssertionError])
def test_a_policy_that_raises_fails_what_was_asked_and_ends_every_thread(monkeypatch: pytest.MonkeyPatch, kind: type[Exception]) -> None:
    monkeypatch.setattr("cotenant.live.device.policies", replace(RAISES, error=kind))
    device = device_of(Fake(), tenant("a", 0), tenant("b", 1), lanes=2)
    threads = [thread for thread in threading.enumerate() if thread.name.startswith(("cotenant-critical", "cotenant-rest"))]
    answer = device.submit("a", X).result(5)
    assert (answer.outcome, "no order for 0" in answer.reason) == (Outcome.FAILED, True)
    with pytest.raises(InputError, match="no order for 0"):
        device.submit("b", X)
    device.close()
    assert "no order for 0" in device.broken
    assert threads
    assert all(ended(thread) for thread in threads)
    assert all(count.lost == 0 for count in device.stats().values())


def test_a_client_without_an_end_stops_asking_a_broken_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cotenant.live.device.policies", RAISES)
    asking = replace(tenant("a", 1), arrival=Closed())
    with device_of(Fake(), tenant("a", 1)) as device:
        client = Client(device=device, workload=Workload(tenants=(asking,)), lanes=1, inputs={"a": [X]}, stop=threading.Event())
        asker = threading.Thread(target=client.ask, args=(device.start_clock(), None), daemon=True)
        asker.start()
        asker.join(10)
        assert not asker.is_alive()


def test_rank_0_is_urgent_by_the_plan_that_is_served() -> None:
    first = replace(tenant("first", 0), arrival=Periodic(every_ns=100 * NS_PER_MS))
    promise = Promise(tenant="first", rate_per_s=10.0, solo_rate_per_s=10.0)
    with device_of(Fake(), first, tenant("rest", 1)) as device:
        for promises in ((), (promise,), ()):
            device.apply(replace(device.plan, promises=promises))
            assert [(station.critical, station.urgent) for station in device._ongoing.stations] == [(True, bool(promises)), (False, False)]


def test_without_a_rank_0_nothing_is_urgent() -> None:
    with device_of(Fake(), tenant("rest", 1)) as device:
        assert not leaves_room((tenant("rest", 1),), device.plan)


@pytest.fixture
def classes(monkeypatch: pytest.MonkeyPatch) -> list[SchedulingClass]:
    """List the classes that lane threads take, and let every one be permitted."""
    taken: list[SchedulingClass] = []

    def take(wanted: SchedulingClass, ahead: int = 0) -> SchedulingClass:
        assert ahead == 0
        taken.append(wanted)
        return wanted

    for name, wanted in (("haste.urgent", "realtime"), ("haste.normal", "normal"), ("lane.best_effort", "idle")):
        monkeypatch.setattr(f"cotenant.live.{name}", partial(take, SchedulingClass(wanted)))
    return taken


def ran(*, critical: bool, urgent: bool, jobs: int) -> LaneThread:
    """Return a lane thread after so many urgent jobs, ended."""
    thread = LaneThread(
        core=None, critical=critical, urgent=urgent, report=lambda _: None, fault=lambda _: None, lock=nullcontext(True), clock=lambda: 0
    )
    thread.start()
    session = Fake().load(Path("m.onnx"), Precision.FP32)
    for request in range(jobs):
        thread.inbox.put(Job(slot=0, request=request, session=session, inputs=X, urgent=critical and urgent))
    assert thread.stop(10)
    return thread


def test_a_best_effort_lane_stays_one(classes: list[SchedulingClass]) -> None:
    assert ran(critical=False, urgent=True, jobs=2).taken is SchedulingClass.IDLE
    assert classes == [SchedulingClass.IDLE]


def test_a_lane_of_rank_0_is_urgent_from_the_start_while_its_allowance_lasts(
    classes: list[SchedulingClass], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran(critical=True, urgent=True, jobs=2).taken is SchedulingClass.REALTIME
    assert classes == [SchedulingClass.REALTIME]
    classes.clear()
    lasts = iter([True, False, True, True])  # before and after each job
    monkeypatch.setattr("cotenant.live.lane.Allowance.lasts", lambda *_: next(lasts))
    assert ran(critical=True, urgent=True, jobs=2).taken is SchedulingClass.REALTIME
    assert classes == [SchedulingClass.REALTIME, SchedulingClass.NORMAL, SchedulingClass.REALTIME]


def test_a_class_that_is_refused_is_not_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def refuse(ahead: int) -> SchedulingClass:
        asked.append(ahead)
        return SchedulingClass.NORMAL

    monkeypatch.setattr("cotenant.live.haste.urgent", refuse)
    ran(critical=True, urgent=True, jobs=3)
    assert asked == [0]


def test_a_device_closed_from_a_callback_is_closed_for_good_by_its_owner() -> None:
    device = device_of(Fake(), tenant("a", 1))
    closed = threading.Event()

    def close(_: Future[Answer]) -> None:
        device.close()
        closed.set()

    device.submit("a", X).add_done_callback(close)
    assert closed.wait(10)
    device.close()
    assert all(ended(thread._thread) for thread in device._lanes._threads.values())


def test_closing_goes_on_where_it_was_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    with gated(tenant("a", 1)) as (device, gate):
        running, waiting = device.submit("a", X), device.submit("a", X)
        assert gate.arrived(2)
        with monkeypatch.context() as patch:
            patch.setattr(device, "drain", Mock(side_effect=KeyboardInterrupt))
            with pytest.raises(KeyboardInterrupt):
                device.close()
        device.close()
        assert {running.result(1).outcome, waiting.result(1).outcome} == {Outcome.FAILED, Outcome.DROPPED}


def test_an_interrupt_in_a_callback_of_the_main_thread_is_raised_once_all_are_answered() -> None:
    with gated(tenant("a", 1)) as (device, gate):
        device.submit("a", X)
        assert gate.arrived(2)
        waiting = [device.submit("a", X) for _ in range(2)]
        waiting[0].add_done_callback(Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            device.close()
        assert all(future.done() for future in waiting)


def test_a_closed_rank_0_keeps_its_lane() -> None:
    """A request that a callback submits starts where the last one ended, but for a moment that the machine spends elsewhere."""
    with device_of(Fake(duration_ns={("first", Precision.FP32): NS_PER_MS, ("rest", Precision.FP32): 5 * NS_PER_MS}),
                   tenant("first", 0), tenant("rest", 1), lanes=2, preemption=Preemption.CLASS) as device:  # fmt: skip
        tenants = (replace(tenant("first", 0), arrival=Closed(outstanding=1)), replace(tenant("rest", 1), arrival=Closed()))
        client = Client(
            device=device, workload=Workload(tenants=tenants), lanes=2, inputs={"first": [X], "rest": [X]}, stop=threading.Event()
        )
        client.ask(device.start_clock(), 1000 * NS_PER_MS)
        device.close()
        lanes = [span.lanes for span in sorted(device.trace(1000 * NS_PER_MS).spans, key=lambda s: s.start_ns) if span.tenant == "first"]
    assert len(lanes) > 5
    assert sum(before != after for before, after in pairwise(lanes)) < len(lanes) / 4


BURSTS = st.tuples(st.sampled_from((0, 10**7, 10**11)), st.sampled_from((10**6, 10**8)), st.sampled_from((1, 60)))
"""Idle so long (ns), then busy so long, so many times."""


@given(st.lists(BURSTS, min_size=1, max_size=4))
def test_urgent_work_never_takes_more_than_its_share_and_what_it_saved(bursts: list[tuple[int, int, int]]) -> None:
    now_ns, allowance = 0, Allowance(at_ns=0)
    jobs = [(idle_ns, busy_ns) for idle_ns, busy_ns, times in bursts for _ in range(times)]
    moments: list[tuple[int, int]] = [(0, 0)]  # the time, and what was taken until then
    for idle_ns, busy_ns in jobs:
        now_ns += idle_ns
        urgent_ns = busy_ns if allowance.lasts(now_ns) else 0
        moments.append((now_ns, moments[-1][1]))
        now_ns += busy_ns
        allowance.lasts(now_ns, urgent_ns)
        moments.append((now_ns, moments[-1][1] + urgent_ns))
    longest_ns = max(busy_ns for _, busy_ns in jobs)
    for (since_ns, before_ns), (until_ns, after_ns) in combinations(moments, 2):
        assert after_ns - before_ns <= SHARE * (until_ns - since_ns) + SAVED_NS + longest_ns
    assert allowance.lasts(now_ns + 2 * longest_ns)


def test_a_client_that_falls_behind_ends_in_time_and_counts_what_it_passed_over() -> None:
    flood = replace(tenant("a", 1), arrival=Periodic(every_ns=1000))
    with device_of(Fake(), tenant("a", 1)) as device:
        client = Client(device=device, workload=Workload(tenants=(flood,)), lanes=1, inputs={"a": [X]}, stop=threading.Event())
        client.ask(device.start_clock(), 50 * NS_PER_MS)
        device.close()
        endings = device.trace(50 * NS_PER_MS).endings
    assert device.stats()["a"].asked == len(endings) == 50_000
    assert device.stats()["a"].lost == 0
    passed_over = [ending for ending in endings if ending.reason == "asked too late"]
    assert passed_over
    assert {ending.outcome for ending in passed_over} == {Outcome.DROPPED}


@pytest.mark.parametrize("inputs", [None, [1], np.ones(2), {3: np.ones(2)}])
def test_what_is_no_mapping_of_names_to_arrays_is_refused(inputs: object) -> None:
    with device_of(Fake(), tenant("a", 0)) as device, pytest.raises(InputError):
        device.submit("a", inputs)  # type: ignore[arg-type]


ENDS = """
import atexit
from tests.unit.test_live import device_of, tenant, X
from cotenant.backend.fake import Fake, burn
from cotenant.describe import Precision
atexit.register(lambda: print(device.closed, device.stats()["a"].outstanding))
device = device_of(Fake(duration_ns={("a", Precision.FP32): 5_000_000}), tenant("a", 1), lanes=2)
for _ in range(500):
    device.submit("a", X)
"""


def test_a_program_that_ends_without_closing_ends_in_order() -> None:
    ended = subprocess.run([sys.executable, "-c", ENDS], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, "stopped 0\n", "")
