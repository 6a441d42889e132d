"""Options that leave their lane in time for others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cotenant.describe import Option, Platform, Preemption, Tenant
from cotenant.plan.offered import Refusal
from cotenant.units import NS_PER_MS

Found = Mapping[str, tuple[Sequence[Option], Sequence[Refusal]]]

MUCH = 2
"""By so many times one option holds its lanes for longer than another that holds them too long as well, to be left out for that."""


def considerate(tenants: Sequence[Tenant], found: Found, platform: Platform) -> dict[str, tuple[list[Option], list[Refusal]]]:
    """Leave out what would hold a lane for longer than another's deadline can wait, where its tenant has something that would not.

    Or something that would hold the same lanes for half as long, be that too long: a network whose longest operator takes too long is
    better cut than whole. It must be as accurate, if the tenant has a floor of accuracy. Others are those of the same rank or a better
    one: nothing interrupts the first, and where no operating system knows ranks, nothing interrupts anybody. What is left to wait is the
    deadline less the fastest option.
    """
    return {tenant.name: _sifted(tenant, *found[tenant.name], _spare_ns(tenant, tenants, found, platform)) for tenant in tenants}


def _sifted(
    tenant: Tenant, options: Sequence[Option], refused: Sequence[Refusal], spare: tuple[int, str] | None
) -> tuple[list[Option], list[Refusal]]:
    if spare is None:
        return list(options), list(refused)
    worse = [o for o in options if _holds_ns(o) > spare[0] and any(_is_shorter(r, o, tenant, spare[0]) for r in options)]
    more = [Refusal(tenant=tenant.name, option=o.name, reason=_reason(o, *spare)) for o in worse]
    return [o for o in options if o not in worse], [*refused, *more]


def _is_shorter(one: Option, other: Option, tenant: Tenant, spare_ns: int) -> bool:
    """Say whether one option answers as well as another, and holds its lanes short enough, or the same ones much shorter."""
    if tenant.accuracy_floor is not None and (one.accuracy or 0.0) < (other.accuracy or 0.0):
        return False
    return _holds_ns(one) <= spare_ns or (_lanes(one) == _lanes(other) and _holds_ns(one) * MUCH <= _holds_ns(other))


def _lanes(option: Option) -> set[tuple[str, int]]:
    return {(step.processor, step.width) for step in option.chain}


def _reason(option: Option, spare_ns: int, other: str) -> str:
    return f"it would hold its lane for {_holds_ns(option) / NS_PER_MS:.3g} ms, and {other} can wait for {spare_ns / NS_PER_MS:.3g} ms"


def _spare_ns(tenant: Tenant, tenants: Sequence[Tenant], found: Found, platform: Platform) -> tuple[int, str] | None:
    """Return how long whoever is pressed most can wait for a tenant, with its name; None where nobody waits for it."""
    waits = [
        (other.deadline_ns - min(option.latency_ns for option in found[other.name][0]), other.name)
        for other in tenants
        if other is not tenant and other.rank <= tenant.rank and other.deadline_ns is not None and not _interrupts(other, tenant, platform)
    ]
    return min(waits, default=None)


def _interrupts(one: Tenant, other: Tenant, platform: Platform) -> bool:
    """Say whether every processor lets one interrupt the other."""
    ways = {Preemption.INSTANT, Preemption.CLASS} if one.rank == 0 < other.rank else {Preemption.INSTANT}
    return all(processor.preemption in ways for processor in platform.processors)


def _holds_ns(option: Option) -> int:
    return max(step.holds_ns for step in option.chain)
