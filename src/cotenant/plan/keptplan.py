"""A plan that keeps to some options, as near the best plan as these allow."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cotenant.describe import Option, Plan, Platform, Tenant
from cotenant.plan.aim import DUTIES
from cotenant.plan.columns import columns
from cotenant.plan.keptproof import proved
from cotenant.plan.levels import Ladder, UnreachedError, aim_of, climb
from cotenant.plan.loss import EQUAL, LOST, deprived, loss
from cotenant.plan.problem import build
from cotenant.plan.written import written

_ROUNDED = 1e-5  # relative: the solver's tolerances, added up over levels; a small tenant feels those of the greater ones before it


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
            some = [t for name in level.tenants for t in wanted.tenants if t.name == name]
            ladder = climb(ladder, aim_of(ladder, level.goal, level.rank, some))
        except UnreachedError:  # a tenant that the best plan serves cannot be served so: its model does not fit beside the others
            return None, LOST
        ladder = proved(ladder, wanted.best, wanted.options)
        short = loss(ladder, level)
        ahead = ahead or short < -EQUAL
        if not ahead or level.goal in DUTIES:
            lost = max(lost, short)
        if lost > gain + _ROUNDED:
            return None, lost
    return ladder, lost


def _plan(wanted: Wanted, ladder: Ladder) -> Plan:
    """Make a plan of rates by the options in use; the rest of it is the best plan's."""
    made = written(ladder, wanted.best.objective, wanted.best.headroom)
    return replace(
        wanted.best, shares=made.shares, promises=made.promises, prices=made.prices, value=made.value, bound=made.bound, levels=made.levels
    )
