"""The dispatcher's state: numbers in arrays."""

from __future__ import annotations

from collections.abc import MutableSequence
from typing import NamedTuple

Ints = MutableSequence[int]
Floats = MutableSequence[float]

NONE = -1

FREE, QUEUED_LIVE, QUEUED_LATE, ON_LANE, SUSPENDED = 0, 1, 2, 3, 4
"""Where a slot is."""


class State(NamedTuple):
    """All of it; one letter says by what an array is indexed: t tenant, k option, q stage, p processor, l lane, r slot.

    A stage is one step of one option's chain; its two queues, live and late, are linked lists of slots. A slot holds
    one outstanding request; `l_warm` is the stage that a lane ran last. Times are in ns, rates per ns. Single values are arrays of one.
    """

    t_rank: Ints
    t_weight: Floats
    t_critical: Ints
    t_drop_late: Ints
    t_rate: Floats
    t_depth: Floats
    t_tokens: Floats
    t_served: Floats
    t_outstanding: Ints
    t_option: Ints
    t_options: Ints
    k_tenant: Ints
    k_rate: Floats
    k_served: Floats
    k_stage: Ints
    k_stages: Ints
    q_option: Ints
    q_processor: Ints
    q_width: Ints
    q_segment_ns: Ints
    q_remaining_ns: Ints
    q_live: Ints
    q_live_last: Ints
    q_late: Ints
    q_late_last: Ints
    q_blocked: Ints
    p_lane: Ints
    p_lanes: Ints
    p_preempts: Ints
    p_blocked: Ints
    p_free: Ints
    l_processor: Ints
    l_running: Ints
    l_suspended: Ints
    l_warm: Ints
    r_request: Ints
    r_tenant: Ints
    r_stage: Ints
    r_arrival_ns: Ints
    r_due_ns: Ints
    r_where: Ints
    r_next: Ints
    free_slot: Ints
    refilled_ns: Ints
    decision: Ints
    params: Floats
