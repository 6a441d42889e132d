"""Names the numbers of a plan that are none; shares no code with the solver."""

from __future__ import annotations

import math
from collections.abc import Iterator

from cotenant.describe import Leaf, Level, Plan, Promise


def unreal(plan: Plan) -> Iterator[str]:
    """Say which numbers of a plan are NaN or infinite: comparisons with such a number tell nothing, and some would pass."""
    yield from (f"{name}: {number}; a finite number" for name, number in _numbers(plan) if not math.isfinite(number))


def _numbers(plan: Plan) -> Iterator[tuple[str, float]]:
    """Yield every number of a plan but the sides of leaves, which may be without end."""
    yield from (("value", plan.value), ("bound", plan.bound), ("seconds", plan.seconds), ("headroom", plan.headroom))
    yield from ((f"params.{name}", value) for name, value in plan.params)
    yield from (number for promise in plan.promises for number in _of_promise(promise))
    for price in plan.prices:
        yield f"use of {price.resource}", price.used
        yield f"capacity of {price.resource}", price.capacity
        yield f"price of {price.resource}", price.price
    shares = (*plan.shares, *(share for solo in plan.solos for share in solo.shares))
    yield from ((f"share of {s.option.tenant}, {s.option.name}", s.rate_per_s) for s in shares)
    yield from (number for level in plan.levels for number in _of_level(level))
    yield from (number for solo in plan.solos for leaf in solo.leaves for number in _of_leaf(f"solo of {solo.tenant}", leaf))


def _of_promise(promise: Promise) -> Iterator[tuple[str, float]]:
    yield f"promise of {promise.tenant}", promise.rate_per_s
    yield f"solo rate of {promise.tenant}", promise.solo_rate_per_s


def _of_level(level: Level) -> Iterator[tuple[str, float]]:
    yield from ((f"value of {level.name}", level.value), (f"bound of {level.name}", level.bound))
    yield from ((f"least of {level.name}", least) for least in (level.least,) if least is not None)
    yield from ((f"rate that {level.name} holds for {tenant}", rate) for tenant, rate in level.held)
    yield from (number for leaf in level.leaves for number in _of_leaf(level.name, leaf))


def _of_leaf(name: str, leaf: Leaf) -> Iterator[tuple[str, float]]:
    yield from ((f"{name}: price of {dual.bind.value} of {dual.of}", dual.price) for some in (leaf.duals, *leaf.sieves) for dual in some)
