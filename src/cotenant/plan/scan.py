"""A bound from any prices, by scanning every option; shares no code with the solver."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cotenant.describe import Goal, Leaf, Level, Option
from cotenant.plan.ground import Ground
from cotenant.plan.sieved import left

ROUNDING = 1e-12  # relative: below it a contradiction is the arithmetic's own


def bounded(ground: Ground, level: Level) -> float:
    """Return the greatest value of a level's goal that its prices leave possible, over all leaves.

    A sieve only tells which options stay below the bound that is stated, so nothing less is proved by it.
    """
    least = level.bound if any(leaf.sieves for leaf in level.leaves) else -math.inf
    bounds = [_leaf_bound(ground, level, leaf) for leaf in level.leaves]
    return math.inf if any(math.isnan(bound) for bound in bounds) else max(least, *bounds)


def given(ground: Ground, level: Level) -> float:
    """Return by how much rates that are accepted may exceed a level's bound: they may miss rows that have a price (weak duality)."""
    return max(_given(ground, leaf) for leaf in level.leaves)


def _given(ground: Ground, leaf: Leaf) -> float:
    return sum(dual.price * ground.tolerance(dual.bind, dual.of) for dual in leaf.duals if dual.price)


Priced = Mapping[str, Sequence[tuple[Option, float]]]
"""Of each tenant its options, and what one inference costs by each."""


def _priced(ground: Ground, options: Mapping[str, Sequence[Option]], leaf: Leaf) -> Priced:
    return {
        name: [(option, sum(d.price * ground.taken(d.bind, d.of, option) for d in leaf.duals)) for option in some]
        for name, some in options.items()
    }


def cheapest(ground: Ground, level: Level, leaf: Leaf) -> dict[str, float]:
    """Return the least price of one inference of each tenant; infinite without an option."""
    prices = _priced(ground, left(ground, level, leaf) or {}, leaf)
    return {name: min((price for _, price in prices.get(name, ())), default=math.inf) for name in ground.tenants}


def _leaf_bound(ground: Ground, level: Level, leaf: Leaf) -> float:
    """Weak duality: for prices of 0 or more, goal(x) <= sum of price b + the greatest goal(x) - price of x over all rates."""
    worth = sum(d.price * ground.limit(d.bind, d.of) for d in leaf.duals if d.price)
    scale = sum(d.price * abs(ground.limit(d.bind, d.of)) for d in leaf.duals if d.price)
    options = left(ground, level, leaf)
    if options is None:
        return -math.inf  # nothing beyond what the sieves have proved
    prices = _priced(ground, options, leaf)
    if worth + sum(_left(ground, some, 0.0) for some in prices.values()) < -ROUNDING * scale - _given(ground, leaf):
        return -math.inf  # the rows contradict each other: there are no rates at all (Farkas)
    if level.goal is Goal.LOAD:
        prices = {name: [(option, price + ground.load(option)) for option, price in some] for name, some in prices.items()}
    others = sum(_left(ground, some, 0.0) for name, some in prices.items() if name not in level.tenants)
    return worth + others + _surplus(ground, level, {name: prices[name] for name in level.tenants})


def _left(ground: Ground, prices: Sequence[tuple[Option, float]], gain: float) -> float:
    """Return the greatest gain less price over a tenant's rates: as one rate, or option by option, whichever limits more."""
    if not prices:
        return 0.0
    least = min(price for _, price in prices)
    if gain <= least:
        return 0.0
    together = (gain - least) * ground.most_per_s(prices[0][0].tenant)
    return min(together, sum((gain - price) * ground.alone_per_s(option) for option, price in prices if gain > price))


def _surplus(ground: Ground, level: Level, prices: Priced) -> float:
    """Return the greatest of goal less price over all rates of the level's tenants."""
    terms = {name: ground.term(level.goal, name) for name in level.tenants}
    least = {name: min((price for _, price in some), default=math.inf) for name, some in prices.items()}
    most = {name: ground.most_per_s(name) if some else 0.0 for name, some in prices.items()}
    match level.goal:
        case Goal.DEMAND | Goal.WEIGHTED | Goal.THROUGHPUT | Goal.LOAD:
            return sum(_left(ground, prices[name], weight / unit) for name, (weight, unit) in terms.items())
        case Goal.FLOORS:
            return sum(_capped(weight, unit, least[name], most[name]) for name, (weight, unit) in terms.items())
        case Goal.PROPORTIONAL:
            return sum(_logarithm(weight, unit, least[name], most[name]) for name, (weight, unit) in terms.items())
        case Goal.STARVED | Goal.MAXMIN:
            paid = sum(least[name] * weight * unit for name, (weight, unit) in terms.items() if least[name] >= 0)
            top = min(most[name] / (weight * unit) for name, (weight, unit) in terms.items())
            if paid < 1.0:  # be it by rounding: `most` may be far beyond what the resources give
                name, (weight, unit) = next(iter(terms.items()))
                top = min(top, sum(ground.alone_per_s(option) for option, _ in prices[name]) / (weight * unit))
            return max(0.0, 1.0 - paid) * top + sum(_left(ground, some, 0.0) for some in prices.values())


def _capped(weight: float, unit: float, price: float, most: float) -> float:
    """Return the greatest w min(1, y / unit) - price y: at nothing, at the cap or at the most."""
    if most == 0:
        return 0.0
    return max(weight * min(1.0, y / unit) - price * y for y in (0.0, min(unit, most), most))


def _logarithm(weight: float, unit: float, price: float, most: float) -> float:
    """Return the greatest w log(y / unit) - price y: where w / y is the price, or at the most."""
    if most == 0:
        return -math.inf
    y = min(most, weight / price) if price > 0 else most
    if y <= 0:
        return -math.inf
    return weight * math.log(y / unit) - price * y
