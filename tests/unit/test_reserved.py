"""Reserved cores: how processors are divided, what is refused, and what a tenant is then offered, planned and served."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields, make_dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.backend.fake import Fake
from cotenant.backend.machine import discover, present_cores
from cotenant.cost import Table
from cotenant.describe import (
    Closed,
    Crew,
    Memory,
    Network,
    Objective,
    Platform,
    Preemption,
    Processor,
    Segment,
    Share,
    Source,
    Tenant,
    Workload,
)
from cotenant.describe.files import board, digest_of
from cotenant.describe.network import Cost, Handover
from cotenant.describe.reserved import counterpart, network_for, reserve, with_counterparts
from cotenant.errors import InputError
from cotenant.live import LiveDevice
from cotenant.plan import check, enumerate_options, solve
from cotenant.study.boardplan import Ask, offered, planned
from cotenant.study.simulation import on_board
from tests.live_cases import card as live_card
from tests.live_cases import option as live_option
from tests.live_cases import plan as live_plan
from tests.live_cases import tenant as live_tenant
from tests.plan_cases import closed, opened, option
from tests.unit.test_machine import XEON, machine
from tests.unit.test_plan_enumerate import card, timing


def here(*cores: Sequence[int]) -> Platform:
    """Return a machine with a processor for each list of cores."""
    memory = Memory(name="dram", capacity_bytes=1 << 40)
    return Platform(
        name="here",
        processors=tuple(
            Processor(name=f"cpu{i}", kind=f"kind{i}", lanes=len(own), memory="dram", preemption=Preemption.CLASS, cores=tuple(own))
            for i, own in enumerate(cores)
        ),
        memories=(memory,),
    )


def tenant(name: str, cores: int | tuple[int, ...] | None = None) -> Tenant:
    return replace(closed(name), cores=cores)


def parts(platform: Platform) -> list[tuple[str, str, tuple[int, ...]]]:
    return [(p.name, p.reserved, p.cores) for p in platform.processors]


def test_named_cores_leave_the_others_to_all() -> None:
    divided = reserve(here((0, 1, 2, 3)), [tenant("a", (0, 2)), tenant("b")])
    assert parts(divided) == [("cpu0", "", (1, 3)), ("cpu0[a]", "a", (0, 2))]


def test_a_count_takes_the_last_cores_of_the_first_processor_that_nobody_names() -> None:
    divided = reserve(here((0, 1, 2), (3, 4)), [tenant("a", 3), tenant("b", (2,)), tenant("c")])
    assert parts(divided) == [("cpu0[a]", "a", (0, 1)), ("cpu0[b]", "b", (2,)), ("cpu1", "", (3,)), ("cpu1[a]", "a", (4,))]


@given(st.lists(st.integers(1, 4), min_size=1, max_size=3), st.lists(st.none() | st.integers(1, 4), min_size=1, max_size=4))
def test_every_lane_is_in_one_part_or_the_crew_is_refused(lanes: list[int], counts: list[int | None]) -> None:
    first = [sum(lanes[:i]) for i in range(len(lanes))]
    platform = here(*(range(at, at + n) for at, n in zip(first, lanes, strict=True)))
    tenants = [tenant(f"t{i}", count) for i, count in enumerate(counts)]
    asked = sum(count or 0 for count in counts)
    if asked > sum(lanes) or (asked == sum(lanes) and None in counts):
        with pytest.raises(InputError, match=r"^tenants\[t\d\]\.cores: \d; (at most|fewer)"):
            reserve(platform, tenants)
        return
    divided = reserve(platform, tenants)
    assert sorted(core for p in divided.processors for core in p.cores) == list(range(sum(lanes)))
    for one in tenants:
        assert sum(p.lanes for p in divided.processors if p.reserved == one.name) == (one.cores or 0)


@pytest.mark.parametrize(
    ("cores", "said"),
    [
        ((7,), r"tenants\[a\]\.cores: 7; one of 0, 1; there is no such core"),
        ((3,), r"tenants\[a\]\.cores: 3; one of 0, 1; this one is outside the control group or the affinity"),
        ((1,), r"tenants\[a\]\.cores: 1; a core of its own; it is reserved for first"),
        (2, r"tenants\[a\]\.cores: 2; at most 1: there are no more beside those reserved for first"),
        (1, r"tenants\[a\]\.cores: 1; fewer: no core is left for last"),
    ],
)
def test_what_cannot_be_reserved_is_refused(cores: int | tuple[int, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        reserve(here((0, 1)), [tenant("first", (1,)), tenant("a", cores), tenant("last")], present={0, 1, 2, 3})


def test_numbers_are_refused_where_lanes_have_none() -> None:
    with pytest.raises(InputError, match=r"cores: \[0\]; a number of cores: those of rk3588s, which is not this machine, have no numbers"):
        reserve(board("rk3588s").platform, [tenant("a", (0,)), tenant("b")])


def test_cores_outside_the_affinity_are_told_from_those_that_are_not_there(tmp_path: Path) -> None:
    root = machine(tmp_path, [XEON] * 4)
    platform, present = discover(root, allowed=range(2)), present_cores(root)
    for core, said in ((3, "outside the control group or the affinity"), (4, "there is no such core")):
        with pytest.raises(InputError, match=said):
            reserve(platform, [tenant("a", (core,)), tenant("b")], present)


@pytest.mark.parametrize("value", [tenant("a"), here((0, 1)).processors[0], here((0, 1))])
def test_what_reserves_nothing_has_the_digest_that_it_had_before_there_was_such_a_thing(value: object) -> None:
    if isinstance(value, Platform):
        assert digest_of(value) == digest_of(reserve(value, [tenant("a")]))
        return
    known = [f.name for f in fields(value) if not f.metadata.get("newer")]  # type: ignore[arg-type]
    before = make_dataclass(type(value).__name__, known, frozen=True)
    assert digest_of(value) == digest_of(before(*(getattr(value, name) for name in known)))


def test_what_is_reserved_counts_in_digests() -> None:
    assert len({digest_of(tenant("a", cores)) for cores in (None, 1, 2, (1,), (1, 2), (2, 1))}) == 6


def test_only_the_owner_is_offered_reserved_lanes_each_as_wide_as_fits() -> None:
    divided = reserve(here((0, 1, 2)), [tenant("a", 2), tenant("b")])
    timings = tuple(timing(name, 4 / width + 1, width=width) for name in "ab" for width in (1, 2, 3))
    found = enumerate_options([tenant("a", 2), tenant("b")], [card("a", fp32=1.0), card("b", fp32=1.0)], Table(timings=timings), divided)
    assert [(o.tenant, o.name.split()[-1]) for o in found] == [("a", "cpu0x1"), ("a", "cpu0[a]x1"), ("a", "cpu0[a]x2"), ("b", "cpu0x1")]


def test_whoever_nothing_is_left_for_is_refused() -> None:
    tenants = [tenant("a", (0,)), tenant("b")]
    divided = reserve(here((0,), (1,)), tenants)
    with pytest.raises(InputError, match=r"^tenants\[b\]\.model"):
        enumerate_options(tenants, [card("a", fp32=1.0), card("b", fp32=1.0)], Table(timings=(timing("a", 4), timing("b", 4))), divided)


def test_a_plan_gives_reserved_lanes_to_their_owner_alone_and_the_checker_agrees() -> None:
    """By hand: with c of the common lane, log(100 + c) + log(100 - c) is greatest at c = 0."""
    tenants = (tenant("a", 1), tenant("b"))
    divided = reserve(here((0, 1)), tenants)
    options = (option("a", 10), option("a", 10, "cpu0[a]"), option("b", 10))
    plan = solve(tenants, options, divided, Objective.PROPORTIONAL)
    assert {p.tenant: p.rate_per_s for p in plan.promises} == pytest.approx({"a": 100.0, "b": 100.0}, rel=1e-4)
    assert check(plan, tenants, options, divided).ok
    more = replace(plan, shares=tuple(replace(s, rate_per_s=1.1 * s.rate_per_s) if s.option.tenant == "b" else s for s in plan.shares))
    assert any("cpu0" in complaint for complaint in check(more, tenants, options, divided).complaints)


@given(st.integers(1, 3), st.integers(1, 3), st.floats(1.0, 300.0), st.floats(1.0, 300.0))
def test_open_work_leaves_headroom_in_both_parts_and_runs_on_its_own_lanes_first(own: int, left: int, a: float, b: float) -> None:
    tenants = (replace(opened("a", a), cores=own), opened("b", b))
    divided = reserve(here(range(own + left)), tenants)
    options = (option("a", 10), option("a", 10, "cpu0[a]"), option("b", 10))
    plan = solve(tenants, options, divided, Objective.PROPORTIONAL, allow_overload=True)
    verdict = check(plan, tenants, options, divided)
    assert verdict.ok, verdict.complaints
    used = {p.name: sum(s.rate_per_s * s.option.demand_of(p.name) for s in plan.shares) for p in divided.processors}
    assert used["cpu0"] <= 0.9 * left * (1 + 1e-6)
    assert used["cpu0[a]"] == pytest.approx(min(0.9 * own, plan.promise("a").rate_per_s / 100), rel=1e-4, abs=1e-4)


def test_a_counterpart_does_the_same_on_the_other_part_and_back() -> None:
    divided = reserve(here((0, 1, 2)), [tenant("a", 1), tenant("b")])
    common = replace(option("a", 10), artifact=replace(option("a", 10).artifact, place=""))
    own = counterpart(common, divided)
    assert own is not None
    assert [step.processor for step in own.chain] == ["cpu0[a]"]
    assert counterpart(own, divided) == common
    assert counterpart(option("b", 10), divided) is None
    assert counterpart(option("a", 10, width=2), divided) is None
    assert counterpart(replace(common, artifact=replace(common.artifact, place="cpu0")), divided) is None
    assert with_counterparts([Share(option=common, rate_per_s=5.0)], divided) == (
        Share(option=common, rate_per_s=5.0), Share(option=own, rate_per_s=0.0),
    )  # fmt: skip


def test_a_network_runs_on_both_parts_for_the_owner_and_hands_nothing_over_between_them() -> None:
    costs = (
        Cost(processor="big", width=1, duration_ns=9),
        Cost(processor="big", width=3, duration_ns=4),
        Cost(processor="gpu", width=1, duration_ns=5),
    )
    hand = (Handover(source="big", target="gpu", duration_ns=1),)
    network = Network(name="n", segments=(Segment(name="s", costs=costs, handovers=hand),))
    platform = Platform(
        name="board",
        processors=(Processor(name="big", kind="k", lanes=4, memory="dram"), Processor(name="gpu", kind="g", lanes=1, memory="dram")),
        memories=(Memory(name="dram", capacity_bytes=1),),
    )
    divided = reserve(platform, [tenant("a", 1), tenant("b")])
    mine, theirs = (network_for(network, one, divided).segments[0] for one in (tenant("a", 1), tenant("b")))
    assert [cost.place for cost in mine.costs] == [("big[a]", 1), ("big", 1), ("big", 3), ("gpu", 1)]
    assert [cost.place for cost in theirs.costs] == [("big", 1), ("big", 3), ("gpu", 1)]
    assert [(one.source, one.target) for one in mine.handovers] == [("big[a]", "gpu"), ("big", "gpu")]


def crew_on(name: str, cores: int | None) -> Crew:
    tenants = tuple(
        Tenant(name=n, source=Source(model="board:squeezenet"), arrival=Closed(outstanding=2), cores=own)
        for n, own in (("a", cores), ("b", None))
    )
    return Crew(workload=Workload(tenants=tenants), platform=name)


def test_a_board_is_planned_with_lanes_reserved_by_number() -> None:
    found = offered(crew_on("rk3588s", 2), Ask())
    assert {step.processor for o in found.options if o.tenant == "b" for step in o.chain} <= {"big", "little", "gpu"}
    made = planned(found, Ask())
    assert check(made.plan, found.tenants, found.options, found.platform).ok
    assert all(made.figures(share.option).known for share in made.plan.shares)
    assert sum(s.rate_per_s * s.option.demand_of("big[a]") for s in made.plan.shares) > 0


def test_a_board_is_simulated_with_lanes_reserved_and_their_owner_is_planned_there() -> None:
    place = on_board(crew_on("rk3588s", 2))
    first = {share.option.tenant: share.option for share in reversed(place.offer(crew_on("rk3588s", 2).workload.tenants))}
    assert {step.processor for step in first["a"].chain} == {"big[a]"}
    assert not {step.processor for step in first["b"].chain} & {"big[a]"}


@pytest.mark.skipif(len(discover().processors[0].cores) < 2, reason="needs two cores")
def test_a_reserved_core_serves_its_tenant_alone_on_that_very_core() -> None:
    cores = discover().processors[0].cores[:2]
    tenants = (live_tenant("own", cores=(cores[0],)), live_tenant("other"))
    seen: list[set[int]] = []
    engine = Fake(spend=lambda _: seen.append(os.sched_getaffinity(0)))
    divided = reserve(here(cores), tenants)
    common = live_option("own"), live_option("other")
    options = [replace(o, chain=tuple(replace(step, processor="cpu0") for step in o.chain)) for o in common]
    with LiveDevice(
        crew=Crew(workload=Workload(tenants=tenants)), platform=divided, cards=[live_card(t.name) for t in tenants],
        plan=live_plan(*options), engines=[engine], keeps_trace=True,
    ) as device:  # fmt: skip
        seen.clear()
        for name in ("own", "other", "own", "other"):
            device.submit(name, {"x": np.zeros((1, 2), dtype=np.float32)}).result(10)
        assert seen == [{cores[0]}, {cores[1]}] * 2
        trace = device.trace(1)
    ran = {(ending.tenant, span.processor) for span in trace.spans for ending in trace.endings if ending.request == span.request}
    assert ran == {("own", "cpu0[own]"), ("other", "cpu0")}
