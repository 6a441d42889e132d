"""What one more tenant would cost."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from hypothesis import assume, given

from cotenant.describe import Objective, Option, Plan, Tenant
from cotenant.errors import InfeasibleError
from cotenant.plan import check, solve
from cotenant.plan.newcomer import Joined, Newcomer, Refused, newcomers
from tests.plan_cases import MB, Case, cases, closed, opened, option, platform

P = Objective.PROPORTIONAL


def asked(tenants: list[Tenant], options: list[Option], lanes: int = 1) -> tuple[Plan, tuple[Newcomer, ...]]:
    plan = solve(tenants, options, platform(lanes), P)
    return plan, newcomers(plan, tenants, options, platform(lanes))


def joined(one: Newcomer) -> Joined:
    assert isinstance(one, Joined)
    return one


def test_a_third_on_one_lane_leaves_each_a_third() -> None:
    """P goes from 1/2 to 1/3; the objective from 2 log(1/2) to 3 log(1/3)."""
    _, found = asked([closed("a"), closed("b")], [option("a", 10), option("b", 30)])
    for one in map(joined, found):
        assert one.promise.p == pytest.approx(1 / 3, rel=1e-4)
        assert [change.p for change in one.others] == pytest.approx([1 / 3 - 1 / 2] * 2, rel=1e-3)
        assert one.value == pytest.approx(3 * math.log(1 / 3) - 2 * math.log(1 / 2), abs=1e-5)
        assert one.stp == pytest.approx(0.0, abs=1e-5)
    assert [one.like for one in found] == [("a",), ("b",)]


def test_a_change_of_rate_is_in_inferences_per_second() -> None:
    """Alone b has 100/3 per second: half of it, then a third."""
    _, found = asked([closed("a"), closed("b")], [option("a", 10), option("b", 30)])
    change = joined(found[0]).others[1]
    assert change.tenant == "b"
    assert change.rate_per_s == pytest.approx(100 / 3 * (1 / 3 - 1 / 2), rel=1e-3)


def test_better_ranks_pay_nothing_for_one_of_a_lower_rank() -> None:
    _, found = asked([opened("camera", 30), closed("rest")], [option("camera", 10), option("rest", 10)])
    of_rest = joined(found[1])
    assert of_rest.like == ("rest",)
    assert of_rest.others[0].rate_per_s == pytest.approx(0.0, abs=1e-4)
    assert of_rest.others[1].p < 0


def test_it_joins_its_twins_own_rank() -> None:
    """A second camera of 30/s at 10 ms is served whole, at the cost of the rest: 0.7 of the lane, then 0.4."""
    _, found = asked([opened("camera", 30), closed("rest")], [option("camera", 10), option("rest", 10)])
    camera = joined(found[0])
    assert camera.promise.rate_per_s == pytest.approx(30, rel=1e-6)
    assert camera.others[1].p == pytest.approx(0.4 - 0.7, abs=1e-4)


def test_what_does_not_fit_is_told_in_the_planners_words() -> None:
    tenants, options = [closed("a", floor=0.6)], [option("a", 10)]
    _, (one,) = asked(tenants, options)
    twins = [*tenants, replace(tenants[0], name="a 2")]
    with pytest.raises(InfeasibleError) as caught:
        solve(twins, [*options, replace(options[0], tenant="a 2")], platform(1), P)
    assert one == Refused(like=("a",), reason=str(caught.value))
    assert "cpu0" in str(caught.value)


def test_an_overload_may_be_allowed() -> None:
    tenants, options = [closed("a", floor=0.6)], [option("a", 10)]
    plan = solve(tenants, options, platform(1), P)
    (one,) = newcomers(plan, tenants, options, platform(1), allow_overload=True)
    assert isinstance(one, Joined)


def test_tenants_alike_are_asked_for_once() -> None:
    _, found = asked([closed("a"), replace(closed("a"), name="b"), closed("c")], [option(name, 10) for name in "abc"])
    assert [one.like for one in found] == [("a", "b"), ("c",)]


def test_a_newcomer_has_a_name_that_is_free() -> None:
    _, found = asked([closed("a"), closed("a 2")], [option("a", 10), option("a 2", 10)])
    assert [joined(one).promise.tenant for one in found] == ["a 3", "a 2 2"]


def test_a_newcomer_shares_the_model_of_its_twin() -> None:
    """The memory holds one copy, and no second one."""
    board = platform(1, memory_bytes=MB)
    tenants, options = [closed("a")], [option("a", 10, resident_bytes=MB)]
    (one,) = newcomers(solve(tenants, options, board, P), tenants, options, board)
    assert isinstance(one, Joined)


@given(cases(most_tenants=3))
def test_the_crew_itself_is_planned_as_before(case: Case) -> None:
    try:
        plan = solve(case.tenants, case.options, case.platform, P)
    except InfeasibleError:
        assume(False)
        raise
    found = newcomers(plan, case.tenants, case.options, case.platform)
    assert sorted(name for one in found for name in one.like) == sorted(tenant.name for tenant in case.tenants)
    for one in found:
        if isinstance(one, Joined):
            assert tuple(change.before for change in one.others) == plan.promises
    assert solve(case.tenants, case.options, case.platform, P) == plan
    assert check(plan, case.tenants, case.options, case.platform).ok
