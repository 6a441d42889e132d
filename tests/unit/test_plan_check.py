"""What the checker says of rates that do not fit."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from cotenant.describe import Level, Objective, Option, Plan, Platform, Precision, Tenant
from cotenant.plan import Effort, check, solve
from tests.plan_cases import MB, closed, opened, option, platform


def complaints(tenants: list[Tenant], options: list[Option], board: Platform, factor: float) -> str:
    """Multiply all rates of a plan, its promises too, and return what the checker says."""
    plan = solve(tenants, options, board, Objective.PROPORTIONAL)
    assert check(plan, tenants, options, board).ok
    shares = tuple(replace(s, rate_per_s=s.rate_per_s * factor) for s in plan.shares)
    promises = tuple(replace(p, rate_per_s=p.rate_per_s * factor) for p in plan.promises)
    return "; ".join(check(replace(plan, shares=shares, promises=promises), tenants, options, board).complaints)


@pytest.mark.parametrize(
    ("tenants", "options", "board", "said"),
    [
        ([closed("a")], [option("a", 10)], platform(2), "capacity of cpu0: 2.2 used of 2"),
        ([opened("a", 90)], [option("a", 10)], platform(1), "headroom of cpu0: 0.99 used of 0.9"),
        ([opened("a", 10)], [option("a", 10)], platform(1), "arrivals of a: 11 used of 10"),
        ([closed("a", outstanding=1)], [option("a", 10)], platform(2), "outstanding of a: 1.1 used of 1"),
        ([closed("a")], [option("a", 1, moved_bytes=MB)], platform(1, bandwidth=5 * MB), "capacity of dram: 5500000 used of 5000000"),
    ],
)
def test_rates_a_tenth_too_high_are_refused_by_the_row(tenants: list[Tenant], options: list[Option], board: Platform, said: str) -> None:
    assert said in complaints(tenants, options, board, 1.1)


@pytest.mark.parametrize("weight", [0.05, 0.5, 1.0])
def test_who_is_left_a_ten_millionth_and_so_nothing_is_no_contradiction(weight: float) -> None:
    tenants = [closed("a", 0), opened("b", 1), closed("c", 1, weight=weight)]
    options, board = [option("a", 5, "cpu1"), option("a", 1), option("b", 1), option("c", 1)], platform(1, 1)
    plan = solve(tenants, options, board, Objective.MAXMIN)
    assert check(plan, tenants, options, board).complaints == ()


def test_a_level_of_nothing_but_what_tolerances_leave_is_not_kept() -> None:
    """Rank 0 takes all that open work may have; what its tolerance leaves, 3e-5 of what arrives at b, bars no memory to c."""
    tenants = [opened("b", 1, 1), opened("a", 200), closed("c", 1)]
    options = [
        option("b", 1, precision=Precision.BF16, resident_bytes=2 * MB), option("b", 4, resident_bytes=3 * MB),
        option("a", 16, resident_bytes=MB), option("c", 1, resident_bytes=3 * MB),
    ]  # fmt: skip
    board = platform(1, memory_bytes=3 * MB)
    plan = solve(tenants, options, board, Objective.PROPORTIONAL, allow_overload=True)
    assert check(plan, tenants, options, board).complaints == ()
    assert next(level.value for level in plan.levels if level.name == "demand 1") == 0.0


def test_what_is_left_out_as_dust_is_less_than_a_proof_misses() -> None:
    """What tolerance leaves of cpu0 serves a ten millionth of b, by an option that takes a little less time."""
    tenants = [opened("a", 1), opened("b", 7, 1), closed("c", 0)]
    options, board = [option("a", 1), option("b", 14.5), option("b", 15, "cpu1"), option("c", 1)], platform(1, 1)
    plan = solve(tenants, options, board, Objective.PROPORTIONAL, allow_overload=True)
    assert check(plan, tenants, options, board).complaints == ()


@pytest.mark.parametrize("bytes_moved", [2_652_660, 2_652_760, 2_652_766])
def test_rows_that_contradict_each_other_by_next_to_nothing_leave_a_bound(bytes_moved: float) -> None:
    """Whoever takes c's first model from memory asks of bandwidth a millionth more than there is, unless b slows down by as little."""
    tenants = [opened("a", 1, 1), closed("b", 0), opened("c", 7), opened("d", 1, 1)]
    options = [
        option("a", 1, moved_bytes=1e4, resident_bytes=3 * MB),
        option("b", 31, "cpu1", 2, moved_bytes=1_669_098, resident_bytes=3 * MB),
        option("b", 33, "cpu1", 2, moved_bytes=1e4, resident_bytes=3 * MB),
        option("c", 1, "cpu1", moved_bytes=1e4, resident_bytes=3 * MB),
        option("c", 1, precision=Precision.BF16, moved_bytes=bytes_moved, resident_bytes=2 * MB),
        option("c", 1, moved_bytes=2_652_777, resident_bytes=3 * MB),
        option("d", 1, precision=Precision.INT8, moved_bytes=667_835, resident_bytes=MB),
    ]
    board = platform(1, 3, memory_bytes=7 * MB, bandwidth=1e8)
    plan = solve(tenants, options, board, Objective.PROPORTIONAL, allow_overload=True)
    assert check(plan, tenants, options, board).complaints == ()


def test_a_plan_in_another_headroom_is_refused() -> None:
    tenants, options = [closed("a")], [option("a", 10)]
    plan = solve(tenants, options, platform(1), Objective.PROPORTIONAL)
    assert check(plan, tenants, options, platform(1), headroom=0.8).complaints == ("headroom: 0.9 in the plan, 0.8 asked",)


