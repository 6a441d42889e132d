"""Plans whose right answer follows by hand."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from cotenant.describe import Goal, Objective, Precision
from cotenant.errors import InfeasibleError, InputError
from cotenant.plan import solve, stp_bounds
from tests.plan_cases import MB, closed, opened, option, platform

P = Objective.PROPORTIONAL


def test_three_alike_on_one_lane_get_a_third_each() -> None:
    tenants, options = [closed(n) for n in "abc"], [option(n, 10) for n in "abc"]
    plan = solve(tenants, options, platform(1), P)
    assert [p.p for p in plan.promises] == pytest.approx([1 / 3] * 3, rel=1e-4)
    assert plan.value == pytest.approx(3 * math.log(1 / 3), abs=1e-6)


def test_on_one_resource_proportional_shares_are_as_the_weights() -> None:
    tenants = [closed("a", weight=1), closed("b", weight=2), closed("c", weight=5)]
    plan = solve(tenants, [option("a", 2), option("b", 30), option("c", 7)], platform(1), P)
    assert [p.p for p in plan.promises] == pytest.approx([1 / 8, 2 / 8, 5 / 8], rel=1e-4)


def test_the_price_of_a_lane_is_what_it_would_add() -> None:
    """With P_i = w_i / W of C lanes, sum of w log P grows by W / C per lane."""
    tenants = [closed("a", weight=1, outstanding=99), closed("b", weight=2, outstanding=99)]
    plan = solve(tenants, [option("a", 2), option("b", 30)], platform(2), P)
    assert plan.prices[0].price == pytest.approx(3 / 2, rel=1e-4)


def test_alone_the_rate_is_the_solo_rate() -> None:
    for objective in Objective:
        plan = solve([closed("a")], [option("a", 4), option("a", 3, width=2)], platform(2), objective)
        assert plan.promise("a").p == pytest.approx(1.0, abs=1e-6)
        assert plan.promise("a").solo_rate_per_s == pytest.approx(500.0)


def test_a_closed_tenant_has_no_more_in_flight_than_it_keeps_outstanding() -> None:
    """One request at a time takes 4 ms on one lane, or 3 ms on two: the latter is the faster way (Little)."""
    plan = solve([closed("a", outstanding=1)], [option("a", 4), option("a", 3, width=2)], platform(2), P)
    assert plan.promise("a").rate_per_s == pytest.approx(1 / 0.003)


def test_open_work_is_promised_no_more_than_the_headroom() -> None:
    """0.9 of one lane at 10 ms is 90/s; a closed tenant may have the rest."""
    tenants, options = [opened("a", 200), closed("b")], [option("a", 10), option("b", 10)]
    plan = solve(tenants, options, platform(1), P, allow_overload=True)
    assert plan.promise("a").rate_per_s == pytest.approx(90)
    assert plan.promise("b").rate_per_s == pytest.approx(10)


def test_rank_0_is_served_before_a_floor() -> None:
    tenants = [opened("a", 60), closed("b", floor=0.9)]
    plan = solve(tenants, [option("a", 10), option("b", 10)], platform(1), P, allow_overload=True)
    assert plan.promise("a").rate_per_s == pytest.approx(60)
    assert plan.promise("b").p == pytest.approx(0.4)


def test_a_floor_is_served_before_a_better_rank() -> None:
    tenants = [closed("a", 1), closed("b", 2, floor=0.25)]
    plan = solve(tenants, [option("a", 10), option("b", 10)], platform(1), P)
    assert [p.p for p in plan.promises] == pytest.approx([0.75, 0.25], rel=1e-5)


def test_a_rank_takes_all_before_the_next_has_any() -> None:
    plan = solve([closed("a", 1), closed("b", 2)], [option("a", 10), option("b", 10)], platform(1), P)
    assert [p.p for p in plan.promises] == pytest.approx([1.0, 0.0], abs=1e-5)
    assert [level.goal for level in plan.levels] == [Goal.PROPORTIONAL, Goal.STARVED, Goal.LOAD]


def test_maxmin_goes_on_for_those_that_are_not_held_down() -> None:
    """a and b share cpu0, c has cpu1 to itself: the least P is a half, but c can have all."""
    tenants = [closed(n) for n in "abc"]
    plan = solve(tenants, [option("a", 10), option("b", 5), option("c", 7, "cpu1")], platform(1, 1), Objective.MAXMIN)
    assert [p.p for p in plan.promises] == pytest.approx([0.5, 0.5, 1.0], rel=1e-5)


def test_throughput_serves_the_cheapest_inference_alone() -> None:
    plan = solve([closed("a"), closed("b")], [option("a", 10), option("b", 5)], platform(1), Objective.THROUGHPUT)
    assert [p.rate_per_s for p in plan.promises] == pytest.approx([0, 200], abs=1e-3)


def test_weighted_serves_the_heavier_share_alone() -> None:
    plan = solve([closed("a", weight=2), closed("b")], [option("a", 10), option("b", 5)], platform(1), Objective.WEIGHTED)
    assert [p.p for p in plan.promises] == pytest.approx([1, 0], abs=1e-5)


def test_among_equals_the_lightest_is_chosen() -> None:
    """Two lanes serve 10/s in time either way; one lane's work is less than two lanes'."""
    plan = solve([opened("a", 10)], [option("a", 3, width=2), option("a", 5)], platform(2), P)
    assert [share.option.chain[0].width for share in plan.shares] == [1]


def test_a_mean_accuracy_floor_mixes_options() -> None:
    """0.7 in 5 ms and 0.8 in 10 ms make 0.75 half and half: 2 inferences in 15 ms."""
    tenant = closed("a")
    tenant = replace(tenant, accuracy_floor=0.75, source=replace(tenant.source, labels="labels.npy"))
    slow, fast = option("a", 10, accuracy=0.8), option("a", 5, accuracy=0.7, precision=Precision.INT8)
    plan = solve([tenant], [slow, fast], platform(1, memory_bytes=10**9), P)
    assert plan.promise("a").rate_per_s == pytest.approx(2 / 0.015)


def test_bandwidth_limits_as_a_processor_does() -> None:
    options = [option("a", 1, moved_bytes=10 * MB), option("b", 1, moved_bytes=30 * MB)]
    plan = solve([closed("a"), closed("b")], options, platform(4, bandwidth=600 * MB), P)
    assert [p.rate_per_s for p in plan.promises] == pytest.approx([30, 10], rel=1e-4)
    assert [price.price > 0 for price in plan.prices] == [False, True]


def test_models_that_do_not_fit_together_are_not_planned_together() -> None:
    """Of 25 MB: the fast pair takes 35, so one is slow; slowing `d` costs log(3/6), slowing `c` log(5/11): so `d` is slow."""
    int8 = Precision.INT8
    fast = [option("d", 3, precision=int8, resident_bytes=20 * MB), option("c", 5, precision=int8, resident_bytes=15 * MB)]
    slow = [option("d", 6, resident_bytes=10 * MB), option("c", 11, resident_bytes=5 * MB)]
    plan = solve([closed("d"), closed("c")], [*fast, *slow], platform(2, memory_bytes=25 * MB), P)
    assert [p.p for p in plan.promises] == pytest.approx([0.25, 0.5], rel=1e-3)
    assert plan.gap < 1e-6


def test_a_crew_that_cannot_fit_names_resource_shortfall_and_what_would_fit() -> None:
    with pytest.raises(InfeasibleError) as caught:
        solve([opened("a", 200)], [option("a", 10)], platform(1), P)
    assert str(caught.value).startswith("cpu0: short by 1.1 of 0.9 lane-seconds per second")
    assert "tenants[a] at 90/s instead of 200/s would fit" in str(caught.value)


def test_floors_that_cannot_fit_name_the_floor_that_would() -> None:
    with pytest.raises(InfeasibleError, match=r"cpu0: short by 0.4 of 1 lane-seconds .*tenants\[b\].floor 0.4 would fit"):
        solve([opened("a", 60), closed("b", floor=0.8)], [option("a", 10), option("b", 10)], platform(1), P)


@pytest.mark.parametrize("floor", [0.0, 0.5])
def test_whom_better_ranks_leave_nothing_is_told_of_a_floor_that_does_fit(floor: float) -> None:
    ahead, options = closed("a", 0), [option("a", 10), option("b", 10)]
    with pytest.raises(InfeasibleError, match=r"tenants\[b\].floor 1 would fit"):
        solve([ahead, opened("b", 5, 1, floor=floor)], options, platform(1), P)
    plan = solve([ahead, opened("b", 5, 1, floor=1.0)], options, platform(1), P)
    assert plan.promise("b").rate_per_s == pytest.approx(5.0)


def test_advice_to_leave_a_tenant_out_fits_when_followed() -> None:
    tenants, options = [opened("a", 90, weight=5.0), opened("b", 20)], [option("a", 10), option("b", 20)]
    with pytest.raises(InfeasibleError, match=r"leaving out tenants\[b\] would fit"):
        solve(tenants, options, platform(1), P)
    assert solve(tenants[:1], options[:1], platform(1), P).promise("a").rate_per_s == pytest.approx(90.0)


def test_models_too_large_for_the_memory_are_named_in_bytes() -> None:
    options = [option("a", 1, resident_bytes=6 * MB), option("b", 1, resident_bytes=7 * MB)]
    with pytest.raises(InfeasibleError, match="dram: the smallest resident models take 13000000 bytes of 10000000, 3000000 too many"):
        solve([closed("a"), closed("b")], options, platform(1, memory_bytes=10 * MB), P)


def test_a_model_that_two_tenants_share_is_paid_once() -> None:
    first = option("a", 1, resident_bytes=6 * MB)
    plan = solve([closed("a"), closed("b")], [first, replace(first, tenant="b")], platform(1, memory_bytes=10 * MB), P)
    assert [p.p for p in plan.promises] == pytest.approx([0.5, 0.5], rel=1e-4)


def test_a_tenant_without_an_option_is_refused() -> None:
    with pytest.raises(InputError, match=r"tenants\[b\]: no option"):
        solve([closed("a"), closed("b")], [option("a", 1)], platform(1), P)


def test_the_stp_bound_is_the_best_single_tenant_of_one_resource() -> None:
    """Alone rates as measured elsewhere: 50 and 100/s; the plan's ways give 100 and 200/s, so 2 for either alone, and 2 in halves."""
    tenants, options = [closed("a"), closed("b")], [option("a", 10), option("b", 5)]
    assert stp_bounds(tenants, options, platform(1), {"a": 50, "b": 100}) == pytest.approx((2, 2), rel=1e-4)
    assert stp_bounds(tenants, options, platform(1), {"a": 50, "b": 25}) == pytest.approx((8, 5), rel=1e-4)
