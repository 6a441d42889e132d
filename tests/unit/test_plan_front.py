"""The Pareto front of throughput against the first rank's P."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from cotenant.describe import Objective, Option, Plan, Platform, Precision, Share, Tenant, open_rate_per_s
from cotenant.errors import InfeasibleError
from cotenant.plan import HEADROOM, check, solve
from cotenant.plan.front import LEVELS, Point, front, point, undominated
from tests.plan_cases import MB, Case, cases, closed, opened, option, platform

NEAR = 1e-5

objectives = st.sampled_from(Objective)


def shared(*, first: Tenant) -> tuple[list[Tenant], list[Option]]:
    """Let f run on both processors and r on cpu0 alone, 10 ms each: S_f = 200/s, S_r = 100/s where f is closed."""
    return [first, closed("r")], [option("f", 10), option("f", 10, "cpu1"), option("r", 10)]


def front_of(tenants: Sequence[Tenant], options: Sequence[Option], board: Platform) -> tuple[Point, ...]:
    plan = solve(tenants, options, board, Objective.PROPORTIONAL, allow_overload=True)
    return front(plan, tenants, options, board)


def at(*ps: float) -> Point:
    plan = solve([closed(name, 0) for name in "ab"], [option(name, 10) for name in "ab"], platform(1), Objective.PROPORTIONAL)
    promises = tuple(replace(promise, rate_per_s=p * promise.solo_rate_per_s) for promise, p in zip(plan.promises, ps, strict=True))
    return Point(first=("a",), promises=promises)


def test_beyond_what_is_free_each_p_of_the_first_costs_the_other_two() -> None:
    """Up to P_f = 1/2 cpu1 serves f and P_r is 1; beyond, 2 of P_r go for each of P_f: STP = 2 - P_f."""
    found = front_of(*shared(first=closed("f", 0)), platform(1, 1))
    assert [one.critical_p for one in found] == pytest.approx([0.5 + 0.05 * step for step in range(LEVELS)], abs=NEAR)
    assert [one.stp for one in found] == pytest.approx([2 - one.critical_p for one in found], abs=NEAR)


def test_inferences_are_counted_of_all() -> None:
    """At P_f = 1/2 both processors are full: 100/s each; at P_f = 1 f has both to itself: 200/s."""
    found = front_of(*shared(first=closed("f", 0)), platform(1, 1))
    assert (found[0].inferences_per_s, found[-1].inferences_per_s) == pytest.approx((200, 200), rel=1e-4)
    assert [promise.tenant for promise in found[0].promises] == ["f", "r"]


def test_open_work_counts_as_closed_work_does_and_keeps_its_headroom() -> None:
    """With 150/s arriving S_f = 150/s, of which cpu1 may have 0.9: P_f = 90 / 150 is free, and each 1/s more takes 1/s from r."""
    found = front_of(*shared(first=opened("f", 150)), platform(1, 1))
    assert found[0].critical_p == pytest.approx(0.6, abs=NEAR)
    assert found[0].stp == pytest.approx(1.6, abs=NEAR)
    assert found[-1].critical_p == pytest.approx(1.0, abs=NEAR)
    assert found[-1].stp == pytest.approx(1 + (100 - 60) / 100, abs=NEAR)


def test_where_more_for_the_first_costs_nothing_one_point_is_best() -> None:
    """On one lane P_f + P_r = 1 however it is divided."""
    found = front_of([closed("f", 0), closed("r")], [option("f", 10), option("r", 30)], platform(1))
    assert [(one.critical_p, one.stp) for one in found] == [pytest.approx((1.0, 1.0), abs=NEAR)]


def test_the_others_keep_their_floors() -> None:
    tenants = [closed("f", 0), closed("r", floor=0.3)]
    found = front_of(tenants, [option("f", 10), option("r", 30)], platform(1))
    assert [one.promises[1].p for one in found] == pytest.approx([0.3], abs=NEAR)


def test_floors_that_do_not_fit_leave_no_point() -> None:
    tenants = [closed("f", 0), closed("r", floor=0.6), closed("s", floor=0.6)]
    assert front_of(tenants, [option(name, 10) for name in "frs"], platform(1)) == ()


def test_the_worst_of_the_first_rank_counts() -> None:
    """Two of rank 0 on one lane have at most a half each."""
    found = front_of([closed("a", 0), closed("b", 0), closed("r")], [option(name, 10) for name in "abr"], platform(1))
    assert found[-1].critical_p == pytest.approx(0.5, abs=NEAR)
    assert found[-1].first == ("a", "b")


def test_what_another_matches_or_beats_in_both_is_dropped_and_of_equals_one_stays() -> None:
    best, equal, below, left = at(0.5, 1.0), at(0.5, 1.0), at(0.5, 0.9), at(0.4, 1.2)
    assert undominated([below, left, best, equal]) == (left, best)
    assert undominated([at(0.4, 1.0), best]) == (best,)
    assert undominated([]) == ()


def solved(case: Case, objective: Objective) -> Plan:
    try:
        return solve(case.tenants, case.options, case.platform, objective)
    except InfeasibleError:
        assume(False)
        raise


@given(cases(most_tenants=3))
def test_the_more_the_first_has_the_less_there_is_in_all(case: Case) -> None:
    found = front_of(case.tenants, case.options, case.platform)
    for one, other in pairwise(found):
        assert one.critical_p < other.critical_p
        assert one.stp > other.stp


@given(cases(most_tenants=3), objectives)
def test_no_plan_is_beyond_the_front(case: Case, objective: Objective) -> None:
    """At a plan's own P, or beyond, there is a point with as much STP."""
    plan = solved(case, objective)
    own, found = point(plan, case.tenants), front(plan, case.tenants, case.options, case.platform)
    assert own.critical_p <= found[-1].critical_p + NEAR
    assert any(one.stp >= own.stp - NEAR and one.critical_p >= own.critical_p - NEAR for one in found)


