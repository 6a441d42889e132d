"""Why a tenant gets nothing, in one line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from cotenant.describe import Objective, Option, Plan, Platform, Tenant, open_rate_per_s
from cotenant.plan.serving import serving, starved
from cotenant.plan.words import listed

_FULL = 0.999  # of what there is of a resource: as good as all
_FAIR = frozenset({Objective.PROPORTIONAL, Objective.MAXMIN})  # to which nobody's gain makes up for a P of 0


def starving(plan: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform) -> Mapping[str, str]:
    """Return for each tenant that gets nothing why: what it would need, and who has that."""
    own = {t.name: [option for option in options if option.tenant == t.name] for t in tenants if starved(plan.promise(t.name))}
    return {t.name: _why(plan, t, tenants, own[t.name], platform) for t in tenants if t.name in own}


def _why(plan: Plan, tenant: Tenant, tenants: Sequence[Tenant], own: Sequence[Option], platform: Platform) -> str:
    full = {*_full(plan), *(_promised(plan, tenants, platform) if _is_open(tenant) else ())}
    short = [[name for name, amount in option.demand if amount > 0 and name in full] for option in own]
    memory = _crowded(plan, own, platform)
    beside = f"its model does not fit {memory} beside those of the others" if memory else ""
    beside = beside or ("the one option chosen for it needs what the others take" if plan.single else "")
    if all(short):
        return _takers(plan, tenant, tenants, short, beside)
    return beside or f"nothing that it needs is short, and {_counts_little(tenant)}"


def _counts_little(tenant: Tenant) -> str:
    return f"at its weight of {tenant.weight:g} it counts for nothing"


def _full(plan: Plan) -> Iterator[str]:
    return (price.resource for price in plan.prices if price.used >= _FULL * price.capacity)


def _promised(plan: Plan, tenants: Sequence[Tenant], platform: Platform) -> Iterator[str]:
    """Name the processors of which open work has all that it may be promised."""
    opens = {t.name for t in tenants if _is_open(t)}
    for processor in platform.processors:
        used = sum(s.rate_per_s * s.option.demand_of(processor.name) for s in plan.shares if s.option.tenant in opens)
        if used >= _FULL * plan.headroom * processor.lanes_given:
            yield processor.name


def _takers(plan: Plan, tenant: Tenant, tenants: Sequence[Tenant], short: Sequence[Sequence[str]], beside: str) -> str:
    """Say who has what a tenant would need, and why it goes to them.

    `short` has what is short for each of its options, `beside` what else is in its way. An objective that no P of 0 is worth (`_FAIR`)
    never takes all from one for another: what comes before it does, or what is in the way beside, or a weight that is next to nothing.
    """
    names = list(dict.fromkeys(name for some in short for name in some))
    users = [t for t in tenants if any(s.option.demand_of(name) > 0 for s in serving(plan, t.name) for name in names)]
    goes = f"all of {listed(names)} goes to {listed([f'{t.name} (rank {t.rank})' for t in users])}"
    better, held = [t for t in users if t.rank < tenant.rank], [t for t in users if t.rank >= tenant.rank and _at_floor(plan, t)]
    equals = [t.name for t in users if t.rank == tenant.rank and t not in held and not _is_open(t) and not _is_open(tenant)]
    if equals and plan.objective not in _FAIR:
        return f"{goes}; {plan.objective.value} gains more by {listed(equals)}{_before([], held)}"
    if not equals or _leaves_nothing(plan, [t for t in users if t.name not in equals], short):
        return goes + _before(better if len(better) < len(users) else [], held)
    return beside or f"{goes}; {_counts_little(tenant)} beside {listed(equals)}"


def _before(better: Sequence[Tenant], held: Sequence[Tenant]) -> str:
    """Say what comes before an objective."""
    floors = f"floors, as {listed([t.name for t in held])} {'has' if len(held) == 1 else 'have'}," if held else ""
    if better:
        return f"; better ranks {f'and {floors} ' if floors else ''}leave nothing"
    return f"; {floors} go first" if floors else ""


def _at_floor(plan: Plan, tenant: Tenant) -> bool:
    """Say whether a tenant has its floor, or what could be reached of it, and no more."""
    return tenant.floor > 0 and plan.promise(tenant.name).p <= tenant.floor / _FULL


def _leaves_nothing(plan: Plan, users: Sequence[Tenant], short: Sequence[Sequence[str]]) -> bool:
    """Say whether these users have, of what is short for each option, all that there is of one thing."""
    some = {t.name for t in users}
    shares = [share for share in plan.shares if share.option.tenant in some]
    full = {p.resource for p in plan.prices if sum(s.rate_per_s * s.option.demand_of(p.resource) for s in shares) >= _FULL * p.capacity}
    return all(full.intersection(names) for names in short)


def _crowded(plan: Plan, own: Sequence[Option], platform: Platform) -> str:
    """Name the memory that none of a tenant's models fits, beside what the others have loaded; empty where one does."""
    resident = {share.option.artifact for share in plan.shares}
    room = {m.name: m.capacity_bytes - sum(a.resident_bytes for a in resident if a.memory == m.name) for m in platform.memories}
    fits = [o.artifact in resident or o.artifact.resident_bytes <= room.get(o.artifact.memory, 0) for o in own]
    return "" if any(fits) or not own else own[0].artifact.memory


def _is_open(tenant: Tenant) -> bool:
    return open_rate_per_s(tenant.arrival) is not None
