"""Promises: what each tenant has earned, and who is furthest behind."""

from __future__ import annotations

from cotenant.dispatch.state import State

UNPROMISED_RATE_PER_NS = 1e-12
"""Stands in for a promise of nothing, so that such a tenant is served last but served."""

WARM_NS = 60e6
"""How far ahead of its promise, and of its equals, a tenant may run on a lane that it ran on last."""


def refill(s: State, now_ns: int) -> None:
    """Earn tokens at the promised rates since the last refill, up to each bucket's depth."""
    passed_ns = now_ns - s.refilled_ns[0]
    if passed_ns <= 0:
        return
    for tenant in range(len(s.t_tokens)):
        s.t_tokens[tenant] = min(s.t_depth[tenant], s.t_tokens[tenant] + s.t_rate[tenant] * passed_ns)
    s.refilled_ns[0] = now_ns


def has_earned(s: State, tenant: int, warm: int) -> int:
    """Return 1 if the tenant's next start is promised work, else 0; where it is warm, it may run WARM_NS ahead of its promise."""
    ahead = s.t_rate[tenant] * WARM_NS if warm == 1 else 0.0
    return 1 if s.t_tokens[tenant] >= 1.0 - ahead else 0


def join(s: State, tenant: int) -> None:
    """Let a tenant that was away start level with the others: time away is not credit.

    Start-time fair queueing (Goyal, Vin and Cheng, 1996).
    """
    if s.t_outstanding[tenant] == 0:
        s.t_served[tenant] = max(s.t_served[tenant], s.virtual[0])


def charge(s: State, tenant: int, warm: int) -> None:
    """Spend a token if that is earned, and advance the tenant's virtual service by one inference of its promise."""
    if has_earned(s, tenant, warm):
        s.t_tokens[tenant] -= 1.0
    s.virtual[0] = max(s.virtual[0], s.t_served[tenant])
    s.t_served[tenant] += 1.0 / max(s.t_rate[tenant], UNPROMISED_RATE_PER_NS)


def turn(s: State, tenant: int, warm: int) -> float:
    """Return by what equals take turns: the virtual service so far, less WARM_NS where the tenant's model is still warm.

    A lane then stays with a model, whose weights its caches hold, until the tenant is that far ahead of the others.
    """
    return s.t_served[tenant] - (WARM_NS if warm == 1 else 0.0)
