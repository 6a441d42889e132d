"""Student's t against its tables, its closed forms and its limit."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from cotenant.study.bootstrap import bounded_mean, student


@pytest.mark.parametrize(
    ("level", "freedom", "t"),
    [(0.95, 1, 12.706), (0.99, 1, 63.657), (0.99, 2, 9.925), (0.95, 5, 2.571), (0.95, 10, 2.228), (0.99, 29, 2.756), (0.95, 30, 2.042)],
)
def test_students_t_is_that_of_the_tables(level: float, freedom: int, t: float) -> None:
    assert student(level, freedom) == pytest.approx(t, abs=6e-4)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.99, 0.9999])
def test_with_one_and_two_degrees_it_is_what_solving_for_t_says(level: float) -> None:
    """One: 2 atan(t) / pi is the level. Two: t / sqrt(2 + t^2) is."""
    assert student(level, 1) == pytest.approx(math.tan(math.pi * level / 2))
    assert student(level, 2) == pytest.approx(level * math.sqrt(2 / (1 - level**2)))


def test_with_ever_more_degrees_it_falls_towards_the_normal_one() -> None:
    found = [student(0.95, freedom) for freedom in (1, 2, 3, 10, 11, 30, 100, 5000)]
    normal = NormalDist().inv_cdf(0.975)
    assert found == sorted(found, reverse=True)
    assert normal < found[-1] == pytest.approx(normal, rel=1e-3)


def test_an_interval_is_of_the_mean_and_needs_two_finite_values() -> None:
    """1 and 3: mean 2, standard deviation sqrt 2, over sqrt 2 values: one; times 12.706."""
    assert bounded_mean(np.array([1.0, 3.0]), 0.95) == pytest.approx((2 - 12.706, 2 + 12.706), abs=1e-3)
    assert bounded_mean([1.0], 0.95) is None
    assert bounded_mean([1.0, math.inf], 0.95) is None


def test_intervals_of_means_cover_as_often_as_they_say() -> None:
    """Of 1000 that cover with probability 0.9, fewer than 865 do so once in five thousand times."""
    rng = np.random.default_rng(0)
    intervals = [bounded_mean(rng.normal(5.0, 2.0, 4), 0.9) or (0.0, 0.0) for _ in range(1000)]
    assert 865 <= sum(low <= 5.0 <= high for low, high in intervals) <= 935
