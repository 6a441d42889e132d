"""Plans of crews with ranks, floors, arrivals and short memories against brute force, level by level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cotenant.describe import Goal, Objective, Plan
from cotenant.errors import InfeasibleError
from cotenant.plan import Effort, check, solve
from tests.oracle.drawn_crews import Kind, drawn
from tests.oracle.order import KEEP, Order, Reached, Rung, order_of
from tests.oracle.parts import Vector, fits, given, homeless
from tests.plan_cases import Case

EXACT = Effort(gap=0.0, nodes=10**6)
CLOSE = 1e-6
SUMS = (Objective.WEIGHTED, Objective.THROUGHPUT)
KINDS = {
    "ranks": Kind(ranks=3, floored=0.3),
    "arrivals": Kind(ranks=2, opened=0.5, floored=0.2),
    "memory": Kind(ranks=2, opened=0.2, floored=0.2, tight=True),
    "one-rank": Kind(tenants=2, options=6),
}
EVERY_KIND = pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
BOTH = pytest.mark.parametrize("single", [False, True], ids=["mixtures", "single"])


def planned(case: Case, objective: Objective, *, single: bool, overloaded: bool = False) -> Plan | None:
    """Plan a crew, None where it is refused, and hold what every plan must: that it fits, and that its proof does."""
    effort = EXACT if single else None
    try:
        plan = solve(case.tenants, case.options, case.platform, objective, allow_overload=overloaded, effort=effort)
    except InfeasibleError:
        return None
    verdict = check(plan, case.tenants, case.options, case.platform)
    assert verdict.ok, verdict.complaints
    assert fits({share.option.artifact for share in plan.shares}, case.platform)
    assert not single or all(len(plan.shares_of(t.name)) <= 1 for t in case.tenants)
    return plan


def rates_of(case: Case, plan: Plan) -> Vector:
    return np.array([sum(share.rate_per_s for share in plan.shares_of(t.name)) for t in case.tenants])


def fit_every_row(order: Order, plan: Plan) -> bool:
    """Say whether rates keep within resources, headroom, arrivals, requests in flight and accuracy."""
    matrix, limit = order.fixed
    x = np.zeros(len(order.case.options))
    for share in plan.shares:
        x[order.case.options.index(share.option)] += share.rate_per_s
    return bool((matrix @ x <= limit + CLOSE * np.abs(matrix) @ x).all())


def slack(order: Order, rung: Rung) -> float:
    """Return what counts as equal: relative to what all tenants of a level could be worth alone; for logarithms, ten times as much."""
    if rung.goal is Goal.PROPORTIONAL:
        return 10 * CLOSE * float(rung.weight.sum())
    alone = float(rung.weight @ (order.solo[list(rung.among)] / rung.unit))
    return CLOSE * max(1.0, alone)


def come_as_far(order: Order, rung: Rung, reached: Reached, plan: Plan) -> None:
    """Compare a level's rates, its stated value and its bound with how far it can come."""
    near = slack(order, rung)
    level = next(level for level in plan.levels if (level.goal, level.rank) == (rung.goal, rung.rank))
    assert rung.worth(rates_of(order.case, plan)) == pytest.approx(reached.high, rel=CLOSE, abs=near), rung
    assert level.value == pytest.approx(reached.high, rel=CLOSE, abs=near), rung
    assert level.bound == pytest.approx(reached.high, rel=CLOSE, abs=near), rung
    assert reached.high - reached.low <= near, "brute force found no end"


def compared(order: Order, objective: Objective, plan: Plan | None) -> bool | None:
    """Climb beside a plan; return whether the crew fits, None where that is not told."""
    for rung in order.rungs(objective):
        if rung.goal is Goal.PROPORTIONAL and (plan is None or order.starves(rung)):
            return None  # what is held from here on is the plan's own
        before = replace(order, kept=list(order.kept))
        reached = order.climb(rung)
        if plan is not None:
            come_as_far(order, rung, reached, plan)
        if not reached.full:
            return False
        if not settled(before, order, rung, plan):
            return None
    return True


def settled(before: Order, order: Order, rung: Rung, plan: Plan | None) -> bool:
    """Keep the rates of a level, where all plans that come as far have the same; else say that they may differ."""
    if rung.goal is Goal.PROPORTIONAL and plan is not None:
        order.hold(rung, rates_of(order.case, plan)[list(rung.among)] * (1 - KEEP))
        order.narrow(rung)
    if rung.goal is not Goal.MAXMIN:
        return True
    if len(before.parts) > 1 or before.starves(rung):
        return False
    share = before.evened_out(rung)
    if plan is not None:
        assert rates_of(order.case, plan)[list(rung.among)] / rung.unit == pytest.approx(share, abs=10 * CLOSE)
    order.hold(rung, share * rung.unit * (1 - KEEP))
    return True


@BOTH
@EVERY_KIND
@pytest.mark.parametrize("objective", Objective)
def test_a_plan_comes_as_far_as_any_at_each_level_in_turn(kind: Kind, objective: Objective, single: bool) -> None:
    found = []
    for seed in range(25):
        case = drawn(kind, seed)
        plan = planned(case, objective, single=single)
        order = order_of(case, single=single)
        if homeless(case) or not order.solo.all():
            assert plan is None
            continue
        assert plan is None or fit_every_row(order, plan)
        found.append((compared(order, objective, plan), plan is not None))
    assert all(told in {None, there} for told, there in found)
    assert sum(there for _, there in found) >= 10


@BOTH
@pytest.mark.parametrize("tight", [False, True], ids=["roomy", "tight"])
def test_a_crew_is_refused_exactly_where_no_plan_reaches_what_is_due(tight: bool, single: bool) -> None:
    kind = Kind(ranks=2, opened=0.3, floored=0.8, floors=(0.1, 0.6), tight=tight)
    refused = 0
    for seed in range(60):
        case, objective = drawn(kind, seed), SUMS[seed % 2]
        plan = planned(case, objective, single=single)
        order = order_of(case, single=single)
        fit = not homeless(case) and order.solo.all() and compared(order, objective, plan)
        assert fit == (plan is not None), seed
        refused += not fit
    assert 10 <= refused <= 50


@BOTH
def test_an_overloaded_crew_is_short_where_it_matters_least(single: bool) -> None:
    """Up to the first floors that are not reached; whose rates are held from there on is not told."""
    kind = Kind(ranks=3, opened=0.6, floored=0.4, rates_per_s=(10.0, 60.0))
    short = 0
    for seed in range(40):
        case, objective = drawn(kind, seed), SUMS[seed % 2]
        plan = planned(case, objective, single=single, overloaded=True)
        order = order_of(case, single=single)
        if not order.solo.all():
            continue
        assert plan is not None
        for rung in order.rungs(objective):
            reached = order.climb(rung)
            come_as_far(order, rung, reached, plan)
            short += not reached.full
            if rung.goal is Goal.FLOORS and not reached.full:
                break
    assert short >= 10


@EVERY_KIND
def test_of_plans_that_are_equally_good_one_of_least_load_is_taken(kind: Kind) -> None:
    for seed in range(25):
        case, objective = drawn(kind, seed), SUMS[seed % 2]
        plan = planned(case, objective, single=False)
        if plan is None:
            continue
        order = order_of(case, single=False)
        assert compared(order, objective, plan)
        amounts = given(case.platform).items()
        load = sum(share.rate_per_s * share.option.demand_of(name) / amount for share in plan.shares for name, amount in amounts)
        assert load == pytest.approx(order.least_load(), rel=10 * CLOSE), seed
