"""What a plan that keeps its options lacks of the best one, level by level in the plan's order.

Every level must pass:

- demands and floors: as much as the best plan serves, less what is as good as nothing of one tenant's (what ranks before leave of a full
  processor is rounding), and no tenant that the best plan gives its floor, or all that arrives, may lose it. Gain has no say in this.
- proportional: exp of the weighted mean of log P, kept over best. The sum of w log P itself is no measure: it is negative, and grows with
  the weights.
- maxmin: the least P / w, at each of its levels: first among all, then among those whom the first did not hold down.
- weighted, throughput: the sum itself.
- whoever the best plan leaves with nothing because higher ranks take all: the kept plan must leave nothing that it could have, either.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from cotenant.describe import Goal, Level, Plan, Tenant, open_rate_per_s
from cotenant.plan.levels import STARVED_P, Ladder

EQUAL = 1e-6  # relative: what counts as reached, as in the certificate
_CRUMBS = 1e-3  # of what is due to a tenant: less is as good as nothing
LOST = 1.0  # what counts as lost where a duty is broken: all
_NOTHING_P = 2 * STARVED_P  # of a solo rate: what counts as nothing once a bound is rounded up


def loss(ladder: Ladder, best: Level) -> float:
    """Return what share of a level's best the level climbed last lacks, less than 0 where it has more; all of it for a broken duty."""
    aim, kept = ladder.aims[-1], ladder.levels[-1]
    short, weight = best.value - kept.value, sum(aim.weights)
    match aim.goal:
        case Goal.DEMAND | Goal.FLOORS:
            return LOST if short > _CRUMBS * min(aim.weights) else min(0.0, short)
        case Goal.STARVED:
            return LOST if kept.bound > max(_NOTHING_P, best.bound) else 0.0
        case Goal.PROPORTIONAL:
            return -math.expm1(-short / weight)
        case Goal.WEIGHTED:
            return _ratio(short, best.value, weight)
        case Goal.MAXMIN:
            return _ratio(short, best.value, 1 / max(aim.weights))
        case Goal.THROUGHPUT:
            return _ratio(short, best.value, sum(ladder.solo(name) for name in aim.tenants))
        case Goal.LOAD:
            return 0.0


def _ratio(short: float, best: float, most: float) -> float:
    """Return what share of the best is short; none of what is next to nothing beside the `most` that there could be."""
    return short / best if best > STARVED_P * most else min(0.0, short / most)


def deprived(tenants: Sequence[Tenant], best: Plan, kept: Plan) -> bool:
    """Say whether a tenant has its floor, or all that arrives, by the best plan and not by the kept one."""
    return any(
        best.promise(t.name).rate_per_s >= due * (1 - EQUAL) > kept.promise(t.name).rate_per_s + EQUAL * due
        for t in tenants
        for due in (t.floor * best.promise(t.name).solo_rate_per_s, open_rate_per_s(t.arrival) or 0.0)
    )
