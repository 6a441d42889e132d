"""SGPRS: virtual deadlines, levels, and the choice of a context."""

from __future__ import annotations

from itertools import permutations

import pytest

from cotenant.describe import Artifact, Memory, Option, Platform, Poisson, Precision, Processor, Request, Share, Source, Step, Tenant
from cotenant.dispatch.state import READY, ProcessorRow, SlotRow, StageRow
from cotenant.policy import AS_PLANNED, NEVER_NS, Scene
from cotenant.policy.sgprs import sgprs, virtual_due_ns
from cotenant.sim import Case, simulate

CHAIN = (20, 30, 50)


def at(stage: int, *, due_ns: int = 1200, since_ns: int = 0, rank: int = 0) -> SlotRow:
    """Return a request of three stages, arrived at 1000, that waits for one of them; the one before ended at `since_ns`."""
    return SlotRow(
        state=READY, stage=stage, stages=3, begun=int(stage > 0), arrival_ns=1000, due_ns=due_ns, since_ns=since_ns, rank=rank,
        alone_ns=sum(CHAIN), remaining_ns=sum(CHAIN[stage:]), segment_ns=CHAIN[stage],
    )  # fmt: skip


def value(slot: SlotRow, now_ns: int = 1000, **params: float) -> float:
    return sgprs.order(slot, scene([slot], [], [], now_ns, **params))


def scene(slots: list[SlotRow], stages: list[StageRow], processors: list[ProcessorRow], now_ns: int, **params: float) -> Scene:
    given = [{**dict(sgprs.params), **params}[name] for name, _ in sgprs.params]
    ready = list(range(len(slots)))
    return Scene(now_ns, slots, ready, len(ready), [], 0, [], processors, [], stages, list(range(len(stages))), given, [])


def test_a_deadline_is_shared_out_by_the_time_that_each_stage_takes() -> None:
    due = [virtual_due_ns(slot, slot.remaining_ns - slot.segment_ns) for slot in (at(0), at(1), at(2))]
    assert due == pytest.approx([1000 + 200 * 20 / 100, 1000 + 200 * 50 / 100, 1200])


def test_the_last_stage_goes_first_then_whoever_missed_a_virtual_deadline_then_the_rest() -> None:
    last, missed, in_time = at(2, due_ns=9000), at(1, since_ns=1041, due_ns=1200), at(1, since_ns=1040, due_ns=1200)
    assert value(last) < value(missed) < value(in_time)


def test_within_a_level_the_earlier_virtual_deadline_goes_first() -> None:
    assert value(at(0, due_ns=1100)) < value(at(0, due_ns=1101)) < value(at(0, due_ns=NEVER_NS))


def test_as_published_nobody_is_promoted() -> None:
    assert value(at(1, since_ns=1041), as_published=1.0) == value(at(1, since_ns=1040), as_published=1.0)


def test_by_ranks_a_task_of_low_priority_goes_after_every_stage_of_high_priority() -> None:
    assert value(at(2, rank=1), ranks=1.0) > value(at(0, rank=0, due_ns=10**9), ranks=1.0)
    assert value(at(2, rank=1)) < value(at(0, rank=0))


WIDTHS = {1: 90, 2: 50, 4: 30, 8: 20}


def lanes(left_ns: int, *, free: int = 8, planned: int = 2, due_ns: int | None = None, **params: float) -> int:
    """Ask how wide a request of one stage shall go that has `left_ns` left until it is due."""
    stages = [StageRow(width=w, segment_ns=ns, remaining_ns=ns, others=0, other_count=len(WIDTHS)) for w, ns in WIDTHS.items()]
    position = list(WIDTHS).index(planned)
    ns = WIDTHS[planned]
    slot = SlotRow(
        state=READY, stages=1, position=position, width=planned, alone_ns=ns, remaining_ns=ns, segment_ns=ns,
        due_ns=left_ns if due_ns is None else due_ns,
    )  # fmt: skip
    answer = sgprs.width(slot, scene([slot], stages, [ProcessorRow(lanes=8, free=free)], 0, **params))
    return planned if answer == AS_PLANNED else answer


def test_the_least_context_that_meets_the_virtual_deadline_is_taken() -> None:
    assert [lanes(left, oversubscription=4.0) for left in (90, 89, 50, 49, 30, 29, 20)] == [1, 2, 2, 4, 4, 8, 8]


def test_if_none_meets_it_the_fastest_is_taken() -> None:
    assert lanes(5, oversubscription=4.0) == 8
    assert lanes(5, oversubscription=2.0) == 4
    assert lanes(5, oversubscription=1.0) == 2


def test_an_oversubscribed_context_makes_do_with_the_lanes_that_are_free() -> None:
    assert lanes(5, oversubscription=4.0, free=3) == 2
    assert lanes(5, oversubscription=4.0, free=1) == 1


def test_with_no_lane_free_it_waits_for_the_planned_ones() -> None:
    assert lanes(5, free=0) == 2


def test_without_a_deadline_the_plan_is_kept_to() -> None:
    assert lanes(0, due_ns=NEVER_NS, oversubscription=4.0) == 2
    assert lanes(0, due_ns=NEVER_NS, oversubscription=4.0, free=1) == 1


def lateness(durations: tuple[int, ...], dues: tuple[int, ...]) -> int:
    """Serve requests of one stage on one lane, all at 0; return the greatest lateness."""
    platform = Platform(
        name="one", processors=(Processor(name="p", kind="k", lanes=1, memory="m"),), memories=(Memory(name="m", capacity_bytes=1),)
    )
    tenants, shares = [], []
    for index, (ns, due_ns) in enumerate(zip(durations, dues, strict=True)):
        name = f"t{index}"
        art = Artifact(model=name, precision=Precision.FP32, engine="e", memory="m", resident_bytes=1)
        chain = (Step(segment=0, processor="p", width=1, duration_ns=ns),)
        tenants.append(Tenant(name=name, source=Source(model="zoo:x"), arrival=Poisson(rate_per_s=1.0), deadline_ns=due_ns))
        shares.append(Share(option=Option(tenant=name, artifact=art, chain=chain, demand=(), latency_ns=ns), rate_per_s=1.0))
    requests = tuple(Request(id=i, tenant=t.name, arrival_ns=0, due_ns=t.deadline_ns) for i, t in enumerate(tenants))
    case = Case(tenants=tuple(tenants), shares=tuple(shares), platform=platform, requests=requests, horizon_ns=10**6)
    ends = simulate(case, sgprs, name="sgprs").endings
    return int((ends["finish_ns"] - ends["due_ns"]).max())


@pytest.mark.parametrize(("durations", "dues"), [((50, 20, 40), (60, 130, 90)), ((10, 70, 30, 20), (200, 80, 60, 100))])
def test_with_one_stage_each_no_order_has_less_lateness(durations: tuple[int, ...], dues: tuple[int, ...]) -> None:
    """Jackson (1955): the earliest due first, since a network of one stage is always at its last."""
    worst = []
    for order in permutations(range(len(durations))):
        ends = [sum(durations[i] for i in order[: place + 1]) for place in range(len(order))]
        worst.append(max(end - dues[i] for end, i in zip(ends, order, strict=True)))
    assert lateness(durations, dues) == min(worst)
