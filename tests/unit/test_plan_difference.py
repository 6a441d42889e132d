"""The difference between two plans in plain words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from cotenant.describe import Objective, Option, Plan, Platform, Precision, Share, Step, Tenant
from cotenant.plan import solve
from cotenant.plan.difference import difference
from tests.plan_cases import closed, opened, option, platform

LANE, TWO = platform(1), platform(1, 1)


def served(tenants: Sequence[Tenant], options: Sequence[Option], board: Platform = LANE) -> Plan:
    return solve(tenants, options, board, Objective.PROPORTIONAL, allow_overload=True)


def by(plan: Plan, *shares: tuple[Option, float]) -> Plan:
    """Serve a plan's tenants by other options, at these rates."""
    return replace(plan, shares=tuple(Share(option=some, rate_per_s=rate) for some, rate in shares))


def chained(tenant: str, *places: tuple[str, int, int, int]) -> Option:
    """Return a chain: on which processor, how wide, from which segment, how many."""
    steps = (Step(segment=at, segments=count, processor=name, width=width, duration_ns=10**6) for name, width, at, count in places)
    return replace(option(tenant, 1), chain=tuple(steps))


def test_no_change_is_one_line() -> None:
    plan = served([closed("a"), closed("b")], [option("a", 10), option("b", 5)])
    assert difference(plan, plan) == ("nothing changes",)


def test_who_comes_is_named_and_what_the_others_give_up() -> None:
    """The lane is a's alone, then shared by two of equal weight."""
    options = [option("a", 10), option("b", 5)]
    before, after = served([closed("a")], options), served([closed("a"), closed("b", 1, floor=0.5)], options)
    assert difference(before, after) == (
        "a: from 100/s to 50/s, P from 1.000 to 0.500",
        "b comes at rank 1: 100/s promised, P = 0.500, by engine fp32 on cpu0",
    )


def test_who_goes_is_named_with_what_it_had() -> None:
    options = [option("a", 10), option("b", 5)]
    before, after = served([closed("a"), closed("b")], options), served([closed("b")], options)
    assert difference(before, after) == (
        "b: from 100/s to 200/s, P from 0.500 to 1.000",
        "a goes: it had 50/s, P = 0.500, by engine fp32 on cpu0",
    )


def test_another_rank_is_told_and_who_is_left_with_nothing() -> None:
    options = [option("a", 10), option("b", 5)]
    before, after = served([closed("a", 0), closed("b", 1)], options), served([closed("a", 0), closed("b", 0)], options)
    assert difference(before, after) == (
        "a: from 100/s to 50/s, P from 1.000 to 0.500",
        "b changes from rank 1 to rank 0",
        "b: from 0/s to 100/s, P from 0.000 to 0.500",
        "b is served again, by engine fp32 on cpu0",
    )
    assert "b is served no more; it was by engine fp32 on cpu0" in difference(after, before)
    assert "b comes at rank 1: 0/s promised, P = 0.000, by none: nothing is left for it" in difference(
        served([closed("a")], options), before
    )


def test_the_same_rate_may_be_another_share_of_what_there_is_alone() -> None:
    options = [option("a", 10)]
    before, after = served([opened("a", 30)], options), served([opened("a", 30)], options)
    promise = replace(after.promises[0], solo_rate_per_s=60.0)
    assert difference(before, replace(after, promises=(promise,))) == ("a: 30/s as before, P from 1.000 to 0.500",)


def test_a_thousandth_of_a_rate_is_not_worth_telling() -> None:
    plan = served([opened("a", 30)], [option("a", 10)])
    for factor, lines in ((1 - 5e-4, 0), (1 - 5e-3, 1)):
        promise = replace(plan.promises[0], rate_per_s=30 * factor)
        told = [line for line in difference(plan, replace(plan, promises=(promise,))) if "from 30/s" in line]
        assert len(told) == lines


def test_a_plan_without_its_proof_knows_no_ranks() -> None:
    plan = served([closed("a", 0)], [option("a", 10)])
    bare = replace(plan, levels=())
    assert difference(bare, plan) == difference(plan, bare) == ("nothing changes",)
    none = served([closed("b")], [option("b", 10)])
    assert "a comes: 100/s promised, P = 1.000, by engine fp32 on cpu0" in difference(none, bare)


def test_a_move_names_processors_lanes_and_segments() -> None:
    plan = served([closed("detector")], [option("detector", 10)])
    whole, split = option("detector", 10, "big", 4), chained("detector", ("gpu", 1, 0, 12), ("big", 4, 12, 12))
    parts = chained("detector", ("gpu", 1, 0, 1), ("big", 1, 1, 23))
    assert difference(by(plan, (whole, 1)), by(plan, (split, 1))) == ("detector moves from big x4 to gpu[0-11]+big x4[12-23]",)
    assert difference(by(plan, (split, 1)), by(plan, (whole, 1), (parts, 3))) == (
        "detector moves from gpu[0-11]+big x4[12-23] to gpu[0]+big[1-23] (75 %) and big x4 (25 %)",
    )


