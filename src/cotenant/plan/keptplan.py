"""A plan that keeps to some options, as near the best plan as these allow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cotenant.describe import Goal, Level, Option, Plan, Platform, Tenant, open_rate_per_s
from cotenant.plan.aim import Aim
from cotenant.plan.columns import columns
from cotenant.plan.keptproof import proved
from cotenant.plan.levels import Ladder, UnreachedError, climb
from cotenant.plan.loss import DUTIES, EQUAL, LOST, deprived, loss
from cotenant.plan.problem import build
from cotenant.plan.written import written


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
        except UnreachedError:  # a tenant that the best plan serves cannot be served so: its model does not fit beside the others
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
    """Make a plan of rates by the options in use; the rest of it is the best plan's."""
    made = written(ladder, wanted.best.objective, wanted.best.headroom)
    return replace(
        wanted.best, shares=made.shares, promises=made.promises, prices=made.prices, value=made.value, bound=made.bound, levels=made.levels
    )
