"""A plan in plain words."""

from __future__ import annotations

from dataclasses import replace

from cotenant.describe import Objective, Share
from cotenant.plan import Refusal, cost, explain, solve
from cotenant.plan.explain import objectives
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


def test_a_rank_that_a_choice_leaves_with_nothing_has_an_objective_of_nothing() -> None:
    """On the other lane b would have all of it."""
    tenants, options = [closed("a", 0), closed("b", 1)], [option("a", 10), option("b", 10), option("b", 10, "cpu1")]
    plan = solve(tenants, options, platform(1, 1), Objective.PROPORTIONAL, allow_overload=True, chosen=options[:2])
    first, second = objectives(plan)
    assert first.startswith("objective proportional of rank 0: ")
    assert ", bound " in first
    assert second == "objective proportional of rank 1, without b: nothing, though a plan may serve b"


def test_whom_no_plan_can_serve_an_objective_leaves_out_with_its_bound() -> None:
    """All of the lane that c could have is held for a's floor."""
    tenants, options = [closed("a", floor=1.0), closed("c"), closed("d")], [option("a", 10), option("c", 10), option("d", 10, "cpu1")]
    (line,) = objectives(solve(tenants, options, platform(1, 1), Objective.PROPORTIONAL))
    assert line.startswith("objective proportional, without c: ")
    assert ", bound " in line


def test_no_option_is_passed_by_for_one_who_is_served_by_none() -> None:
    tenants, options = [closed("a", 0), closed("b", 1)], [option("a", 10), option("b", 10)]
    text = explain(solve(tenants, options, platform(1), Objective.PROPORTIONAL), tenants, options, platform(1))
    assert "no better here" not in text


def test_an_option_that_takes_what_is_short_is_passed_by_for_one_that_does_not() -> None:
    """a alone could have no more than its request in flight allows, and the other lane is b's."""
    tenants = [closed("a", outstanding=1), closed("b")]
    options = [option("a", 10), option("a", 10, "cpu1"), option("b", 10, "cpu1")]
    text = explain(solve(tenants, options, platform(2, 1), Objective.PROPORTIONAL), tenants, options, platform(2, 1))
    assert "  not engine fp32 cpu1x1: it takes what is short" in text


def test_the_prices_of_mixtures_are_not_those_of_a_choice() -> None:
    """Both on one lane leave the other idle; the best plan fills both."""
    tenants = [closed("a"), closed("b")]
    options = [option(t, 10, lane) for t in ("a", "b") for lane in ("cpu0", "cpu1")]
    plan = solve(tenants, options, platform(1, 1), Objective.PROPORTIONAL, chosen=[options[0], options[2]])
    lines = explain(plan, tenants, options, platform(1, 1)).splitlines()
    assert lines[0] == "prices are those of the best plan, which may mix options: not of one option each"
    assert "cpu1: 0 of 1 lane-s/s used; not short here, though in that plan" in lines
    assert not any(line.startswith("one more") for line in lines)
