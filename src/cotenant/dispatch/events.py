"""What may happen: a request arrives, a segment finishes or fails."""

from __future__ import annotations

from cotenant.dispatch.lanes import release, stop_running
from cotenant.dispatch.queues import enqueue
from cotenant.dispatch.state import FREE, NONE, READY, RUNNING, State


def arrive(s: State, request: int, tenant: int, arrival_ns: int, due_ns: int) -> int:
    """Queue a request at the first stage of the option that is furthest behind its rate; return its slot.

    There must be a free slot: `s.desk[0].free_slot != NONE`.
    """
    slot = s.desk[0].free_slot
    c = s.slots[slot]
    s.desk[0].free_slot = c.next
    s.tenants[tenant].outstanding += 1
    c.older = s.tenants[tenant].came
    _wait(s, tenant)
    c.request = request
    c.tenant = tenant
    c.rank = s.tenants[tenant].rank
    c.weight = s.tenants[tenant].weight
    c.arrival_ns = arrival_ns
    c.due_ns = due_ns
    c.begun = 0
    c.tag = 0.0
    c.since_ns = arrival_ns
    c.pace = 1.0
    c.note = 0.0
    c.mark = 0.0
    c.expected_ns = 0
    c.observed_ns = 0
    take_option(s, slot)
    enqueue(s, slot)
    return slot


def take_option(s: State, slot: int) -> None:
    """Put a request at the first stage of the option that is furthest behind its rate; it must be in no queue."""
    c = s.slots[slot]
    option = _route(s, c.tenant)
    s.options[option].served += 1.0
    c.option = option
    c.stages = s.options[option].stages
    c.alone_ns = s.stages[s.options[option].stage].remaining_ns
    stand_at(s, slot, 0)


def finish(s: State, slot: int, now_ns: int, leaves: int) -> int:
    """Take a finished segment off its lanes; queue the next and return 1, or end the request and return 0, at the last or if it leaves."""
    c = s.slots[slot]
    if c.state == RUNNING:
        stop_running(s, slot, now_ns)
    release(s, slot)
    count_segment(s, slot)
    if leaves == 0 and c.stage + 1 < c.stages:
        stand_at(s, slot, c.stage + 1)
        enqueue(s, slot)
        return 1
    end(s, slot)
    return 0


def count_segment(s: State, slot: int) -> None:
    """Reckon with what a finished segment took."""
    c = s.slots[slot]
    c.expected_ns += s.stages[c.position].segment_ns
    c.observed_ns += c.ran_ns
    if c.expected_ns > 0:
        c.pace = c.observed_ns / c.expected_ns


def fail(s: State, slot: int) -> None:
    """End a request whose segment failed."""
    release(s, slot)
    end(s, slot)


def end(s: State, slot: int) -> None:
    """Give the slot back; the request must be in no queue and on no lane."""
    c = s.slots[slot]
    s.tenants[c.tenant].outstanding -= 1
    s.tenants[c.tenant].waiting -= 1 - c.begun
    c.state = FREE
    c.request = NONE
    c.next = s.desk[0].free_slot
    s.desk[0].free_slot = slot


def flush(s: State) -> list[int]:
    """End every queued request; return the slots that they had."""
    slots = [slot for slot in range(len(s.slots)) if s.slots[slot].state == READY]
    for stage in s.stages:
        stage.live = stage.live_last = stage.late = stage.late_last = stage.active = NONE
    for processor in s.processors:
        processor.queued = 0
    for slot in slots:
        end(s, slot)
    return slots


def stand(s: State, slot: int, position: int) -> None:
    """Put a slot before a step, as planned or instead of it, with what is expected of it."""
    c = s.slots[slot]
    stage = s.stages[position]
    c.position = position
    c.processor = stage.processor
    c.width = stage.width
    c.segment_ns = stage.segment_ns
    c.remaining_ns = stage.remaining_ns
    c.bytes_per_ns = stage.bytes_per_ns
    c.bytes_left = stage.bytes_left


def _wait(s: State, tenant: int) -> None:
    """Count one more that has come and waits; whether there is room for it, the next decision says, after those that can start."""
    t = s.tenants[tenant]
    t.came += 1
    t.waiting += 1
    if t.waiting > t.bound:
        s.desk[0].crowded = 1


def stand_at(s: State, slot: int, stage: int) -> None:
    """Put a slot before a segment of its option that has not run yet."""
    s.slots[slot].stage = stage
    s.slots[slot].ran_ns = 0
    s.slots[slot].parked = 0
    stand(s, slot, s.options[s.slots[slot].option].stage + stage)


def _route(s: State, tenant: int) -> int:
    """Return the option that is furthest behind its rate; the first where none has a rate."""
    best = s.tenants[tenant].option
    least = 1e300
    for option in range(s.tenants[tenant].option, s.tenants[tenant].option + s.tenants[tenant].options):
        if s.options[option].rate > 0.0:
            behind = (s.options[option].served + 1.0) / s.options[option].rate
            if behind < least:
                best, least = option, behind
    return best
