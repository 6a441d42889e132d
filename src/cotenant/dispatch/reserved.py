"""Reserved lanes: where their tenant's work goes first, and where to when they are busy."""

from __future__ import annotations

from cotenant.dispatch.choose import is_blocked
from cotenant.dispatch.events import stand
from cotenant.dispatch.queues import enqueue, goes_before, put_back, withdraw
from cotenant.dispatch.rest import does_rest
from cotenant.dispatch.state import NONE, ProcessorRow, State


def bring_home(s: State) -> None:
    """Let heads that wait for common lanes wait for idle lanes that are reserved for their tenant instead, as many as fit there."""
    if s.desk[0].reserves == 0:
        return
    for index in range(len(s.processors)):
        row = s.processors[index]
        idle = 0 if row.common == NONE or row.free == 0 else row.free - _wanted(s, row)
        while idle > 0:
            slot = _head(s, row.common, index, idle)
            if slot == NONE:
                idle = 0
            else:
                _cross(s, slot)
                enqueue(s, slot)
                idle -= s.slots[slot].width


def reach_out(s: State) -> bool:
    """Let heads for which no reserved lanes are left wait for common ones that are idle; say whether there are any.

    Nobody else may have been able to start there: the policy then says which of these does. `go_back` undoes it for the others.
    """
    found = False
    if s.desk[0].reserves == 0:
        return found
    for index in range(len(s.processors)):
        common = s.processors[index].common
        if common != NONE:
            found = _reach(s, index, common) or found
    return found


def go_back(s: State) -> None:
    """Let those that `reach_out` moved, and that could not start, wait where they did, before whoever stands there."""
    for index in range(len(s.processors)):
        row = s.processors[index]
        for at in range(row.queue + row.queued - 1, row.queue - 1, -1):
            stage = s.stages[s.active[at]]
            if stage.reached == s.desk[0].decision:
                slot = stage.live if stage.live != NONE else stage.late
                _cross(s, slot)
                put_back(s, slot)


def _wanted(s: State, row: ProcessorRow) -> int:
    """Count the lanes that those who wait for a processor want, up to all that are free."""
    wanted = 0
    for index in range(row.queue, row.queue + row.queued):
        stage = s.stages[s.active[index]]
        for late in range(2):
            slot = stage.late if late == 1 else stage.live
            while slot != NONE and wanted < row.free:
                wanted += stage.width
                slot = s.slots[slot].next
    return wanted


def _head(s: State, source: int, target: int, lanes: int) -> int:
    """Return the first of the heads at one part of a processor that might as well run on so many lanes of the other, NONE if none might."""
    best = NONE
    row = s.processors[source]
    for index in range(row.queue, row.queue + row.queued):
        stage = s.stages[s.active[index]]
        slot = stage.live if stage.live != NONE else stage.late
        if stage.twin == NONE or stage.width > lanes or s.stages[stage.twin].processor != target or s.slots[slot].parked == 1:
            continue
        if not does_rest(s, slot) and (best == NONE or _goes_first(s, slot, best)):
            best = slot
    return best


def _goes_first(s: State, one: int, other: int) -> bool:
    if s.slots[one].late != s.slots[other].late:
        return s.slots[one].late < s.slots[other].late
    if s.slots[one].begun != s.slots[other].begun:
        return s.slots[one].begun > s.slots[other].begun
    return goes_before(s, one, other)


def _reach(s: State, index: int, common: int) -> bool:
    """Move the head of each stage at a processor that cannot start there, and might on common lanes."""
    found = False
    home, target = s.processors[index], s.processors[common]
    for at in range(home.queue + home.queued - 1, home.queue - 1, -1):
        stage = s.stages[s.active[at]]
        if stage.twin == NONE or stage.width > target.free or is_blocked(s, stage.twin):
            continue
        if stage.width <= home.free and not is_blocked(s, s.active[at]):
            continue
        twin = s.stages[stage.twin]
        slot = stage.live if stage.live != NONE else stage.late
        if twin.live == NONE and twin.late == NONE and s.slots[slot].parked == 0 and not does_rest(s, slot):
            _cross(s, slot)
            put_back(s, slot)
            twin.reached = s.desk[0].decision + 1
            found = True
    return found


def _cross(s: State, slot: int) -> None:
    """Take a head out of its queue, and put it before the step that does the same on the other part of its processor."""
    position = s.stages[s.slots[slot].position].twin
    withdraw(s, slot)
    stand(s, slot, position)
