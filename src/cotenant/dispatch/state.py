"""The dispatcher's state: numbers in rows."""

from __future__ import annotations

from collections.abc import MutableSequence
from dataclasses import dataclass
from typing import NamedTuple

Ints = MutableSequence[int]
Floats = MutableSequence[float]

NONE = -1

FREE, READY, RUNNING, SUSPENDED = 0, 1, 2, 3
"""Where a slot is: nowhere, in a queue, on a lane, or set aside on the lane that runs something else."""

AT_BOUNDARIES, BY_CLASS, AT_ONCE = 0, 1, 2
"""How a processor preempts: between segments; at once, rank 0 the rest, one deep and on the same lane; at once, anybody anybody."""


UNBOUNDED = 1 << 62
"""How many requests may wait where there is no bound."""

SOUND, NOT_A_NUMBER, NO_SUCH_STEP, ENDLESS, NO_SHARE = 0, 1, 2, 3, 4
"""What can be wrong with a decision: NaN for an order, a width or place that there is not, no end of preempting, NaN for a share."""


@dataclass(slots=True)
class TenantRow:
    """A tenant; rates per ns. `served` is the virtual service by its promise, `last_ns` the instant of its last start.

    `came` counts its requests, `waiting` those that have not begun; after a decision these are at most `bound`. Before `rest_ns` none of
    its segments starts, 0 where it does not rest; where it is `paced`, it rests after each start until its driver says how long.
    """

    rank: int = 0
    weight: float = 1.0
    critical: int = 0
    drop_late: int = 0
    rate: float = 0.0
    depth: float = 0.0
    tokens: float = 0.0
    served: float = 0.0
    outstanding: int = 0
    option: int = 0
    options: int = 0
    last_ns: int = 0
    note: float = 0.0
    mark: float = 0.0
    came: int = 0
    waiting: int = 0
    bound: int = UNBOUNDED
    rest_ns: int = 0
    paced: int = 0


@dataclass(slots=True)
class OptionRow:
    """An option: its first stage and how many there are; the rate planned, the requests routed to it."""

    tenant: int = 0
    rate: float = 0.0
    served: float = 0.0
    stage: int = 0
    stages: int = 0


@dataclass(slots=True)
class StageRow:
    """One step of one option's chain, with its two queues: linked lists of slots, live and late.

    At `bytes_per_ns` it takes `segment_ns` alone; `compute_ns` of these it would take if nothing had to be moved, of which and of the rest
    the shorter is hidden but for a part, `unhidden` (`cost.contention.slowed`).
    `active` is its place among the stages with something queued, NONE if nothing is. `others` to `others + other_count` in
    `State.others` are the steps that may serve the same segment of the same tenant. `late_ns` is the last instant at which the live
    head can be in time; `touched` says whether a head has come up since it was last listed, `listed` in which decision that was.
    Where `newest` is 1, requests that have not begun stand in it the youngest first. `twin` is the step that does the same on the other
    part of a processor of which lanes are reserved; `reached` the decision in which a head of that one stands here, should lanes be idle.
    """

    processor: int = 0
    live: int = NONE
    late: int = NONE
    late_ns: int = 0
    touched: int = 0
    listed: int = 0
    blocked: int = 0
    active: int = NONE
    option: int = 0
    width: int = 1
    segment_ns: int = 0
    remaining_ns: int = 0
    bytes_per_ns: float = 0.0
    compute_ns: float = 0.0
    unhidden: float = 0.0
    bytes_left: float = 0.0
    others: int = 0
    other_count: int = 0
    live_last: int = NONE
    late_last: int = NONE
    newest: int = 0
    twin: int = NONE
    reached: int = 0


@dataclass(slots=True)
class ProcessorRow:
    """A processor: its first lane and how many there are, how many are free; `preempts` as above; what a change costs.

    `open` says in a decision whether all heads before it are candidates, `heads` which was the last with any; `touched` whether any may go
    before what runs there that did not at the last; `worst` is whom of those that run there others interrupt first.
    `queue` to `queue + queued` in `State.active` are its stages with something queued; `news` says whether a head has come up at any of
    them since they were last listed, `listed` in which decision that was; before `late_ns` no head of theirs turns late. Where its
    lanes are reserved for a tenant, `common` is the processor of those that are left to all.
    """

    lane: int = 0
    lanes: int = 0
    free: int = 0
    preempts: int = AT_BOUNDARIES
    touched: int = 0
    open: int = 1
    heads: int = 0
    worst: int = NONE
    blocked: int = 0
    queue: int = 0
    queued: int = 0
    news: int = 0
    listed: int = 0
    late_ns: int = 0
    memory: int = 0
    switch_ns: int = 0
    preempt_ns: int = 0
    decision_ns: int = 0
    common: int = NONE


