"""Promises: what each tenant has earned, and who is furthest behind."""

from __future__ import annotations

from cotenant.dispatch.state import State

UNPROMISED_RATE_PER_NS = 1e-12
"""Stands in for a promise of nothing, so that such a tenant is served last but served."""


def refill(s: State, now_ns: int) -> None:
    """Earn tokens at the promised rates since the last refill, up to each bucket's depth."""
    passed_ns = now_ns - s.refilled_ns[0]
    if passed_ns <= 0:
        return
    for tenant in range(len(s.t_tokens)):
        s.t_tokens[tenant] = min(s.t_depth[tenant], s.t_tokens[tenant] + s.t_rate[tenant] * passed_ns)
    s.refilled_ns[0] = now_ns


def has_earned(s: State, tenant: int) -> int:
    """Return 1 if the tenant's next start is promised work, else 0."""
    return 1 if s.t_tokens[tenant] >= 1.0 else 0


def join(s: State, tenant: int) -> None:
    """Let a tenant that was away start level with the others: time away is not credit.

    Start-time fair queueing (Goyal, Vin and Cheng, 1996).
    """
    if s.t_outstanding[tenant] == 0:
        s.t_served[tenant] = max(s.t_served[tenant], s.virtual[0])


def charge(s: State, tenant: int) -> None:
    """Spend a token if there is one, and advance the tenant's virtual service by one inference of its promise."""
    if s.t_tokens[tenant] >= 1.0:
        s.t_tokens[tenant] -= 1.0
    s.virtual[0] = max(s.virtual[0], s.t_served[tenant])
    s.t_served[tenant] += 1.0 / max(s.t_rate[tenant], UNPROMISED_RATE_PER_NS)
