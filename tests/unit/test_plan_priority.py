"""Weights that are the user's, and weights that follow what is computed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cotenant.describe import Objective, Plan
from cotenant.errors import InputError
from cotenant.plan import solve
from cotenant.plan.priority import Priority, weighted, work_lane_s
from tests.plan_cases import closed, opened, option, platform

TENANTS = (closed("small", weight=1.0), closed("large", weight=1.0), opened("steady", 5, 1))
OPTIONS = (option("small", 2), option("large", 8), option("steady", 5))


def planned() -> Plan:
    return solve(TENANTS, OPTIONS, platform(2), Objective.PROPORTIONAL)


def test_static_priorities_are_the_users() -> None:
    tenants = (closed("small", weight=3.0), *TENANTS[1:])
    assert weighted(tenants, planned().solos, platform(2), Priority.STATIC) == tenants
    assert Priority("static") is Priority.STATIC


def test_dynamic_priorities_are_in_proportion_to_the_work_and_1_in_the_mean() -> None:
    """2, 8 and 5 ms, of which the mean is 5; how much arrives makes no difference."""
    found = weighted(TENANTS, planned().solos, platform(2), Priority.DYNAMIC)
    assert [t.weight for t in found] == pytest.approx([0.4, 1.6, 1.0])
    assert [replace(t, weight=1.0) for t in found] == list(TENANTS)


def test_the_users_weights_multiply_dynamic_ones() -> None:
    tenants = (closed("small", weight=3.0), *TENANTS[1:])
    found = weighted(tenants, planned().solos, platform(2), Priority.DYNAMIC)
    assert [t.weight for t in found] == pytest.approx([1.2, 1.6, 1.0])


def test_by_dynamic_priorities_one_processor_serves_all_equally_often() -> None:
    """Lanes are divided by weight, and weights by what an inference takes of them."""
    tenants = weighted(TENANTS[:2], planned().solos, platform(2), Priority.DYNAMIC)
    plan = solve(tenants, OPTIONS[:2], platform(2), Objective.PROPORTIONAL)
    assert plan.promise("small").rate_per_s == pytest.approx(plan.promise("large").rate_per_s, rel=1e-4)
    assert plan.promise("small").rate_per_s == pytest.approx(2000 / (2 + 8), rel=1e-4)


def test_work_is_counted_over_the_whole_solo_optimum() -> None:
    """Alone on both processors: 100/s at 10 ms and 50/s at 20 ms take two lanes, that is 2 / 150 lane-seconds each."""
    board = platform(1, 1)
    plan = solve([closed("a")], [option("a", 10), option("a", 20, "cpu1")], board, Objective.PROPORTIONAL)
    assert work_lane_s(plan.solos, board) == {"a": pytest.approx(2 / 150)}


def test_bytes_are_no_work() -> None:
    board = platform(1, bandwidth=1e9)
    plan = solve([closed("a")], [option("a", 10, moved_bytes=1e6)], board, Objective.PROPORTIONAL)
    assert work_lane_s(plan.solos, board) == {"a": pytest.approx(0.01)}


def test_a_tenant_whose_solo_optimum_is_unknown_has_no_priority() -> None:
    with pytest.raises(KeyError, match="other"):
        weighted([closed("other")], planned().solos, platform(2), Priority.DYNAMIC)


def test_a_weight_beyond_what_weights_may_be_is_refused() -> None:
    with pytest.raises(InputError, match="weight"):
        weighted((TENANTS[0], replace(TENANTS[1], weight=1e6)), planned().solos, platform(2), Priority.DYNAMIC)


def test_a_crew_of_none_has_no_weights() -> None:
    assert weighted((), (), platform(2), Priority.DYNAMIC) == ()
