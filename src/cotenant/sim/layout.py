"""A crew laid out on a platform: names to numbers, lists with room."""

from __future__ import annotations

from collections.abc import MutableSequence, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, cast

from cotenant.describe import Closed, Discipline, Request, Tenant
from cotenant.dispatch import Lineup
from cotenant.dispatch.decide import room
from cotenant.dispatch.lineup import desk_row, lay_out
from cotenant.dispatch.state import NONE, SlotRow, State
from cotenant.errors import InputError
from cotenant.policy import NEVER_NS, Policy, unlimited
from cotenant.sim.loop import INTERRUPTED, MORE_ENDINGS, MORE_SLOTS, MORE_SPANS
from cotenant.sim.rows import Packed, link_free, longer, packed, packed_all, packed_columns, roomier, unwritten
from cotenant.sim.state import ArrivalRow, ClockRow, EndingRow, LoopRow, SpanRow, WorkRow, World
from cotenant.units import duration_text

SLOTS = 64
"""Outstanding requests that there is room for at first."""

_SPANS = 4096
_MOST_OUTSTANDING = 10_000_000

Arrival = tuple[int, int, int, float, int]
"""The fields of `ArrivalRow`."""


@dataclass(slots=True, kw_only=True)
class Layout:
    """Lay a lineup out for one run after the other, packed for compiled code or not; what the runs share is made once."""

    lineup: Lineup
    compiled: bool
    _idle: dict[bool, State] = field(default_factory=dict)
    _most: tuple[int, ...] = ()
    _listed: tuple[object, list[Arrival], MutableSequence[Any]] | None = None

    def __post_init__(self) -> None:
        for tenant in self.lineup.tenants:
            _refuse_endless(tenant, self.lineup)

    def state(self, policy: Policy, params: tuple[float, ...]) -> State:
        """Return a dispatcher's idle state."""
        if not self.compiled:
            return lay_out(self.lineup, SLOTS, policy, params, promises=policy.promises)
        if policy.promises not in self._idle:
            plain = lay_out(self.lineup, SLOTS, policy, promises=policy.promises)
            self._idle[policy.promises] = State(*packed_all([rows or [0.0] for rows in plain]))
        rows = (cast("Any", cast("Packed", rows).copy()) for rows in self._idle[policy.promises])
        own = packed_all([[desk_row(policy, self.lineup, promises=policy.promises)], list(params) or [0.0], [0.0] * max(1, policy.notes)])
        for numbers, count in ((own[1], len(params)), (own[2], policy.notes)):
            cast("Packed", numbers).length = count  # else what is there for want of an empty array would be no index too far
        return State(*rows)._replace(desk=own[0], params=own[1], notes=own[2])

    def world(self, requests: Sequence[Request], horizon_ns: int, policy: Policy) -> World:
        """Return what is around a state at the start: requests to come, nothing running."""
        arrivals, rows = self._arrivals(requests)
        lanes = self.lineup.platform.lanes
        loops = [_loop_row(tenant, lanes) for tenant in self.lineup.tenants]
        clock = ClockRow(
            wake_ns=NEVER_NS,
            horizon_ns=horizon_ns,
            shares=int(policy.share is not unlimited),
            caps=int(policy.caps),
            closed=sum(row.outstanding for row in loops),
        )
        world = World(
            arrivals=[],
            work=[WorkRow() for _ in range(SLOTS)],
            endings=[],
            spans=[],
            loops=loops,
            clock=[clock],
            running=[NONE] * lanes,
            ran=[NONE] * lanes,
            out=[0] * room(lanes, SLOTS),
            lanes=[0] * lanes,
            who=[0] * lanes,
            wants=[0.0] * lanes,
            first=[0.0] * lanes,
            grants=[0.0] * lanes,
            spare=[0.0] * lanes,
        )
        if self.compiled:
            world = World(*packed_all([rows or [0] for rows in world]))
        return world._replace(
            arrivals=rows,
            endings=unwritten(EndingRow, len(arrivals) + 64, compiled=self.compiled),
            spans=unwritten(SpanRow, self._room_for(arrivals), compiled=self.compiled),
        )

    def _room_for(self, arrivals: Sequence[Arrival]) -> int:
        """Return how many spans there is room for at first: compiled, twice as many as without preemption, since room takes no memory."""
        if not self._most:
            self._most = _most_spans(self.lineup)
        return (1 + self.compiled) * sum(self._most[tenant] for _, tenant, _, _, _ in arrivals) + 8 * self.lineup.platform.lanes + _SPANS

    def _arrivals(self, requests: Sequence[Request]) -> tuple[list[Arrival], MutableSequence[Any]]:
        """List what arrives; once for as many runs in a row as have the same requests."""
        if self._listed is None or self._listed[0] is not requests:
            fields = _fields(self.lineup, requests)
            rows = packed_columns(ArrivalRow, fields) if self.compiled else [ArrivalRow(*row) for row in fields]
            self._listed = (requests, fields, rows)
        return self._listed[1], self._listed[2]


