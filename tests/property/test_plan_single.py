"""Plans of one option for each tenant: what they hold, and what their checker refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cotenant.describe import Artifact, Closed, Goal, Leaf, Level, Objective, Plan, Precision, Side
from cotenant.errors import InfeasibleError
from cotenant.plan import Effort, check, solve
from cotenant.plan.cover import covers
from cotenant.plan.ground import Ground
from cotenant.plan.shortage import refuse_homeless
from cotenant.plan.solve import HEADROOM, start
from tests.plan_cases import MB, Case, cases, closed, opened, option, platform

OBJECTIVES = st.sampled_from(tuple(Objective))
GAPS = st.sampled_from((0.0, 0.01, 0.2))
CLOSE = 1e-6
SHARED = Artifact(model="m", precision=Precision.FP32, engine="engine", memory="dram", resident_bytes=1)


def planned(case: Case, objective: Objective, gap: float = 0.0, nodes: int = 300) -> Plan:
    effort = Effort(gap=gap, nodes=nodes)
    return solve(case.tenants, case.options, case.platform, objective, allow_overload=True, effort=effort)


def complaints(plan: Plan, case: Case) -> tuple[str, ...]:
    return check(plan, case.tenants, case.options, case.platform).complaints


@settings(max_examples=80, deadline=None)
@given(cases(), OBJECTIVES, GAPS)
def test_a_plan_of_single_options_is_one_and_is_proved(case: Case, objective: Objective, gap: float) -> None:
    plan = planned(case, objective, gap)
    assert plan.single
    assert all(len(plan.shares_of(tenant.name)) <= 1 for tenant in case.tenants)
    assert complaints(plan, case) == ()


@settings(max_examples=40, deadline=None)
@given(cases(tight=True, most_tenants=3), OBJECTIVES)
def test_where_memory_is_short_too(case: Case, objective: Objective) -> None:
    assert complaints(planned(case, objective), case) == ()


@settings(max_examples=60, deadline=None)
@given(cases(level=True), OBJECTIVES)
def test_no_single_options_exceed_mixtures(case: Case, objective: Objective) -> None:
    single = planned(case, objective)
    mixed = solve(case.tenants, case.options, case.platform, objective, allow_overload=True)
    assert single.value <= mixed.bound + CLOSE * max(1.0, abs(mixed.bound))


@settings(max_examples=60, deadline=None)
@given(cases(level=True), OBJECTIVES, st.sampled_from((0.01, 0.1)))
def test_a_plan_ends_within_its_gap_or_says_how_far_it_came(case: Case, objective: Objective, gap: float) -> None:
    exact, rough = planned(case, objective), planned(case, objective, gap)
    size = sum(t.weight for t in case.tenants) if objective is Objective.PROPORTIONAL else abs(rough.value)
    assert rough.gap <= gap * size + CLOSE * max(1.0, abs(rough.value))
    assert rough.value <= exact.value + CLOSE * max(1.0, abs(exact.value))
    assert rough.bound >= exact.value - CLOSE * max(1.0, abs(exact.value))


@settings(max_examples=40, deadline=None)
@given(cases(level=True), OBJECTIVES)
def test_a_plan_that_had_no_time_is_there_with_an_honest_bound(case: Case, objective: Objective) -> None:
    hasty = solve(case.tenants, case.options, case.platform, objective, allow_overload=True, effort=Effort(more=lambda: False))
    assert complaints(hasty, case) == ()
    assert hasty.bound >= planned(case, objective).value - CLOSE * max(1.0, abs(hasty.bound))


@settings(max_examples=60, deadline=None)
@given(cases(tight=True, ranks=1), OBJECTIVES)
def test_a_plan_that_had_no_time_is_there_where_memory_is_short(case: Case, objective: Objective) -> None:
    """The memory is one: what fits at all fits by the smallest models."""
    assume(is_housed(case))
    assert hasty(case, objective) == ()


@settings(max_examples=40, deadline=None)
@given(cases(level=True), OBJECTIVES)
def test_the_same_crew_has_the_same_plan(case: Case, objective: Objective) -> None:
    assert planned(case, objective) == planned(case, objective)


def test_a_floor_of_what_tolerances_leave_is_proved_in_its_own_measure() -> None:
    """The first takes the whole memory's bandwidth; of a floor of .05 in solo rates, prices are exact to 20 millionths."""
    ways = (
        ("t0", 8.0, 1e4), ("t0", 5.0, 1e4), ("t0", 1.0, 5e6), ("t1", 1.0, 1e4), ("t2", 1.0, 3115182.0), ("t2", 41.0, 3115179.0),
    )  # fmt: skip
    options = tuple(option(name, ms, resident_bytes=3 * MB, moved_bytes=moved) for name, ms, moved in ways)
    tenants = (opened("t0", 200.0, 0), opened("t1", 1.0, 1), opened("t2", 1.0, 1, floor=0.05))
    case = Case(tenants=tenants, options=options, platform=platform(1, bandwidth=1e9))
    plan = planned(case, Objective.PROPORTIONAL)
    assert complaints(plan, case) == ()
    at = next(index for index, level in enumerate(plan.levels) if level.goal is Goal.FLOORS)
    understated = replace(plan.levels[at], bound=plan.levels[at].bound - 4e-5)
    found = complaints(replace(plan, levels=(*plan.levels[:at], understated, *plan.levels[at + 1 :])), case)
    assert any("bound of floors" in one for one in found)


