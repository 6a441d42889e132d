"""Promises: what each tenant has earned, and who is furthest behind."""

from __future__ import annotations

import math

from cotenant.dispatch.lanes import is_warm
from cotenant.dispatch.state import State
from cotenant.policy import NEVER_NS

UNPROMISED_RATE_PER_NS = 1e-12
"""Stands in for a promise of nothing, so that such a tenant is served last but served."""

WARM_NS = 60e6
"""How far ahead of its promise, and of its equals, a tenant may run on a lane that it ran on last."""


GATHERED_NS = 600e6
"""How far ahead of its equals a tenant may run in steps of several lanes while so many are free: to gather them anew idles all but one."""


def refill(s: State, now_ns: int) -> None:
    """Earn tokens at the promised rates since the last refill, up to each bucket's depth."""
    passed_ns = now_ns - s.desk[0].refilled_ns
    if passed_ns <= 0 or s.desk[0].promises == 0:
        return
    earned = False
    for tenant in range(len(s.tenants)):
        t = s.tenants[tenant]
        tokens = min(t.depth, t.tokens + t.rate * passed_ns)
        earned = earned or t.tokens < 1.0 <= tokens
        t.tokens = tokens
    if earned:
        touch(s)
    s.desk[0].refilled_ns = now_ns


def touch(s: State) -> None:
    """Make all that waits a candidate at the next decision, even to interrupt what runs."""
    for index in range(len(s.processors)):
        s.processors[index].touched = 1


def may_lead(s: State, slot: int) -> int:
    """Return 1 if what waits may be ahead of its promise and of its equals: where it is warm, or has waited for others that were.

    A tenant's options would otherwise wait for one another until one has nobody left: its requests are then too many in one place, and
    too few in another.
    """
    c = s.slots[slot]
    if is_warm(s, c.position) == 1:
        return 1
    t = s.tenants[c.tenant]
    passed_by = t.came - t.waiting - c.older
    return 1 if c.begun == 0 and t.rate > 0.0 and passed_by >= t.rate * WARM_NS and passed_by > 0 else 0


def has_earned(s: State, tenant: int, leads: int) -> int:
    """Return 1 if the tenant's next start is promised work, else 0; who leads may run WARM_NS ahead of its promise."""
    ahead = s.tenants[tenant].rate * WARM_NS if leads == 1 else 0.0
    return 1 if s.tenants[tenant].tokens >= 1.0 - ahead else 0


def next_earned_ns(s: State, now_ns: int) -> int:
    """Return when the next start of a tenant that has something waiting turns promised work, leading or not; NEVER_NS if none does."""
    until = float(NEVER_NS)
    for tenant in range(len(s.tenants)):
        t = s.tenants[tenant]
        if t.waiting > 0 and t.rate > 0.0 and t.tokens < 1.0:
            ahead = t.rate * WARM_NS
            lacks = 1.0 - t.tokens if t.tokens >= 1.0 - ahead else 1.0 - ahead - t.tokens
            until = min(until, now_ns + lacks / t.rate)
    return int(until) if until < NEVER_NS else NEVER_NS


def charge(s: State, tenant: int, leads: int) -> None:
    """Spend a token if that is earned, and advance the tenant's virtual service by one inference of its promise."""
    if has_earned(s, tenant, leads):
        s.tenants[tenant].tokens -= 1.0
    _bring_along(s, tenant)
    s.tenants[tenant].served += 1.0 / max(s.tenants[tenant].rate, UNPROMISED_RATE_PER_NS)


def _bring_along(s: State, tenant: int) -> None:
    """Keep the tenant's equals that are away level with the last of those that are not: time away is neither credit nor debt.

    After start-time fair queueing (Goyal, Vin and Cheng, 1996), where who returns starts level with who is being served: here
    that one may be far ahead, by what it does on another processor.
    """
    least = s.tenants[tenant].served
    for other in range(len(s.tenants)):
        if s.tenants[other].outstanding > 0 and are_equals(s, other, tenant):
            least = min(least, s.tenants[other].served)
    for other in range(len(s.tenants)):
        if are_equals(s, other, tenant):
            s.tenants[other].served = max(s.tenants[other].served, least)


def last_of_equals(s: State, tenant: int) -> float:
    """Return the virtual service of whoever of the tenant's equals is furthest behind, 0 if it has none."""
    least = math.inf
    for other in range(len(s.tenants)):
        if other != tenant and are_equals(s, other, tenant):
            least = min(least, s.tenants[other].served)
    return least if least < math.inf else 0.0


def are_equals(s: State, one: int, other: int) -> bool:
    """Say whether two tenants take turns: of one rank, both promised something or both nothing."""
    return s.tenants[one].rank == s.tenants[other].rank and (s.tenants[one].rate > 0.0) == (s.tenants[other].rate > 0.0)


def turn(s: State, slot: int) -> float:
    """Return by what equals take turns: the tenant's virtual service when the request began, or now, less WARM_NS where it leads.

    A step of several lanes is GATHERED_NS ahead where they are free, so that such steps run one after the other.

    What has begun keeps its turn (its start tag; Goyal, Vin and Cheng, 1996), or whoever begins much on one processor would be
    overtaken for good on the next.

    A lane then stays with a model, whose weights its caches hold, until the tenant is that far ahead of the others.
    """
    c = s.slots[slot]
    served = c.tag if c.begun == 1 else s.tenants[c.tenant].served
    lead_ns = WARM_NS if may_lead(s, slot) == 1 else 0.0
    if 1 < c.width <= s.processors[c.processor].free:
        lead_ns = GATHERED_NS
    return served - lead_ns
