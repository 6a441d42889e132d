"""A board that is not this machine, and what networks take on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

from cotenant.describe.platform import Platform
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
    """Hold what a segment takes alone on `width` lanes of a processor, and how that is known."""

    processor: str
    width: int
    duration_ns: int
    memory_bytes: int = 0
    provenance: Provenance = Provenance.MEASURED

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InputError("width", self.width, "1 or more")
        if self.duration_ns < 1:
            raise InputError("ns", self.duration_ns, "1 or more")
        if self.memory_bytes < 0:
            raise InputError("bytes", self.memory_bytes, "0 or more")

    @property
    def place(self) -> Place:
        return self.processor, self.width


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Hold what one segment of a network takes, place by place."""

    name: str
    costs: tuple[Cost, ...]

    def __post_init__(self) -> None:
        if not self.costs:
            raise InputError("ns", "none", "at least one place where it runs")
        if again := _twice([str(cost.place) for cost in self.costs]):
            raise InputError("columns", again, "each processor and width once")

    def cost_at(self, place: Place) -> Cost:
        """Return what it takes at a place; KeyError where that is not known."""
        for cost in self.costs:
            if cost.place == place:
                return cost
        raise KeyError(place)


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Hold a network as a chain of segments; at one place at least, the figures of all of them are known."""

    name: str
    segments: tuple[Segment, ...]
    precision: Precision = Precision.FP32

    def __post_init__(self) -> None:
        if not self.segments:
            raise InputError("segments", "none", "at least one")
        if again := _twice([segment.name for segment in self.segments]):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Hold a platform, the networks that are known there, and who published the figures.

    `planned_width` is on how many lanes a network runs unless somebody decides otherwise. InputError for a figure of a processor or
    a width that the platform lacks, and for a network that does not run at the planned width.
    """

    platform: Platform
    networks: tuple[Network, ...]
    source: str
    planned_width: int = 1

    def __post_init__(self) -> None:
        if again := _twice([network.name for network in self.networks]):
            raise InputError("networks", again, "a name of its own for each network")
        lanes = {processor.name: processor.lanes for processor in self.platform.processors}
        for index, network in enumerate(self.networks):
            where = f"networks[{index}]"
            for processor, width in {cost.place for segment in network.segments for cost in segment.costs}:
                if processor not in lanes:
                    raise InputError(f"{where}.processor", processor, f"one of {sorted(lanes)}")
                if width > lanes[processor]:
                    raise InputError(f"{where}.width", width, f"at most the {lanes[processor]} lanes of {processor}")
            if not any(width == self.planned_width for _, width in network.places):
                raise InputError("planned_width", self.planned_width, f"a width at which every network runs; {network.name} does not")

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(network.name for network in self.networks)

    @property
    def provenance(self) -> Mapping[Place, Provenance]:
        """Map each place to how most of the time there is known, over all networks."""
        times: dict[Place, Counter[Provenance]] = {}
        for network in self.networks:
            for segment in network.segments:
                for cost in segment.costs:
                    times.setdefault(cost.place, Counter())[cost.provenance] += cost.duration_ns
        return {place: found.most_common(1)[0][0] for place, found in times.items()}

    def network(self, name: str) -> Network:
        """Return the network of this name; KeyError if there is none."""
        for network in self.networks:
            if network.name == name:
                return network
        raise KeyError(name)

    def planned(self, network: Network) -> Place:
        """Return where a network runs unless somebody decides otherwise: the first place of the planned width."""
        return next(place for place in network.places if place[1] == self.planned_width)


def _twice(names: Sequence[str]) -> str:
    """Return the first name that comes twice, else nothing."""
    return next((name for name, count in Counter(names).items() if count > 1), "")
