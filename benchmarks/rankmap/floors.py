"""Floors and ranks: held wherever they can be, and refused with proof where not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from benchmarks.rankmap.sample import FLOORS, Mix, board_of, options_of, tenants_of
from benchmarks.rankmap.store import Json
from cotenant.describe import Goal, Objective, Option, Plan, Platform, Tenant
from cotenant.errors import InfeasibleError
from cotenant.plan import check, solve

ASKED: Final = (*FLOORS, 0.2, 0.35)
"""The last two are more than most mixes can have."""

TOLERANCE: Final = 1e-5
CHECKED: Final = 6
"""The checker scans every option for every level in plain Python, which takes seconds."""

LEVEL_GAP: Final = 1e-3
"""Relative; a rank's objective that is so near its bound is reached."""


def floored(mix: Mix, floor: float) -> Json:
    """Plan with a floor for everybody and three ranks: what each gets, or why not.

    One in so many plans is proved again by what never solved it; `proven` is of these, None of others.
    """
    tenants, platform = tenants_of(mix, floor=floor, ranked=True), board_of(mix.board).platform
    options = options_of(mix, tenants)
    try:
        plan = solve(tenants, options, platform, Objective.WEIGHTED)
    except InfeasibleError as error:
        return {"feasible": False, **_refused(error, tenants, options, platform, is_checked=mix.index % CHECKED == 0)}
    return {
        "feasible": True,
        "least_of_floor": min(promise.p / floor for promise in plan.promises),
        "ranks_met": all(level.bound - level.value <= LEVEL_GAP * max(abs(level.value), floor) for level in plan.levels),
        "proven": check(plan, tenants, options, platform).ok if mix.index % CHECKED == 0 else None,
    }


def _refused(error: InfeasibleError, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, *, is_checked: bool) -> Json:
    """Say what was named, and whether the bound of some floors, which every option was scanned for, is below them."""
    best = solve(tenants, options, platform, Objective.WEIGHTED, allow_overload=True)
    resources = {*(p.name for p in platform.processors), *(m.name for m in platform.memories)}
    return {
        "resource": error.resource,
        "shortfall": error.shortfall,
        "would_fit": error.would_fit,
        "named": error.resource in resources and any(letter.isdigit() for letter in error.shortfall),
        "proven": _is_short(best, tenants) and (not is_checked or check(best, tenants, options, platform).ok),
    }


def _is_short(plan: Plan, tenants: Sequence[Tenant]) -> bool:
    weight = {tenant.name: tenant.weight for tenant in tenants}
    floors = [level for level in plan.levels if level.goal is Goal.FLOORS]
    return any(level.bound < sum(weight[name] for name in level.tenants) * (1 - TOLERANCE) for level in floors)
