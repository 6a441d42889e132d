"""Checks a plan from its rates and prices; shares no code with the solver."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cotenant.describe import Bind, Goal, Level, Objective, Option, Plan, Platform, Solo, Tenant, open_rate_per_s
from cotenant.plan.fits import misfits, rates_per_s, unequal
from cotenant.plan.ground import CLOSE, Ground
from cotenant.plan.numbers import unreal
from cotenant.plan.proof import climb, misordered, proven

_GOALS = {
    Objective.PROPORTIONAL: Goal.PROPORTIONAL, Objective.WEIGHTED: Goal.WEIGHTED,
    Objective.MAXMIN: Goal.MAXMIN, Objective.THROUGHPUT: Goal.THROUGHPUT,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Hold what is wrong with a plan, in plain words, with its value and bound as computed again from rates and prices.

    `undecided`: who gets nothing, where each has one option, and is not shown to get nothing by any other choice of them. A search that
    ended early leaves that open.
    """

    complaints: tuple[str, ...]
    value: float
    bound: float
    undecided: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        return not self.complaints


def check(plan: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, headroom: float = 0.9) -> Verdict:
    """Prove a plan again: that it fits, what it is worth, and that none in this order is worth more than its bound.

    Every option is scanned with the prices of every level; nothing is solved. A number that is none, or has no end, is refused first.
    """
    ground = Ground(
        tenants={t.name: t for t in tenants}, options=options, platform=platform, headroom=headroom,
        solo_per_s={p.tenant: p.solo_rate_per_s for p in plan.promises}, held_per_s={}, least={},
    )  # fmt: skip
    strange = (*unreal(plan), *_strangers(plan, ground))
    if strange:
        return Verdict(complaints=strange, value=math.nan, bound=math.nan)
    complaints = [*misfits(plan.shares, ground), *_mixed(plan), *_promises(plan, ground)]
    others = tuple(misordered(plan.levels, tenants, _GOALS[plan.objective]))
    if others:  # levels of another crew have no value for this one
        return Verdict(complaints=(*complaints, *others), value=math.nan, bound=math.nan)
    complaints += [complaint for solo in plan.solos for complaint in _solo(solo, ground)]
    found = climb(plan, ground)
    complaints += [*found.complaints, *_prices(plan, ground)]
    complaints += unequal("plan.value", plan.value, found.value) + unequal("plan.bound", plan.bound, found.bound, over=True)
    return Verdict(complaints=tuple(complaints), undecided=found.undecided, value=found.value, bound=found.bound)


def _strangers(plan: Plan, ground: Ground) -> Iterator[str]:
    """Say what the plan speaks of that the crew and the platform do not have."""
    names = list(ground.tenants)
    if sorted(p.tenant for p in plan.promises) != sorted(names) or sorted(s.tenant for s in plan.solos) != sorted(names):
        yield "promises: not one for each tenant"
    known = set(ground.options)
    shares = (*plan.shares, *(share for solo in plan.solos for share in solo.shares))
    yield from (f"share of {s.option.tenant}, {s.option.name}: no such option" for s in shares if s.option not in known)
    yield from (f"share of {s.option.tenant}, {s.option.name}: {s.rate_per_s}/s" for s in shares if not 0 <= s.rate_per_s < math.inf)
    sides = [side for level in plan.levels for leaf in level.leaves for side in leaf.sides]
    yield from (f"a side of {side.tenant}: no such tenant" for side in sides if side.tenant not in names)
    yield from (f"a side of {side.tenant}: from {side.least} to {side.below}" for side in sides if not 0 <= side.least < side.below)
    yield from (f"{level.name}: no prices at all" for level in plan.levels if not level.leaves)
    yield from (f"solo of {solo.tenant}: no prices at all" for solo in plan.solos if not solo.leaves)
    yield from (f"{level.name}: no such tenants" for level in plan.levels if not set(level.tenants) <= set(names))
    yield from (f"solo rate of {p.tenant}: {p.solo_rate_per_s}" for p in plan.promises if not 0 < p.solo_rate_per_s < math.inf)
    reckoned = [(p.name, p.stalled) for p in ground.platform.processors if p.stalled]
    if sorted(plan.stalls) != sorted(reckoned):
        yield f"stalls: {dict(plan.stalls)} in the plan, {dict(reckoned)} to be reckoned with"
    if plan.headroom != ground.headroom:
        yield f"headroom: {plan.headroom} in the plan, {ground.headroom} asked"


