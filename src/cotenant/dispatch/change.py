"""Another plan while requests are outstanding: nothing is lost."""

from __future__ import annotations

import math
from dataclasses import replace

from cotenant.describe import Share
from cotenant.dispatch.lineup import Lineup, lay_out
from cotenant.dispatch.promises import WARM_NS, last_of_equals, touch
from cotenant.dispatch.queues import activate
from cotenant.dispatch.state import FREE, NONE, State
from cotenant.policy import Policy


def keep_options_in_use(old: Lineup, s: State, shares: tuple[Share, ...]) -> tuple[Share, ...]:
    """Return the new shares, and at rate 0 the old options that some outstanding request still needs."""
    known = {share.option for share in shares}
    used = {old.options[k] for c in s.slots if c.state != FREE for k in (c.option, s.stages[c.position].option)}
    return (*shares, *(Share(option=option, rate_per_s=0.0) for option in old.options if option in used - known))


def outstanding_slots(s: State) -> list[int]:
    """List the slots in use."""
    return [slot for slot, c in enumerate(s.slots) if c.state != FREE]


def carry_over(old: Lineup, s: State, new: Lineup, policy: Policy) -> State:
    """Lay the new lineup out with everything outstanding where it was; both have the same tenants and lanes."""
    fresh = lay_out(new, len(s.slots), policy, tuple(s.params))
    options = {k: new.options.index(option) for k, option in enumerate(old.options) if option in new.options}
    stages = {
        s.options[k].stage + offset: fresh.options[other].stage + offset
        for k, other in options.items()
        for offset in range(s.options[k].stages)
    }
    for old_row, row in zip(s.processors, fresh.processors, strict=True):
        old_row.queue, old_row.queued = row.queue, 0
    fresh = fresh._replace(processors=s.processors, slots=s.slots, desk=s.desk, running=s.running, notes=s.notes)
    _carry_tenants(s, fresh)
    _carry_lanes(s, fresh, options)
    for slot in outstanding_slots(s):
        c = s.slots[slot]
        c.option, c.position = options[c.option], stages[c.position]
    for position, other in stages.items():
        _carry_queues(s, fresh, position, other)
    touch(fresh)
    return fresh


def _carry_tenants(s: State, fresh: State) -> None:
    for old, new in zip(s.tenants, fresh.tenants, strict=True):
        new.served, new.outstanding, new.last_ns, new.note, new.mark = old.served, old.outstanding, old.last_ns, old.note, old.mark
        new.waiting = old.waiting
        new.tokens = max(-new.rate * WARM_NS, min(new.depth, old.tokens))
    _level(s, fresh)


def _carry_lanes(s: State, fresh: State, options: dict[int, int]) -> None:
    for lane, row in enumerate(s.lanes):
        fresh.lanes[lane] = replace(row, warm=options.get(row.warm, NONE))


def _carry_queues(s: State, fresh: State, position: int, other: int) -> None:
    old, new = s.stages[position], fresh.stages[other]
    new.live, new.live_last, new.late, new.late_last, new.late_ns = old.live, old.live_last, old.late, old.late_last, old.late_ns
    if new.live != NONE or new.late != NONE:
        activate(fresh, other)


def _level(old: State, s: State) -> None:
    """Put those that are promised something at last, or nothing any more, level with the last of their new equals."""
    turned = [index for index in range(len(s.tenants)) if (old.tenants[index].rate > 0.0) != (s.tenants[index].rate > 0.0)]
    for tenant in turned:
        s.tenants[tenant].served = math.inf
    for tenant in turned:
        s.tenants[tenant].served = last_of_equals(s, tenant)