def test_a_plan_for_other_tenants_is_refused() -> None:
    tenants, options = [closed("a")], [option("a", 10), option("b", 10)]
    plan = solve(tenants, options, platform(1), Objective.PROPORTIONAL)
    assert not check(plan, [closed("a"), closed("b")], options, platform(1)).ok
    assert not check(plan, [closed("a", floor=0.5)], options, platform(1)).ok


@pytest.mark.parametrize("objective", tuple(Objective))
def test_a_plan_of_a_crew_with_floors_is_none_of_a_crew_without(objective: Objective) -> None:
    options = [option(name, 10) for name in "ab"]
    plan = solve([closed("a", floor=0.4), closed("b")], options, platform(1), objective)
    verdict = check(plan, [closed("a"), closed("b")], options, platform(1))
    assert verdict.complaints[-1].startswith("levels: floors 1 of a, ")


def test_a_level_that_says_more_than_the_rates_reach_is_refused() -> None:
    """Half of what arrives is served; a level that says a thousandth more, and keeps it, would tighten the bounds after it."""
    tenants, options = [opened("a", 180), closed("b")], [option("a", 10), option("b", 10)]
    plan = solve(tenants, options, platform(1), Objective.PROPORTIONAL, allow_overload=True)
    demand = plan.levels[0]
    assert demand.least is not None
    assert demand.value == pytest.approx(0.5)
    more = replace(demand, value=demand.value + 1e-3, bound=demand.bound + 1e-3, least=demand.least + 1e-3)
    said = check(replace(plan, levels=(more, *plan.levels[1:])), tenants, options, platform(1)).complaints
    assert any(text.startswith("demand 0: ") and "stated, the rates reach" in text for text in said)


def leveled(plan: Plan, change: Callable[[Level], Level]) -> Plan:
    """Change the levels of a plan that can be changed so."""
    return replace(plan, levels=tuple(change(level) for level in plan.levels))


def held(level: Level, rate: float) -> Level:
    return replace(level, held=tuple((name, rate) for name, _ in level.held))


def priced(level: Level, price: float) -> Level:
    return replace(level, leaves=tuple(replace(leaf, duals=tuple(replace(d, price=price) for d in leaf.duals)) for leaf in level.leaves))


WAYS: tuple[Callable[[Plan, float], Plan], ...] = (
    lambda plan, number: replace(plan, value=number),
    lambda plan, number: replace(plan, bound=number),
    lambda plan, number: replace(plan, seconds=number),
    lambda plan, number: replace(plan, headroom=number),
    lambda plan, number: replace(plan, params=(("gain", number),)),
    lambda plan, number: replace(plan, shares=tuple(replace(s, rate_per_s=number) for s in plan.shares)),
    lambda plan, number: replace(plan, promises=tuple(replace(p, rate_per_s=number) for p in plan.promises)),
    lambda plan, number: replace(plan, promises=tuple(replace(p, solo_rate_per_s=number) for p in plan.promises)),
    lambda plan, number: replace(plan, prices=tuple(replace(p, used=number) for p in plan.prices)),
    lambda plan, number: replace(plan, prices=tuple(replace(p, capacity=number) for p in plan.prices)),
    lambda plan, number: replace(plan, prices=tuple(replace(p, price=number) for p in plan.prices)),
    lambda plan, number: leveled(plan, lambda level: replace(level, value=number)),
    lambda plan, number: leveled(plan, lambda level: replace(level, bound=number)),
    lambda plan, number: leveled(plan, lambda level: replace(level, least=level.least and number)),
    lambda plan, number: leveled(plan, lambda level: held(level, number)),
    lambda plan, number: leveled(plan, lambda level: priced(level, number)),
    lambda plan, number: replace(
        plan, solos=tuple(replace(s, shares=tuple(replace(x, rate_per_s=number) for x in s.shares)) for s in plan.solos)
    ),
)


@pytest.mark.parametrize("way", range(len(WAYS)))
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_is_none_or_has_no_end_is_named(way: int, number: float) -> None:
    tenants, options = [opened("a", 10), closed("b", floor=0.1), closed("c", 2)], [option(name, 10) for name in "abc"]
    plan = WAYS[way](solve(tenants, options, platform(1), Objective.THROUGHPUT), number)
    said = check(plan, tenants, options, platform(1)).complaints
    assert any(f": {number}; a finite number" in text for text in said), said


@pytest.mark.parametrize(("chosen", "open_points"), [(True, 1), (False, 0)])
def test_whom_single_options_starve_without_proof_is_told(chosen: bool, open_points: int) -> None:
    """Rank 0 has all of cpu0, where b was put: by cpu1 it would be served, as a search that is not stopped finds."""
    tenants, board = [closed("a", 0), closed("b", 1)], platform(1, 1)
    options = [option("a", 10), option("b", 10), option("b", 10, "cpu1")]
    plan = solve(tenants, options, board, Objective.PROPORTIONAL, effort=Effort(), chosen=options[:2] if chosen else None)
    found = check(plan, tenants, options, board)
    assert found.ok
    assert len(found.undecided) == open_points
    assert all(text.endswith("it is not ruled out that b could have 0.5 of its solo rate") for text in found.undecided)


def test_whom_no_single_option_serves_is_no_open_question() -> None:
    tenants, options = [closed("a", 0), closed("b", 1)], [option("a", 10), option("b", 10)]
    plan = solve(tenants, options, platform(1), Objective.PROPORTIONAL, effort=Effort())
    found = check(plan, tenants, options, platform(1))
    assert (found.ok, found.undecided) == (True, ())
