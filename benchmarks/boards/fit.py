"""Times as sums of what is counted, fitted by least squares."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations
from math import fsum, inf, sqrt
from typing import NamedTuple

DIGITS = 3  # of a coefficient, so that a file's head can show what was computed with
ROUNDS = 20

Row = Sequence[float]


class Sample(NamedTuple):
    """What was counted, what was measured, and how much that counts in a fit."""

    counts: tuple[float, ...]
    measured: float
    weight: float = 1.0


def fitted(samples: Sequence[Sample]) -> tuple[float, ...]:
    """Return what each count costs, none less than 0: of all choices of counts that cost something, the one with the least error."""
    size = len(samples[0].counts)
    chosen = [kept for length in range(1, size + 1) for kept in combinations(range(size), length)]
    tried = [costs for kept in chosen if min(costs := _with(samples, kept)) >= 0]
    best = min(tried, key=lambda costs: error(samples, costs))
    return tuple(float(f"{cost:.{DIGITS}g}") for cost in best)


def error(samples: Sequence[Sample], costs: Row) -> float:
    """Return the root of the mean of (predicted - measured)^2 / (predicted * measured): too long and too short by a factor are alike."""
    squares = (sample.weight * _off(sample, predicted(sample.counts, costs)) for sample in samples)
    return sqrt(fsum(squares) / fsum(sample.weight for sample in samples))


def predicted(counts: Row, costs: Row) -> float:
    return fsum(count * cost for count, cost in zip(counts, costs, strict=True))


def _off(sample: Sample, time: float) -> float:
    return (time - sample.measured) ** 2 / (time * sample.measured) if time > 0 else inf


def _with(samples: Sequence[Sample], kept: Sequence[int]) -> tuple[float, ...]:
    """Return the costs where only those kept are not 0, by least squares weighed anew by what the last round predicted."""
    expected = [sample.measured for sample in samples]
    costs: tuple[float, ...] = ()
    for _ in range(ROUNDS):
        costs = _weighed(samples, kept, [sample.weight / (sample.measured * time) for sample, time in zip(samples, expected, strict=True)])
        if min(costs) < 0:
            break
        expected = [max(predicted(sample.counts, costs), sample.measured / 100) for sample in samples]
    return costs


def _weighed(samples: Sequence[Sample], kept: Sequence[int], weights: Sequence[float]) -> tuple[float, ...]:
    """Return the costs of weighed least squares; below 0 where the counts do not tell them apart."""
    both = list(zip(samples, weights, strict=True))
    sides = [fsum(weight * sample.counts[a] * sample.measured for sample, weight in both) for a in kept]
    matrix = [[fsum(weight * sample.counts[a] * sample.counts[b] for sample, weight in both) for b in kept] for a in kept]
    solved = dict(zip(kept, _solved(matrix, sides) or [-1.0] * len(kept), strict=True))
    return tuple(solved.get(index, 0.0) for index in range(len(samples[0].counts)))


def _solved(matrix: list[list[float]], sides: list[float]) -> list[float] | None:
    """Solve a symmetric system by elimination, in plain arithmetic, so that every machine makes the same file."""
    size = len(sides)
    rows = [[*row, side] for row, side in zip(matrix, sides, strict=True)]
    for pivot in range(size):
        if rows[pivot][pivot] <= 0:
            return None
        for below in range(pivot + 1, size):
            factor = rows[below][pivot] / rows[pivot][pivot]
            rows[below] = [value - factor * above for value, above in zip(rows[below], rows[pivot], strict=True)]
    found = [0.0] * size
    for index in reversed(range(size)):
        known = fsum(rows[index][column] * found[column] for column in range(index + 1, size))
        found[index] = (rows[index][size] - known) / rows[index][index]
    return found
