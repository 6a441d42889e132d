"""A board that is not this machine, and what networks take on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cotenant.describe.network import Network, Place, Provenance, twice
from cotenant.describe.platform import Platform
from cotenant.describe.tree import within
from cotenant.errors import InputError
from cotenant.registry import nearest


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """Hold a platform, the networks that are known there, and who published the figures.

    `planned_width` is on how many lanes a network runs unless somebody decides otherwise; None where each runs where it is fastest.
    InputError for a figure of a processor or a width that the platform lacks, and for a network that does not run at the planned width.
    """

    platform: Platform
    networks: tuple[Network, ...]
    source: str
    planned_width: int | None = 1

    def __post_init__(self) -> None:
        if again := twice([network.name for network in self.networks]):
            raise InputError("networks", again, "a name of its own for each network")
        for index, network in enumerate(self.networks):
            with within(f"networks[{index}]"):
                _refuse_strangers(network, self.platform)
            if self.planned_width is not None and not any(width == self.planned_width for _, width in network.places):
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
        """Return where a network runs unless somebody decides otherwise: the first place of the planned width, else the fastest."""
        if self.planned_width is None:
            return min(network.places, key=network.duration_ns)
        return next(place for place in network.places if place[1] == self.planned_width)


def refuse_elsewhere(place: Place, platform: Platform) -> None:
    """Refuse a processor or a width that the platform lacks."""
    processor, width = place
    refuse_stranger("processor", processor, platform)
    lanes = platform.processor(processor).lanes
    if not 1 <= width <= lanes:
        raise InputError("width", width, f"1 to {lanes}, the lanes of {processor}")


def refuse_stranger(path: str, processor: str, platform: Platform) -> None:
    """Refuse a processor that the platform lacks."""
    known = tuple(one.name for one in platform.processors)
    if processor not in known:
        raise InputError(path, processor, nearest(processor, known))


def _refuse_strangers(network: Network, platform: Platform) -> None:
    """Refuse figures of what the platform lacks."""
    for place in sorted({cost.place for segment in network.segments for cost in segment.costs}):
        refuse_elsewhere(place, platform)
    for end in sorted({end for segment in network.segments for one in segment.handovers for end in (one.source, one.target)}):
        refuse_stranger("handovers", end, platform)
