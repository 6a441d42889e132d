"""Why a tenant gets nothing, in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cotenant.describe import Option, Plan, Platform, Tenant, open_rate_per_s
from cotenant.plan.serving import listed, serving, starved

_FULL = 0.999  # of what there is of a resource: as good as all


def starving(plan: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform) -> Mapping[str, str]:
    """Return for each tenant that gets nothing why: what it would need, and who has that."""
    own = {t.name: [option for option in options if option.tenant == t.name] for t in tenants if starved(plan.promise(t.name))}
    return {t.name: _why(plan, t, tenants, own[t.name], platform) for t in tenants if t.name in own}


def _why(plan: Plan, tenant: Tenant, tenants: Sequence[Tenant], own: Sequence[Option], platform: Platform) -> str:
    full = {*_full(plan), *(_promised(plan, tenants, platform) if _is_open(tenant) else ())}
    short = [[name for name, amount in option.demand if amount > 0 and name in full] for option in own]
    if all(short):
        return _takers(plan, tenant, tenants, list(dict.fromkeys(name for names in short for name in names)))
    if memory := _crowded(plan, own, platform):
        return f"its model does not fit {memory} beside those of the others"
    if plan.single:
        return "the one option chosen for it needs what the others take"
    return f"nothing that it needs is short, and at its weight of {tenant.weight:g} it counts for nothing"


def _full(plan: Plan) -> Iterator[str]:
    return (price.resource for price in plan.prices if price.used >= _FULL * price.capacity)


def _promised(plan: Plan, tenants: Sequence[Tenant], platform: Platform) -> Iterator[str]:
    """Name the processors of which open work has all that it may be promised."""
    opens = {t.name for t in tenants if _is_open(t)}
    for processor in platform.processors:
        used = sum(s.rate_per_s * s.option.demand_of(processor.name) for s in plan.shares if s.option.tenant in opens)
        if used >= _FULL * plan.headroom * processor.lanes:
            yield processor.name


def _takers(plan: Plan, tenant: Tenant, tenants: Sequence[Tenant], names: Sequence[str]) -> str:
    """Say who has what a tenant would need, and why it goes to them."""
    users = [t for t in tenants if any(s.option.demand_of(name) > 0 for s in serving(plan, t.name) for name in names)]
    told = f"all of {listed(names)} goes to {listed([f'{t.name} (rank {t.rank})' for t in users])}"
    equals = [t.name for t in users if t.rank == tenant.rank and not _is_open(t)]
    below = [t.name for t in users if t.rank > tenant.rank]
    told += f"; {plan.objective.value} gains more by {listed(equals)}" if equals and not _is_open(tenant) else ""
    return told + (f"; floors, as {listed(below)} has, go first" if below else "")


def _crowded(plan: Plan, own: Sequence[Option], platform: Platform) -> str:
    """Name the memory that none of a tenant's models fits, beside what the others have loaded; empty where one does."""
    resident = {share.option.artifact for share in plan.shares}
    room = {m.name: m.capacity_bytes - sum(a.resident_bytes for a in resident if a.memory == m.name) for m in platform.memories}
    fits = [o.artifact in resident or o.artifact.resident_bytes <= room.get(o.artifact.memory, 0) for o in own]
    return "" if any(fits) or not own else own[0].artifact.memory


def _is_open(tenant: Tenant) -> bool:
    return open_rate_per_s(tenant.arrival) is not None
