"""What must hold of a state after every event."""

from __future__ import annotations

from collections.abc import Iterator

from cotenant.dispatch.promises import WARM_NS
from cotenant.dispatch.state import AT_ONCE, FREE, NONE, READY, RUNNING, SUSPENDED, State

_ROUNDING = 1e-9  # of a token


def broken_laws(s: State) -> tuple[str, ...]:
    """List every law that the state breaks, in words; empty if it is sound."""
    return (*_slots(s), *_stages(s), *_lanes(s), *_widths(s), *_tenants(s))


def _chain(s: State, head: int) -> Iterator[int]:
    slot = head
    for _ in range(len(s.slots) + 1):
        if slot == NONE:
            return
        yield slot
        slot = s.slots[slot].next


def _slots(s: State) -> Iterator[str]:
    places = {
        READY: [slot for stage in s.stages for head in (stage.live, stage.late) for slot in _chain(s, head)],
        FREE: list(_chain(s, s.desk[0].free_slot)),
        RUNNING: sorted({lane.running for lane in s.lanes if lane.running != NONE}),
        SUSPENDED: [lane.suspended for lane in s.lanes if lane.suspended != NONE],
    }
    seen = sorted(slot for slots in places.values() for slot in slots)
    if seen != list(range(len(s.slots))):
        yield f"every slot is in one place, once: {seen}"
    for where, slots in places.items():
        for slot in slots:
            if s.slots[slot].state != where:
                yield f"slot {slot} is where it says: {s.slots[slot].state}, found in {where}"


def _stages(s: State) -> Iterator[str]:
    listed = [s.active[index] for row in s.processors for index in range(row.queue, row.queue + row.queued)]
    queued = [index for index, stage in enumerate(s.stages) if stage.live != NONE or stage.late != NONE]
    if sorted(listed) != queued:
        yield f"stages {queued} have something queued, {listed} are listed"
    for position, stage in enumerate(s.stages):
        for late, (head, last) in enumerate(((stage.live, stage.live_last), (stage.late, stage.late_last))):
            chain = [*_chain(s, head)]
            for slot in chain:
                if (s.slots[slot].position, s.slots[slot].late) != (position, late):
                    yield f"slot {slot} is queued at stage {position}, late {late}, and says otherwise"
            if [s.slots[slot].before for slot in chain] + [last] != [NONE, *chain]:
                yield f"the queue at stage {position}, late {late}, is the same from both ends: {chain}"
            if stage.newest == 1 and not _newest_first(s, chain):
                yield f"the queue at stage {position}, late {late}, begins with those that have begun, then the newest: {chain}"


def _newest_first(s: State, chain: list[int]) -> bool:
    fresh = [s.slots[slot].begun for slot in chain]
    return fresh == sorted(fresh, reverse=True)


def _lanes(s: State) -> Iterator[str]:
    for index, processor in enumerate(s.processors):
        free = sum(1 for lane in range(processor.lane, processor.lane + processor.lanes) if s.lanes[lane].running == NONE)
        if free != processor.free:
            yield f"processor {index} has {free} free lanes, not {processor.free}"
    for lane, row in enumerate(s.lanes):
        slot = row.running
        if slot != NONE and s.slots[slot].processor != row.processor:
            yield f"slot {slot} runs on lane {lane} of another processor than its own"
        if row.suspended != NONE and s.processors[row.processor].preempts == AT_ONCE:
            yield f"lane {lane} holds slot {row.suspended}, which may go on anywhere"


def _widths(s: State) -> Iterator[str]:
    for slot in {row.running for row in s.lanes if row.running != NONE}:
        width = sum(1 for row in s.lanes if row.running == slot)
        if width != s.slots[slot].width:
            yield f"slot {slot} runs on {width} lanes, not {s.slots[slot].width}"


def _tenants(s: State) -> Iterator[str]:
    for index, tenant in enumerate(s.tenants):
        counted = sum(1 for c in s.slots if c.state != FREE and c.tenant == index)
        if counted != tenant.outstanding:
            yield f"tenant {index} has {counted} outstanding, not {tenant.outstanding}"
        waiting = sum(1 for c in s.slots if c.state == READY and c.tenant == index and c.begun == 0)
        if waiting != tenant.waiting:
            yield f"tenant {index} has {waiting} waiting, not {tenant.waiting}"
        if waiting > tenant.bound and s.desk[0].crowded == 0:
            yield f"tenant {index} has {waiting} waiting, more than {tenant.bound}"
        least = -tenant.rate * WARM_NS
        if not least - _ROUNDING <= tenant.tokens <= tenant.depth:
            yield f"tenant {index} holds {tenant.tokens} tokens of {least} to {tenant.depth}"
