"""The loop: the next event, the dispatcher, and what it decides."""

from __future__ import annotations

from collections.abc import Callable

from cotenant.dispatch.ask import Asks
from cotenant.dispatch.decide import BAD, DROP, FIELDS, RESUME, START, SUSPEND, decide, wake_ns
from cotenant.dispatch.events import arrive, finish
from cotenant.dispatch.state import NONE, State
from cotenant.policy import NEVER_NS
from cotenant.sim.progress import begin, halt, next_finish, resume, set_rates, write_span
from cotenant.sim.state import DONE, DROPPED, EVICTED, World

Orders = Callable[[State, int], None]
One = Callable[[State, int, int], None]
Step = Callable[[State, int, int], int]

OVER, MORE_SLOTS, MORE_SPANS, MORE_ENDINGS, BAD_DECISION, INTERRUPTED = 0, 1, 2, 3, 4, 5
"""Why the loop returned: nothing more happens, a list is full, a decision makes no sense, or enough for now."""

_PATIENCE = 100_000
"""Decisions in a row, while nothing runs and nothing is to come, after which a policy is taken to let what waits wait for ever."""


def run(s: State, w: World, events: int, orders: Orders, order: One, step: Step, shares: Orders) -> int:  # noqa: PLR0917
    """Simulate until nothing more happens, or as many events have passed; call again to go on. Return why it stopped.

    The last four are the fields of `Asks`, one by one: so they can be pointers to compiled functions.
    """
    asks = Asks(orders, order, step, shares)
    clock = w.clock[0]
    last = clock.events + events
    while clock.events < last:
        slot = next_finish(w)
        time_ns = _next_ns(w, slot)
        decides = clock.dirty == 1 and time_ns > clock.now_ns
        full = _full(s, w)
        if full != OVER or (time_ns >= NEVER_NS and not decides):
            return full
        if decides:
            if not _decide(s, w, asks):
                return BAD_DECISION
            continue
        clock.now_ns = time_ns
        clock.dirty = 1
        if slot != NONE and w.work[slot].finish_ns == time_ns:
            _finish(s, w, slot)
            clock.events += 1
        elif clock.arrival < len(w.arrivals) and w.arrivals[clock.arrival].time_ns == time_ns:
            row = w.arrivals[clock.arrival]
            clock.arrival += 1
            _arrive(s, w, row.tenant, row.due_ns, row.scale, row.exit_stage)
        else:
            _wake(s, w)
        clock.vain = clock.vain + 1 if slot == NONE and clock.arrival == len(w.arrivals) else 0
        if clock.vain > _PATIENCE:
            return OVER
    return INTERRUPTED


def _next_ns(w: World, slot: int) -> int:
    clock = w.clock[0]
    time_ns = clock.wake_ns
    if slot != NONE:
        time_ns = min(time_ns, w.work[slot].finish_ns)
    if clock.arrival < len(w.arrivals):
        time_ns = min(time_ns, w.arrivals[clock.arrival].time_ns)
    return time_ns


def _full(s: State, w: World) -> int:
    """Say which list has no room for what one event or one decision may add."""
    clock = w.clock[0]
    if s.desk[0].free_slot == NONE:
        return MORE_SLOTS
    if clock.spans + 4 * len(s.lanes) > len(w.spans):
        return MORE_SPANS
    if clock.requests + clock.closed + 2 > len(w.endings):
        return MORE_ENDINGS
    return OVER


def _arrive(s: State, w: World, tenant: int, due_ns: int, scale: float, exit_stage: int) -> None:
    clock = w.clock[0]
    slot = arrive(s, clock.requests, tenant, clock.now_ns, due_ns)
    w.work[slot].scale = scale
    w.work[slot].exit_stage = exit_stage
    ending = w.endings[clock.requests]
    ending.tenant = tenant
    ending.arrival_ns = clock.now_ns
    ending.due_ns = due_ns
    ending.option = s.slots[slot].option
    clock.requests += 1


def _finish(s: State, w: World, slot: int) -> None:
    now_ns = w.clock[0].now_ns
    c = s.slots[slot]
    halt(w, slot, now_ns)
    for lane in range(len(s.lanes)):
        if s.lanes[lane].running == slot:
            write_span(s, w, c.request, slot, lane, now_ns)
    request, tenant = c.request, c.tenant
    if finish(s, slot, now_ns, 1 if w.work[slot].exit_stage == c.stage else 0) == 0 and _end(w, request, tenant, DONE):
        _ask_again(s, w, tenant)


def _end(w: World, request: int, tenant: int, outcome: int) -> bool:
    """Note how a request ended; say whether its tenant's closed loop asks again."""
    now_ns = w.clock[0].now_ns
    w.endings[request].finish_ns = now_ns
    w.endings[request].outcome = outcome
    return w.loops[tenant].outstanding > 0 and now_ns < w.clock[0].horizon_ns


def _ask_again(s: State, w: World, tenant: int) -> None:
    deadline_ns = w.loops[tenant].deadline_ns
    due_ns = NEVER_NS if deadline_ns >= NEVER_NS else w.clock[0].now_ns + deadline_ns
    _arrive(s, w, tenant, due_ns, 1.0, NONE)


def _wake(s: State, w: World) -> None:
    """Let one closed loop ask again for what was dropped; the last of them, or a decision to be made, is all that was to wake for."""
    clock = w.clock[0]
    if clock.again > 0:
        tenant = 0
        while w.loops[tenant].again == 0:
            tenant += 1
        w.loops[tenant].again -= 1
        clock.again -= 1
        _ask_again(s, w, tenant)
    if clock.again == 0:
        clock.wake_ns = NEVER_NS


def _decide(s: State, w: World, asks: Asks) -> bool:
    """Decide at the instant, and do as decided; say whether that made sense."""
    clock = w.clock[0]
    clock.dirty = 0
    now_ns = clock.now_ns
    count = decide(s, asks, now_ns, w.out, w.lanes)
    if count == BAD:
        return False
    begun, opened = NONE, 0
    for index in range(count):
        kind, slot, lane = w.out[index * FIELDS], w.out[index * FIELDS + 1], w.out[index * FIELDS + 2]
        request = w.out[index * FIELDS + 3]
        if kind == SUSPEND:
            if _is_running(w, slot):
                halt(w, slot, now_ns)
            write_span(s, w, request, slot, lane, now_ns)
        elif kind == START:
            opened = opened + 1 if slot == begun else 1
            begun = slot
            if opened == s.slots[slot].width:  # by then all its lanes have been told what ran there
                begin(s, w, slot, now_ns)
        elif kind == RESUME:
            resume(s, w, slot, now_ns)
        else:
            _drop(w, request, DROPPED if kind == DROP else EVICTED)
    clock.wake_ns = now_ns + 1 if clock.again > 0 else wake_ns(s, now_ns)
    return set_rates(s, w, asks, now_ns)


def _drop(w: World, request: int, outcome: int) -> None:
    """Note that a decision ended a request; a closed loop asks again at the next ns."""
    tenant = w.endings[request].tenant
    if _end(w, request, tenant, outcome):
        w.loops[tenant].again += 1
        w.clock[0].again += 1


def _is_running(w: World, slot: int) -> bool:
    found = False
    for index in range(w.clock[0].running):
        found = found or w.running[index] == slot
    return found
