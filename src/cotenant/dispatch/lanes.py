"""Lanes: which are free, which can be taken over, who holds them."""

from __future__ import annotations

from cotenant.dispatch.queues import put_back
from cotenant.dispatch.state import BY_CLASS, NONE, RUNNING, SUSPENDED, Ints, State


def find_open(s: State, position: int, critical: int, lanes: Ints) -> int:
    """Write up to `width` open lanes into `lanes`: first those that are warm, last those with a suspended request; return how many.

    A suspended request yields to rank 0 only.
    """
    stage = s.stages[position]
    processor = s.processors[stage.processor]
    found = 0
    for kind in range(3):
        for lane in range(processor.lane, processor.lane + processor.lanes):
            if found == stage.width:
                return found
            if s.lanes[lane].running == NONE and _kind(s, lane, position) == kind and (kind < 2 or critical == 1):
                lanes[found] = lane
                found += 1
    return found


def _kind(s: State, lane: int, position: int) -> int:
    if s.lanes[lane].suspended != NONE:
        return 2
    return 0 if s.lanes[lane].warm == s.stages[position].option else 1


def is_warm(s: State, position: int) -> int:
    """Return 1 if a lane on which the stage's option was the last to run is idle, else 0."""
    option = s.stages[position].option
    processor = s.processors[s.stages[position].processor]
    for lane in range(processor.lane, processor.lane + processor.lanes):
        if s.lanes[lane].warm == option and s.lanes[lane].running == NONE and s.lanes[lane].suspended == NONE:
            return 1
    return 0


def can_yield(s: State, lane: int) -> bool:
    """Say whether what runs on the lane may be suspended for rank 0: one request deep, and of one lane only."""
    slot = s.lanes[lane].running
    if slot == NONE or s.lanes[lane].suspended != NONE or s.tenants[s.slots[slot].tenant].critical == 1:
        return False
    return s.processors[s.lanes[lane].processor].preempts == BY_CLASS and s.slots[slot].width == 1


def occupy(s: State, lane: int, slot: int) -> None:
    s.lanes[lane].running = slot
    s.lanes[lane].warm = s.stages[s.slots[slot].position].option
    s.slots[slot].state = RUNNING
    s.processors[s.lanes[lane].processor].free -= 1


def suspend(s: State, lane: int) -> None:
    """Set what runs aside on its lane, to go on there."""
    slot = s.lanes[lane].running
    s.lanes[lane].suspended = slot
    s.lanes[lane].running = NONE
    s.slots[slot].state = SUSPENDED
    s.processors[s.lanes[lane].processor].free += 1


def resume(s: State, lane: int, now_ns: int) -> None:
    slot = s.lanes[lane].suspended
    s.lanes[lane].suspended = NONE
    s.slots[slot].since_ns = now_ns
    occupy(s, lane, slot)


def stop_running(s: State, slot: int, now_ns: int) -> None:
    """Count what the segment at hand has run so far."""
    c = s.slots[slot]
    c.ran_ns += now_ns - c.since_ns
    c.since_ns = now_ns


def preempt(s: State, slot: int, now_ns: int) -> None:
    """Take a request off all its lanes and queue it again, with what is expected to be left of its segment."""
    stop_running(s, slot, now_ns)
    release(s, slot)
    expect_left(s, slot, now_ns)
    s.slots[slot].parked = 1
    put_back(s, slot)


def expect_left(s: State, slot: int, now_ns: int) -> None:
    """Reckon what is left of a begun segment from the time that it has run: never less than a nanosecond."""
    c = s.slots[slot]
    stage = s.stages[c.position]
    ran_ns = c.ran_ns + now_ns - c.since_ns
    c.segment_ns = max(1, stage.segment_ns - ran_ns)
    c.remaining_ns = stage.remaining_ns - stage.segment_ns + c.segment_ns


def release(s: State, slot: int) -> None:
    """Free every lane that runs the slot, and forget it where it is suspended."""
    processor = s.processors[s.slots[slot].processor]
    for lane in range(processor.lane, processor.lane + processor.lanes):
        if s.lanes[lane].running == slot:
            s.lanes[lane].running = NONE
            processor.free += 1
        if s.lanes[lane].suspended == slot:
            s.lanes[lane].suspended = NONE
