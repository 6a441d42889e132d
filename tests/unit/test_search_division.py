"""Dividing what tenants share, against the solver and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from cotenant.plan.lp import Lp
from cotenant.search.market import proportional
from cotenant.search.pool import Pool, pool, together
from cotenant.search.simplex import greatest

Vector = NDArray[np.float64]
shares = st.sampled_from((0.0, 0.0, 0.2, 0.5, 0.9, 1.3, 3.0))


@st.composite
def pools(draw: st.DrawFn) -> Pool:
    """Draw rows over some tenants, some alike, with a least that fits, often only just."""
    tenants, count = draw(st.integers(1, 6)), draw(st.integers(1, 4))
    rows = [draw(st.lists(shares, min_size=tenants, max_size=tenants)) for _ in range(count)]
    rows += [[0.9 * share for share in rows[0]]] if draw(st.booleans()) else []
    most = [min([1.0, *(1 / row[i] for row in rows if row[i] > 0)]) * draw(st.sampled_from((1.0, 0.5))) for i in range(tenants)]
    least = [draw(st.sampled_from((0.0, 0.0, 0.3))) * m for m in most]
    over = max(1.0, *(sum(map(float.__mul__, row, least)) for row in rows))
    return pool(rows, [low / over for low in least], most, range(tenants))


def gains(shared: Pool) -> list[float]:
    return [1.0 + i * math.sqrt(2) for i in range(len(shared.least))]


def assert_fits(shared: Pool, z: list[float]) -> None:
    assert all(low - 1e-9 <= v <= most + 1e-9 for low, v, most in zip(shared.least, z, shared.most, strict=True))
    assert all(sum(map(float.__mul__, row, z)) <= 1 + 1e-9 for row in shared.rows)


def matrix(shared: Pool, *extra: list[float]) -> tuple[NDArray[np.float64], Vector]:
    count = len(shared.least)
    rows = [*shared.rows, *np.eye(count).tolist(), *(-np.eye(count)).tolist(), *extra]
    return np.array(rows).reshape(len(rows), count), np.array([1.0] * len(shared.rows) + [*shared.most] + [-low for low in shared.least])


@given(pools())
def test_the_greatest_sum_is_that_of_the_solver(shared: Pool) -> None:
    z, _ = greatest(shared, gains(shared))
    assert_fits(shared, z)
    rows, limit = matrix(shared)
    optimum = Lp(np.array(gains(shared)), rows, limit, unit=np.ones(len(z))).solve()
    assert optimum is not None
    assert sum(map(float.__mul__, gains(shared), z)) == pytest.approx(optimum.value, rel=1e-7, abs=1e-7)


@given(pools())
def test_the_least_is_raised_as_far_as_the_solver_raises_it(shared: Pool) -> None:
    weights = gains(shared)
    z = together(shared, weights)
    assert_fits(shared, z)
    rows, limit = matrix(shared)
    level = np.concatenate([np.zeros(len(rows)), weights])[:, None]
    lp = Lp(
        np.array([*np.zeros(len(z)), 1.0]), np.hstack([np.vstack([rows, -np.eye(len(z))]), level]),
        np.concatenate([limit, np.zeros(len(z))]), unit=np.ones(len(z) + 1),
    )  # fmt: skip
    optimum = lp.solve()
    assert optimum is not None
    assert min(v / w for v, w in zip(z, weights, strict=True)) == pytest.approx(optimum.value, rel=1e-7, abs=1e-7)


@given(pools())
def test_nobody_can_be_raised_but_at_the_cost_of_one_who_has_no_more(shared: Pool) -> None:
    weights = gains(shared)
    z = together(shared, weights)
    for i, v in enumerate(z):
        full = [row for row in shared.rows if row[i] > 0 and sum(map(float.__mul__, row, z)) > 1 - 1e-6]
        is_last = any(
            all(row[j] <= 0 or z[j] / weights[j] <= v / weights[i] + 1e-6 or z[j] <= shared.least[j] + 1e-9 for j in range(len(z)))
            for row in full
        )
        assert v >= shared.most[i] - 1e-9 or v <= shared.least[i] + 1e-9 or is_last


@given(pools(), st.integers(0, 2**32 - 1))
def test_no_direction_betters_a_proportional_division(shared: Pool, seed: int) -> None:
    """A concave sum is greatest where its slope, w / z, gains nothing toward any other division (a first-order condition)."""
    weights = gains(shared)
    if min(together(shared, [1.0] * len(weights)), default=0.0) < 1e-4:
        return
    z = proportional(shared, weights)
    assert z is not None
    assert_fits(shared, z)
    slope = [w / v for w, v in zip(weights, z, strict=True)]
    other, _ = greatest(shared, slope)
    assert sum(s * (a - b) for s, a, b in zip(slope, other, z, strict=True)) <= 1e-8 * sum(weights)


def test_one_row_is_divided_by_weight_over_cost() -> None:
    shared = pool([(1.0, 2.0)], (0.0, 0.0), (1.0, 0.5), (0, 1))
    assert proportional(shared, (1.0, 3.0)) == pytest.approx([0.25, 0.375])
    assert together(shared, (1.0, 3.0)) == pytest.approx([1 / 7, 3 / 7])
    z, is_only = greatest(shared, (1.0, 3.0))
    assert z == pytest.approx([0.0, 0.5])
    assert is_only


def test_equal_gains_are_no_single_answer() -> None:
    assert not greatest(pool([(1.0, 2.0)], (0.0, 0.0), (1.0, 0.5), (0, 1)), (1.0, 2.0))[1]


def test_others_keep_their_least_and_whoever_is_in_a_full_row_stays() -> None:
    shared = pool([(1.0, 1.0, 1.0), (0.0, 0.5, 0.0)], (0.4, 0.1, 0.0), (1.0, 1.0, 1.0), (1, 2))
    assert np.array(shared.rows) == pytest.approx(np.array([[1 / 0.6, 1 / 0.6]]))
    full = pool([(1.0, 1.0), (0.0, 2.0)], (1.0, 0.0), (1.0, 0.4), (0, 1))
    assert (full.rows, full.most) == ((), (1.0, 0.0))
