"""Intervals against populations whose truth is known."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from cotenant.study.bootstrap import FEWEST_ROUNDS, Sample, expanded_tail, paired_ratio, quantile_ratio

# Of 200 intervals that cover with probability 0.95, fewer than 178 do so twice in ten thousand times; of 60, fewer than 50.
EXPERIMENTS, COVER_LEAST = 200, 178
FEW_EXPERIMENTS, FEW_COVER_LEAST = 60, 50


@pytest.mark.parametrize("rounds", [5, 20])
def test_paired_intervals_cover_the_true_ratio_as_often_as_they_say(rounds: int) -> None:
    rng = np.random.default_rng(rounds)
    covered = 0
    for _ in range(EXPERIMENTS):
        # The host drifts by a factor that both ways share: pairing removes it.
        drift = rng.normal(1.0, 0.1, rounds)
        over, under = 3.0 * drift + rng.normal(0, 0.05, rounds), 2.0 * drift + rng.normal(0, 0.05, rounds)
        low, high = paired_ratio(list(over), list(under), rng, resamples=400) or (0.0, 0.0)
        covered += low <= 1.5 <= high
    assert covered >= COVER_LEAST


def test_pairing_removes_what_rounds_share() -> None:
    drift = [1.0, 2.0, 0.5, 4.0, 3.0]
    low, high = paired_ratio([3 * d for d in drift], drift, np.random.default_rng(0)) or (0.0, 0.0)
    assert (low, high) == pytest.approx((3.0, 3.0))


def test_the_same_way_twice_has_a_ratio_of_one_within() -> None:
    rng = np.random.default_rng(1)
    once, again = (list(rng.normal(5, 0.2, 5)) for _ in range(2))
    low, high = paired_ratio(once, again, rng) or (2.0, 0.0)
    assert low < 1.0 < high


def test_quantile_intervals_cover_the_true_ratio() -> None:
    rng = np.random.default_rng(2)
    covered = sum(_covers(rng, drift=0.0) for _ in range(FEW_EXPERIMENTS))
    assert covered >= FEW_COVER_LEAST


def test_quantile_intervals_cover_although_rounds_drift() -> None:
    rng = np.random.default_rng(3)
    covered = sum(_covers(rng, drift=0.2) for _ in range(FEW_EXPERIMENTS))
    assert covered >= FEW_COVER_LEAST


def test_a_quantile_set_over_itself_has_one_within() -> None:
    rng = np.random.default_rng(4)
    rounds = _exponential(rng, 1.0, [1.0] * 5)
    low, high = quantile_ratio(rounds, rounds, 0.99, rng, resamples=200) or (2.0, 0.0)
    assert low <= 1.0 <= high


@pytest.mark.parametrize("rounds", range(FEWEST_ROUNDS))
def test_too_few_rounds_tell_no_interval(rounds: int) -> None:
    rng = np.random.default_rng(5)
    assert paired_ratio([1.0] * rounds, [1.0] * rounds, rng) is None
    assert quantile_ratio([np.array([1])] * rounds, [np.array([1])] * rounds, 0.99, rng) is None


def test_the_fewest_rounds_are_those_whose_extremes_hold_the_median_nearly_as_often_as_claimed() -> None:
    # All of n rounds lie on one side of the median with probability 2 x 2^-n.
    assert 1 - 2.0 ** (1 - FEWEST_ROUNDS) > 0.93
    assert 1 - 2.0 ** (2 - FEWEST_ROUNDS) < 0.93


def test_nothing_to_divide_by_tells_no_interval() -> None:
    rng = np.random.default_rng(6)
    nothing: Sample = np.empty(0, np.int64)
    assert paired_ratio([1.0] * 5, [1.0] * 4 + [0.0], rng) is None
    assert quantile_ratio([np.array([1])] * 5, [nothing] * 5, 0.99, rng) is None


def test_a_round_without_answers_is_no_obstacle() -> None:
    nothing: Sample = np.empty(0, np.int64)
    rng = np.random.default_rng(7)
    found = quantile_ratio([np.array([2, 2])] * 4 + [nothing], [np.array([1])] * 5, 0.99, rng, resamples=50)
    assert found == (2.0, 2.0)


def test_rounds_that_do_not_pair_are_refused() -> None:
    with pytest.raises(ValueError, match="as many over as under"):
        paired_ratio([1.0], [1.0, 2.0], np.random.default_rng(0))


def test_the_expanded_tail_tends_to_the_plain_one() -> None:
    tails = [expanded_tail(count) for count in (2, 3, 5, 10, 30, 100, 10_000)]
    assert tails == sorted(tails)
    assert tails[-1] == pytest.approx(0.025, rel=0.01)


def _exponential(rng: np.random.Generator, scale: float, drift: Sequence[float]) -> list[Sample]:
    return [(rng.exponential(scale * factor, 200) * 1e6).astype(np.int64) + 1 for factor in drift]


def _covers(rng: np.random.Generator, drift: float) -> bool:
    """Draw five paired rounds of two exponential populations, one of half the scale, hence half the p99."""
    factors = np.exp(rng.normal(0, drift, 5))
    over, under = _exponential(rng, 0.5, list(factors)), _exponential(rng, 1.0, list(factors))
    low, high = quantile_ratio(over, under, 0.99, rng, resamples=150) or (0.0, 0.0)
    return low <= 0.5 <= high
