"""What waiting for memories costs: as the simulator parts them, and kept in what is promised."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.cost.contention import roofline, slowed, water_fill
from cotenant.describe import Closed, Memory, Objective, Option, Plan, Platform, Share, Step, Tenant
from cotenant.errors import InputError
from cotenant.plan import check, solve
from cotenant.plan.parted import granted_shares, speeds
from cotenant.plan.settled import SLIGHT, settled, unsettled
from cotenant.plan.stalls import stalled, stalls, unstalled
from cotenant.policy import policies
from cotenant.sim import Rig, Seeded
from tests.plan_cases import Case, cases, closed, opened, option, platform

SECOND_NS = 10**9
WANTS = st.lists(st.sampled_from((0.0, 0.5, 1.0, 2.0, 7.5)), min_size=1, max_size=6)
AMOUNTS = st.floats(1.0, 1e6)


@given(st.lists(WANTS, min_size=1, max_size=4), st.sampled_from((0.25, 1.0, 3.0, 1000.0)))
def test_many_memories_are_parted_as_one_is(columns: list[list[float]], capacity: float) -> None:
    rows = max(map(len, columns))
    wants = np.array([[*column, *[0.0] * (rows - len(column))] for column in columns]).T
    found = granted_shares(wants, capacity)
    for column, shares in zip(wants.T, found.T, strict=True):
        grants = [0.0] * rows
        water_fill(list(column), rows, capacity, grants)
        expected = [grant / want if want > 0 else 1.0 for grant, want in zip(grants, column, strict=True)]
        assert shares == pytest.approx(expected)


@given(AMOUNTS, AMOUNTS, st.sampled_from((0.0, 0.3, 1.0)), st.floats(0.05, 1.0))
def test_many_are_slowed_as_one_is(alone_ns: float, moved_bytes: float, unhidden: float, granted: float) -> None:
    _, compute_ns, left = roofline(round(alone_ns), moved_bytes, 2e9, unhidden)
    one = slowed(granted, float(round(alone_ns)), compute_ns, left)
    many = speeds(*(np.array([value]) for value in (granted, float(round(alone_ns)), compute_ns, left)))
    assert many.tolist() == pytest.approx([one])


def shares_of(*used: tuple[Option, float]) -> tuple[Share, ...]:
    return tuple(Share(option=option, rate_per_s=rate) for option, rate in used)


@pytest.mark.parametrize("busy", [0.1, 0.3, 0.45])
def test_two_that_want_the_whole_memory_are_there_for_as_long_as_they_wait(busy: float) -> None:
    """Each is there for p of the time and works at 1 - p / 2 of its speed alone: p (1 - p / 2) = busy."""
    on = [option("a", 10, "cpu0", moved_bytes=1e7), option("b", 10, "cpu1", moved_bytes=1e7)]
    lost = stalls(shares_of((on[0], 100.0 * busy), (on[1], 100.0 * busy)), platform(1, 1, bandwidth=1e9))
    there = 1 - math.sqrt(1 - 2 * busy)
    assert [lost["cpu0"], lost["cpu1"]] == pytest.approx([there / 2] * 2, abs=0.02)


def test_lanes_of_one_processor_wait_for_each_other_and_a_wide_segment_for_nobody() -> None:
    narrow, wide = option("a", 10, moved_bytes=1e7), option("a", 10, width=2, moved_bytes=1e7)
    at = platform(2, bandwidth=1e9)
    assert stalls(shares_of((narrow, 200.0)), at)["cpu0"] == pytest.approx(1 / 2)
    assert stalls(shares_of((wide, 100.0)), at)["cpu0"] == 0.0


def test_co_runners_in_a_cache_slow_each_other_without_any_bandwidth() -> None:
    at = platform(1, 1)
    at = replace(at, memories=(replace(at.memories[0], interference=0.25),))
    lost = stalls(shares_of((option("a", 10), 100.0), (option("b", 10, "cpu1"), 100.0)), at)
    assert lost == pytest.approx({"cpu0": 0.2, "cpu1": 0.2})


@pytest.mark.parametrize("wide", [2, 4])
def test_a_wide_step_never_runs_beside_its_own_processor_narrow_ones(wide: int) -> None:
    """Of four lanes, each kind has half of the time; only the narrow ones, four or none at once, wait for each other."""
    used = (option("a", 1, width=wide, moved_bytes=wide * 1e6), 2000.0 / wide), (option("b", 1, moved_bytes=1e6), 2000.0)
    assert stalls(shares_of(*used), platform(4, bandwidth=4e9))["cpu0"] == 0.0
    assert stalls(shares_of(*used), platform(4, bandwidth=2e9))["cpu0"] > 0.3


def test_what_is_lost_is_lane_time() -> None:
    """A step of all four lanes that is slowed by a lane of another processor loses four lanes."""
    wide, narrow, other = option("a", 10, width=4, moved_bytes=1e7), option("b", 10), option("c", 10, "cpu1", moved_bytes=1e7)
    lost = stalls(shares_of((wide, 40.0), (narrow, 80.0), (other, 50.0)), platform(4, 1, bandwidth=1e9))
    slower = 1 / (1 - lost["cpu0"])
    assert slower > 1.2, "0.4 of 0.6 busy lanes are slowed by far more than what runs on 0.2"


def test_lanes_that_a_width_leaves_over_run_nothing() -> None:
    assert stalls(shares_of((option("a", 10, width=2, moved_bytes=1e7), 100.0)), platform(3, bandwidth=1e9))["cpu0"] == 0.0


@given(cases())
def test_nothing_is_lost_where_all_fits_at_every_moment(case: Case) -> None:
    """Each processor alone may want all that it ever wants; a little less than that, and the early way out is not taken."""
    plan = solve(case.tenants, case.options, case.platform, Objective.MAXMIN, allow_overload=True)
    lost = stalls(plan.shares, case.platform)
    assert all(0 <= share < 1 for share in lost.values())
    most = sum(
        p.lanes
        * max([step.memory_bytes / step.duration_ns for s in plan.shares for step in s.option.chain if step.processor == p.name] or [0.0])
        for p in case.platform.processors
    )
    roomy = (Memory(name="dram", capacity_bytes=10**11, bandwidth_bytes_per_s=max(most, 1e-9) * 1e9, interference=1e-12),)
    assert max(stalls(plan.shares, replace(case.platform, memories=roomy)).values()) == pytest.approx(0.0, abs=1e-9)


def test_what_is_stalled_can_be_undone_and_must_be_a_share() -> None:
    at = platform(2, 1)
    assert unstalled(stalled(at, {"cpu0": 0.2})) == at
    assert stalled(at, {"cpu0": 0.2}).processor("cpu0").lanes_given == pytest.approx(1.6)
    with pytest.raises(InputError, match="stalled"):
        stalled(at, {"cpu0": 1.0})


Piece = tuple[str, float, float]
"""A processor, how long it is held (ms), and how many bytes are moved meanwhile."""


def chained(tenant: str, *pieces: Piece) -> Option:
    steps = tuple(
        Step(segment=k, processor=on, width=1, duration_ns=round(ms * 1e6), memory_bytes=round(moved))
        for k, (on, ms, moved) in enumerate(pieces)
    )
    taken: dict[str, float] = defaultdict(float)
    for on, ms, moved in pieces:
        taken[on] += ms / 1e3
        taken["dram"] += moved
    whole = option(tenant, sum(ms for _, ms, _ in pieces))
    return replace(whole, chain=steps, demand=tuple(taken.items()))


GREEDY = [closed(name, outstanding=24) for name in "abcd"]
GREEDY_OPTIONS = [
    chained("a", ("cpu0", 9, 9e6), ("cpu0", 4, 1e6)), chained("a", ("cpu2", 30, 0)),
    chained("b", ("cpu1", 7, 6e6), ("cpu1", 5, 5e5)), chained("b", ("cpu2", 40, 0)),
    chained("c", ("cpu0", 3.7, 3e6), ("cpu1", 6.1, 6e5)),
    chained("d", ("cpu1", 2.3, 2.3e6), ("cpu2", 8.3, 0)),
]  # fmt: skip
BOARD = platform(1, 1, 1, bandwidth=1e9)


def reached(plan: Plan, tenants: Sequence[Tenant], at: Platform) -> list[float]:
    """Simulate a plan with requests always waiting; return the part of its promised rate that each tenant reaches."""
    asking = tuple(replace(tenant, arrival=Closed(outstanding=8 * at.lanes)) for tenant in tenants)
    policy = replace(policies.get("rank_edf"), promises=True)
    happened = Rig(asking, plan.shares, at).run(Seeded(requests=(), horizon_ns=20 * SECOND_NS), policy, name="rank_edf").endings
    late = happened[(happened["finish_ns"] > 4 * SECOND_NS) & (happened["finish_ns"] <= 20 * SECOND_NS)]
    return [float((late["tenant"] == k).sum()) / 16 / plan.promise(tenant.name).rate_per_s for k, tenant in enumerate(tenants)]


@pytest.mark.parametrize("objective", [Objective.PROPORTIONAL, Objective.MAXMIN])
def test_promises_are_kept_where_segments_wait_for_a_memory(objective: Objective) -> None:
    """On the mean the memory has room, so that a plan that looks no further promises too much."""
    hasty = solve(GREEDY, GREEDY_OPTIONS, BOARD, objective)
    plan = settled(GREEDY, BOARD, lambda at: solve(GREEDY, GREEDY_OPTIONS, at, objective))
    assert min(reached(hasty, GREEDY, BOARD)) < 0.85
    assert min(reached(plan, GREEDY, BOARD)) > 0.975
    assert not unsettled(plan, GREEDY, BOARD)
    assert unsettled(hasty, GREEDY, BOARD)
    known = dict(plan.stalls)
    assert check(plan, GREEDY, GREEDY_OPTIONS, stalled(BOARD, known)).ok
    assert not check(plan, GREEDY, GREEDY_OPTIONS, BOARD).ok, "the proof is of what is left"


def test_p_is_of_what_a_tenant_reaches_with_nobody_to_wait_for() -> None:
    hasty = solve(GREEDY, GREEDY_OPTIONS, BOARD, Objective.MAXMIN)
    plan = settled(GREEDY, BOARD, lambda at: solve(GREEDY, GREEDY_OPTIONS, at, Objective.MAXMIN))
    assert [p.solo_rate_per_s for p in plan.promises] == [p.solo_rate_per_s for p in hasty.promises]


def test_nobody_is_refused_for_what_is_only_foretold() -> None:
    tenants = [opened("a", 45), opened("b", 45), opened("c", 45), opened("d", 45)]
    heavy = [option("a", 10, moved_bytes=1.6e7), option("b", 10, "cpu1", moved_bytes=1.6e7)]
    options, at = [*heavy, option("c", 10), option("d", 10, "cpu1")], platform(1, 1, bandwidth=1.6e9)
    plan = settled(tenants, at, lambda left: solve(tenants, options, left, Objective.MAXMIN))
    assert plan == solve(tenants, options, at, Objective.MAXMIN)
    assert set(unsettled(plan, tenants, at)) == {"cpu0", "cpu1"}


@given(cases(), st.sampled_from(list(Objective)))
def test_a_settled_plan_is_proved_and_leaves_the_room_that_it_states(case: Case, objective: Objective) -> None:
    plan = settled(case.tenants, case.platform, lambda at: solve(case.tenants, case.options, at, objective, allow_overload=True))
    left = stalled(case.platform, dict(plan.stalls))
    verdict = check(plan, case.tenants, case.options, left)
    assert verdict.ok, verdict.complaints
    for name, lost in plan.stalls:
        used = sum(share.rate_per_s * share.option.demand_of(name) for share in plan.shares)
        assert used <= case.platform.processor(name).lanes * (1 - lost) * (1 + 1e-6)
        assert SLIGHT < lost < 1
