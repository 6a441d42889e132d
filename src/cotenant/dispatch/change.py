"""Another plan, or another crew, while requests are outstanding: nothing is lost, and what runs goes on."""

from __future__ import annotations

import math
from collections.abc import Collection
from dataclasses import dataclass, replace

from cotenant.describe import Option, Share, Tenant
from cotenant.dispatch.events import end, take_option
from cotenant.dispatch.lineup import Lineup, lay_out
from cotenant.dispatch.promises import WARM_NS, last_of_equals, touch
from cotenant.dispatch.queues import activate, enqueue, withdraw
from cotenant.dispatch.state import FREE, NONE, READY, State
from cotenant.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Say who is served from now on, and by what.

    What waits of a `renewed` tenant takes one of its new options; what waits of others keeps the option that it was given.
    """

    tenants: tuple[Tenant, ...]
    shares: tuple[Share, ...]
    renewed: Collection[str] = ()


def change(old: Lineup, s: State, asked: Change, policy: Policy) -> tuple[Lineup, State, list[int]]:
    """Go over to another plan or crew; return also the slots whose requests had not begun and ended, since their tenants are gone.

    Tenants that are gone and have begun requests stay behind the others in the lineup, at rate 0, until a later change. InputError,
    before anything is changed, for a tenant without an option.
    """
    names = {tenant.name for tenant in asked.tenants}
    shares = tuple(share for share in asked.shares if share.option.tenant in names)
    wanted = Lineup(tenants=asked.tenants, shares=shares, platform=old.platform)
    ended = _dismiss(s, {index for index, tenant in enumerate(old.tenants) if tenant.name not in names})
    leaving = (t for index, t in enumerate(old.tenants) if t.name not in names and s.tenants[index].outstanding > 0)
    rerouted = _set_aside(s, _numbers(old, asked.renewed))
    requeued = _set_aside(s, _numbers(old, _reordered(old, wanted)) - _numbers(old, asked.renewed))
    new = replace(wanted, tenants=(*asked.tenants, *leaving), shares=_with_those_in_use(old, s, shares, rerouted))
    fresh = _carried_over(old, s, new, policy, rerouted)
    _let_go(fresh, len(asked.tenants))
    for slot in rerouted:
        take_option(fresh, slot)
    for slot in sorted((*rerouted, *requeued), key=lambda one: _age(fresh, one)):
        enqueue(fresh, slot)
    return new, fresh, ended


def in_use(lineup: Lineup, s: State) -> set[Option]:
    """Return the options that outstanding requests need."""
    return {option for slot in _outstanding(s) for option in _options_of(lineup, s, slot)}


def _numbers(lineup: Lineup, names: Collection[str]) -> set[int]:
    return {index for index, tenant in enumerate(lineup.tenants) if tenant.name in names}


def _reordered(old: Lineup, new: Lineup) -> set[str]:
    """Name those of whose waiting requests another goes first from now on."""
    newest = {tenant.name: tenant.serves_newest_first for tenant in old.tenants}
    return {tenant.name for tenant in new.tenants if newest.get(tenant.name, tenant.serves_newest_first) != tenant.serves_newest_first}


def _waiting(s: State, tenants: Collection[int]) -> list[int]:
    """List the slots of tenants' requests that have not begun."""
    return [slot for slot, c in enumerate(s.slots) if c.state == READY and c.begun == 0 and c.tenant in tenants]


def _dismiss(s: State, tenants: Collection[int]) -> list[int]:
    """End what has not begun; return the slots that it had."""
    slots = _waiting(s, tenants)
    for slot in slots:
        withdraw(s, slot)
        end(s, slot)
    return slots


def _set_aside(s: State, tenants: Collection[int]) -> list[int]:
    """Take what has not begun out of its queues."""
    slots = _waiting(s, tenants)
    for slot in slots:
        withdraw(s, slot)
    return slots


def _age(s: State, slot: int) -> tuple[int, int]:
    return s.slots[slot].arrival_ns, s.slots[slot].request


def _with_those_in_use(old: Lineup, s: State, shares: tuple[Share, ...], but: Collection[int]) -> tuple[Share, ...]:
    """Return the new shares, and at rate 0 the old options that some outstanding request, `but` for those slots, still needs."""
    known = {share.option for share in shares}
    used = {option for slot in _outstanding(s) if slot not in but for option in _options_of(old, s, slot)}
    return (*shares, *(Share(option=option, rate_per_s=0.0) for option in old.options if option in used - known))


