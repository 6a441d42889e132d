"""From rates that reach every level to a plan: shares, promises, prices, and what they come to."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cotenant.describe import Bind, Goal, Level, Objective, Plan, Price, Promise, Share, Tenant, open_rate_per_s
from cotenant.plan.columns import Vector
from cotenant.plan.levels import Ladder
from cotenant.plan.problem import USED, Problem
from cotenant.plan.rows import capacities

OBJECTIVES = (Goal.PROPORTIONAL, Goal.WEIGHTED, Goal.MAXMIN, Goal.THROUGHPUT)
_DUST = 5e-8  # of a tenant's rate, or of its solo rate where it has no more: what tolerances let through, and a plan may lack


def written(ladder: Ladder, objective: Objective, headroom: float) -> Plan:
    """Make a plan of a ladder's rates."""
    problem, x = ladder.problem, _settled(ladder)
    counted = objective_levels(ladder.levels)
    return Plan(
        shares=shares_of(problem, x),
        promises=_promises(ladder, x),
        prices=_prices(problem, x, priced_level(ladder.levels), headroom),
        objective=objective,
        value=sum(aim.value(problem, x) for aim, level in zip(ladder.aims, ladder.levels, strict=True) if level in counted),
        bound=sum(level.bound for level in counted),
        headroom=headroom,
        stalls=tuple((p.name, p.stalled) for p in problem.platform.processors if p.stalled > 0.0),
        single=ladder.effort is not None,
        levels=ladder.levels,
        solos=ladder.solos,
    )


def _settled(ladder: Ladder) -> Vector:
    """Remove what the tolerances leave: no rate that is dust, none above what arrives or above solo."""
    problem = ladder.problem
    solo = {t.name: ladder.solo(t.name) for t in problem.tenants}
    x = np.where(ladder.x > USED * problem.unit, ladder.x, 0.0)
    for at, (name, rate) in enumerate(problem.rates(ladder.x).items()):
        own = np.flatnonzero(problem.columns.owned(at))
        own = own[np.argsort(x[own])]
        x[own[np.cumsum(x[own]) <= _DUST * (rate if rate > _DUST * solo[name] else solo[name])]] = 0.0
    rates = problem.rates(x)
    for tenant in problem.tenants:
        most, rate = _most(ladder, tenant), rates[tenant.name]
        if rate > most:
            x = np.where(problem.owner(tenant.name) > 0, x * (most / rate), x)
    return x


def _most(ladder: Ladder, tenant: Tenant) -> float:
    arriving = open_rate_per_s(tenant.arrival)
    return min(ladder.solo(tenant.name), np.inf if arriving is None else arriving)


def _promises(ladder: Ladder, x: Vector) -> tuple[Promise, ...]:
    rates = ladder.problem.rates(x)
    return tuple(
        Promise(tenant=t.name, rate_per_s=min(rates[t.name], _most(ladder, t)), solo_rate_per_s=ladder.solo(t.name))
        for t in ladder.problem.tenants
    )


def objective_levels(levels: Sequence[Level]) -> tuple[Level, ...]:
    """Return the levels that a plan's value adds up: the objective's, the first of each rank; else those of the demands."""
    first = {level.rank: level for level in reversed(levels) if level.goal in OBJECTIVES}
    return tuple(first.values()) or tuple(level for level in levels if level.goal is Goal.DEMAND)


def priced_level(levels: Sequence[Level]) -> Level | None:
    """Return the level whose prices a plan shows: the last of the objective; else the last demand."""
    last = [level for level in levels if level.goal in OBJECTIVES] or [level for level in levels if level.goal is Goal.DEMAND]
    return last[-1] if last else None


def _prices(problem: Problem, x: Vector, level: Level | None, headroom: float) -> tuple[Price, ...]:
    """Add up what the level pays for a resource as a whole, and for the part of it that open work may have."""
    paid = {(d.bind, d.of): d.price for d in level.leaves[0].duals} if level else {}
    return tuple(
        Price(
            resource=name, unit=unit, capacity=capacity, used=float(problem.columns.demanded(name) @ x),
            price=paid.get((Bind.CAPACITY, name), 0.0) + headroom * paid.get((Bind.HEADROOM, name), 0.0),
        )
        for name, unit, capacity in capacities(problem.platform)
    )  # fmt: skip


def shares_of(problem: Problem, x: Vector) -> tuple[Share, ...]:
    """List the options that have a rate."""
    return tuple(Share(option=problem.options[k], rate_per_s=float(x[k])) for k in np.flatnonzero(x > USED * problem.unit))
