"""Whoever slows a tenant down is found, and nobody else is accused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.live.slowdown import RECENT, Slowdowns
from tests.synthetic_machine import MS, Machine

DUTIES = st.lists(st.floats(0.2, 0.75), min_size=3, max_size=5)


def watched(harm: list[list[float]], duty: list[float], solo_ns: list[int], seed: int, noise: float) -> Slowdowns:
    """Let a machine run for eight seconds under the eyes of the watch."""
    slowdowns = Slowdowns(tenants=len(duty))

    def ended(key: int, tenant: int, taken_ns: int, now_ns: int) -> None:
        slowdowns.ended(key, taken_ns, solo_ns[tenant], now_ns)

    def started(key: int, tenant: int, now_ns: int) -> None:
        slowdowns.started(key, tenant, 1, now_ns)

    Machine(harm=harm, duty=duty, solo_ns=solo_ns, started=started, ended=ended, seed=seed, noise=noise).run(8000 * MS)
    return slowdowns


@given(DUTIES, st.floats(0.2, 1.5), st.integers(0, 1 << 30), st.data())
def test_the_culprit_is_found_and_no_bystander_is_accused(duty: list[float], factor: float, seed: int, data: st.DataObject) -> None:
    culprit = data.draw(st.integers(1, len(duty) - 1))
    solo_ns = data.draw(st.lists(st.integers(3, 9).map(lambda ms: ms * MS), min_size=len(duty), max_size=len(duty)))
    harm = [[factor if (victim, other) == (0, culprit) else 0.0 for other in range(len(duty))] for victim in range(len(duty))]
    effects = watched(harm, duty, solo_ns, seed, 0.02).effects(0)
    assert effects[culprit].added == pytest.approx(factor, rel=0.5)
    for other, effect in enumerate(effects):
        assert other == culprit or effect.part < 0.3 * effects[culprit].part


@given(DUTIES, st.integers(0, 1 << 30))
def test_where_nobody_slows_anybody_nobody_is_accused(duty: list[float], seed: int) -> None:
    alone = [[0.0] * len(duty) for _ in duty]
    slowdowns = watched(alone, duty, [6 * MS] * len(duty), seed, 0.05)
    for victim in range(len(duty)):
        assert slowdowns.figure(victim) == pytest.approx(1.0, abs=0.1)
        assert all(abs(effect.added) < 0.1 for effect in slowdowns.effects(victim))


@given(st.floats(0.1, 2.0))
def test_who_is_always_there_is_accused_by_what_was_profiled(factor: float) -> None:
    slowdowns = Slowdowns(tenants=3)
    slowdowns.started("forever", 1, 1, 0)
    for index in range(100):
        slowdowns.started(index, 0, 1, index * 10 * MS)
        slowdowns.ended(index, int(5 * MS * (1 + factor)), 5 * MS, index * 10 * MS + 9 * MS)
    effects = slowdowns.effects(0)
    assert effects[1].added == pytest.approx(factor, rel=0.2)
    assert effects[2].added == 0.0
    assert slowdowns.figure(0) == pytest.approx(1 + factor)


def test_a_figure_takes_so_many_segments_and_forgets_one_outlier_on_either_side() -> None:
    slowdowns = Slowdowns(tenants=1)
    for index in range(RECENT):
        assert slowdowns.figure(0) is None
        slowdowns.started(index, 0, 1, index * 100)
        slowdowns.ended(index, {3: 10_000, 5: 1}.get(index, 20), 10, index * 100 + 50)
    assert slowdowns.figure(0) == pytest.approx(2.0)


def test_who_is_suspended_runs_beside_nobody() -> None:
    """A rank 0 runs on the lane of what it suspends, for 40 of 100 ns; a third runs for the last 50 of them."""
    slowdowns = Slowdowns(tenants=3)
    slowdowns.started("b", 1, 1, 0)
    slowdowns.suspended("b", 30)
    slowdowns.started("a", 0, 1, 30)
    slowdowns.started("c", 2, 1, 50)
    slowdowns.ended("a", 40, 40, 70)
    slowdowns.resumed("b", 70)
    slowdowns.ended("b", 60, 60, 100)
    [b], [a] = slowdowns._seen[1], slowdowns._seen[0]
    assert b.beside == (0.0, 0.0, 0.5)
    assert a.beside == (0.0, 0.0, 0.5)


def test_the_tenants_own_other_lane_counts_as_a_co_runner() -> None:
    slowdowns = Slowdowns(tenants=1)
    slowdowns.started("x", 0, 2, 0)
    slowdowns.started("y", 0, 1, 50)
    slowdowns.ended("x", 100, 100, 100)
    assert slowdowns._seen[0][0].beside == (0.5,)
    slowdowns.forget("y", 120)
    slowdowns.forget("y", 130)
    assert slowdowns._lanes == [0]
