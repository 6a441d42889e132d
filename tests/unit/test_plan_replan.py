"""Planning again: what stays, what moves, and what that is worth."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from cotenant.describe import Goal, Objective, Option, Plan, Platform, Precision, Promise, Share, Tenant
from cotenant.errors import InfeasibleError, InputError
from cotenant.plan import Effort, check, solve
from cotenant.plan.explain import objectives
from cotenant.plan.replan import mapping, replan, weigh
from tests.plan_cases import MB, closed, opened, option, platform

OBJECTIVES = tuple(Objective)
TWO = platform(1, 1)
FAST, SLOW, SLOWER = option("a", 10), option("a", 500, "cpu1"), option("a", 1000, "cpu1")  # 100/s, and 2/s or 1/s more


def served(tenants: Sequence[Tenant], options: Sequence[Option], board: Platform = TWO) -> Plan:
    return solve(tenants, options, board, Objective.PROPORTIONAL, allow_overload=True)


def rate(plan: Plan, tenant: str) -> float:
    return plan.promise(tenant).rate_per_s


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("weight", [0.5, 1.0, 3.0])
def test_a_hundredth_is_a_hundredth_by_every_objective_and_weight(objective: Objective, weight: float) -> None:
    """By itself a tenant's P is its rate over its solo rate, whatever is made greatest: 100 of 101, or 100 of 102."""
    a, before = closed("a", weight=weight), served([closed("a")], [FAST])
    stays = replan(before, [a], [FAST, SLOWER], TWO, objective)
    moves = replan(before, [a], [FAST, SLOW], TWO, objective)
    assert (stays.gain, moves.gain) == pytest.approx((1 / 101, 2 / 102), rel=1e-5)
    assert (stays.moves, moves.moves) == ((), ("a",))
    assert (rate(stays.plan, "a"), rate(moves.plan, "a")) == pytest.approx((100, 102))
    assert rate(stays.best, "a") == pytest.approx(101)
    assert moves.plan is moves.best


def test_rates_are_chosen_anew_where_nothing_moves() -> None:
    """The lane is a's alone, then shared by two of equal weight."""
    a, b, options = closed("a"), closed("b"), [option("a", 10), option("b", 5)]
    before = served([a], options, platform(1))
    again = replan(before, [a, b], options, platform(1), Objective.PROPORTIONAL)
    assert not again.moved
    assert (rate(before, "a"), rate(again.plan, "a"), rate(again.plan, "b")) == pytest.approx((100, 50, 100), rel=1e-4)


def test_of_equal_tenants_none_gains_or_loses_while_nothing_changes() -> None:
    """By throughput it is all one who of two equals is served, and the solver serves one of them."""
    tenants, options = [closed("a"), closed("b")], [option("a", 10), option("b", 10)]
    plan = solve(tenants, options, platform(1), Objective.THROUGHPUT)
    other = replace(plan, shares=tuple(replace(s, option=options[s.option is options[0]]) for s in plan.shares), promises=swapped(plan))
    assert sorted(rate(plan, name) for name in "ab") == pytest.approx([0, 100])
    for before in (plan, other):
        assert replan(before, tenants, options, platform(1), Objective.THROUGHPUT).plan is before


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("rate_per_s", [1.0, 1 / 3_600, 1 / 86_400])
def test_what_tolerances_leave_to_rare_arrivals_is_no_room_for_them(objective: Objective, rate_per_s: float) -> None:
    """A hundred millionth of a lane that rank 0 takes whole is all that one millisecond a day asks for."""
    tenants, options = [closed("a", 0), opened("b", rate_per_s, 1), closed("c", 1)], [option(name, 1) for name in "abc"]
    plan = solve(tenants, options, platform(1), objective, allow_overload=True)
    demand = next(level for level in plan.levels if level.goal is Goal.DEMAND)
    assert demand.value == 0 < demand.bound
    assert replan(plan, tenants, options, platform(1), objective, gain=0.0, allow_overload=True).plan is plan
    assert "no bound since" not in "".join(objectives(plan))