def _most_spans(lineup: Lineup) -> tuple[int, ...]:
    """Reckon how many spans a request of each tenant leaves by its widest option, if it is not preempted."""
    widths = [(share.option.tenant, sum(step.width for step in share.option.chain)) for share in lineup.shares]
    return tuple(max(width for name, width in widths if name == tenant.name) for tenant in lineup.tenants)


def _loop_row(tenant: Tenant, lanes: int) -> LoopRow:
    deadline_ns = NEVER_NS if tenant.deadline_ns is None else tenant.deadline_ns
    match tenant.arrival:
        case Closed(outstanding=outstanding):
            return LoopRow(outstanding=lanes if outstanding is None else outstanding, deadline_ns=deadline_ns)
        case _:
            return LoopRow(outstanding=0, deadline_ns=deadline_ns)


def _refuse_endless(tenant: Tenant, lineup: Lineup) -> None:
    """Refuse a closed loop whose every request is dropped as it comes, so that the next comes a ns later."""
    if not isinstance(tenant.arrival, Closed) or tenant.deadline_ns is None or tenant.discipline is not Discipline.DROP_LATE:
        return
    own = [share for share in lineup.ordered if share.option.tenant == tenant.name]
    routed = [share for share in own if share.rate_per_s > 0] or own
    least_ns = min(sum(step.duration_ns for step in share.option.chain) for share in routed)
    if tenant.deadline_ns < least_ns:
        raise InputError(
            f"tenants[{tenant.name}].deadline", duration_text(tenant.deadline_ns), f"at least {duration_text(least_ns)}, its time alone"
        )


def _fields(lineup: Lineup, requests: Sequence[Request]) -> list[Arrival]:
    """List the fields of `ArrivalRow` for the first requests of closed loops, then for the open ones."""
    known = {tenant.name: index for index, tenant in enumerate(lineup.tenants)}
    closed = [_loop_row(tenant, lineup.platform.lanes) for tenant in lineup.tenants]
    first = [(0, index, row.deadline_ns, 1.0, NONE) for index, row in enumerate(closed) for _ in range(row.outstanding)]
    rows = [
        (
            r.arrival_ns,
            known[r.tenant],
            NEVER_NS if r.due_ns is None else r.due_ns,
            float(r.work_scale),
            NONE if r.exit_stage is None else r.exit_stage,
        )
        for r in requests
    ]
    longest = {known[name]: stages for name, stages in _longest(lineup).items()}
    for number, (_, tenant, _, _, exit_stage) in enumerate(rows):
        if exit_stage >= longest[tenant]:
            raise InputError(
                f"requests[{number}].exit_stage", exit_stage, f"0 to {longest[tenant] - 1}, a segment of {lineup.tenants[tenant].name}"
            )
    if any(a[0] > b[0] for a, b in pairwise(rows)) or (rows and rows[0][0] < 0):
        raise InputError("requests", "not in order of arrival, or before 0", "arrivals in order, from 0 on")
    return first + rows


def _longest(lineup: Lineup) -> dict[str, int]:
    """Return how many segments the longest option of each tenant has."""
    return {t.name: max(len(s.option.chain) for s in lineup.shares if s.option.tenant == t.name) for t in lineup.tenants}


def with_more_room(state: State, world: World, why: int) -> tuple[State, World]:
    """Return both with the list that is full twice as long."""
    if why == MORE_SPANS:
        world = world._replace(spans=roomier(world.spans, SpanRow, len(world.spans)))
    elif why == MORE_ENDINGS:
        world = world._replace(endings=roomier(world.endings, EndingRow, len(world.endings)))
    elif why == MORE_SLOTS:
        state, world = _more_slots(state, world)
    else:
        assert why == INTERRUPTED
    return state, world


def _more_slots(state: State, world: World) -> tuple[State, World]:
    count = len(state.slots)
    if count >= _MOST_OUTSTANDING:
        raise InputError("requests", f"{count} outstanding", f"at most {_MOST_OUTSTANDING}; a lower load or a shorter horizon")
    slots = longer(state.slots, SlotRow, count)
    link_free(slots, count)
    state.desk[0].free_slot = count
    out: MutableSequence[int] = [0] * room(len(state.lanes), 2 * count)
    if isinstance(slots, Packed):
        out = packed(out)
    return state._replace(slots=slots), world._replace(work=longer(world.work, WorkRow, count), out=out)
