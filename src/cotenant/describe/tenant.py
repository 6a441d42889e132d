"""A tenant: a network with its rank, its arrivals and what it may not lose."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from cotenant.describe.arrival import Arrival
from cotenant.describe.variant import Precision
from cotenant.describe.work import Work
from cotenant.errors import InputError
from cotenant.units import duration_text

FIDELITY_FLOOR = 0.95
_MAX_RANK = 1_000_000
_MAX_WEIGHT = 1_000_000


class Discipline(str, Enum):
    """Say what becomes of a request that can no longer be in time."""

    IN_ORDER = "in-order"
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
    can be judged.
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
    work: Work = field(default_factory=Work)

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
        self._refuse_shares()

    def _refuse_shares(self) -> None:
        for path, value in (("floor", self.floor), ("fidelity", self.fidelity_floor), ("accuracy", self.accuracy_floor)):
            if value is not None and not 0 <= value <= 1:
                raise InputError(path, value, "0 to 1")
        if self.accuracy_floor is not None and self.source.labels is None:
            raise InputError("accuracy", self.accuracy_floor, "needs labels: labels.npy beside the samples")
