"""Lanes: which are free, which can be taken over, who holds them."""

from __future__ import annotations

from cotenant.dispatch.state import NONE, ON_LANE, SUSPENDED, Ints, State


def is_open(s: State, lane: int, critical: int) -> bool:
    """Say whether work of this class may start on a lane that runs nothing: a suspended request yields to rank 0 only."""
    return s.l_running[lane] == NONE and (critical == 1 or s.l_suspended[lane] == NONE)


def find_open(s: State, stage: int, critical: int, lanes: Ints) -> int:
    """Write up to `width` open lanes into `lanes`: first those that are warm, last those with a suspended request; return how many."""
    processor, width = s.q_processor[stage], s.q_width[stage]
    found = 0
    for kind in range(3):
        for lane in range(s.p_lane[processor], s.p_lane[processor] + s.p_lanes[processor]):
            if found < width and is_open(s, lane, critical) and _kind(s, lane, stage) == kind:
                lanes[found] = lane
                found += 1
    return found


def is_warm(s: State, stage: int) -> int:
    """Return 1 if a lane on which the stage was the last to run is idle, else 0."""
    processor = s.q_processor[stage]
    for lane in range(s.p_lane[processor], s.p_lane[processor] + s.p_lanes[processor]):
        if s.l_warm[lane] == stage and s.l_running[lane] == NONE and s.l_suspended[lane] == NONE:
            return 1
    return 0


def can_yield(s: State, lane: int) -> bool:
    """Say whether what runs on the lane may be suspended for rank 0: one request deep, and of one lane only."""
    slot = s.l_running[lane]
    if slot == NONE or s.l_suspended[lane] != NONE or s.t_critical[s.r_tenant[slot]] == 1:
        return False
    return s.p_preempts[s.l_processor[lane]] == 1 and s.q_width[s.r_stage[slot]] == 1


def occupy(s: State, lane: int, slot: int) -> None:
    s.l_running[lane] = slot
    s.l_warm[lane] = s.r_stage[slot]
    s.r_where[slot] = ON_LANE
    s.p_free[s.l_processor[lane]] -= 1


def suspend(s: State, lane: int) -> None:
    slot = s.l_running[lane]
    s.l_suspended[lane] = slot
    s.l_running[lane] = NONE
    s.r_where[slot] = SUSPENDED
    s.p_free[s.l_processor[lane]] += 1


def resume(s: State, lane: int) -> None:
    slot = s.l_suspended[lane]
    s.l_suspended[lane] = NONE
    occupy(s, lane, slot)


def release(s: State, slot: int) -> None:
    """Free every lane that runs the slot, and forget it where it is suspended."""
    for lane in range(len(s.l_running)):
        if s.l_running[lane] == slot:
            s.l_running[lane] = NONE
            s.p_free[s.l_processor[lane]] += 1
        if s.l_suspended[lane] == slot:
            s.l_suspended[lane] = NONE


def _kind(s: State, lane: int, stage: int) -> int:
    if s.l_suspended[lane] != NONE:
        return 2
    return 0 if s.l_warm[lane] == stage else 1
