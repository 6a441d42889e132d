"""What must hold of a state after every event."""

from __future__ import annotations

from collections.abc import Iterator

from cotenant.dispatch.promises import WARM_NS
from cotenant.dispatch.state import FREE, NONE, ON_LANE, QUEUED_LATE, QUEUED_LIVE, SUSPENDED, Ints, State

_ROUNDING = 1e-9  # of a token


def broken_laws(s: State) -> tuple[str, ...]:
    """List every law that the state breaks, in words; empty if it is sound."""
    return (*_slots(s), *_lanes(s), *_tenants(s))


def _chain(s: State, head: int) -> Iterator[int]:
    slot = head
    for _ in range(len(s.r_next) + 1):
        if slot == NONE:
            return
        yield slot
        slot = s.r_next[slot]


def _queued(s: State, first: Ints) -> list[int]:
    return [slot for head in first for slot in _chain(s, head)]


def _slots(s: State) -> Iterator[str]:
    places = {
        QUEUED_LIVE: _queued(s, s.q_live),
        QUEUED_LATE: _queued(s, s.q_late),
        FREE: list(_chain(s, s.free_slot[0])),
        ON_LANE: sorted({slot for slot in s.l_running if slot != NONE}),
        SUSPENDED: [slot for slot in s.l_suspended if slot != NONE],
    }
    seen = sorted(slot for slots in places.values() for slot in slots)
    if seen != list(range(len(s.r_request))):
        yield f"every slot is in one place, once: {seen}"
    for where, slots in places.items():
        for slot in slots:
            if s.r_where[slot] != where:
                yield f"slot {slot} is where it says: {s.r_where[slot]}, found in {where}"


def _lanes(s: State) -> Iterator[str]:
    for processor, first in enumerate(s.p_lane):
        lanes = range(first, first + s.p_lanes[processor])
        free = sum(1 for lane in lanes if s.l_running[lane] == NONE)
        if free != s.p_free[processor]:
            yield f"processor {processor} has {free} free lanes, not {s.p_free[processor]}"
    for lane, slot in enumerate(s.l_running):
        if slot != NONE and s.q_processor[s.r_stage[slot]] != s.l_processor[lane]:
            yield f"slot {slot} runs on lane {lane} of another processor than its own"
        if slot != NONE and s.l_suspended[lane] != NONE and s.t_critical[s.r_tenant[slot]] == 0:
            yield f"lane {lane} suspends slot {s.l_suspended[lane]} for work that is not of rank 0"
    for slot in {slot for slot in s.l_running if slot != NONE}:
        width = sum(1 for other in s.l_running if other == slot)
        if width != s.q_width[s.r_stage[slot]]:
            yield f"slot {slot} runs on {width} lanes, not {s.q_width[s.r_stage[slot]]}"


def _tenants(s: State) -> Iterator[str]:
    for tenant, outstanding in enumerate(s.t_outstanding):
        counted = sum(1 for slot, owner in enumerate(s.r_tenant) if s.r_request[slot] != NONE and owner == tenant)
        if counted != outstanding:
            yield f"tenant {tenant} has {counted} outstanding, not {outstanding}"
        least = -s.t_rate[tenant] * WARM_NS
        if not least - _ROUNDING <= s.t_tokens[tenant] <= s.t_depth[tenant]:
            yield f"tenant {tenant} holds {s.t_tokens[tenant]} tokens of {least} to {s.t_depth[tenant]}"
