"""Dividing what tenants share in proportion: at prices, each buying for itself."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul, sub
from typing import NamedTuple

from cotenant.search.pool import EPS, Numbers, Pool

CLOSE = 1e-11  # of the sum of weights: the duality gap at which the search for prices ends
MOST_STEPS = 100  # of Newton's method; six are usual
ENOUGH = 1e-4  # of the fall that a step's slope promises: what it must bring (Armijo, 1966)
RIDGE = 0.1  # of the greatest slack, at prices of about the sum of weights: what bends the dual function where nothing else does
NEXT_TO_NOTHING = 1e-3  # of the sum of weights: a price that is no more, of a row with room, goes to 0


def proportional(shared: Pool, weights: Numbers) -> list[float] | None:
    """Make the sum of w log z greatest; None where Newton's method does not come close.

    By prices p of the rows: z = w / (p . taken) within its bounds, and the dual function of p is convex and once differentiable
    (Kelly, Maulloo and Tan, 1998). Projected Newton steps with a line search (Bertsekas, 1982).
    """
    rows, total = shared.rows, sum(weights)
    if not rows:
        return list(shared.most)
    buyers = tuple(_Buyer(*all_of) for all_of in zip(shared.least, shared.most, weights, zip(*rows, strict=True), strict=True))
    market: _Market | None = _market(rows, buyers, [total / len(rows)] * len(rows))
    for _ in range(MOST_STEPS):
        if market is None:
            break
        if min(market.slack) > -CLOSE and sum(map(mul, market.prices, market.slack)) <= CLOSE * total:
            over = max(1.0, 1 - min(market.slack))
            return [v / over for v in market.z]
        market = _descend(rows, buyers, market, _newton(rows, market, total))
    return None


class _Buyer(NamedTuple):
    """Hold the bounds of a tenant's z, its weight, and what z = 1 takes of each row."""

    least: float
    most: float
    weight: float
    taken: Numbers


class _Market(NamedTuple):
    """Hold prices of the rows, the z that each tenant buys, how fast it falls with its cost, the slack of the rows, the dual function."""

    prices: list[float]
    z: list[float]
    falls: list[float]
    slack: list[float]
    dual: float


def _market(rows: Sequence[Numbers], buyers: Sequence[_Buyer], prices: list[float]) -> _Market:
    """Let each tenant buy the z that makes w log z - cost z greatest."""
    z, falls, dual = [], [], sum(prices)
    for least, most, weight, taken in buyers:
        cost = sum(map(mul, taken, prices))
        if weight >= cost * most:
            bought, fall = most, 0.0
        elif weight <= cost * least:
            bought, fall = least, 0.0
        else:
            bought = weight / cost
            fall = bought / cost
        z.append(bought)
        falls.append(fall)
        dual += weight * math.log(bought) - cost * bought
    return _Market(prices, z, falls, [1 - sum(map(mul, row, z)) for row in rows], dual)


def _newton(rows: Sequence[Numbers], market: _Market, total: float) -> list[float]:
    """Return Newton's step over the rows whose price may move; the price of a row with room that is next to nothing goes to 0.

    Where everybody is at a bound the dual function is straight: the ridge, which vanishes with the slack, keeps the step short.
    """
    prices, _, falls, slack, _ = market
    off = max([min(price, room) if room > 0 else -room for price, room in zip(prices, slack, strict=True)])
    near = min(NEXT_TO_NOTHING * total, off)
    free = [r for r, price in enumerate(prices) if price > near or slack[r] < 0]
    matrix = []
    for r in free:
        bent = list(map(mul, rows[r], falls))
        matrix.append([sum(map(mul, bent, rows[s])) for s in free])
    ridge = RIDGE * max([abs(slack[r]) for r in free], default=0.0) * total / max(total, sum(prices)) ** 2
    ridge = ridge + EPS * max([line[k] for k, line in enumerate(matrix)], default=0.0) or 1.0
    for k, line in enumerate(matrix):
        line[k] += ridge
    step = [-price if room > 0 else 0.0 for price, room in zip(prices, slack, strict=True)]
    for r, change in zip(free, _solved(matrix, [-slack[r] for r in free]), strict=True):
        step[r] = change
    return step


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a positive definite system by elimination."""
    count = len(right)
    for k, line in enumerate(matrix):
        for i in range(k + 1, count):
            factor = matrix[i][k] / line[k]
            if factor:
                matrix[i] = [a - factor * b for a, b in zip(matrix[i], line, strict=True)]
                right[i] -= factor * right[k]
    for k in reversed(range(count)):
        right[k] = (right[k] - sum(map(mul, matrix[k][k + 1 :], right[k + 1 :]))) / matrix[k][k]
    return right


def _descend(rows: Sequence[Numbers], buyers: Sequence[_Buyer], market: _Market, step: Numbers) -> _Market | None:
    """Go along a step, not below prices of 0, as far as the dual function falls enough; None where it does not."""
    length = 1.0
    while length > EPS:
        prices = [max(price + length * change, 0.0) for price, change in zip(market.prices, step, strict=True)]
        promised = sum(map(mul, market.slack, map(sub, prices, market.prices)))
        moved = _market(rows, buyers, prices)
        if moved.dual <= market.dual + ENOUGH * min(promised, 0.0) + EPS * abs(market.dual):
            return moved
        length /= 2
    return None