def split() -> tuple[Case, Plan, int]:
    """Return a plan whose proof needs halves, and the level that has them."""
    ways = ((7.0, "cpu0"), (10.0, "cpu1"), (20.0, "cpu2"))
    options = tuple(option(name, ms * more, cpu) for name, more in (("a", 1.0), ("b", 1.5)) for ms, cpu in ways)
    case = Case(tenants=(closed("a"), closed("b")), options=options, platform=platform(1, 1, 1))
    plan = planned(case, Objective.PROPORTIONAL)
    return case, plan, next(at for at, level in enumerate(plan.levels) if level.goal is Goal.PROPORTIONAL)


def altered(plan: Plan, at: int, leaves: tuple[Leaf, ...]) -> Plan:
    level: Level = replace(plan.levels[at], leaves=leaves)
    return replace(plan, levels=(*plan.levels[:at], level, *plan.levels[at + 1 :]))


def test_a_proof_that_leaves_a_half_out_is_refused() -> None:
    case, plan, at = split()
    leaves = plan.levels[at].leaves
    assert len(leaves) > 1
    assert complaints(plan, case) == ()
    for index in range(len(leaves)):
        found = complaints(altered(plan, at, (*leaves[:index], *leaves[index + 1 :])), case)
        assert any("leave out" in one for one in found), index


def test_a_half_that_proves_more_than_it_may_is_refused() -> None:
    case, plan, at = split()
    leaves = plan.levels[at].leaves
    for index, leaf in enumerate(leaves):
        others = leaves[:index], leaves[index + 1 :]
        assert complaints(altered(plan, at, (*others[0], replace(leaf, duals=()), *others[1])), case), index
        if any(side.least > 0 for side in leaf.sides):
            narrower = tuple(replace(side, below=side.least * 1.000001) if side.least > 0 else side for side in leaf.sides)
            assert complaints(altered(plan, at, (*others[0], replace(leaf, sides=narrower), *others[1])), case), index


def test_sides_prove_nothing_of_mixtures() -> None:
    case, plan, _ = split()
    assert any("in a plan of mixtures" in one for one in complaints(replace(plan, single=False), case))


def test_a_second_option_is_refused() -> None:
    case, plan, _ = split()
    share = plan.shares[0]
    other = next(o for o in case.options if o.tenant == share.option.tenant and o != share.option)
    both = (replace(share, rate_per_s=share.rate_per_s / 2), replace(share, option=other, rate_per_s=1e-3), *plan.shares[1:])
    assert any("2 options in a plan of one each" in one for one in complaints(replace(plan, shares=both), case))


@settings(max_examples=30, deadline=None)
@given(cases(level=True, most_tenants=3), OBJECTIVES, st.data())
def test_rates_for_a_mapping_have_the_bound_of_all_plans(case: Case, objective: Objective, data: st.DataObject) -> None:
    chosen = [data.draw(st.sampled_from([o for o in case.options if o.tenant == t.name])) for t in case.tenants]
    assume(len({o.artifact.memory for o in chosen}) == 1)
    plan = solve(case.tenants, case.options, case.platform, objective, allow_overload=True, chosen=chosen)
    assert {share.option for share in plan.shares} <= set(chosen)
    assert complaints(plan, case) == ()
    mixed = solve(case.tenants, case.options, case.platform, objective, allow_overload=True)
    assert plan.bound >= mixed.value - CLOSE * max(1.0, abs(mixed.value))
    alone = solve(case.tenants, chosen, case.platform, Objective.THROUGHPUT, allow_overload=True)
    if objective is Objective.THROUGHPUT:
        assert plan.value == pytest.approx(alone.value, rel=1e-6)


