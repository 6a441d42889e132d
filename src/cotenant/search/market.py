"""Dividing what tenants share in proportion: at prices, each buying for itself."""

from __future__ import annotations

import math
from operator import mul
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
    if not shared.rows:
        return list(shared.most)
    total = sum(weights)
    market: _Market | None = _market(shared, weights, [total / len(shared.rows)] * len(shared.rows))
    for _ in range(MOST_STEPS):
        if market is None:
            break
        if min(market.slack) > -CLOSE and sum(map(mul, market.prices, market.slack)) <= CLOSE * total:
            over = max(1.0, 1 - min(market.slack))
            return [v / over for v in market.z]
        market = _descend(shared, weights, market, _newton(shared, weights, market))
    return None


class _Market(NamedTuple):
    """Hold prices of the rows, what z = 1 then costs each tenant, the z that each buys, what is left of the rows, the dual function."""

    prices: list[float]
    costs: list[float]
    z: list[float]
    slack: list[float]
    dual: float


def _market(shared: Pool, weights: Numbers, prices: list[float]) -> _Market:
    """Let each tenant buy the z that makes w log z - cost z greatest."""
    costs = [sum(map(mul, column, prices)) for column in zip(*shared.rows, strict=True)]
    z = [
        most if w >= cost * most else (low if w <= cost * low else w / cost)
        for low, most, w, cost in zip(shared.least, shared.most, weights, costs, strict=True)
    ]
    slack = [1 - sum(map(mul, row, z)) for row in shared.rows]
    dual = sum(prices) + sum(map(mul, weights, map(math.log, z))) - sum(map(mul, costs, z))
    return _Market(prices=prices, costs=costs, z=z, slack=slack, dual=dual)


def _newton(shared: Pool, weights: Numbers, market: _Market) -> list[float]:
    """Return Newton's step over the rows whose price may move; the price of a row with room that is next to nothing goes to 0.

    Where everybody is at a bound the dual function is straight: the ridge, which vanishes with the slack, keeps the step short.
    """
    prices, slack, total = market.prices, market.slack, sum(weights)
    off = max(abs(price - max(price - room, 0.0)) for price, room in zip(prices, slack, strict=True))
    near = min(NEXT_TO_NOTHING * total, off)
    free = [r for r, (price, room) in enumerate(zip(prices, slack, strict=True)) if price > near or room < 0]
    curve = [
        z / cost if low < z < most else 0.0 for low, most, z, cost in zip(shared.least, shared.most, market.z, market.costs, strict=True)
    ]
    bent = [list(map(mul, shared.rows[r], curve)) for r in free]
    ridge = RIDGE * max((abs(slack[r]) for r in free), default=0.0) * total / max(total, sum(prices)) ** 2
    matrix = [[sum(map(mul, own, shared.rows[s])) for s in free] for own in bent]
    ridge = ridge + EPS * max((matrix[k][k] for k in range(len(free))), default=0.0) or 1.0
    for k in range(len(free)):
        matrix[k][k] += ridge
    step = [-price if room > 0 else 0.0 for price, room in zip(prices, slack, strict=True)]
    for r, change in zip(free, _solved(matrix, [-slack[r] for r in free]), strict=True):
        step[r] = change
    return step


def _solved(matrix: list[list[float]], right: list[float]) -> list[float]:
    """Solve a positive definite system by elimination."""
    count = len(right)
    for k in range(count):
        for i in range(k + 1, count):
            factor = matrix[i][k] / matrix[k][k]
            if factor:
                matrix[i] = [a - factor * b for a, b in zip(matrix[i], matrix[k], strict=True)]
                right[i] -= factor * right[k]
    for k in reversed(range(count)):
        right[k] = (right[k] - sum(matrix[k][j] * right[j] for j in range(k + 1, count))) / matrix[k][k]
    return right


def _descend(shared: Pool, weights: Numbers, market: _Market, step: Numbers) -> _Market | None:
    """Go along a step, not below prices of 0, as far as the dual function falls enough; None where it does not."""
    length = 1.0
    while length > EPS:
        prices = [max(price + length * change, 0.0) for price, change in zip(market.prices, step, strict=True)]
        promised = sum(room * (new - old) for room, new, old in zip(market.slack, prices, market.prices, strict=True))
        moved = _market(shared, weights, prices)
        if moved.dual <= market.dual + ENOUGH * min(promised, 0.0) + EPS * abs(market.dual):
            return moved
        length /= 2
    return None