@dataclass(slots=True)
class MemoryRow:
    """A memory; its bandwidth is infinite where unknown. `interference` is how much each further co-runner slows the others down."""

    bytes_per_ns: float = 0.0
    interference: float = 0.0


@dataclass(slots=True)
class LaneRow:
    """A lane: the slots that run and that are suspended on it, and the option that ran last."""

    processor: int = 0
    running: int = NONE
    suspended: int = NONE
    warm: int = NONE


@dataclass(slots=True)
class SlotRow:
    """One outstanding request, as policies see it; `ran_ns` is how long its segment at hand ran before it was preempted, `parked`
    1 once it was; `tag` is its tenant's virtual service when it began, `older` how many requests of its tenant had come before it.

    `expected_ns` and `observed_ns` add up the segments that are done; `asked` is the decision in which the policy gave its value; `next`
    links a queue, or the free slots; `before` links a queue backwards.
    """

    position: int = NONE
    tenant: int = NONE
    processor: int = 0
    begun: int = 0
    tag: float = 0.0
    earned: int = 0
    late: int = 0
    parked: int = 0
    value: float = 0.0
    due_ns: int = 0
    remaining_ns: int = 0
    alone_ns: int = 0
    arrival_ns: int = 0
    note: float = 0.0
    stage: int = 0
    since_ns: int = 0
    rank: int = 0
    mark: float = 0.0
    asked: int = 0
    state: int = FREE
    width: int = 1
    lane: int = NONE
    segment_ns: int = 0
    bytes_per_ns: float = 0.0
    next: int = NONE
    share: float = 0.0
    ran_ns: int = 0
    request: int = NONE
    option: int = NONE
    stages: int = 0
    weight: float = 1.0
    bytes_left: float = 0.0
    pace: float = 1.0
    expected_ns: int = 0
    observed_ns: int = 0
    before: int = NONE
    older: int = 0


@dataclass(slots=True)
class DeskRow:
    """Single numbers: the first free slot, when tokens were refilled, how many decisions, the last that set anybody aside; the lengths of
    lists; the policy's ways, 0 or 1.

    `bad` says what was wrong with the last decision, `culprit` the slot it was about; `crowded` is 1 while more may wait of a tenant than
    its bound, `resting` while any may rest; `reserves` says whether a tenant has lanes of its own beside common ones. Within a decision,
    `stale` is 1 once the list of candidates is to be made again, and `reached` while heads stand where they had to reach out for common
    lanes; `written` is how many decisions there were when it was last made again.
    """

    free_slot: int = 0
    refilled_ns: int = 0
    decision: int = 0
    blocked: int = 0
    running: int = 0
    ready: int = 0
    promises: int = 1
    drops: int = 0
    preempts: int = 0
    holds: int = 0
    late_last: int = 0
    places: int = 0
    sees_all: int = 0
    prepares: int = 0
    period_ns: int = 0
    bad: int = 0
    culprit: int = NONE
    crowded: int = 0
    resting: int = 0
    reserves: int = 0
    runs_on: int = 0
    stale: int = 0
    reached: int = 0
    written: int = 0


class State(NamedTuple):
    """All of it. Lists of rows where Python runs it, structured arrays where it is compiled; `desk` has one row.

    `active` lists the stages with something queued, processor by processor; `ready` the heads that are candidates, `running` the slots on
    lanes: as many as `desk` says.
    """

    tenants: MutableSequence[TenantRow]
    options: MutableSequence[OptionRow]
    stages: MutableSequence[StageRow]
    processors: MutableSequence[ProcessorRow]
    memories: MutableSequence[MemoryRow]
    lanes: MutableSequence[LaneRow]
    slots: MutableSequence[SlotRow]
    desk: MutableSequence[DeskRow]
    active: Ints
    ready: Ints
    running: Ints
    others: Ints
    params: Floats
    notes: Floats