def swapped(plan: Plan) -> tuple[Promise, ...]:
    one, other = plan.promises
    return replace(other, tenant=one.tenant), replace(one, tenant=other.tenant)


def test_who_comes_may_use_any_option_and_who_stays_makes_room() -> None:
    a, b = closed("a"), closed("b")
    options = [FAST, SLOWER, option("b", 1000), option("b", 10, "cpu1")]
    again = replan(served([a], [FAST]), [a, b], options, TWO, Objective.MAXMIN)
    assert not again.moved
    assert {s.option for s in again.plan.shares_of("a")} == {FAST}
    assert rate(again.plan, "b") > 99


@pytest.mark.parametrize("floor", [0.0, 1.0])
def test_a_floor_is_worth_any_move(floor: float) -> None:
    """100 of 101 are less than a floor of 1."""
    again = replan(served([closed("a")], [FAST]), [closed("a", floor=floor)], [FAST, SLOWER], TWO, Objective.PROPORTIONAL, gain=0.5)
    assert again.moved == (floor > 0)
    assert again.gain == pytest.approx(1.0 if floor else 1 / 101, rel=1e-5)


@pytest.mark.parametrize("asked", [89.5, 90.5])
def test_a_demand_is_worth_any_move(asked: float) -> None:
    """A lane may be promised to nine tenths: 90/s."""
    again = replan(served([closed("a")], [FAST]), [opened("a", asked)], [FAST, SLOWER], TWO, Objective.PROPORTIONAL, gain=0.5)
    assert again.moved == (asked > 90)
    assert rate(again.plan, "a") == pytest.approx(asked)


def test_every_rank_must_reach_nearly_its_best() -> None:
    """The first rank has all it can have; the second would have a lane of its own: 50/s of 150/s is not enough."""
    first, second = closed("a", 0, outstanding=1), closed("b", 1)
    options = [option("a", 10), option("b", 20), option("b", 10, "cpu1")]
    before = served([closed("b")], options[1:2])
    board = platform(2, 1)
    again = replan(before, [first, second], options, board, Objective.PROPORTIONAL, gain=0.5)
    assert again.moves == ("b",)
    assert again.gain == pytest.approx(1 - 50 / 150, rel=1e-4)


def test_what_is_left_to_none_below_is_worth_any_move() -> None:
    """By the best plan a takes both processors and b has nothing; by a's old option alone b could have one, and would not get it."""
    a, b = closed("a", 0), closed("b", 1)
    options = [FAST, SLOWER, option("b", 10, "cpu1")]
    again = replan(served([a], [FAST]), [a, b], options, TWO, Objective.PROPORTIONAL, gain=0.5)
    assert again.moves == ("a",)
    assert rate(again.plan, "b") == 0
    assert check(again.plan, [a, b], options, TWO).ok


def test_no_tenant_loses_its_floor_to_its_equal() -> None:
    """Two floors of which one fits: as good in the sum whoever has it, but who has it by the best plan keeps it."""
    tenants, options = [closed("a", floor=0.8), closed("b", floor=0.8)], [option("a", 10), option("b", 10)]
    plan, twin = served(tenants, options, platform(1)), served(tenants[::-1], options[::-1], platform(1))
    assert (rate(plan, "a"), rate(plan, "b")) == pytest.approx((rate(twin, "b"), rate(twin, "a")))
    assert rate(plan, "a") != pytest.approx(rate(plan, "b"))
    assert weigh(plan, plan, tenants, options, platform(1)).plan is not plan
    again = weigh(plan, twin, tenants, options, platform(1))
    assert again.plan is twin
    assert again.gain == 1


def test_an_option_that_is_offered_no_more_frees_its_tenant_alone() -> None:
    a, b = closed("a"), closed("b")
    used = [FAST, option("b", 10, "cpu1")]
    offered = [option("a", 12, precision=Precision.BF16), used[1], option("b", 9, precision=Precision.BF16)]
    again = replan(served([a, b], used), [a, b], offered, TWO, Objective.PROPORTIONAL, gain=0.5)
    assert again.moves == ("a",)
    assert again.plan is not again.best
    assert {s.option for s in again.plan.shares_of("b")} == {used[1]}


