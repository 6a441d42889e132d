"""The greatest and the fair sum of rates over given rates alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cotenant.describe import Goal, Objective, Option, Platform, Tenant
from cotenant.plan.aim import Aim
from cotenant.plan.levels import solved
from cotenant.plan.solve import HEADROOM, secured, solve


def stp_bounds(
    tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, alone_rate_per_s: Mapping[str, float],
    headroom: float = HEADROOM,
) -> tuple[float, float]:  # fmt: skip
    """Return `bound_stp` and `fair_stp`: the sum of rate / rate alone at its greatest, and at the proportional optimum.

    Both serve rank 0's demand and the floors first; `alone_rate_per_s` has every tenant, in inferences per second.
    """
    names = tuple(t.name for t in tenants)
    ones, alone = (1.0,) * len(names), tuple(alone_rate_per_s[name] for name in names)
    aim = Aim(goal=Goal.WEIGHTED, rank=0, tenants=names, weights=ones, units_per_s=alone)
    greatest = solved(secured(tenants, options, platform, headroom), aim)
    fair = solve(tenants, options, platform, Objective.PROPORTIONAL, headroom=headroom, allow_overload=True)
    return greatest.bound, sum(fair.promise(name).rate_per_s / alone_rate_per_s[name] for name in names)
