"""A tenant's queue that is full: who makes room."""

from __future__ import annotations

from cotenant.dispatch.queues import goes_before
from cotenant.dispatch.state import NONE, State


def first_to_yield(s: State, tenant: int) -> int:
    """Return the slot of a tenant's oldest request that has not begun; NONE if there is none.

    The oldest has the least time left, and its input is the stalest; at the same rate of service, those that stay are answered sooner.
    """
    t = s.tenants[tenant]
    found = NONE
    for option in range(t.option, t.option + t.options):
        for late in range(2):
            slot = _oldest(s, s.options[option].stage, late)
            if slot != NONE and (found == NONE or goes_before(s, slot, found)):
                found = slot
    return found


def _oldest(s: State, position: int, late: int) -> int:
    """Return the oldest of one queue that has not begun: its last where the newest goes first, else the first behind those that have."""
    stage = s.stages[position]
    if stage.newest == 1:
        last = stage.late_last if late == 1 else stage.live_last
        return last if last != NONE and s.slots[last].begun == 0 else NONE
    slot = stage.late if late == 1 else stage.live
    while slot != NONE and s.slots[slot].begun == 1:
        slot = s.slots[slot].next
    return slot
