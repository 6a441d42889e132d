"""A network as a board knows it: segments, and what each takes where."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from cotenant.describe.variant import Precision
from cotenant.errors import InputError

Place = tuple[str, int]
"""A processor's name, and on how many of its lanes."""


class Provenance(str, Enum):
    """Say how a figure is known."""

    MEASURED = "measured"  # timed on the board
    SCALED = "scaled"  # computed, such that a sum that was timed is met
    ASSUMED = "assumed"  # computed, and nothing was timed to hold it against


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """Hold what a segment takes alone on `width` lanes of a processor, and how that is known.

    `power_w` is what the board draws meanwhile, None where nobody measured it.
    """

    processor: str
    width: int
    duration_ns: int
    memory_bytes: int = 0
    provenance: Provenance = Provenance.MEASURED
    power_w: float | None = None

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InputError("width", self.width, "1 or more")
        if self.duration_ns < 1:
            raise InputError("ns", self.duration_ns, "1 or more")
        if self.memory_bytes < 0:
            raise InputError("bytes", self.memory_bytes, "0 or more")
        if self.power_w is not None and not 0 <= self.power_w < math.inf:
            raise InputError("mw", self.power_w, "0 or more")

    @property
    def place(self) -> Place:
        return self.processor, self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Handover:
    """Hold what it takes to hand a segment's output from one processor to another; the one that receives it is busy meanwhile."""

    source: str
    target: str
    duration_ns: int
    provenance: Provenance = Provenance.MEASURED

    def __post_init__(self) -> None:
        if self.source == self.target:
            raise InputError("handovers", self.source, "two processors")
        if self.duration_ns < 0:
            raise InputError("handover", self.duration_ns, "0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Count what a segment computes, whatever it runs on: a multiply-add is 2 flop, bytes are those of fp32 tensors."""

    flop: int
    weight_bytes: int
    input_bytes: int
    output_bytes: int

    def __post_init__(self) -> None:
        for name in ("flop", "weight_bytes", "input_bytes", "output_bytes"):
            if getattr(self, name) < 0:
                raise InputError("counts", getattr(self, name), "0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Hold what one segment of a network takes, place by place.

    `handovers` say what it takes to go on elsewhere behind it; without one for two processors, nothing goes from one to the other there.
    """

    name: str
    costs: tuple[Cost, ...]
    counts: Counts | None = None
    handovers: tuple[Handover, ...] = ()

    def __post_init__(self) -> None:
        if not self.costs:
            raise InputError("ns", "none", "at least one place where it runs")
        if again := twice([str(cost.place) for cost in self.costs]):
            raise InputError("columns", again, "each processor and width once")
        if again := twice([f"{one.source} to {one.target}" for one in self.handovers]):
            raise InputError("handovers", again, "each pair once")

    def cost_at(self, place: Place) -> Cost:
        """Return what it takes at a place; KeyError where that is not known."""
        for cost in self.costs:
            if cost.place == place:
                return cost
        raise KeyError(place)

    def handover_ns(self, source: str, target: str) -> int | None:
        """Return what handing its output over takes; None where that is not known."""
        return next((one.duration_ns for one in self.handovers if (one.source, one.target) == (source, target)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Hold a network as a chain of segments; at one place at least, the figures of all of them are known."""

    name: str
    segments: tuple[Segment, ...]
    precision: Precision = Precision.FP32

    def __post_init__(self) -> None:
        if not self.segments:
            raise InputError("segments", "none", "at least one")
        if again := twice([segment.name for segment in self.segments]):
            raise InputError("segments", again, "a name of its own for each segment")
        if not self.places:
            raise InputError("segments", "no place runs them all", "a processor and width with a figure for every segment")

    @property
    def places(self) -> tuple[Place, ...]:
        """List where the whole network runs, in the order of the first segment's figures."""
        known = [{cost.place for cost in segment.costs} for segment in self.segments]
        return tuple(cost.place for cost in self.segments[0].costs if all(cost.place in places for places in known))

    def chain_at(self, place: Place) -> tuple[Cost, ...]:
        """List what its segments take at a place; KeyError where one of them is not known."""
        return tuple(segment.cost_at(place) for segment in self.segments)

    def duration_ns(self, place: Place) -> int:
        """Return how long an inference takes alone; KeyError where the whole network does not run."""
        return sum(cost.duration_ns for cost in self.chain_at(place))


def twice(names: Sequence[str]) -> str:
    """Return the first name that comes twice, else nothing."""
    return next((name for name, count in Counter(names).items() if count > 1), "")
