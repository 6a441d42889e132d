"""SDRM3: which request goes where."""

from __future__ import annotations

from itertools import permutations

import pytest

from cotenant.describe import (
    Artifact,
    Discipline,
    Memory,
    Option,
    Outcome,
    Platform,
    Poisson,
    Precision,
    Processor,
    Request,
    Share,
    Source,
    Step,
    Tenant,
)
from cotenant.dispatch.state import READY, ProcessorRow, SlotRow, StageRow
from cotenant.policy import NEVER_NS, NOT_NOW, Scene
from cotenant.policy.sdrm3 import sdrm3
from cotenant.sim import Case, simulate
from cotenant.trace.columns import Columns


def simulated(times: dict[str, tuple[int, ...]], requests: tuple[Request, ...], discipline: Discipline = Discipline.IN_ORDER) -> Columns:
    """Serve tenants of one segment, with their times by processor, the first as planned; weigh urgency and preference alone."""
    count = max(len(t) for t in times.values())
    memory = Memory(name="m", capacity_bytes=1, bandwidth_bytes_per_s=None)
    processors = tuple(Processor(name=f"p{i}", kind="k", lanes=1, memory="m") for i in range(count))
    tenants, shares = [], []
    for name, own in times.items():
        tenants.append(Tenant(name=name, source=Source(model="zoo:x"), arrival=Poisson(rate_per_s=1), discipline=discipline))
        artifact = Artifact(model=name, precision=Precision.FP32, engine="fake", memory="m", resident_bytes=1)
        for index, duration_ns in enumerate(own):
            chain = (Step(segment=0, processor=f"p{index}", width=1, duration_ns=duration_ns),)
            option = Option(tenant=name, artifact=artifact, chain=chain, demand=(), latency_ns=duration_ns)
            shares.append(Share(option=option, rate_per_s=1.0 if index == 0 else 0.0))
    platform = Platform(name="board", processors=processors, memories=(memory,))
    case = Case(tenants=tuple(tenants), shares=tuple(shares), platform=platform, requests=requests, horizon_ns=1000)
    return simulate(case, sdrm3, name="sdrm3", params=(("alpha", 0.0), ("beta", 0.0)))


def scene(now_ns: int, free: tuple[int, ...] = (1, 1), switch_ns: int = 0) -> tuple[SlotRow, Scene]:
    """Show a request of one segment, 10 ns on the first processor and 30 ns on the second, due at 100, arrived at 0."""
    stages = [StageRow(processor=i, segment_ns=t, remaining_ns=t, others=0, other_count=2) for i, t in enumerate((10, 30))]
    processors = [ProcessorRow(lanes=1, free=f, switch_ns=switch_ns) for f in free]
    slot = SlotRow(position=0, processor=0, state=READY, due_ns=100, segment_ns=10, remaining_ns=10)
    return slot, Scene(now_ns, [slot], [0], 1, [], 0, [], processors, [], stages, [0, 1], [1.0, 1.0], [])


def test_the_score_is_urgency_times_preference_plus_starvation_plus_energy_less_the_switch() -> None:
    slot, seen = scene(20, switch_ns=5)
    urgency = 20 / 80  # the mean of 10 and 30 over the slack
    assert sdrm3.order(slot, seen) == pytest.approx(-(urgency * 40 / 10 + 20 / 20 + (40 / 10 - 5 / 10)))
    assert sdrm3.place(slot, seen) in {-1, 0}


def test_where_the_preferred_processor_is_busy_the_score_is_that_of_the_other() -> None:
    slot, seen = scene(20, free=(0, 1))
    assert sdrm3.order(slot, seen) == pytest.approx(-(20 / 80 * 40 / 30 + 20 / 20 + 40 / 30))
    assert sdrm3.place(slot, seen) == 1


def test_nobody_starts_where_no_processor_is_free() -> None:
    slot, seen = scene(20, free=(0, 0))
    assert sdrm3.order(slot, seen) >= NOT_NOW


@pytest.mark.parametrize("due_ns", [NEVER_NS, 20, 5])
def test_without_a_deadline_or_past_it_nothing_is_urgent(due_ns: int) -> None:
    slot, seen = scene(20)
    slot.due_ns = due_ns
    assert sdrm3.order(slot, seen) == pytest.approx(-(20 / 20 + 40 / 10))


def test_whoever_waits_long_enough_goes_before_the_more_urgent() -> None:
    urgent, seen = scene(0)
    waiting, _ = scene(0)
    urgent.arrival_ns, urgent.due_ns = 1000, 1020
    waiting.due_ns = NEVER_NS
    assert sdrm3.order(urgent, seen._replace(now_ns=1000)) > sdrm3.order(waiting, seen._replace(now_ns=1000))
    assert sdrm3.order(urgent, seen._replace(now_ns=0)) < sdrm3.order(waiting, seen._replace(now_ns=0))


def test_a_request_goes_to_the_processor_that_is_fastest_for_it() -> None:
    columns = simulated({"t": (30, 10)}, (Request(id=0, tenant="t", arrival_ns=0, due_ns=100),))
    assert columns.endings["finish_ns"][0] == 10


def test_two_at_once_are_parted_by_preference() -> None:
    requests = tuple(Request(id=i, tenant=n, arrival_ns=0, due_ns=100) for i, n in enumerate(("a", "b")))
    columns = simulated({"a": (10, 40), "b": (40, 10)}, requests)
    assert list(columns.endings["finish_ns"]) == [10, 10]


def test_on_one_lane_the_order_is_that_of_what_is_left_over_slack() -> None:
    work = {"a": 10, "b": 20, "c": 30}
    for dues in permutations((100, 150, 400)):
        requests = tuple(Request(id=i, tenant=n, arrival_ns=0, due_ns=d) for i, (n, d) in enumerate(zip(work, dues, strict=True)))
        columns = simulated({n: (t,) for n, t in work.items()}, requests)
        now_ns, left = 0, {i: (work[r.tenant], dues[i]) for i, r in enumerate(requests)}
        while left:
            first = max(left, key=lambda i: left[i][0] / (left[i][1] - now_ns))
            now_ns += left.pop(first)[0]
            assert columns.endings["finish_ns"][first] == now_ns


@pytest.mark.parametrize(("discipline", "outcome"), [(Discipline.IN_ORDER, Outcome.DONE), (Discipline.DROP_LATE, Outcome.DROPPED)])
def test_only_the_tenants_discipline_drops_what_is_late(discipline: Discipline, outcome: Outcome) -> None:
    columns = simulated({"t": (10,)}, (Request(id=0, tenant="t", arrival_ns=0, due_ns=5),), discipline)
    assert columns.trace().endings[0].outcome is outcome
