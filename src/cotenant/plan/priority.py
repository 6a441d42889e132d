"""Priorities: the user's weights as they are, or times what each tenant computes.

Ranks say who goes before whom; weights say how much a tenant counts among tenants of its rank. RankMap (Karatzas et al., DATE 2025) knows
two ways to come by such a vector of priorities. *Static*: the user's, for when certain networks are to be favoured. *Dynamic*: it follows
what each network computes, for when nobody is, and is set anew when the crew changes. What the paper leaves open is chosen here: what a
network computes are the lane-seconds that one inference takes by its solo optimum, the same for open and for closed arrivals, and the
weight is in proportion to them, times the user's own. Weights of 1 in the mean leave the scale of an objective as it was; its optimum does
not depend on that.

Under the proportional objective, dynamic weights give a network of twice the lane-seconds about twice the lanes, where equal weights give
each about as many: on a platform of one processor all are then served equally often. Under `weighted` they favour whoever computes most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from enum import Enum

from cotenant.describe import Platform, Solo, Tenant


class Priority(str, Enum):
    """Say where weights come from."""

    STATIC = "static"  # the user's, as they are
    DYNAMIC = "dynamic"  # the user's, times the lane-seconds of an inference over their mean


def weighted(tenants: Sequence[Tenant], solos: Sequence[Solo], platform: Platform, priority: Priority) -> tuple[Tenant, ...]:
    """Give tenants the weights that a priority asks for; KeyError for one whose solo optimum is not among these (see `Plan.solos`).

    The factors are 1 in the mean over the crew. Solo optima do not depend on weights, so those of any plan of these tenants will do.
    InputError where a factor makes a weight larger than weights may be.
    """
    match priority:
        case Priority.STATIC:
            return tuple(tenants)
        case Priority.DYNAMIC:
            work = work_lane_s(solos, platform)
            mean = sum(work[t.name] for t in tenants) / len(tenants) if tenants else 1.0
            return tuple(replace(t, weight=t.weight * work[t.name] / mean) for t in tenants)


def work_lane_s(solos: Sequence[Solo], platform: Platform) -> Mapping[str, float]:
    """Return how many lane-seconds one inference of each tenant takes by its solo optimum, over all processors."""
    return {solo.tenant: _mean_lane_s(solo, platform) for solo in solos}


def _mean_lane_s(solo: Solo, platform: Platform) -> float:
    rate = sum(share.rate_per_s for share in solo.shares)
    lanes = sum(s.rate_per_s * s.option.demand_of(p.name) for s in solo.shares for p in platform.processors)
    return lanes / rate