def test_engine_and_precision_are_named_where_they_change() -> None:
    plan = served([closed("a")], [option("a", 10)])
    one, other = option("a", 10), option("a", 10, precision=Precision.INT8)
    assert difference(by(plan, (one, 1)), by(plan, (other, 1))) == ("a moves from engine fp32 on cpu0 to engine int8 on cpu0",)


def test_another_model_is_told_and_is_no_move() -> None:
    plan = served([closed("a")], [option("a", 10)])
    one, two = option("a", 10), option("a", 5, "cpu1")
    other = replace(two, artifact=replace(two.artifact, model="b"))
    assert difference(by(plan, (one, 1)), by(plan, (other, 1))) == ("a is b now; it was a", "a is served by engine fp32 on cpu1")


def test_another_model_is_told_of_who_has_nothing() -> None:
    tenants, options = [closed("a", 0), closed("b", 1)], [option("a", 10), option("b", 10)]
    other = replace(options[1], artifact=replace(options[1].artifact, model="c"))
    assert difference(served(tenants, options), served(tenants, [options[0], other])) == ("b is c now; it was b",)


def test_who_gets_another_option_beside_its_own_splits_and_who_keeps_one_of_several_joins() -> None:
    plan = served([closed("a")], [option("a", 10)])
    one, other = option("a", 10), option("a", 10, "cpu1")
    both = by(plan, (one, 600), (other, 400))
    assert difference(by(plan, (one, 1)), both) == ("a splits from cpu0 to cpu0 (60 %) and cpu1 (40 %)",)
    assert difference(both, by(plan, (other, 1))) == ("a joins on cpu1, and leaves cpu0",)


def test_who_keeps_one_option_and_exchanges_another_moves_in_part() -> None:
    plan = served([closed("a")], [option("a", 10)])
    one, other, third = option("a", 10), option("a", 10, "cpu1"), option("a", 10, "cpu2")
    assert difference(by(plan, (one, 3), (other, 1)), by(plan, (one, 3), (third, 1))) == (
        "a moves in part, from cpu0 (75 %) and cpu1 (25 %) to cpu0 (75 %) and cpu2 (25 %)",
    )


def test_what_rounding_leaves_is_no_change() -> None:
    """A millionth of its tenant's rate by another option, and a tenant with a millionth of its solo rate."""
    plan = served([closed("a")], [option("a", 10)])
    one, other = option("a", 10), option("a", 10, "cpu1")
    assert difference(by(plan, (one, 100)), by(plan, (one, 100), (other, 1e-4))) == ("nothing changes",)
    none, dust = (replace(plan.promises[0], tenant="b", rate_per_s=rate) for rate in (0.0, 1e-4))
    before, after = (replace(plan, promises=(*plan.promises, promise)) for promise in (none, dust))
    assert difference(before, replace(after, shares=(*plan.shares, Share(option=option("b", 10), rate_per_s=1e-4)))) == ("nothing changes",)


def test_giving_up_an_option_is_no_move_and_neither_is_a_shift() -> None:
    plan = served([closed("a")], [option("a", 10)])
    one, other = option("a", 10), option("a", 10, "cpu1")
    both = by(plan, (one, 600), (other, 400))
    third = option("a", 10, "cpu2")
    assert difference(by(plan, (one, 500), (other, 300), (third, 200)), both) == (
        "a leaves cpu2, and stays on cpu0 (60 %) and cpu1 (40 %)",
    )
    assert difference(both, by(plan, (one, 994), (other, 6))) == (
        "a shifts from cpu0 (60 %) and cpu1 (40 %) to cpu0 (99 %) and cpu1 (under 1 %)",
    )
    assert difference(both, by(plan, (one, 601), (other, 399))) == ("nothing changes",)
    assert difference(both, by(plan, (one, 600), (other, 400), (option("a", 10, "cpu2"), 0))) == ("nothing changes",)


def test_a_bottleneck_that_comes_is_told_with_what_more_of_it_would_add() -> None:
    """Five requests a second leave the lanes idle; a closed loop does not: P grows with them, and log P by a hundredth for 1 %."""
    options, board = [option("a", 10)], platform(2)
    before, after = served([opened("a", 5)], options, board), served([closed("a", 0, outstanding=9)], options, board)
    assert difference(before, after)[-1] == "cpu0 becomes a bottleneck: 1 % more of it would add 0.01 to the objective"
    assert difference(after, before)[-1] == "cpu0 is a bottleneck no more: 1 % more of it would have added 0.01 to the objective"


def test_a_price_that_is_rounding_is_no_bottleneck() -> None:
    plan = served([closed("a"), closed("b")], [option("a", 10), option("b", 10)], TWO)
    cpu0, *others = plan.prices
    assert cpu0.price > 0
    dust = replace(plan, prices=(cpu0, *(replace(price, price=1e-12) for price in others)))
    assert difference(plan, dust) == ("nothing changes",)


def test_another_objective_is_told() -> None:
    plan = served([closed("a")], [option("a", 10)])
    said = difference(plan, replace(plan, objective=Objective.MAXMIN))
    assert said == ("the objective is maxmin now; it was proportional",)