SLOW_WHERE_ANOTHER_STAYS = Case(
    tenants=(opened("a", 1, 1), opened("b", 1, 1), closed("c", 1)),
    options=(
        option("a", 1, "cpu2", precision=Precision.BF16, resident_bytes=2 * MB), option("a", 0.5, resident_bytes=3 * MB),
        option("b", 1, resident_bytes=2 * MB),
        option("c", 0.5, "cpu1", resident_bytes=3 * MB), option("c", 11, precision=Precision.INT8, resident_bytes=MB),
    ),
    platform=platform(1, 3, 1, memory_bytes=5 * MB),
)  # fmt: skip
"""The only option of c that fits beside the others is a sixtieth as fast as its fastest."""


@given(cases(most_tenants=3, tight=True))
@example(SLOW_WHERE_ANOTHER_STAYS)
def test_every_point_fits_the_crew_as_it_came(case: Case) -> None:
    """Each plan behind the front passes the checker, and so do its rates by the crew's own options, arrivals and headroom."""
    module = sys.modules["cotenant.plan.front"]
    plans: list[Plan] = []
    overloaded = solve(case.tenants, case.options, case.platform, Objective.PROPORTIONAL, allow_overload=True)

    def noted(tenants: list[Tenant], *rest: object, **more: object) -> Plan:
        plan = solve(tenants, *rest, **more)  # type: ignore[arg-type]
        assert check(plan, tenants, rest[0], rest[1]).complaints == ()  # type: ignore[arg-type]
        plans.append(plan)
        return plan

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "solve", noted)
        found = front(overloaded, case.tenants, case.options, case.platform)
    assert {one.promises for one in found} <= {plan.promises for plan in plans}
    for plan in plans:
        refuse_misfits([Share(option=plain(s.option, case), rate_per_s=s.rate_per_s) for s in plan.shares], case)


def plain(one: Option, case: Case) -> Option:
    """Return the crew's own option behind one of the front's."""
    names = {p.name for p in case.platform.processors} | {"dram"}
    own = replace(one, demand=tuple((name, amount) for name, amount in one.demand if name in names))
    assert own in case.options
    return own


def refuse_misfits(shares: list[Share], case: Case) -> None:
    open_rates = {t.name: rate for t in case.tenants if (rate := open_rate_per_s(t.arrival)) is not None}
    for processor in case.platform.processors:
        taken = [(s.option.tenant, s.rate_per_s * s.option.demand_of(processor.name)) for s in shares]
        assert sum(load for _, load in taken) <= processor.lanes * (1 + NEAR)
        assert sum(load for name, load in taken if name in open_rates) <= HEADROOM * processor.lanes * (1 + NEAR)
    for name, arriving in open_rates.items():
        assert sum(s.rate_per_s for s in shares if s.option.tenant == name) <= arriving * (1 + NEAR)
    resident = {s.option.artifact for s in shares}
    assert sum(artifact.resident_bytes for artifact in resident) <= case.platform.memories[0].capacity_bytes