def test_an_option_that_is_timed_anew_is_no_move() -> None:
    again = replan(served([closed("a")], [FAST]), [closed("a")], [option("a", 13), SLOWER], TWO, Objective.PROPORTIONAL, gain=0.02)
    assert not again.moved
    assert rate(again.plan, "a") == pytest.approx(1000 / 13)
    assert mapping(option("a", 13)) == mapping(FAST) != mapping(option("a", 10, precision=Precision.INT8))


def test_who_has_another_model_has_not_moved() -> None:
    other = replace(SLOWER, artifact=replace(SLOWER.artifact, model="another"))
    again = replan(served([closed("a")], [FAST]), [closed("a")], [other], TWO, Objective.PROPORTIONAL)
    assert rate(again.plan, "a") == pytest.approx(1)
    assert not again.moved


def test_another_cut_is_another_mapping() -> None:
    step = FAST.chain[0]
    cuts = [(replace(step, segments=n), replace(step, processor="cpu1", segment=n, segments=9 - n)) for n in (4, 5)]
    one, other = (replace(FAST, chain=cut) for cut in cuts)
    assert mapping(one) != mapping(other)
    assert mapping(one) == mapping(replace(one, latency_ns=1))


def test_who_had_no_rate_moves_nowhere() -> None:
    a, b = closed("a", 0), closed("b", 1)
    options = [FAST, option("b", 10)]
    before = served([a, b], options)
    assert rate(before, "b") == 0
    again = replan(before, [b], options, TWO, Objective.PROPORTIONAL)
    assert not again.moved
    assert rate(again.plan, "b") == pytest.approx(100)


@pytest.mark.parametrize("weight", [0.5, 3.0])
def test_what_is_kept_is_proved_over_all_options_and_its_gap_is_what_moving_would_gain(weight: float) -> None:
    a, options = closed("a", weight=weight), [FAST, SLOWER]
    again = replan(served([closed("a")], [FAST]), [a], options, TWO, Objective.PROPORTIONAL)
    verdict = check(again.plan, [a], options, TWO)
    assert verdict.complaints == ()
    assert again.plan.bound == pytest.approx(again.best.bound, abs=1e-9)
    assert again.plan.gap == pytest.approx(-weight * math.log(1 - again.gain), abs=1e-6)
    assert again.plan.prices[1].used == 0 < again.best.prices[1].used
    assert not check(replace(again.plan, bound=again.plan.bound - 1e-4), [a], options, TWO).ok


def test_a_lower_rank_is_bounded_by_what_is_left_to_it() -> None:
    """The first rank keeps to 100/s of 101/s and leaves the second processor to b, which could then have all of it."""
    a, b = closed("a", 0), closed("b", 1, floor=0.5)
    options = [FAST, SLOWER, option("b", 10, "cpu1")]
    again = replan(served([a, b], [FAST, options[2]]), [a, b], options, TWO, Objective.THROUGHPUT, gain=0.02)
    assert not again.moved
    assert (rate(again.best, "a"), rate(again.best, "b")) == pytest.approx((100.5, 50), rel=1e-5)
    assert (rate(again.plan, "a"), rate(again.plan, "b")) == pytest.approx((100, 100), rel=1e-5)
    assert check(again.plan, [a, b], options, TWO).complaints == ()
    assert (again.best.bound, again.plan.bound) == pytest.approx((150.5, 200.5), rel=1e-5)


