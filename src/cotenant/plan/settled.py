"""A plan that reckons with what its own tenants make each other wait for memories."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from cotenant.describe import Plan, Platform
from cotenant.errors import InfeasibleError
from cotenant.plan.stalls import stalled, stalls

SLIGHT = 0.01
"""A share of a processor's time: by less than that what is foretold may be off."""

_ROUNDS = 4

Solving = Callable[[Platform], Plan]
"""Plan for a platform whose processors lose what they are said to lose; InfeasibleError where that is too much."""


def settled(platform: Platform, solving: Solving) -> Plan:
    """Plan, foretell how long that plan's segments wait for memories, and plan for what is left, until no more is lost than is left free.

    No crew is refused for what is only foretold: where it no longer fits, the last plan that did stays, and `unsettled` says what it does
    not reckon with. Errors are those of the first plan.
    """
    plan = solving(platform)
    for _ in range(_ROUNDS):
        lost = unsettled(plan, platform)
        if not lost:
            break
        try:
            plan = solving(stalled(platform, _greater(dict(plan.stalls), lost)))
        except InfeasibleError:
            break
    return plan


def unsettled(plan: Plan, platform: Platform) -> Mapping[str, float]:
    """Return what processors lose by a plan, as a share of their busy time, where it does not leave them room for that."""
    lost = stalls(plan.shares, platform)
    used = {name: sum(s.rate_per_s * s.option.demand_of(name) for s in plan.shares) for name in lost if lost[name] > SLIGHT}
    return {name: lost[name] for name, lane_s in used.items() if lane_s > platform.processor(name).lanes * (1 - lost[name] + SLIGHT)}


def _greater(known: Mapping[str, float], found: Mapping[str, float]) -> dict[str, float]:
    return {name: max(known.get(name, 0.0), found.get(name, 0.0)) for name in (*known, *found)}