def _mixed(plan: Plan) -> Iterator[str]:
    """Name the tenants with several options in a plan of one each, and the levels of any other plan that are proved for one each."""
    if any(leaf.sides or leaf.sieves for solo in plan.solos for leaf in solo.leaves):
        yield "solos: sides or sieves, which prove nothing of a tenant alone, who may mix"
    several = [(p.tenant, len(plan.shares_of(p.tenant))) for p in plan.promises if len(plan.shares_of(p.tenant)) > 1]
    if plan.single:
        yield from (f"{tenant}: {count} options in a plan of one each" for tenant, count in several)
    else:
        for level in plan.levels:
            if any(leaf.sides or leaf.sieves for leaf in level.leaves):
                yield f"{level.name}: sides or sieves in a plan of mixtures"


def _promises(plan: Plan, ground: Ground) -> Iterator[str]:
    rates = rates_per_s(plan.shares, list(ground.tenants))
    for promise in plan.promises:
        solo = promise.solo_rate_per_s
        yield from unequal(f"promise of {promise.tenant}, of solo", promise.rate_per_s / solo, rates[promise.tenant] / solo)
        if promise.rate_per_s > solo * (1 + CLOSE):
            yield f"promise of {promise.tenant}: {promise.rate_per_s:.7g}/s of {solo:.7g}/s alone"
        arriving = open_rate_per_s(ground.tenants[promise.tenant].arrival)
        if arriving is not None and promise.rate_per_s > arriving:
            yield f"promise of {promise.tenant}: {promise.rate_per_s}/s of {arriving}/s that arrive"


def _solo(solo: Solo, ground: Ground) -> Iterator[str]:
    """Show that a tenant alone reaches its solo rate, and that its prices allow no more."""
    platform = replace(ground.platform, processors=tuple(replace(p, stalled=0.0) for p in ground.platform.processors))
    alone = replace(ground, tenants={solo.tenant: ground.tenants[solo.tenant]}, platform=platform)
    stated = ground.solo_per_s[solo.tenant]
    if any(s.option.tenant != solo.tenant for s in solo.shares):
        yield f"solo of {solo.tenant}: shares of others"
    yield from (f"solo of {solo.tenant}: {complaint}" for complaint in misfits(solo.shares, alone))
    yield from unequal(f"solo of {solo.tenant}", 1.0, rates_per_s(solo.shares, [solo.tenant])[solo.tenant] / stated)
    level = Level(goal=Goal.THROUGHPUT, rank=0, tenants=(solo.tenant,), value=stated, bound=stated, leaves=solo.leaves)
    bound, complaints = proven(level, alone)
    yield from (*complaints, *unequal(f"solo of {solo.tenant}", 1.0, bound / stated, over=True))


def _prices(plan: Plan, ground: Ground) -> Iterator[str]:
    """Compare the prices shown with those of the level that they were taken from."""
    level = _priced(plan.levels)
    paid = {(dual.bind, dual.of): dual.price for dual in level.leaves[0].duals} if level else {}
    if sorted(p.resource for p in plan.prices) != sorted(ground.resources()):
        yield "prices: not one for each resource"
        return
    for price in plan.prices:
        again = paid.get((Bind.CAPACITY, price.resource), 0.0) + ground.headroom * paid.get((Bind.HEADROOM, price.resource), 0.0)
        used = math.fsum(s.option.demand_of(price.resource) * s.rate_per_s for s in plan.shares)
        capacity = ground.given(price.resource)
        yield from unequal(f"price of {price.resource}", price.price, again)
        yield from unequal(f"use of {price.resource}", price.used / capacity, used / capacity)
        yield from unequal(f"capacity of {price.resource}", price.capacity / capacity, 1.0)


def _priced(levels: Sequence[Level]) -> Level | None:
    kinds = (set(_GOALS.values()), {Goal.DEMAND})
    return next((level for goals in kinds for level in reversed(levels) if level.goal in goals), None)
