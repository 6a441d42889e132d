"""Crews that fit all lanes of a platform, but not with what is to be kept free of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from cotenant.describe import Objective, Option, Plan, Platform, Tenant
from cotenant.plan.levels import STARVED_P
from cotenant.plan.missed import serves_all
from cotenant.plan.solve import HEADROOM, solve

ALL = 1.0


def headroom_of(
    tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, objective: Objective, *, allow_overload: bool
) -> float:
    """Return the share of lanes that open work may be promised: HEADROOM, or ALL where that alone serves all that arrives.

    What is kept free lets work wait less. But whoever is promised less than it asks is served, with the rest, after all who have earned
    it, however soon that is due; so where overload is allowed and all of it fits, all is promised. Not at the price of starving anybody.

    InputError and InfeasibleError as `solve` raises them.
    """
    if not allow_overload:
        return HEADROOM
    spared = solve(tenants, options, platform, objective, allow_overload=True)
    if all(serves_all(spared, tenant) for tenant in tenants):
        return HEADROOM
    full = solve(tenants, options, platform, objective, headroom=ALL, allow_overload=True)
    served = all(serves_all(full, tenant) for tenant in tenants)
    return ALL if served and _starved(full) <= _starved(spared) else HEADROOM


def _starved(plan: Plan) -> set[str]:
    return {promise.tenant for promise in plan.promises if promise.p <= STARVED_P}


def crowding(plan: Plan) -> Iterator[str]:
    """Say that a plan keeps nothing free for open work to wait less."""
    if plan.headroom == ALL:
        yield f"what arrives takes more than {HEADROOM:g} of the lanes: it may have all of them, and may wait for long"