@pytest.mark.parametrize("slow_ms", [20.1, 25])
def test_what_is_kept_is_proved_where_models_do_not_fit_together(slow_ms: float) -> None:
    """Beside a, b's large and its small model do not fit both: two leaves, each bounded anew for what a keeps.

    Alone, b has 1000/12 and 49.75 or 40 per second by the small one and 50 by the large. By the best plan a keeps cpu0 to itself, and b
    has 50. As it is, a serves a hundredth less, which it could do on cpu2: that hundredth of cpu0 would make 49.75 by the small one
    more than 50, but not 40. And b has 1000/24 by the large one, on two lanes at once.
    """
    a, b, board = closed("a", 0), closed("b", 1), platform(1, 2, 1, 1, memory_bytes=6 * MB)
    small = [option("b", ms, cpu, resident_bytes=2 * MB, precision=Precision.INT8) for ms, cpu in ((12, "cpu0"), (slow_ms, "cpu3"))]
    large, wide = (option("b", ms, "cpu1", width, resident_bytes=4 * MB) for ms, width in ((40, 1), (24, 2)))
    options = [FAST, option("a", 1000, "cpu2"), *small, large, wide]
    again = replan(served([a, b], [FAST, wide], board), [a, b], options, board, Objective.PROPORTIONAL, gain=0.9)
    assert not again.moved
    first, second = (level for level in again.plan.levels if level.goal is Goal.PROPORTIONAL)
    assert len(second.leaves) > 1
    assert first.value == pytest.approx(math.log(100 / 101))
    alone, could = 1000 / 12 + 1000 / slow_ms + 50, max(50.0, 1000 / slow_ms + 0.01 * 1000 / 12)
    assert rate(again.best, "b") == pytest.approx(50)
    assert (second.value, second.bound) == pytest.approx((math.log(1000 / 24 / alone), math.log(could / alone)), abs=1e-5)
    assert check(again.plan, [a, b], options, board).complaints == ()


def test_a_plan_of_single_options_keeps_the_most_used_one_and_what_was_chosen_for_who_comes() -> None:
    a, b, board = closed("a", weight=2.0), closed("b"), platform(1, 1, 1)
    options = [SLOW, FAST, option("b", 10, "cpu2"), option("b", 500, "cpu1")]
    before = served([a], options, board)
    assert [s.option for s in before.shares_of("a")] == [FAST, SLOW]
    best = replace(served([a, b], options[1:3], board), single=True)
    again = weigh(before, best, [a, b], options, board)
    assert again.plan is not best
    assert {s.option for s in again.plan.shares} == {FAST, options[2]}
    assert again.plan.single


def test_a_plan_of_single_options_that_keeps_less_is_bounded_by_mixtures() -> None:
    """One lane of two is b's best single option, and both its best mixture; what proved the one rests on what a kept before."""
    a, b, board = closed("a", 0), closed("b", 1), platform(1, 1, 1)
    used = [option("a", 10.1, precision=Precision.INT8), option("b", 10, "cpu1")]
    options = [FAST, *used, option("b", 10, "cpu2")]
    again = replan(served([a, b], used, board), [a, b], options, board, Objective.PROPORTIONAL, gain=0.02, effort=Effort())
    assert not again.moved
    assert (rate(again.plan, "a"), rate(again.plan, "b")) == pytest.approx((1000 / 10.1, 100))
    assert again.best.gap == pytest.approx(0, abs=1e-6)
    assert again.plan.gap == pytest.approx(math.log(10.1 / 10) + math.log(2), abs=1e-5)
    assert check(again.plan, [a, b], options, board).complaints == ()


def test_what_differs_by_rounding_alone_keeps_the_best_plans_proof() -> None:
    tenants, options = [closed("a", 0), closed("b", 1, floor=0.5)], [option("a", 10), option("b", 10)]
    best = served(tenants, options, platform(1))
    off = [replace(level, held=tuple((name, held * (1 - 1e-7)) for name, held in level.held)) for level in best.levels]
    again = weigh(best, replace(best, levels=tuple(off)), tenants, options, platform(1))
    assert [level.held for level in again.plan.levels] == [level.held for level in off]
    far = [replace(level, held=tuple((name, held * (1 - 1e-4)) for name, held in level.held)) for level in best.levels]
    again = weigh(best, replace(best, levels=tuple(far)), tenants, options, platform(1))
    assert [level.held for level in again.plan.levels] != [level.held for level in far]


