"""From tenants and options to a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from cotenant.describe import Bind, Goal, Level, Objective, Option, Plan, Platform, Price, Promise, Share, Solo, Tenant, open_rate_per_s
from cotenant.errors import InfeasibleError, InputError
from cotenant.plan.aim import Aim
from cotenant.plan.branch import best
from cotenant.plan.columns import Columns, Vector, columns
from cotenant.plan.levels import Ladder, demand, floors, lighten, share
from cotenant.plan.problem import USED, Problem, build
from cotenant.plan.rows import capacities
from cotenant.plan.shortage import refuse_homeless, refuse_short
from cotenant.plan.single import Effort

HEADROOM = 0.9  # share of a processor that open work may be promised
_DUST = 1e-7  # of a tenant's rate, or of its solo rate where it has no more: what the tolerances let through
OBJECTIVES = (Goal.PROPORTIONAL, Goal.WEIGHTED, Goal.MAXMIN, Goal.THROUGHPUT)


def solve(
    tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, objective: Objective,
    *, headroom: float = HEADROOM, allow_overload: bool = False, effort: Effort | None = None, chosen: Collection[Option] | None = None,
) -> Plan:  # fmt: skip
    """Plan a rate for every option, in order of rank, with the prices that prove it; with an `effort`, one option for each tenant.

    With options `chosen`, one for each tenant, only their rates are planned, and the bound is that of all plans.

    InputError for a tenant without an option; InfeasibleError, naming the resource, where an open tenant's arrivals, a floor or
    the models' memory do not fit, unless `allow_overload` asks for the best there is, the last rank short first.
    """
    ladder = _limited(start(tenants, options, platform, headroom), effort, chosen)
    if not allow_overload:
        refuse_homeless(ladder.problem)
    ladder = ascend(ladder, [*_duties(tenants), *_objectives(tenants, objective)], headroom, allow_overload=allow_overload)
    return _plan(lighten(ladder), objective, headroom)


def _limited(ladder: Ladder, effort: Effort | None, chosen: Collection[Option] | None) -> Ladder:
    if chosen is None:
        return replace(ladder, effort=effort)
    some = set(chosen)
    choice = np.array([option in some for option in ladder.problem.options])
    return replace(ladder, effort=effort or Effort(), choice=choice, chosen=True)


def secured(tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, headroom: float) -> Ladder:
    """Secure rank 0's demand and the floors, as far as they fit, and divide nothing yet."""
    return ascend(start(tenants, options, platform, headroom), _duties(tenants), headroom, allow_overload=True)


def start(tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, headroom: float) -> Ladder:
    """Find every tenant's solo rate; nothing is divided yet."""
    every = columns(tenants, options)
    solos = tuple(_solo(tenant, every.of(at), platform, headroom) for at, tenant in enumerate(tenants))
    problem = build(tenants, every, platform, headroom)
    return Ladder(problem=problem, rows=problem.rows, solos=solos, x=np.zeros(len(problem.options)))


def ascend(ladder: Ladder, steps: Sequence[Callable[[Ladder], Ladder]], headroom: float, *, allow_overload: bool) -> Ladder:
    """Climb in order; InfeasibleError where a demand or a floor is not reached, unless that is allowed."""
    for step in steps:
        ladder = step(ladder)
        if not allow_overload:
            refuse_short(ladder, headroom)
    return ladder


def _duties(tenants: Sequence[Tenant]) -> list[Callable[[Ladder], Ladder]]:
    return [partial(demand, rank=0), *(partial(floors, rank=rank) for rank in sorted({t.rank for t in tenants}))]


def _objectives(tenants: Sequence[Tenant], objective: Objective) -> list[Callable[[Ladder], Ladder]]:
    steps: list[Callable[[Ladder], Ladder]] = []
    for rank in sorted({t.rank for t in tenants}):
        steps += [partial(demand, rank=rank)] if rank > 0 else []
        steps += [partial(share, rank=rank, objective=objective)]
    return steps


def _solo(tenant: Tenant, own: Columns, platform: Platform, headroom: float) -> Solo:
    """Give a tenant the platform for itself, with its own arrivals and its own options."""
    problem = build([tenant], own, platform, headroom)
    if not problem.options:
        raise InputError(f"tenants[{tenant.name}]", "no option", "at least one way to serve it")
    aim = Aim(goal=Goal.THROUGHPUT, rank=tenant.rank, tenants=(tenant.name,), weights=(1.0,), units_per_s=(1.0,))
    found = best(problem, aim, problem.rows, np.zeros(len(problem.options)))
    if found is None or found.value <= 0:
        raise InfeasibleError(*_homeless(tenant, problem))
    return Solo(tenant=tenant.name, shares=_shares(problem, found.x), leaves=found.leaves)


def _homeless(tenant: Tenant, problem: Problem) -> tuple[str, str, str]:
    least = min((o.artifact for o in problem.options), key=lambda a: a.resident_bytes)
    if tenant.accuracy_floor is not None and all((o.accuracy or 0) < tenant.accuracy_floor for o in problem.options):
        most = max(o.accuracy or 0 for o in problem.options)
        return f"tenants[{tenant.name}].accuracy", f"{tenant.accuracy_floor} is more than any option has", f"at most {most:.3g}"
    return least.memory, f"tenant {tenant.name} needs {least.resident_bytes} bytes resident by its smallest option", "a smaller model"


def _shares(problem: Problem, x: Vector) -> tuple[Share, ...]:
    return tuple(Share(option=problem.options[k], rate_per_s=float(x[k])) for k in np.flatnonzero(x > USED * problem.unit))


def _plan(ladder: Ladder, objective: Objective, headroom: float) -> Plan:
    problem, x = ladder.problem, _settled(ladder)
    counted = objective_levels(ladder.levels)
    return Plan(
        shares=_shares(problem, x),
        promises=_promises(ladder, x),
        prices=_prices(problem, x, priced_level(ladder.levels), headroom),
        objective=objective,
        value=sum(aim.value(problem, x) for aim, level in zip(ladder.aims, ladder.levels, strict=True) if level in counted),
        bound=sum(level.bound for level in counted),
        headroom=headroom,
        single=ladder.effort is not None,
        levels=ladder.levels,
        solos=ladder.solos,
    )


def _settled(ladder: Ladder) -> Vector:
    """Remove what the tolerances leave: no rate that is dust, none above what arrives or above solo."""
    problem = ladder.problem
    solo = {t.name: ladder.solo(t.name) for t in problem.tenants}
    whole = np.array([rate if rate > _DUST * solo[name] else solo[name] for name, rate in problem.rates(ladder.x).items()])
    dust = np.maximum(_DUST * whole[problem.columns.owner], USED * problem.unit)
    x = np.where(ladder.x > dust, ladder.x, 0.0)
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
