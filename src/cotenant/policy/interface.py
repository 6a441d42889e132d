"""What a policy is asked, and what it may see."""

from __future__ import annotations

from collections.abc import Callable, MutableSequence, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

NEVER_NS = 1 << 62
"""The due time of a request without a deadline."""

READY, RUNNING = 1, 2
"""The states of a candidate."""

AS_PLANNED = -1
"""What `width` and `place` return to keep to the option's own step."""

NOT_NOW = 1e300
"""What `order` returns for a candidate that shall not start at this instant, even on a lane that is free."""

UNLIMITED = 1e30
"""What `share` returns for as much bandwidth as there is, in bytes per ns."""


class Candidate(Protocol):
    """The head of a queue, or what runs: numbers only. Tenant, option, stage and processor are indices.

    `stage` counts the segments of the chain from 0, of `stages`; `position` is its index in `scene.stages`. At the planned width,
    `remaining_ns` is the expected time alone of all that is left, `segment_ns` that of the segment at hand, `alone_ns` that of the
    whole request; `bytes_left` is what all that is left moves, `bytes_per_ns` the bandwidth that the segment at hand takes alone.
    `due_ns` is NEVER_NS without a deadline, `since_ns` when what runs was started, or what waits was stopped last. `earned`, `late`
    and `begun` are 0 or 1. `pace` is the observed over the expected time of the segments that are done, 1 before. `note` and `mark`
    are the policy's own, 0 at the arrival, written by `prepare` alone.
    """

    @property
    def tenant(self) -> int: ...
    @property
    def option(self) -> int: ...
    @property
    def stage(self) -> int: ...
    @property
    def stages(self) -> int: ...
    @property
    def position(self) -> int: ...
    @property
    def request(self) -> int: ...
    @property
    def processor(self) -> int: ...
    @property
    def state(self) -> int: ...
    @property
    def rank(self) -> int: ...
    @property
    def weight(self) -> float: ...
    @property
    def arrival_ns(self) -> int: ...
    @property
    def due_ns(self) -> int: ...
    @property
    def since_ns(self) -> int: ...
    @property
    def earned(self) -> int: ...
    @property
    def late(self) -> int: ...
    @property
    def begun(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def alone_ns(self) -> int: ...
    @property
    def remaining_ns(self) -> int: ...
    @property
    def segment_ns(self) -> int: ...
    @property
    def bytes_left(self) -> float: ...
    @property
    def bytes_per_ns(self) -> float: ...
    @property
    def pace(self) -> float: ...

    note: float
    mark: float


class ProcessorView(Protocol):
    """A processor: how many lanes it has, how many are free, its memory by index, what it costs to change what runs.

    `open` says whether the heads that wait for it are candidates: unless `sees_all`, only where they might start now.
    """

    @property
    def lanes(self) -> int: ...
    @property
    def free(self) -> int: ...
    @property
    def open(self) -> int: ...
    @property
    def memory(self) -> int: ...
    @property
    def switch_ns(self) -> int: ...
    @property
    def preempt_ns(self) -> int: ...


class MemoryView(Protocol):
    """A memory: its bandwidth, infinite where unknown."""

    @property
    def bytes_per_ns(self) -> float: ...


class TenantView(Protocol):
    """A tenant: requests outstanding, the instant of its last start, and two numbers of the policy's own, as a candidate's."""

    @property
    def rank(self) -> int: ...
    @property
    def weight(self) -> float: ...
    @property
    def outstanding(self) -> int: ...
    @property
    def last_ns(self) -> int: ...

    note: float
    mark: float


class StageView(Protocol):
    """One segment on one processor at one width: its time alone, the bandwidth it then takes; `remaining_ns` counts the rest of the chain.

    The steps by which it may be served instead are `scene.others[others : others + other_count]`, its own among them.
    """

    @property
    def processor(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def segment_ns(self) -> int: ...
    @property
    def remaining_ns(self) -> int: ...
    @property
    def bytes_per_ns(self) -> float: ...
    @property
    def others(self) -> int: ...
    @property
    def other_count(self) -> int: ...


class Scene(NamedTuple):
    """What all candidates share at an instant.

    `ready[:ready_count[0]]` are the heads that wait, `running[:running_count[0]]` what runs, both as indices into `slots`, whose
    elements are candidates. `params` are the policy's parameters by position. `notes` are its own numbers, kept from decision to
    decision, written by `prepare` alone. `others` holds indices into `stages`.
    """

    now_ns: int
    slots: Sequence[Candidate]
    ready: Sequence[int]
    ready_count: int
    running: Sequence[int]
    running_count: int
    tenants: Sequence[TenantView]
    processors: Sequence[ProcessorView]
    memories: Sequence[MemoryView]
    stages: Sequence[StageView]
    others: Sequence[int]
    params: Sequence[float]
    notes: MutableSequence[float]


def at_width(candidate: Candidate, scene: Scene, width: int) -> int:
    """Return the index, among `scene.stages`, of the segment at hand on its own processor at a width; NONE (-1) if there is none."""
    stage = scene.stages[candidate.position]
    for index in range(stage.others, stage.others + stage.other_count):
        other = scene.others[index]
        if scene.stages[other].processor == stage.processor and scene.stages[other].width == width:
            return other
    return -1


def at_most(candidate: Candidate, scene: Scene, lanes: int) -> int:
    """Return the index, among `scene.stages`, of the segment at hand on its own processor at the greatest width up to `lanes`.

    Where there is none so narrow it is the narrowest; of several as wide, the planned step is preferred.
    """
    stage = scene.stages[candidate.position]
    best = candidate.position
    for index in range(stage.others, stage.others + stage.other_count):
        other = scene.others[index]
        if scene.stages[other].processor == stage.processor and _is_nearer(scene.stages[other].width, scene.stages[best].width, lanes):
            best = other
    return best


def _is_nearer(one: int, other: int, lanes: int) -> bool:
    if one <= lanes and other <= lanes:
        return one > other
    return one < other


def as_planned(candidate: Candidate, scene: Scene) -> int:
    """Keep to the option's own step: the default of `width` and `place`."""
    return AS_PLANNED


def unlimited(candidate: Candidate, scene: Scene) -> float:
    """Ask for no particular share: the default of `share`."""
    return UNLIMITED


def nothing(scene: Scene) -> None:
    """Prepare nothing: the default of `prepare`."""


Order = Callable[[Candidate, Scene], float]
Choice = Callable[[Candidate, Scene], int]
Prepare = Callable[[Scene], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Say who goes next: `order` gives the least number to whoever goes first. The rest may stay as it is.

    Equal numbers are settled by rank, then by who is furthest behind its promise, then by arrival, then by request.

    A value of NOT_NOW or more keeps a candidate waiting until the next decision.

    - `width` says on how many lanes, `place` on which processor (an index); a step that the option table does not have is a
      DecisionError.
    - `share` says how much bandwidth what runs is granted first, in bytes per ns; what is left is shared by max-min, unless `caps`.
    - `prepare` runs once per decision, before all else, and alone may write notes.
    - `sees_all`: every head is a candidate at every decision, for `prepare` to see and for an order that changes with the clock; else only
      those that might start now, where lanes are all taken only those that have come up since the last decision.
    - `preempts` lets a better candidate interrupt what runs, where the processor can.
    - `runs_on`: whoever was started goes first at its next boundary, too, as long as nothing happens: its order then is no greater, and
      others' is what it was. A driver need not ask then.
    - `holds`: a request that has begun keeps its lanes until it ends.
    - `late_last`: requests that can no longer be in time go after all that can.
    - `promises`: work that a plan's promise has earned goes first, in the simulator as it does live.
    - `period_ns`: decide at least that often, 0 for at events only.
    - `notes` numbers of its own; `params` are (name, default) pairs, read by position in `scene.params`.
    """

    order: Order
    width: Choice = as_planned
    place: Choice = as_planned
    share: Order = unlimited
    prepare: Prepare = nothing
    sees_all: bool = True
    runs_on: bool = False
    preempts: bool = True
    holds: bool = False
    late_last: bool = False
    caps: bool = False
    promises: bool = False
    period_ns: int = 0
    notes: int = 0
    params: tuple[tuple[str, float], ...] = ()
