"""The live device on the fake engine: every request ends once, in order of rank."""

from __future__ import annotations

import asyncio
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from cotenant.backend.fake import Fake, Gate
from cotenant.describe import (
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
from cotenant.live.terms import leaves_room
from cotenant.units import NS_PER_MS

X = {"x": np.ones((1, 2), np.float32)}


def platform(lanes: int = 1, preemption: Preemption = Preemption.SEGMENT) -> Platform:
    processor = Processor(name="cpu", kind="k", lanes=lanes, memory="dram", preemption=preemption)
    return Platform(name="here", processors=(processor,), memories=(Memory(name="dram", capacity_bytes=1 << 30),))


def tenant(name: str, rank: int, *, deadline_ns: int | None = None, discipline: Discipline = Discipline.IN_ORDER) -> Tenant:
    return Tenant(
        name=name, source=Source(model=f"{name}.onnx"), arrival=External(), rank=rank, deadline_ns=deadline_ns, discipline=discipline
    )


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


def device_of(fake: Fake, *tenants: Tenant, lanes: int = 1, preemption: Preemption = Preemption.SEGMENT, width: int = 1) -> LiveDevice:
    return LiveDevice(
        crew=Crew(workload=Workload(tenants=tenants)),
        platform=platform(lanes, preemption),
        cards=[card(t.name) for t in tenants],
        plan=plan(tenants, width=width),
        engines=[fake],
        keeps_trace=True,
    )


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
    with gated(tenant("first", 0), tenant("rest", 1), preemption=Preemption.INSTANT) as (device, gate):
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


@pytest.mark.parametrize("preemption", [Preemption.SEGMENT, Preemption.INSTANT])
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
        (External(rate_per_s=10.0), 10.0, False),
    ],
)
def test_rank_0_is_urgent_only_where_its_arrivals_are_promised_whole(arrival: Arrival, promised_per_s: float, room: bool) -> None:
    first = Tenant(name="first", source=Source(model="zoo:x"), arrival=arrival, rank=0)
    promise = Promise(tenant="first", rate_per_s=promised_per_s, solo_rate_per_s=10.0)
    with device_of(Fake(), tenant("first", 0)) as device:
        plan = replace(device.plan, promises=(promise,))
    assert leaves_room((first, tenant("rest", 1)), plan) is room
