"""Which options a leaf leaves, its sieves among what tells; shares no code with the solver."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from cotenant.describe import Dual, Goal, Leaf, Level, Option, Side
from cotenant.plan.ground import CLOSE, Ground

Options = Mapping[str, Sequence[Option]]
"""By tenant."""


def left(ground: Ground, level: Level, leaf: Leaf) -> dict[str, list[Option]] | None:
    """Return the options of each tenant that artifacts, sides and sieves leave.

    None where the sieves leave a tenant of the level nothing: then no choice of the leaf exceeds the level's bound.
    """
    some: dict[str, list[Option]] = {name: [] for name in ground.tenants}
    for option in ground.options:
        if option.tenant in some and option.artifact not in leaf.banned and _inside(option, leaf.sides):
            some[option.tenant].append(option)
    for duals in leaf.sieves:
        before, some = some, _passed(ground, level, some, duals)
        if any(before[name] and not some[name] for name in level.tenants):
            return None
    return some


def _inside(option: Option, sides: Sequence[Side]) -> bool:
    return all(side.least <= option.figure_of(side.figure) < side.below for side in sides if side.tenant == option.tenant)


def _passed(ground: Ground, level: Level, options: Options, duals: Sequence[Dual]) -> dict[str, list[Option]]:
    """Leave out by what prices a level's tenant stays below its bound, whatever the others choose.

    A tenant has one option. Prices prove a bound of all choices; with one tenant's option given they prove a lower one.
    """
    worth = sum(d.price * (ground.limit(d.bind, d.of) + ground.tolerance(d.bind, d.of)) for d in duals if d.price)
    prices = {name: [_price(ground, duals, option) for option in some] for name, some in options.items()}
    for name in options:
        if level.goal is not Goal.MAXMIN and name in level.tenants:
            continue  # of a sum its tenants' parts tell
        worth += max((max(0.0, -price) * ground.alone_per_s(option) for option, price in _pairs(options, prices, name)), default=0.0)
    top = level.bound + ground.slack(level, CLOSE)
    fewer = {name: list(some) for name, some in options.items()}
    if level.goal is Goal.MAXMIN and top > 0:
        fewer |= _raising_the_least(ground, level, options, prices, worth / top)
    elif level.goal is not Goal.MAXMIN:
        fewer |= _adding(ground, level, options, prices, top - worth)
    return fewer


def _price(ground: Ground, duals: Sequence[Dual], option: Option) -> float:
    return sum(d.price * ground.taken(d.bind, d.of, option) for d in duals)


def _pairs(options: Options, prices: Mapping[str, Sequence[float]], name: str) -> list[tuple[Option, float]]:
    return list(zip(options[name], prices[name], strict=True))


def _raising_the_least(
    ground: Ground, level: Level, options: Options, prices: Mapping[str, Sequence[float]], most: float
) -> dict[str, list[Option]]:
    """Return by which options a least part of 1, all others' cheapest beside it, costs no more than `most`."""
    units = {name: math.prod(ground.term(level.goal, name)) for name in level.tenants}
    least = {name: max(0.0, min(prices[name], default=math.inf)) * unit for name, unit in units.items()}
    rest = {name: sum(cost for other, cost in least.items() if other != name) for name in units}
    return {
        name: [option for option, price in _pairs(options, prices, name) if rest[name] + max(0.0, price) * unit <= most]
        for name, unit in units.items()
    }  # fmt: skip


def _adding(ground: Ground, level: Level, options: Options, prices: Mapping[str, Sequence[float]], least: float) -> dict[str, list[Option]]:
    """Return by which options what tenants add to a sum, less its price, may come to more than `least`."""
    added = {name: [_added(ground, level, option, price) for option, price in _pairs(options, prices, name)] for name in level.tenants}
    nothing = -math.inf if level.goal is Goal.PROPORTIONAL else 0.0
    most = {name: max(some, default=nothing) for name, some in added.items()}
    rest = {name: sum(more for other, more in most.items() if other != name) for name in added}
    return {name: [o for o, more in zip(options[name], some, strict=True) if rest[name] + more > least] for name, some in added.items()}


def _added(ground: Ground, level: Level, option: Option, price: float) -> float:
    """Return the greatest goal less price over the rates that an option reaches by itself; infinite of a goal that is no such sum."""
    weight, unit = ground.term(level.goal, option.tenant)
    alone_per_s = ground.alone_per_s(option)
    match level.goal:
        case Goal.WEIGHTED | Goal.THROUGHPUT:
            return max(0.0, weight / unit - price) * alone_per_s
        case Goal.PROPORTIONAL:
            rate_per_s = min(alone_per_s, weight / price) if price > 0 else alone_per_s
            if rate_per_s <= 0:
                return -math.inf
            return weight * math.log(rate_per_s / unit) - price * rate_per_s
        case _:
            return math.inf
