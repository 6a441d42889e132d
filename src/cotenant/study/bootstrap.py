"""Intervals: of ratios by resampling rounds, of means by Student's t."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, isfinite, pi, sin, sqrt, tan
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 2000
LEVEL = 0.95
# Resampled rounds cannot reach beyond the least and the greatest of n: these hold the median between them 1 - 2^(1 - n) of the
# time, 0.94 of 5 and 0.5 of 2. An interval of fewer rounds would not be one of 95 %.
FEWEST_ROUNDS = 5

Interval = tuple[float, float]
Sample = NDArray[np.int64]
Draw = NDArray[np.intp]
HALVINGS = 60
"""After so many a quarter of a turn is halved to less than a double tells apart."""


def paired_ratio(over: Sequence[float], under: Sequence[float], rng: np.random.Generator, resamples: int = RESAMPLES) -> Interval | None:
    """Bound the ratio of two means, paired by round, at 95 %; None with fewer than FEWEST_ROUNDS, or none to divide by.

    Rounds are resampled together. With few rounds the plain percentile interval is too narrow, hence the expanded one
    (Hesterberg, 2015, section 5.3): its tails are those of Student's t for this number of rounds.
    """
    count = len(over)
    if count != len(under):
        raise ValueError("paired rounds: as many over as under")
    above, below = np.asarray(over, dtype=float), np.asarray(under, dtype=float)
    if count < FEWEST_ROUNDS or not np.all(below > 0):
        return None
    picks = rng.integers(0, count, (resamples, count))
    return _between(above[picks].sum(axis=1) / below[picks].sum(axis=1), expanded_tail(count))


def quantile_ratio(
    over: Sequence[Sample], under: Sequence[Sample], q: float, rng: np.random.Generator, resamples: int = RESAMPLES
) -> Interval | None:
    """Bound the ratio of two pooled quantiles at 95 %: rounds are resampled in pairs, then the requests within each.

    One array of latencies per round and side; q in (0, 1]. None with fewer than FEWEST_ROUNDS, or where a side has no requests.
    A cluster bootstrap in two stages counts the spread within rounds twice, so it errs towards wide (Davison and Hinkley, 1997, 3.8).
    """
    count = len(over)
    if count != len(under):
        raise ValueError("paired rounds: as many over as under")
    if count < FEWEST_ROUNDS or not sum(map(len, over)) or not sum(map(len, under)):
        return None
    ratios = []
    for _ in range(resamples):
        picks = rng.integers(0, count, count)
        top, bottom = (_resampled_quantile(side, picks, q, rng) for side in (over, under))
        if top is not None and bottom:
            ratios.append(top / bottom)
    return _between(np.asarray(ratios), (1 - LEVEL) / 2) if ratios else None


def expanded_tail(count: int) -> float:
    """Return the tail on each side that makes a percentile interval of `count` values as wide as Student's."""
    freedom = count - 1
    return NormalDist().cdf(-sqrt(count / freedom) * student(LEVEL, freedom))


def bounded_mean(values: Sequence[float] | NDArray[np.float64], level: float) -> Interval | None:
    """Bound the mean of independent values by Student's t; None with fewer than two, or one that is infinite."""
    if len(values) < 2 or not all(map(isfinite, values)):
        return None
    half = student(level, len(values) - 1) * float(np.std(values, ddof=1)) / sqrt(len(values))
    middle = float(np.mean(values))
    return middle - half, middle + half


def student(level: float, freedom: int) -> float:
    """Return t such that Student's distribution has `level` of itself, in (0, 1), between -t and t; `freedom` is 1 or more.

    Halves the range of atan(t / sqrt(freedom)), in which the distribution is a finite sum (Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4).
    """
    low, high = 0.0, pi / 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return sqrt(freedom) * tan(high)


def _within(angle: float, freedom: int) -> float:
    odd = freedom % 2
    term = cos(angle) if odd else 1.0
    total = 0.0
    for k in range(odd, freedom - 1, 2):
        total += term
        term *= cos(angle) ** 2 * (k + 1) / (k + 2)
    total *= sin(angle)
    return (angle + total) * 2 / pi if odd else total


def _resampled_quantile(rounds: Sequence[Sample], picks: Draw, q: float, rng: np.random.Generator) -> float | None:
    chosen = [rounds[i] for i in picks if len(rounds[i])]
    if not chosen:
        return None
    drawn = np.concatenate([latencies[rng.integers(0, len(latencies), len(latencies))] for latencies in chosen])
    place = max(int(np.ceil(q * drawn.size - 1e-9)), 1) - 1
    return float(np.partition(drawn, place)[place])


def _between(values: NDArray[np.float64], tail: float) -> Interval:
    low, high = np.quantile(values, [tail, 1 - tail], method="inverted_cdf")
    return float(low), float(high)
