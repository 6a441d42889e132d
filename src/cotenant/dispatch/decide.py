"""The decision: who starts, who is suspended, who is dropped."""

from __future__ import annotations

from cotenant.dispatch.events import end
from cotenant.dispatch.lanes import can_yield, find_open, is_warm, occupy, resume, suspend
from cotenant.dispatch.promises import charge, has_earned, refill, turn
from cotenant.dispatch.queues import dequeue, next_late_ns, settle_late
from cotenant.dispatch.state import NONE, QUEUED_LATE, Ints, State
from cotenant.policy import READY, RUNNING, Candidate, Order, Scene

START, RESUME, SUSPEND, DROP = 0, 1, 2, 3
"""The kinds of decisions."""

FIELDS = 4
"""A decision is kind, slot, lane, request."""

BAD_ORDER = -1
"""Returned instead of a count when `order` gave NaN."""


def decide(s: State, order: Order, preempts: int, now_ns: int, out: Ints, lanes: Ints) -> int:
    """Fill lanes until nobody can start; write the decisions to `out` and return how many there are.

    `out` must hold FIELDS numbers for each of lanes x 4 + outstanding requests; `lanes` one for each lane.
    """
    s.decision[0] += 1
    refill(s, now_ns)
    settle_late(s, now_ns)
    count = _drop_late(s, out)
    scene = Scene(now_ns, s.p_free, s.params)
    best = _best(s, order, preempts, scene)
    while best > NONE:
        count = _start(s, order, preempts, scene, best, out, lanes, count)
        best = _best(s, order, preempts, scene)
    if best < NONE:
        return BAD_ORDER
    for lane in range(len(s.l_running)):
        if s.l_running[lane] == NONE and s.l_suspended[lane] != NONE:
            resume(s, lane)
            count = _write(s, out, count, RESUME, s.l_running[lane], lane)
    return count


def wake_ns(s: State) -> int:
    """Return when to decide again though nothing happened, or NEVER_NS."""
    return next_late_ns(s)


def _start(s: State, order: Order, preempts: int, scene: Scene, best: int, out: Ints, lanes: Ints, count: int) -> int:
    """Start a head if there are lanes for it, else set it aside; return the count of decisions."""
    stage, late = best // 2, best % 2
    slot = s.q_late[stage] if late else s.q_live[stage]
    found = _place(s, order, preempts, scene, slot, lanes)
    if found < s.q_width[stage]:
        _block(s, stage)
        return count
    if stage == s.k_stage[s.q_option[stage]]:
        charge(s, s.r_tenant[slot], is_warm(s, stage))
    dequeue(s, stage, late)
    for index in range(found):
        if s.l_running[lanes[index]] != NONE:
            count = _write(s, out, count, SUSPEND, s.l_running[lanes[index]], lanes[index])
            suspend(s, lanes[index])
        occupy(s, lanes[index], slot)
        count = _write(s, out, count, START, slot, lanes[index])
    return count


def _drop_late(s: State, out: Ints) -> int:
    count = 0
    for stage in range(len(s.q_late)):
        while s.q_late[stage] != NONE and s.t_drop_late[s.r_tenant[s.q_late[stage]]] == 1:
            slot = dequeue(s, stage, 1)
            count = _write(s, out, count, DROP, slot, NONE)
            end(s, slot)
    return count


def _best(s: State, order: Order, preempts: int, scene: Scene) -> int:
    """Return 2 * stage + late of the head that goes first, NONE if there is none, less than NONE if order gave NaN."""
    best = NONE
    best_key = (2, 0.0, 0, 0.0, 0, 0)
    for stage in range(len(s.q_live)):
        if s.q_blocked[stage] == s.decision[0] or s.p_blocked[s.q_processor[stage]] == s.decision[0]:
            continue
        if s.p_free[s.q_processor[stage]] == 0 and not (preempts and _may_preempt(s, stage)):
            continue
        warm = is_warm(s, stage)
        for late in range(2):
            slot = s.q_late[stage] if late else s.q_live[stage]
            if slot == NONE:
                continue
            c = candidate(s, slot, READY, warm, scene.now_ns)
            value = order(c, scene)
            if value != value:
                return NONE - 1 - slot
            key = (1 - c.earned, float(value), c.rank, turn(s, c.tenant, warm), c.arrival_ns, c.request)
            if key < best_key:
                best, best_key = 2 * stage + late, key
    return best


def candidate(s: State, slot: int, state: int, warm: int, now_ns: int) -> Candidate:
    """Describe one slot to the policy."""
    stage = s.r_stage[slot]
    tenant = s.r_tenant[slot]
    option = s.q_option[stage]
    begun = state == RUNNING or stage > s.k_stage[option]
    return Candidate(
        tenant,
        option,
        stage - s.k_stage[option],
        s.r_request[slot],
        s.q_processor[stage],
        state,
        s.t_rank[tenant],
        s.t_weight[tenant],
        s.r_arrival_ns[slot],
        s.r_due_ns[slot],
        1 if begun else has_earned(s, tenant, warm),
        1 if s.r_where[slot] == QUEUED_LATE else 0,
        s.q_remaining_ns[stage],
        s.q_segment_ns[stage],
        now_ns - s.r_arrival_ns[slot],
    )


def _may_preempt(s: State, stage: int) -> bool:
    processor = s.q_processor[stage]
    return s.p_preempts[processor] == 1 and s.t_critical[s.k_tenant[s.q_option[stage]]] == 1


def _place(s: State, order: Order, preempts: int, scene: Scene, slot: int, lanes: Ints) -> int:
    """Write the lanes for a slot: open ones, then those of the worst that can yield; return how many were found."""
    stage = s.r_stage[slot]
    processor, width = s.q_processor[stage], s.q_width[stage]
    found = find_open(s, stage, s.t_critical[s.r_tenant[slot]], lanes)
    c = candidate(s, slot, READY, 0, scene.now_ns)
    if preempts == 0 or not _may_preempt(s, stage) or c.earned == 0:
        return found
    own = order(c, scene)
    while found < width:
        victim = _victim(s, order, scene, processor, own, lanes, found)
        if victim == NONE:
            break
        lanes[found] = victim
        found += 1
    return found


def _victim(s: State, order: Order, scene: Scene, processor: int, own: float, lanes: Ints, found: int) -> int:
    worst, worst_order = NONE, own
    for lane in range(s.p_lane[processor], s.p_lane[processor] + s.p_lanes[processor]):
        taken = False
        for index in range(found):
            taken = taken or lanes[index] == lane
        if taken or not can_yield(s, lane):
            continue
        value = order(candidate(s, s.l_running[lane], RUNNING, 0, scene.now_ns), scene)
        if value > worst_order:
            worst, worst_order = lane, value
    return worst


def _block(s: State, stage: int) -> None:
    """Set a head aside for this decision; whoever waits for several lanes keeps the free ones from all behind it."""
    s.q_blocked[stage] = s.decision[0]
    if s.q_width[stage] > 1:
        s.p_blocked[s.q_processor[stage]] = s.decision[0]


def _write(s: State, out: Ints, count: int, kind: int, slot: int, lane: int) -> int:
    out[count * FIELDS] = kind
    out[count * FIELDS + 1] = slot
    out[count * FIELDS + 2] = lane
    out[count * FIELDS + 3] = s.r_request[slot]
    return count + 1
