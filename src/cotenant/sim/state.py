"""What the simulator knows and policies do not: work, bandwidth, the future."""

from __future__ import annotations

from collections.abc import MutableSequence
from dataclasses import dataclass
from typing import NamedTuple

from cotenant.dispatch.state import NONE, Floats, Ints

OUTSTANDING, DONE, DROPPED, EVICTED = 0, 1, 2, 4
"""How a request ended: `trace.columns.OUTCOMES` and `REASONS` by these numbers."""


@dataclass(slots=True)
class ArrivalRow:
    """One open arrival: tenant by index; `scale` multiplies its work, `exit_stage` is the last it needs, NONE for all."""

    time_ns: int = 0
    tenant: int = 0
    due_ns: int = 0
    scale: float = 1.0
    exit_stage: int = NONE


@dataclass(slots=True)
class WorkRow:
    """What is left of a slot's segment, in ns alone, as of `at_ns`; it runs at `rate` of that speed and so ends at `finish_ns`.

    The span at hand began at `since_ns` with `first_left` to do, `before` of it without what the change cost; `worked` says whether the
    segment has had a span of some length.
    """

    left: float = 0.0
    first_left: float = 0.0
    before: float = 0.0
    worked: int = 0
    at_ns: int = 0
    since_ns: int = 0
    finish_ns: int = 0
    rate: float = 1.0
    scale: float = 1.0
    exit_stage: int = NONE


@dataclass(slots=True)
class EndingRow:
    """How a request (its number is the row's) ended; its first option."""

    tenant: int = 0
    arrival_ns: int = 0
    due_ns: int = 0
    finish_ns: int = 0
    outcome: int = OUTSTANDING
    option: int = 0


@dataclass(slots=True)
class SpanRow:
    """One lane's part of a segment's run; `share` is the bandwidth granted over that asked for."""

    request: int = 0
    position: int = 0
    lane: int = 0
    start_ns: int = 0
    stop_ns: int = 0
    share: float = 1.0


@dataclass(slots=True)
class LoopRow:
    """A tenant's closed loop: how many requests it keeps outstanding, 0 if open, their deadline, and for how many it is to ask again."""

    outstanding: int = 0
    deadline_ns: int = 0
    again: int = 0


@dataclass(slots=True)
class ClockRow:
    """The instant, how far each list has come, and whether something happened since the last decision.

    `closed` is how many requests closed loops keep outstanding, `again` for how many that were dropped they are to ask again, `vain` how
    many decisions in a row nothing has come of.
    """

    now_ns: int = 0
    wake_ns: int = 0
    horizon_ns: int = 0
    arrival: int = 0
    requests: int = 0
    spans: int = 0
    running: int = 0
    events: int = 0
    dirty: int = 0
    shares: int = 0
    caps: int = 0
    closed: int = 0
    again: int = 0
    vain: int = 0


class World(NamedTuple):
    """All of it; `clock` has one row, `work` one for each slot, `ran` the tenant that each lane served last. The rest is scratch."""

    arrivals: MutableSequence[ArrivalRow]
    work: MutableSequence[WorkRow]
    endings: MutableSequence[EndingRow]
    spans: MutableSequence[SpanRow]
    loops: MutableSequence[LoopRow]
    clock: MutableSequence[ClockRow]
    running: Ints
    ran: Ints
    out: Ints
    lanes: Ints
    who: Ints
    wants: Floats
    first: Floats
    grants: Floats
    spare: Floats
