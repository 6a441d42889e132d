"""A tenant: a network with its rank, its arrivals and what it may not lose."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from cotenant.describe.arrival import Arrival, Closed
from cotenant.describe.digest import NEWER
from cotenant.describe.variant import Precision
from cotenant.describe.work import Work
from cotenant.errors import InputError
from cotenant.units import MAX_BYTES, duration_text

FIDELITY_FLOOR = 0.95
QUEUE = 1024
"""How many requests of an open or external tenant may wait, unless it says otherwise."""

_MAX_RANK = 1_000_000
_MAX_WEIGHT = 1_000_000
_MAX_QUEUE = 1_000_000
_MAX_CORES = 65_536


class Discipline(str, Enum):
    """Say which of a tenant's own waiting requests goes first, and whether one that can no longer be in time is dropped."""

    IN_ORDER = "in-order"
    NEWEST_FIRST = "newest-first"
    DROP_LATE = "drop-late"


class Measure(str, Enum):
    """Say how fidelity compares answers: element by element, or by their greatest element."""

    CENTRED = "centred"
    TOP1 = "top1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Name a model (`zoo:NAME`, `board:NAME` or a path) with what is needed to run and to judge it.

    `samples` is an .npz with one array per input, samples along the first axis; `labels` an .npy of class indices;
    `shapes` fixes dynamic dimensions, input by input.
    """

    model: str
    samples: str | None = None
    labels: str | None = None
    shapes: tuple[tuple[str, tuple[int, ...]], ...] = ()

    @property
    def is_zoo(self) -> bool:
        return self.model.startswith("zoo:")

    @property
    def is_board(self) -> bool:
        """Say whether it is known from a board's published figures alone: it can be simulated, not run."""
        return self.model.startswith("board:")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Hold what the user asks for one network.

    `floor` is a share of solo_rate in [0, 1]; `allow` lists the permitted precisions, None for those whose fidelity
    can be judged; `queue` is how many requests may wait, arrived and not begun, None for QUEUE: the oldest makes room. Those of
    a closed tenant come as others end: it has no bound, and is served in order.

    `isolated`: its engine runs in a process of its own; `standby`: a second one waits with the models loaded. `memory_bytes` is the most
    that its models may take in a process. `cores` are reserved for it alone: so many, or those of these numbers.
    """

    name: str
    source: Source
    arrival: Arrival
    rank: int = 0
    weight: float = 1.0
    deadline_ns: int | None = None
    floor: float = 0.0
    fidelity_floor: float = FIDELITY_FLOOR
    fidelity_measure: Measure = Measure.CENTRED
    accuracy_floor: float | None = None
    allow: tuple[Precision, ...] | None = None
    discipline: Discipline = Discipline.IN_ORDER
    queue: int | None = None
    work: Work = field(default_factory=Work)
    isolated: bool = False
    standby: bool = False
    memory_bytes: int | None = None
    cores: int | tuple[int, ...] | None = field(default=None, metadata=NEWER)

    def __post_init__(self) -> None:
        if not self.name.strip() or not self.name.isprintable():
            raise InputError("name", repr(self.name), "a name in printable characters, on one line")
        if self.rank < 0:
            raise InputError("rank", self.rank, "0 or more")
        if self.rank > _MAX_RANK:
            raise InputError("rank", self.rank, f"at most {_MAX_RANK}")
        if not 0 < self.weight <= _MAX_WEIGHT:
            raise InputError("weight", self.weight, f"more than 0, at most {_MAX_WEIGHT}")
        if self.deadline_ns is not None and self.deadline_ns <= 0:
            raise InputError("deadline", duration_text(self.deadline_ns), "longer than 0")
        if self.queue is not None and not 1 <= self.queue <= _MAX_QUEUE:
            raise InputError("queue", self.queue, f"1 to {_MAX_QUEUE} requests")
        self._refuse_shares()
        self._refuse_processes()
        self._refuse_cores()

    @property
    def most_waiting(self) -> int | None:
        """Return how many requests may wait; None for a closed tenant, which asks only when one has ended."""
        if isinstance(self.arrival, Closed):
            return None
        return QUEUE if self.queue is None else self.queue

    @property
    def serves_newest_first(self) -> bool:
        """Say whether the youngest waiting goes first; never in a closed loop, whose others would wait for ever."""
        return self.discipline is Discipline.NEWEST_FIRST and not isinstance(self.arrival, Closed)

    def _refuse_shares(self) -> None:
        for path, value in (("floor", self.floor), ("fidelity", self.fidelity_floor), ("accuracy", self.accuracy_floor)):
            if value is not None and not 0 <= value <= 1:
                raise InputError(path, value, "0 to 1")
        if self.accuracy_floor is not None and self.source.labels is None:
            raise InputError("accuracy", self.accuracy_floor, "needs labels: labels.npy beside the samples")

    def _refuse_processes(self) -> None:
        if self.standby and not self.isolated:
            raise InputError("standby", "true", "needs isolated: true, or there is no process to stand in for")
        if self.memory_bytes is not None and not 0 < self.memory_bytes <= MAX_BYTES:
            raise InputError("memory", f"{self.memory_bytes}B", "more than 0")

    def _refuse_cores(self) -> None:
        match self.cores:
            case None:
                return
            case int() as count if not 1 <= count <= _MAX_CORES:
                raise InputError("cores", count, f"1 to {_MAX_CORES} cores, or a list of their numbers")
            case () as numbers:
                raise InputError("cores", [*numbers], "at least one core")
            case tuple() as numbers if min(numbers) < 0 or len(set(numbers)) < len(numbers):
                raise InputError("cores", [*numbers], "each core once, by its number, 0 or more")
