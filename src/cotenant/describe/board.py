"""A board that is not this machine, and what networks take on it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from cotenant.describe.network import Network, Place, Provenance, twice
from cotenant.describe.platform import Platform
from cotenant.errors import InputError


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
            self._refuse_elsewhere(f"networks[{index}]", network)
            if self.planned_width is not None and not any(width == self.planned_width for _, width in network.places):
                raise InputError("planned_width", self.planned_width, f"a width at which every network runs; {network.name} does not")

    def _refuse_elsewhere(self, where: str, network: Network) -> None:
        """Refuse figures of a processor or a width that the platform lacks."""
        lanes = {processor.name: processor.lanes for processor in self.platform.processors}
        for processor, width in {cost.place for segment in network.segments for cost in segment.costs}:
            if processor not in lanes:
                raise InputError(f"{where}.processor", processor, f"one of {sorted(lanes)}")
            if width > lanes[processor]:
                raise InputError(f"{where}.width", width, f"at most the {lanes[processor]} lanes of {processor}")
        for one in (one for segment in network.segments for one in segment.handovers):
            if stranger := {one.source, one.target} - set(lanes):
                raise InputError(f"{where}.handovers", min(stranger), f"one of {sorted(lanes)}")

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
