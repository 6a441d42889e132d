"""Work between events: rates, finishes, spans."""

from __future__ import annotations

from cotenant.cost.contention import grant, slowed
from cotenant.dispatch.ask import Asks
from cotenant.dispatch.choose import list_running
from cotenant.dispatch.state import NONE, SOUND, State
from cotenant.policy import NEVER_NS
from cotenant.sim.state import World


def begin(s: State, w: World, slot: int, now_ns: int) -> None:
    """Put a slot's segment to work: from its start, or from where it was preempted, with what the change costs."""
    c = s.slots[slot]
    work = w.work[slot]
    if c.parked == 0:
        work.left = s.stages[c.position].segment_ns * work.scale
        work.worked = 0
    _go_on(s, w, slot, now_ns, s.processors[c.processor].decision_ns)


def resume(s: State, w: World, slot: int, now_ns: int) -> None:
    """Put a suspended slot's segment to work again, with what the interruption costs."""
    decision_ns = 0 if w.work[slot].worked == 1 else s.processors[s.slots[slot].processor].decision_ns
    _go_on(s, w, slot, now_ns, decision_ns)


def _go_on(s: State, w: World, slot: int, now_ns: int, decision_ns: int) -> None:
    """Let a slot's work run from now on, at full speed until rates are set."""
    work = w.work[slot]
    work.before = work.left
    preempt_ns = s.processors[s.slots[slot].processor].preempt_ns if work.worked == 1 else 0
    work.left += preempt_ns + decision_ns + _switch_ns(s, w, slot)
    work.at_ns = now_ns
    work.since_ns = now_ns
    work.first_left = work.left
    work.rate = 1.0
    work.finish_ns = now_ns + _ceil(work.left)
    w.running[w.clock[0].running] = slot
    w.clock[0].running += 1


def _switch_ns(s: State, w: World, slot: int) -> int:
    """Return what it costs if one of its lanes served another tenant last."""
    c = s.slots[slot]
    processor = s.processors[c.processor]
    for lane in range(processor.lane, processor.lane + processor.lanes):
        if s.lanes[lane].running == slot and w.ran[lane] != c.tenant:
            return processor.switch_ns
    return 0


def halt(w: World, slot: int, now_ns: int) -> None:
    """Take a slot's work off the list of what runs, with what is left of it; a run of no length has cost nothing."""
    work = w.work[slot]
    if now_ns == work.since_ns:
        work.left = work.before
    else:
        work.left = max(0.0, work.left - (now_ns - work.at_ns) * work.rate)
        work.worked = 1
    work.at_ns = now_ns
    clock = w.clock[0]
    for index in range(clock.running):
        if w.running[index] == slot:
            clock.running -= 1
            w.running[index] = w.running[clock.running]
            return


def write_span(s: State, w: World, request: int, slot: int, lane: int, now_ns: int) -> None:
    """Note that a lane served a request in a slot until now; a run of no length is not noted."""
    work = w.work[slot]
    if now_ns == work.since_ns:
        return
    span = w.spans[w.clock[0].spans]
    span.request = request
    span.position = s.slots[slot].position
    span.lane = lane
    span.start_ns = work.since_ns
    span.stop_ns = now_ns
    span.share = min(1.0, (work.first_left - work.left) / (now_ns - work.since_ns))
    w.clock[0].spans += 1
    w.ran[lane] = s.slots[slot].tenant


def next_finish(w: World) -> int:
    """Return the slot that ends its segment first, NONE if nothing runs."""
    best = NONE
    best_ns = NEVER_NS
    for index in range(w.clock[0].running):
        slot = w.running[index]
        if w.work[slot].finish_ns < best_ns:
            best, best_ns = slot, w.work[slot].finish_ns
    return best


def set_rates(s: State, w: World, asks: Asks, now_ns: int) -> bool:
    """Share every memory's bandwidth among what runs, and set how fast it goes on; say whether the policy's shares were numbers."""
    if w.clock[0].shares == 1:
        list_running(s)
        asks.shares(s, now_ns)
        if s.desk[0].bad != SOUND:
            return False
    for memory in range(len(s.memories)):
        count = _list_wants(s, w, memory)
        if count > 0:
            _share(s, w, memory, count, now_ns)
    return True


def _list_wants(s: State, w: World, memory: int) -> int:
    """List what runs beside a memory, and what each would take of it alone; return how many."""
    count = 0
    for index in range(w.clock[0].running):
        slot = w.running[index]
        c = s.slots[slot]
        if s.processors[c.processor].memory == memory:
            w.who[count] = slot
            w.wants[count] = c.bytes_per_ns
            count += 1
    return count


def _share(s: State, w: World, memory: int, count: int, now_ns: int) -> None:
    """Set the rates beside one memory: as its bandwidth allows, and never faster than co-runners in its caches do."""
    capacity = s.memories[memory].bytes_per_ns
    most = 1.0 / (1.0 + s.memories[memory].interference * (count - 1))
    total = 0.0
    for index in range(count):
        total += w.wants[index]
    if total <= capacity and w.clock[0].caps == 0:
        for index in range(count):
            _set_rate(w, w.who[index], most, now_ns)
        return
    for index in range(count):
        w.first[index] = s.slots[w.who[index]].share if w.clock[0].shares == 1 else w.wants[index]
    grant(w.wants, w.first, count, capacity, w.clock[0].caps, w.grants, w.spare)
    for index in range(count):
        granted = w.grants[index] / w.wants[index] if w.wants[index] > 0.0 else 1.0
        stage = s.stages[s.slots[w.who[index]].position]
        _set_rate(w, w.who[index], min(slowed(granted, stage.segment_ns, stage.compute_ns, stage.unhidden), most), now_ns)


def _set_rate(w: World, slot: int, rate: float, now_ns: int) -> None:
    work = w.work[slot]
    if rate == work.rate:
        return
    work.left = max(0.0, work.left - (now_ns - work.at_ns) * work.rate)
    work.at_ns = now_ns
    work.rate = rate
    work.finish_ns = now_ns + _ceil(work.left / rate) if work.left < rate * 1e17 else NEVER_NS


def _ceil(value: float) -> int:
    """Round up to whole ns, forgiving what floats add in rounding."""
    whole = int(value)
    return whole + 1 if value > whole + 1e-6 else whole
