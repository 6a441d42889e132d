"""Crews that fit all lanes, but not with what is to be kept free."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Closed, Objective, Tenant
from cotenant.errors import InfeasibleError
from cotenant.plan import ALL, HEADROOM, check, crowding, headroom_of, solve
from cotenant.plan.missed import serves_all
from tests.plan_cases import Case, cases, closed, opened, option, platform

P = Objective.PROPORTIONAL


def room(tenants: list[Tenant], *, allow_overload: bool = True) -> float:
    """Return it for one lane, on which each inference takes 10 ms: 100/s are all of it."""
    return headroom_of(tenants, [option(t.name, 10) for t in tenants], platform(1), P, allow_overload=allow_overload)


@pytest.mark.parametrize(
    ("rates_per_s", "found"), [((40, 45), HEADROOM), ((45, 45), HEADROOM), ((50, 45), ALL), ((50, 50), ALL), ((60, 45), HEADROOM)]
)
def test_all_lanes_are_promised_only_where_that_serves_all_that_arrives(rates_per_s: tuple[int, int], found: float) -> None:
    assert room([opened("a", rates_per_s[0]), opened("b", rates_per_s[1], 1)]) == found


def test_nothing_is_promised_beyond_the_headroom_unless_overload_is_allowed() -> None:
    assert room([opened("a", 50), opened("b", 45)], allow_overload=False) == HEADROOM


@pytest.mark.parametrize(("arriving_per_s", "found"), [(95, ALL), (100, HEADROOM)])
def test_nobody_is_starved_for_it(arriving_per_s: int, found: float) -> None:
    """Of 100/s, 100 would leave a closed tenant nothing."""
    assert room([opened("a", arriving_per_s), closed("b", 2)]) == found


def test_it_is_told_where_nothing_is_kept_free() -> None:
    tenants, options = [opened("a", 95)], [option("a", 10)]
    with pytest.raises(InfeasibleError, match=r"what is open may have 0\.9 of its lanes"):
        solve(tenants, options, platform(1), P)
    assert list(crowding(solve(tenants, options, platform(1), P, headroom=ALL))) == [
        "what arrives takes more than 0.9 of the lanes: it may have all of them, and may wait for long"
    ]
    assert not list(crowding(solve([opened("a", 80)], options, platform(1), P)))


@given(case=cases())
def test_a_plan_by_it_is_proved_and_serves_no_arrivals_less(case: Case) -> None:
    headroom = headroom_of(case.tenants, case.options, case.platform, P, allow_overload=True)
    plan = solve(case.tenants, case.options, case.platform, P, headroom=headroom, allow_overload=True)
    assert check(plan, case.tenants, case.options, case.platform, headroom).ok
    spared = solve(case.tenants, case.options, case.platform, P, allow_overload=True)
    opens = [tenant for tenant in case.tenants if not isinstance(tenant.arrival, Closed)]
    assert all(serves_all(plan, tenant) or not serves_all(spared, tenant) for tenant in opens)


@given(st.integers(91, 99))
def test_a_plan_that_promises_all_stands_after_itself(arriving_per_s: int) -> None:
    from cotenant.plan.replan import replan

    tenants, options = [opened("a", arriving_per_s), closed("b", 2)], [option("a", 10), option("b", 10)]
    plan = solve(tenants, options, platform(1), P, headroom=ALL)
    assert replan(plan, tenants, options, platform(1), P, headroom=ALL, allow_overload=True).plan is plan
