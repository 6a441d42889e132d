"""From tenants and options to a plan."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from cotenant.describe import Objective, Option, Plan, Platform, Tenant
from cotenant.plan.alone import solos
from cotenant.plan.columns import columns
from cotenant.plan.levels import Ladder, demand, floors, lighten, share
from cotenant.plan.problem import build
from cotenant.plan.shortage import refuse_homeless, refuse_short
from cotenant.plan.single import Effort
from cotenant.plan.stalls import unstalled
from cotenant.plan.written import written

HEADROOM = 0.9  # share of a processor that open work may be promised


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
    return written(lighten(ladder), objective, headroom)


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
    """Find every tenant's solo rate, with nobody to wait for; nothing is divided yet."""
    every, whole = columns(tenants, options), unstalled(platform)
    alone = solos(tenants, every, whole, headroom)
    problem = build(tenants, every, platform, headroom)
    return Ladder(problem=problem, rows=problem.rows, solos=alone, x=np.zeros(len(problem.options)))


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
