"""A plan that reckons with what its own tenants make each other wait for memories."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from cotenant.describe import Plan, Platform, Tenant, open_rate_per_s
from cotenant.errors import InfeasibleError
from cotenant.plan.missed import missed
from cotenant.plan.stalls import stalled, stalls

SLIGHT = 0.01
"""A share of a processor's time: by less than that what is foretold may be off."""

OVERSTATED = 0.05
"""A share of a processor's time: what is left free beyond that, and beyond twice what is foretold, is for nothing."""

_ROUNDS = 4

Solving = Callable[[Platform], Plan]
"""Plan for a platform whose processors lose what they are said to lose; InfeasibleError where that is too much."""


def settled(tenants: Sequence[Tenant], platform: Platform, solving: Solving) -> Plan:
    """Plan, foretell how long that plan's segments wait for memories, and plan for what is left, until no more is lost than is left free.

    Nobody is refused, and no arrivals or floor missed, for what is only foretold: where they would be, the last plan that held them stays,
    and `unsettled` says what it does not reckon with. The first plan does where the others end by leaving free what nobody waits for.
    Errors are those of the first plan.
    """
    first = plan = solving(platform)
    for _ in range(_ROUNDS):
        lost = unsettled(plan, tenants, platform)
        if not lost:
            break
        try:
            again = solving(stalled(platform, _greater(dict(plan.stalls), lost)))
        except InfeasibleError:
            break
        if any(missed(again, tenant) and not missed(plan, tenant) for tenant in tenants):
            break
        plan = again
    return first if any(overstated(plan, platform)) else plan


def unsettled(plan: Plan, tenants: Sequence[Tenant], platform: Platform) -> Mapping[str, float]:
    """Return what processors lose by a plan, as a share of their busy time, where it does not leave them room for that."""
    lost = {name: share for name, share in stalls(plan.shares, platform).items() if share > SLIGHT}
    return {name: share for name, share in lost.items() if _lacks_room(plan, tenants, platform, name, share)}


def overstated(plan: Plan, platform: Platform) -> Iterator[str]:
    """Say which processors a plan leaves free for far more than what they lose by it: no room for waiting explains that."""
    expected = stalls(plan.shares, platform) if plan.stalls else {}
    for name, stated in plan.stalls:
        if stated > 2 * expected.get(name, 0.0) + OVERSTATED:
            yield f"stalls of {name}: {stated:.3g} left free, {expected.get(name, 0.0):.3g} to be expected of its shares"


def _lacks_room(plan: Plan, tenants: Sequence[Tenant], platform: Platform, processor: str, lost: float) -> bool:
    """Say whether a processor is promised more than waiting leaves of it; half of the headroom of open work may go to waiting."""
    opens = {tenant.name for tenant in tenants if open_rate_per_s(tenant.arrival) is not None}
    used = [(share.option.tenant in opens, share.rate_per_s * share.option.demand_of(processor)) for share in plan.shares]
    left = platform.processor(processor).lanes * (1 - lost + SLIGHT)
    return sum(lane_s for _, lane_s in used) > left or sum(lane_s for is_open, lane_s in used if is_open) > left * (1 + plan.headroom) / 2


def _greater(known: Mapping[str, float], found: Mapping[str, float]) -> dict[str, float]:
    return {name: max(known.get(name, 0.0), found.get(name, 0.0)) for name in (*known, *found)}
