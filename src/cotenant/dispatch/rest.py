"""Rests: whose segments may not start before an instant."""

from __future__ import annotations

from cotenant.dispatch.promises import touch
from cotenant.dispatch.state import State
from cotenant.policy import NEVER_NS


def rest(s: State, tenant: int, until_ns: int, paced: int) -> None:
    """Let none of a tenant's segments start before an instant; where it is paced it also rests after each start, until told anew.

    Rank 0 never rests.
    """
    t = s.tenants[tenant]
    t.rest_ns = until_ns if t.critical == 0 else 0
    t.paced = paced if t.critical == 0 else 0
    s.desk[0].resting = 1


def rouse(s: State, now_ns: int) -> None:
    """End the rests that are over: whoever waits may then start, even by interrupting what runs."""
    if s.desk[0].resting == 0:
        return
    resting, roused = 0, False
    for tenant in range(len(s.tenants)):
        t = s.tenants[tenant]
        if t.rest_ns > now_ns:
            resting = 1
        elif t.rest_ns > 0:
            t.rest_ns = 0
            roused = True
    if roused:
        touch(s)
    s.desk[0].resting = resting


def rest_after_start(s: State, tenant: int) -> None:
    """Let a paced tenant that has just started a segment rest until its driver says how long."""
    t = s.tenants[tenant]
    if t.paced == 1:
        t.rest_ns = NEVER_NS
        s.desk[0].resting = 1


def does_rest(s: State, slot: int) -> bool:
    """Say whether the tenant of a slot rests at this decision."""
    return s.desk[0].resting == 1 and s.tenants[s.slots[slot].tenant].rest_ns > 0


def next_roused_ns(s: State) -> int:
    """Return when the first rest of a tenant that has something outstanding is over, or NEVER_NS."""
    wake_ns = NEVER_NS
    for tenant in range(len(s.tenants)):
        t = s.tenants[tenant]
        if t.rest_ns > 0 and t.outstanding > 0:
            wake_ns = min(wake_ns, t.rest_ns)
    return wake_ns
