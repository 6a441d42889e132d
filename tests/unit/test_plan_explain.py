"""A plan in plain words."""

from __future__ import annotations

from dataclasses import replace

from cotenant.describe import Objective, Share
from cotenant.plan import Refusal, cost, explain, solve
from tests.plan_cases import closed, opened, option, platform


def test_the_exchange_rate_is_that_of_lane_seconds() -> None:
    """9 ms of the same lanes against 3 ms."""
    tenants, options = [closed("detector"), closed("classifier")], [option("detector", 9), option("classifier", 3)]
    plan = solve(tenants, options, platform(2), Objective.PROPORTIONAL)
    assert "one more detector inference costs 3 classifier inferences" in explain(plan, tenants, options, platform(2))
    assert abs(cost(plan, "detector") / cost(plan, "classifier") - 3) < 1e-3


def test_bottleneck_floors_refusals_and_gap_are_told() -> None:
    tenants = [opened("d", 10), closed("a", 1, floor=0.3), closed("b", 2, floor=0.2)]
    options = [option("d", 5), option("a", 10), option("a", 6, width=2), option("b", 4)]
    plan = solve(tenants, options, platform(2), Objective.PROPORTIONAL)
    refusal = Refusal(tenant="a", option="engine int8", reason="its fidelity 0.900 is below 0.95")
    text = explain(plan, tenants, options, platform(2), (refusal,))
    assert "cpu0: 2 of 2 lane-s/s used; a bottleneck" in text
    assert "d (rank 0): 10/s promised, all that arrives" in text
    assert "held at its floor 0.2" in text
    assert "not engine int8: its fidelity 0.900 is below 0.95" in text
    assert "not engine fp32 cpu0x2: 1.20 times as dear at these prices" in text
    assert ", gap " in text


def test_without_a_bottleneck_none_is_named() -> None:
    tenants, options = [opened("d", 10)], [option("d", 5)]
    text = explain(solve(tenants, options, platform(1), Objective.PROPORTIONAL), tenants, options, platform(1))
    assert "no resource is short" in text
    assert "bottleneck" not in text


def test_what_rounding_leaves_is_not_explained() -> None:
    """A millionth of a's rate by another processor."""
    tenants, options = [closed("a")], [option("a", 10), option("a", 10, "cpu1")]
    plan = solve(tenants, options[:1], platform(1, 1), Objective.PROPORTIONAL)
    dust = replace(plan, shares=(*plan.shares, Share(option=options[1], rate_per_s=1e-4)))
    lines = explain(dust, tenants, options, platform(1, 1)).splitlines()
    assert [line for line in lines if line.startswith("  ") and "/s by " in line] == ["  100/s by engine fp32 cpu0x1: 10 ms"]


def test_who_gets_nothing_is_told_why() -> None:
    tenants, options = [closed("a", 0), closed("b", 1)], [option("a", 10), option("b", 10)]
    text = explain(solve(tenants, options, platform(1), Objective.PROPORTIONAL), tenants, options, platform(1))
    assert "b (rank 1): nothing: all of cpu0 goes to a (rank 0)" in text
    assert "objective proportional of rank 0: 0, bound 0, gap 0" in text


def test_arrivals_alone_are_no_objective() -> None:
    tenants, options = [opened("d", 10)], [option("d", 5)]
    text = explain(solve(tenants, options, platform(1), Objective.PROPORTIONAL), tenants, options, platform(1))
    assert text.splitlines()[-1] == "arrivals served: 1, bound 1, gap 0"


def test_a_little_dearer_is_told_in_percent() -> None:
    tenants, options = [closed("a")], [option("a", 10), option("a", 10.05)]
    text = explain(solve(tenants, options, platform(1), Objective.PROPORTIONAL), tenants, options, platform(1))
    assert "  not engine fp32 cpu0x1: 0.5 % dearer at these prices" in text
