"""A plan that keeps to some options, as near the best plan as these allow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cotenant.describe import Bind, Goal, Level, Option, Plan, Platform, Price, Share, Tenant, open_rate_per_s
from cotenant.plan.aim import Aim
from cotenant.plan.columns import Vector, columns
from cotenant.plan.keptproof import proved
from cotenant.plan.levels import Ladder, climb
from cotenant.plan.loss import DUTIES, EQUAL, LOST, deprived, loss
from cotenant.plan.problem import USED, build
from cotenant.plan.solve import objective_levels, priced_level

_DUST = 1e-7  # of a tenant's rate, or of its solo rate where it has no more: what the tolerances let through


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wanted:
    """Hold what is planned for, and the best plan for it."""

    tenants: tuple[Tenant, ...]
    options: tuple[Option, ...]
    platform: Platform
    best: Plan


def kept(wanted: Wanted, options: Sequence[Option], gain: float) -> tuple[Plan | None, float]:
    """Return the plan of these options alone, none where it lacks more than `gain` of the best plan, and what it lacks."""
    ladder, lost = _climbed(wanted, options, gain)
    if ladder is None:
        return None, lost
    plan = _plan(wanted, ladder)
    return (None, LOST) if deprived(wanted.tenants, wanted.best, plan) else (plan, lost)


def _climbed(wanted: Wanted, options: Sequence[Option], gain: float) -> tuple[Ladder | None, float]:
    """Climb the best plan's levels with other options; return also what is lost of the best plan, None for more than `gain`.

    A search for single options may end before its best: what is ahead of it at one level may be behind at those after.
    """
    problem = build(wanted.tenants, columns(wanted.tenants, options), wanted.platform, wanted.best.headroom)
    ladder = Ladder(problem=problem, rows=problem.rows, solos=wanted.best.solos, x=np.zeros(len(problem.options)))
    lost, ahead = 0.0, False
    for level in wanted.best.levels:
        try:
            ladder = climb(ladder, _aim(level, wanted.tenants, ladder))
        except ArithmeticError:  # a tenant that the best plan serves cannot be served so: its model does not fit beside the others
            return None, LOST
        ladder = proved(ladder, wanted.best, wanted.options)
        short = loss(ladder, level)
        ahead = ahead or short < -EQUAL
        if not ahead or level.goal in DUTIES:
            lost = max(lost, short)
        if lost > gain + EQUAL:
            return None, lost
    return ladder, lost


def _aim(level: Level, tenants: Sequence[Tenant], ladder: Ladder) -> Aim:
    """Return what a level of a plan made greatest."""
    some = [t for name in level.tenants for t in tenants if t.name == name]
    solos = tuple(ladder.solo(t.name) for t in some)
    weights, units = tuple(t.weight for t in some), solos
    match level.goal:
        case Goal.DEMAND:
            units = tuple(open_rate_per_s(t.arrival) or math.inf for t in some)
        case Goal.FLOORS:
            units = tuple(t.floor * solo for t, solo in zip(some, solos, strict=True))
        case Goal.STARVED:
            weights = (1.0,) * len(some)
        case Goal.THROUGHPUT | Goal.LOAD:
            weights = units = (1.0,) * len(some)
        case Goal.PROPORTIONAL | Goal.WEIGHTED | Goal.MAXMIN:
            pass
    return Aim(goal=level.goal, rank=level.rank, tenants=level.tenants, weights=weights, units_per_s=units)


def _plan(wanted: Wanted, ladder: Ladder) -> Plan:
    """Make a plan of rates by the options in use; what it is measured against is the best plan's."""
    problem, best = ladder.problem, wanted.best
    most = [min(ladder.solo(t.name), open_rate_per_s(t.arrival) or math.inf) for t in wanted.tenants]
    x = _settled(ladder, np.array(most))
    rates = problem.rates(x)
    counted = objective_levels(ladder.levels)
    promises = (replace(best.promise(t.name), rate_per_s=min(rates[t.name], m)) for t, m in zip(wanted.tenants, most, strict=True))
    return replace(
        best,
        shares=tuple(Share(option=problem.options[k], rate_per_s=float(x[k])) for k in np.flatnonzero(x)),
        promises=tuple(promises),
        prices=tuple(_price(price, ladder, x, best.headroom) for price in best.prices),
        value=sum(aim.value(problem, x) for aim, level in zip(ladder.aims, ladder.levels, strict=True) if level in counted),
        bound=sum(level.bound for level in counted),
        levels=ladder.levels,
    )


def _price(price: Price, ladder: Ladder, x: Vector, headroom: float) -> Price:
    """Price a resource as the proof does, with what the rates use of it."""
    level = priced_level(ladder.levels)
    paid = {(dual.bind, dual.of): dual.price for dual in level.leaves[0].duals} if level else {}
    whole, part = (paid.get((bind, price.resource), 0.0) for bind in (Bind.CAPACITY, Bind.HEADROOM))
    return replace(price, used=float(ladder.problem.columns.demanded(price.resource) @ x), price=whole + headroom * part)


def _settled(ladder: Ladder, most: Vector) -> Vector:
    """Remove what the tolerances leave: no rate that is dust, and of each tenant none above `most`."""
    problem, owner = ladder.problem, ladder.problem.columns.owner
    solo = np.array([ladder.solo(t.name) for t in problem.tenants])
    rates = np.bincount(owner, weights=ladder.x, minlength=len(solo))
    dust = _DUST * np.where(rates > _DUST * solo, rates, solo)
    x = np.where(ladder.x > np.maximum(dust[owner], USED * problem.unit), ladder.x, 0.0)
    rates = np.bincount(owner, weights=x, minlength=len(solo))
    return np.asarray(x * np.where(rates > most, most / np.maximum(rates, most), 1.0)[owner])