DIFFERENCES: tuple[dict[str, Any], ...] = ({}, {"weight": 2.0}, {"rank": 2}, {"floor": 0.1}, {"arrival": Closed(outstanding=1)})


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(4.0, 40.0), min_size=2, max_size=4), st.sampled_from(DIFFERENCES), OBJECTIVES, st.booleans())
def test_twins_that_differ_in_one_thing_are_told_apart(
    ms: list[float], differing: dict[str, Any], objective: Objective, third: bool
) -> None:
    ways = [(duration, f"cpu{at % 3}") for at, duration in enumerate(ms)]
    tenants = (closed("a"), replace(closed("b"), **differing), *((closed("c"),) if third else ()))
    options = tuple(option(t.name, duration, cpu) for t in tenants for duration, cpu in ways)
    case = Case(tenants=tenants, options=options, platform=platform(1, 1, 1))
    assert complaints(planned(case, objective), case) == ()


def test_a_proof_of_very_many_equals_ends() -> None:
    names = [f"t{at}" for at in range(12)]
    options = tuple(
        replace(option(name, ms, cpu), artifact=SHARED) for name in names for ms, cpu in ((7.0, "cpu0"), (10.0, "cpu1"), (20.0, "cpu2"))
    )
    case = Case(tenants=tuple(closed(name) for name in names), options=options, platform=platform(1, 1, 1))
    for objective in Objective:
        assert complaints(planned(case, objective, gap=0.05, nodes=40), case) == ()


def test_who_is_left_out_of_a_level_is_no_equal_of_who_is_in_it() -> None:
    drawn = (option(name, ms, cpu) for name in ("a", "b") for ms, cpu in ((1.0, "cpu0"), (9.0, "cpu1")))
    options = tuple(replace(one, artifact=SHARED) for one in drawn)
    ground = Ground(
        tenants={"a": closed("a"), "b": closed("b")}, options=options, platform=platform(1, 1),
        headroom=0.9, solo_per_s={"a": 1.0, "b": 1.0}, held_per_s={}, least={},
    )  # fmt: skip
    less, more = Side(tenant="a", figure="cpu0", below=1e-4), Side(tenant="a", figure="cpu0", least=1e-4)
    leaves = tuple(Leaf(banned=(), duals=(), sides=sides) for sides in ((less,), (more, replace(more, tenant="b"))))
    level = Level(goal=Goal.MAXMIN, rank=1, tenants=("a",), value=0.0, bound=0.0, leaves=leaves)
    assert not covers(level, ground)
    assert covers(replace(level, tenants=("a", "b")), ground)


def test_sides_prove_nothing_of_a_tenant_alone() -> None:
    case, plan, at = split()
    solo = plan.solos[0]
    sided = replace(solo, leaves=tuple(replace(leaf, sides=(Side(tenant=solo.tenant, figure="cpu0", least=1e-4),)) for leaf in solo.leaves))
    assert any("solos: sides" in one for one in complaints(replace(plan, solos=(sided, *plan.solos[1:])), case))
    nowhere = replace(plan.levels[at].leaves[0], sides=(Side(tenant="a", figure="cpu0", least=float("nan")),))
    assert any("a side of a: from nan" in one for one in complaints(altered(plan, at, (nowhere,)), case))


@pytest.mark.parametrize("objective", [Objective.WEIGHTED, Objective.MAXMIN, Objective.THROUGHPUT])
def test_a_choice_that_had_no_time_keeps_to_a_tight_memory(objective: Objective) -> None:
    tenants = tuple(closed(name) for name in ("a", "b"))
    options = tuple(option(name, 5.0, resident_bytes=MB) for name in ("a", "b"))
    case = Case(tenants=tenants, options=options, platform=platform(2, memory_bytes=MB))
    assert hasty(case, objective) in {(), ("--single",)}


def is_housed(case: Case) -> bool:
    try:
        refuse_homeless(start(case.tenants, case.options, case.platform, HEADROOM).problem)
    except InfeasibleError:
        return False
    return True


def hasty(case: Case, objective: Objective) -> tuple[str, ...]:
    """Return what is wrong with a plan that had no time, or who refuses it."""
    try:
        effort = Effort(more=lambda: False)
        plan = solve(case.tenants, case.options, case.platform, objective, allow_overload=True, effort=effort)
    except InfeasibleError as error:
        return (error.resource,)
    return complaints(plan, case)