def _options_of(lineup: Lineup, s: State, slot: int) -> tuple[Option, Option]:
    """Return the option that a request was given, and the one by which its segment at hand is served."""
    c = s.slots[slot]
    return lineup.options[c.option], lineup.options[s.stages[c.position].option]


def _outstanding(s: State) -> list[int]:
    """List the slots in use."""
    return [slot for slot, c in enumerate(s.slots) if c.state != FREE]


def _carried_over(old: Lineup, s: State, new: Lineup, policy: Policy, rerouted: Collection[int]) -> State:
    """Lay the new lineup out with everything outstanding where it was, but for what is to be `rerouted`; both have the same lanes."""
    fresh = lay_out(new, len(s.slots), policy, tuple(s.params))
    places = {option: k for k, option in enumerate(new.options)}
    options = {k: places[option] for k, option in enumerate(old.options) if option in places}
    stages = {
        s.options[k].stage + offset: fresh.options[other].stage + offset
        for k, other in options.items()
        for offset in range(s.options[k].stages)
    }
    for old_row, row in zip(s.processors, fresh.processors, strict=True):
        old_row.queue, old_row.queued = row.queue, 0
    s.desk[0].drops = fresh.desk[0].drops
    fresh = fresh._replace(processors=s.processors, slots=s.slots, desk=s.desk, running=s.running, notes=s.notes)
    tenants = _carry_tenants(old, s, new, fresh)
    _carry_lanes(s, fresh, options)
    for slot in _outstanding(s):
        _carry_request(fresh, slot, tenants)
        if slot not in rerouted:
            c = s.slots[slot]
            c.option, c.position = options[c.option], stages[c.position]
    for position, other in stages.items():
        _carry_queues(s, fresh, position, other)
    touch(fresh)
    return fresh


def _carry_tenants(old: Lineup, s: State, new: Lineup, fresh: State) -> dict[int, int]:
    """Hand each its service, tokens and counts; return the new number of each that is still there, by its old one."""
    numbers = {tenant.name: index for index, tenant in enumerate(new.tenants)}
    tenants = {index: numbers[tenant.name] for index, tenant in enumerate(old.tenants) if tenant.name in numbers}
    for index, other in tenants.items():
        was, now = s.tenants[index], fresh.tenants[other]
        now.served, now.outstanding, now.last_ns, now.note, now.mark = was.served, was.outstanding, was.last_ns, was.note, was.mark
        now.came, now.waiting = was.came, was.waiting
        now.tokens = max(-now.rate * WARM_NS, min(now.depth, was.tokens))
        if now.critical == 0:
            now.rest_ns, now.paced = was.rest_ns, was.paced
    _level(s, fresh, tenants)
    fresh.desk[0].crowded = int(any(tenant.waiting > tenant.bound for tenant in fresh.tenants))
    return tenants


def _let_go(fresh: State, first: int) -> None:
    """Have those who leave, from a number on, rest no more: their driver may have forgotten them."""
    for tenant in range(first, len(fresh.tenants)):
        fresh.tenants[tenant].rest_ns = fresh.tenants[tenant].paced = 0


def _carry_request(fresh: State, slot: int, tenants: dict[int, int]) -> None:
    c = fresh.slots[slot]
    c.tenant = tenants[c.tenant]
    c.rank, c.weight = fresh.tenants[c.tenant].rank, fresh.tenants[c.tenant].weight


def _carry_lanes(s: State, fresh: State, options: dict[int, int]) -> None:
    for lane, row in enumerate(s.lanes):
        fresh.lanes[lane] = replace(row, warm=options.get(row.warm, NONE))


def _carry_queues(s: State, fresh: State, position: int, other: int) -> None:
    old, new = s.stages[position], fresh.stages[other]
    new.live, new.live_last, new.late, new.late_last, new.late_ns = old.live, old.live_last, old.late, old.late_last, old.late_ns
    if new.live != NONE or new.late != NONE:
        activate(fresh, other)


def _level(old: State, s: State, tenants: dict[int, int]) -> None:
    """Put who is new, or takes turns with others than before, level with the last of its equals."""
    turned = set(range(len(s.tenants))) - {other for index, other in tenants.items() if _equals(old, index) == _equals(s, other)}
    for tenant in turned:
        s.tenants[tenant].served = math.inf
    for tenant in sorted(turned):
        s.tenants[tenant].served = last_of_equals(s, tenant)


def _equals(s: State, tenant: int) -> tuple[int, bool]:
    """Return what those have in common that a tenant takes turns with (`promises.are_equals`)."""
    return s.tenants[tenant].rank, s.tenants[tenant].rate > 0.0