def test_of_single_options_of_one_mapping_the_same_one_is_kept() -> None:
    a, options = closed("a"), [option("a", 11), FAST]
    best = replace(served([a], options[:1]), single=True)
    again = weigh(served([a], options[1:]), best, [a], options, TWO)
    assert [s.option for s in again.plan.shares] == [FAST]


@pytest.mark.parametrize("first", [closed("a", 0, outstanding=1), opened("a", 200, 0)])
def test_what_is_ahead_in_a_rank_may_be_behind_in_the_next(first: Tenant) -> None:
    """A plan for somebody else's choice, a on one lane, is no better than a's own option on two, for all that it leaves to b."""
    b, board, options = closed("b", 1), platform(2), [option("a", 10, width=2), option("a", 40), option("b", 10)]
    best = solve([first, b], options, board, Objective.THROUGHPUT, allow_overload=True, chosen=options[1:])
    again = weigh(served([first], options[:1], board), best, [first, b], options, board)
    assert again.plan is not best
    assert again.gain == 0
    assert rate(again.plan, "a") > rate(best, "a")
    assert rate(again.plan, "b") < rate(best, "b")
    assert check(again.plan, [first, b], options, board).complaints == ()


def test_nothing_is_ahead_of_a_demand_that_the_best_plan_serves_even_in_part() -> None:
    a, b, board = closed("a", 0, outstanding=1), opened("b", 300, 1), platform(2)
    options = [option("a", 10, width=2), option("a", 40), option("b", 10)]
    best = solve([a, b], options, board, Objective.THROUGHPUT, allow_overload=True, chosen=options[1:])
    assert rate(best, "b") == pytest.approx(100)
    again = weigh(served([a], options[:1], board), best, [a, b], options, board, gain=0.9)
    assert again.plan is best
    assert again.gain == 1


@pytest.mark.parametrize("objective", [Objective.WEIGHTED, Objective.MAXMIN, Objective.THROUGHPUT])
def test_rounding_is_worth_no_move_but_little_may_be(objective: Objective) -> None:
    """What a leaves on either processor is rounding, ten times as much to b on the first; on a third b has 1/s or 0.5/s of 111/s."""
    a, b, board = closed("a", 0), closed("b", 1), platform(1, 1, 1)
    options = [FAST, option("a", 10, "cpu1"), option("b", 10), option("b", 100, "cpu1")]
    third = [option("b", 1000, "cpu2"), option("b", 2000, "cpu2", precision=Precision.INT8)]
    assert replan(served([b], options[3:], board), [a, b], options, board, objective).gain == 0
    again = replan(served([b], third[1:], board), [a, b], [*options, *third], board, objective)
    assert again.moves == ("b",)
    assert again.gain == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize("nothing", [0.0, 1e-4])
def test_a_share_of_nothing_is_no_use(nothing: float) -> None:
    before = served([closed("a")], [FAST])
    unused = replace(before, shares=(*before.shares, Share(option=SLOW, rate_per_s=nothing)))
    again = replan(unused, [closed("a")], [FAST, SLOW], TWO, Objective.PROPORTIONAL)
    assert again.moves == ("a",)


def test_a_crew_that_does_not_fit_is_refused() -> None:
    with pytest.raises(InfeasibleError, match="cpu0"):
        replan(served([closed("a")], [FAST]), [closed("a"), opened("b", 200)], [FAST, option("b", 10)], TWO, Objective.PROPORTIONAL)


@pytest.mark.parametrize("gain", [-0.01, 1.0, math.nan])
def test_a_gain_is_a_share_and_is_looked_at_first(gain: float) -> None:
    before, crew = served([closed("a")], [FAST]), [opened("a", 1000)]
    with pytest.raises(InputError, match="gain"):
        replan(before, crew, [FAST], TWO, Objective.PROPORTIONAL, gain=gain)
    with pytest.raises(InputError, match="gain"):
        weigh(before, before, [closed("a")], [FAST], TWO, gain=gain)
