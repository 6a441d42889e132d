"""Why a tenant gets nothing."""

from __future__ import annotations

from collections.abc import Sequence

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
