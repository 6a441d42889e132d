"""What of a plan is worth telling: more than rounding leaves.

A level is kept to within a tolerance, and what that leaves over goes to whoever may have it: an option with a millionth of its tenant's
rate, a tenant with a millionth of its solo rate. A plan holds such rates, since its proof adds them up; people are told of none of them.
"""

from __future__ import annotations

from cotenant.describe import Plan, Promise, Share
from cotenant.plan.levels import STARVED_P


def starved(promise: Promise) -> bool:
    """Say whether what a tenant is promised is nothing."""
    return promise.p < STARVED_P


def told_per_s(promise: Promise) -> float:
    """Return the rate that a tenant is promised, 0 where that is nothing."""
    return 0.0 if starved(promise) else promise.rate_per_s


def serving(plan: Plan, tenant: str) -> tuple[Share, ...]:
    """Return a tenant's shares that are more than nothing of its rate, the greatest first; none of one that is starved."""
    if any(starved(promise) for promise in plan.promises if promise.tenant == tenant):
        return ()
    shares = plan.shares_of(tenant)
    least = STARVED_P * sum(share.rate_per_s for share in shares)
    return tuple(share for share in shares if share.rate_per_s > least)
