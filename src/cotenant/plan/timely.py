"""Options that meet their tenant's deadline, whoever of lower ranks holds the lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cotenant.describe import Option, Platform, Preemption, Tenant
from cotenant.errors import InputError
from cotenant.plan.offered import Offer, Refusal
from cotenant.units import NS_PER_MS


def timely(tenants: Sequence[Tenant], found: Mapping[str, tuple[Sequence[Option], Sequence[Refusal]]], platform: Platform) -> Offer:
    """Leave out the options that miss their tenant's deadline; InputError for a tenant left without one.

    The last rank comes first: a deadline must outlast the longest segment among the options *offered* to lower ranks, whichever
    of them the plan then mixes, so these must be settled before.
    """
    sifted: dict[str, tuple[list[Option], list[Refusal]]] = {}
    for tenant in sorted(tenants, key=lambda t: -t.rank):
        options, refused = found[tenant.name]
        lower = [o for t in tenants if t.rank > tenant.rank for o in sifted[t.name][0]]
        kept, late = _timely(tenant, options, lower, platform)
        sifted[tenant.name] = kept, [*refused, *late]
    return Offer(
        options=tuple(o for t in tenants for o in sifted[t.name][0]), refused=tuple(r for t in tenants for r in sifted[t.name][1]),
    )  # fmt: skip


def _timely(tenant: Tenant, options: Sequence[Option], lower: Sequence[Option], platform: Platform) -> tuple[list[Option], list[Refusal]]:
    """Keep the options that meet the deadline even behind the longest segment of lower ranks; InputError if none does."""
    if tenant.deadline_ns is None:
        return list(options), []
    longest = _longest_ns(tenant, lower, platform)
    blocked = [(option, sum(longest.get(step.processor, 0) for step in option.chain)) for option in options]
    timely = [option for option, wait_ns in blocked if option.latency_ns + wait_ns <= tenant.deadline_ns]
    if not timely:
        option, wait_ns = min(blocked, key=lambda pair: pair[0].latency_ns + pair[1])
        behind = f" after up to {_up(wait_ns)} of lower ranks" if wait_ns else ""
        allowed = f"{_up(option.latency_ns + wait_ns)} or more; the fastest option, {option.name}, takes {_up(option.latency_ns)}{behind}"
        raise InputError(f"tenants[{tenant.name}].deadline", _ms(tenant.deadline_ns), allowed)
    late = [
        Refusal(tenant=tenant.name, option=o.name, reason=f"it takes up to {_up(o.latency_ns + wait_ns)} of {_ms(tenant.deadline_ns)}")
        for o, wait_ns in blocked
        if o.latency_ns + wait_ns > tenant.deadline_ns
    ]
    return timely, late


def _longest_ns(tenant: Tenant, lower: Sequence[Option], platform: Platform) -> dict[str, int]:
    """Return for how long lower ranks may hold up a visit to each processor: by their longest segment.

    Nobody waits where anybody is preempted at once, and rank 0 does not where an operating system knows it from the rest.
    """
    ways = {Preemption.INSTANT, Preemption.CLASS} if tenant.rank == 0 else {Preemption.INSTANT}
    waited = {p.name for p in platform.processors if p.preemption not in ways}
    longest: dict[str, int] = {}
    for step in (s for o in lower for s in o.chain if s.processor in waited):
        longest[step.processor] = max(step.holds_ns, longest.get(step.processor, 0))
    return longest


def _up(time_ns: int) -> str:
    """Write a time in three digits, not below what it is: a deadline of so much is met."""
    unit_ns = 10 ** max(0, len(str(time_ns)) - 3)
    return _ms(-(-time_ns // unit_ns) * unit_ns)


def _ms(time_ns: int) -> str:
    """Write a time with all its digits, as a crew file may have it."""
    return f"{time_ns / NS_PER_MS:.6f}".rstrip("0").rstrip(".") + " ms"
