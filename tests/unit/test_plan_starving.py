"""Why a tenant gets nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from cotenant.describe import Objective, Option, Platform, Tenant
from cotenant.plan import solve
from cotenant.plan.starving import starving
from tests.plan_cases import MB, closed, opened, option, platform


def said(
    tenants: Sequence[Tenant], options: Sequence[Option], board: Platform, objective: Objective = Objective.PROPORTIONAL,
    chosen: Sequence[Option] | None = None,
) -> list[str]:  # fmt: skip
    plan = solve(tenants, options, board, objective, allow_overload=True, chosen=chosen)
    return [f"{name}: {why}" for name, why in starving(plan, tenants, options, board).items()]


def both(tenant: str) -> Option:
    """Return a way to serve a tenant that takes lanes of two processors."""
    return replace(option(tenant, 10), demand=(("cpu0", 0.01), ("cpu1", 0.01)))


def test_nobody_starves_where_everybody_has_something() -> None:
    assert said([closed("a"), closed("b")], [option("a", 10), option("b", 10)], platform(1)) == []


def test_who_has_what_it_needs_is_named_with_the_rank() -> None:
    tenants, options = [closed("a", 0), closed("b", 0), closed("c", 1)], [option("a", 10), option("b", 10, "cpu1")]
    options += [option("c", 10), option("c", 10, "cpu1")]
    assert said(tenants, options, platform(1, 1)) == ["c: all of cpu0 and cpu1 goes to a (rank 0) and b (rank 0)"]


def test_an_equal_by_whom_the_objective_gains_more_is_named() -> None:
    """100/s of the lane, or 50/s."""
    tenants, options = [closed("a"), closed("b")], [option("a", 10), option("b", 20)]
    assert said(tenants, options, platform(1), Objective.THROUGHPUT) == ["b: all of cpu0 goes to a (rank 1); throughput gains more by a"]


def test_floors_of_lower_ranks_are_named() -> None:
    """Alone b has 100/s, and its floor is all of it."""
    tenants, options = [closed("a", 0), closed("b", 1, floor=1.0)], [option("a", 10), option("b", 10)]
    assert said(tenants, options, platform(1)) == ["a: all of cpu0 goes to b (rank 1); floors, as b has, go first"]


def test_only_who_is_held_at_its_floor_goes_first_for_it() -> None:
    """b, c and d are held at tenths of the lane, e has no floor and serves by a lane that a cannot have alone."""
    tenants = [closed("z", 0), closed("a", 1), *(closed(name, 2, floor=0.1) for name in "bcd"), closed("e", 3)]
    options = [option(name, 10) for name in "zbcd"] + [both("a"), option("e", 10, "cpu1")]
    assert said(tenants, options, platform(1, 1)) == [
        "a: all of cpu0 and cpu1 goes to z (rank 0), b (rank 2), c (rank 2), d (rank 2) and e (rank 3); "
        "better ranks and floors, as b, c and d have, leave nothing"
    ]


def test_more_than_a_floor_is_not_held_at_it() -> None:
    """b's floor is a tenth of lane 1, of which it has all: a needs the other one too."""
    tenants = [closed("z", 0), closed("a", 1), closed("b", 2, floor=0.1)]
    options = [option("z", 10), both("a"), option("b", 10, "cpu1")]
    assert said(tenants, options, platform(1, 1)) == [
        "a: all of cpu0 and cpu1 goes to z (rank 0) and b (rank 2); better ranks leave nothing"
    ]


@pytest.mark.parametrize("objective", Objective)
def test_an_equal_at_its_floor_is_none_by_whom_the_objective_gains(objective: Objective) -> None:
    tenants, options = [closed("z", 0), closed("a", 1), closed("b", 1, floor=0.5)], [option(name, 10) for name in "zab"]
    assert said(tenants, options, platform(1), objective) == [
        "a: all of cpu0 goes to z (rank 0) and b (rank 1); better ranks and floors, as b has, leave nothing"
    ]


@pytest.mark.parametrize("objective", [Objective.PROPORTIONAL, Objective.MAXMIN])
def test_no_gain_makes_up_for_nothing_at_all(objective: Objective) -> None:
    """b of a's rank has lane 1, of which a alone could do nothing: z has lane 0."""
    tenants, options = [closed("z", 0), closed("a", 1), closed("b", 1)], [option("z", 10), both("a"), option("b", 10, "cpu1")]
    assert said(tenants, options, platform(1, 1), objective) == [
        "a: all of cpu0 and cpu1 goes to z (rank 0) and b (rank 1); better ranks leave nothing"
    ]


def test_a_weight_that_is_next_to_nothing_is_named_beside_those_of_equals() -> None:
    tenants, options = [closed("a", weight=1e-6), closed("b")], [option("a", 10), option("b", 10)]
    assert said(tenants, options, platform(1)) == [
        "a: all of cpu0 goes to b (rank 1); at its weight of 1e-06 it counts for nothing beside b"
    ]


def test_among_equals_of_which_memory_holds_one_it_is_the_memory_that_is_short() -> None:
    tenants, options = [closed("a"), closed("b", weight=2)], [option("a", 10), option("b", 10)]
    assert said(tenants, options, platform(1, memory_bytes=MB)) == ["a: its model does not fit dram beside those of the others"]


def test_open_work_has_nine_tenths_of_a_processor() -> None:
    """a's arrivals take nine tenths of the lane, and the last is not promised to open work."""
    tenants, options = [opened("a", 200, 0), opened("b", 1, 1)], [option("a", 10), option("b", 10)]
    assert said(tenants, options, platform(1)) == ["b: all of cpu0 goes to a (rank 0)"]


def test_a_model_without_room_is_named_by_its_memory() -> None:
    tenants, options = [closed("a", 0, outstanding=1), closed("b", 1)], [option("a", 10), option("b", 10, resident_bytes=2 * MB)]
    assert said(tenants, options, platform(2, memory_bytes=2 * MB)) == ["b: its model does not fit dram beside those of the others"]


def test_a_choice_that_leaves_nothing_is_told_from_a_lack() -> None:
    tenants, options = [closed("a", 0), closed("b", 1)], [option("a", 10), option("b", 10), option("b", 10, "cpu1")]
    assert said(tenants, options, platform(1, 1), chosen=options[:2]) == ["b: the one option chosen for it needs what the others take"]
