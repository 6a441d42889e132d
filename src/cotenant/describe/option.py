"""One way to serve one inference of a tenant, and what it takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from cotenant.describe.variant import Judged, Precision
from cotenant.units import NS_PER_S

LATENCY, ACCURACY = "@latency", "@accuracy"
"""What tells options apart beside the resources that they take."""

IN_SEGMENTS = "in segments"
"""The place of an artifact that is loaded segment by segment; any lane may use it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Run one segment on `width` lanes of a processor, alone in `duration_ns` (wall time of the whole batch).

    It moves `memory_bytes` through the processor's memory meanwhile; 0 where that is unknown or does not matter. Where it spans several
    `segments` of the network, from `segment` on, it may be left between them: none holds its lanes for longer than `longest_ns`.
    """

    segment: int
    processor: str
    width: int
    duration_ns: int
    memory_bytes: int = 0
    segments: int = 1
    longest_ns: int = 0

    @property
    def holds_ns(self) -> int:
        """Return for how long it holds its lanes at most where it can be left between segments."""
        return self.longest_ns or self.duration_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifact:
    """Name what must be resident to use an option; options that share it pay once.

    `place` says which lanes can use it; empty for all.
    """

    model: str
    precision: Precision
    engine: str
    memory: str
    resident_bytes: int
    place: str = ""

    @property
    def in_segments(self) -> bool:
        """Say whether each step of a chain runs a segment of its own."""
        return self.place == IN_SEGMENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """Hold a variant, an engine and a chain of steps, with the demand per inference.

    `demand` pairs a resource with lane-seconds (a processor's name), bytes (a memory's or link's name) or joules
    (`energy`); `latency_ns` is the chain alone.
    """

    tenant: str
    artifact: Artifact
    chain: tuple[Step, ...]
    demand: tuple[tuple[str, float], ...]
    latency_ns: int
    fidelity: float | None = None
    accuracy: float | None = None
    judged: Judged = Judged.UNKNOWN
    batch: int = 1

    @property
    def name(self) -> str:
        """Name engine, precision and places; segments that follow one another on a processor are counted."""
        places = groupby(f"{s.processor}x{s.width}{self._span(s)}" for s in self.chain)
        counted = ((place, sum(1 for _ in same)) for place, same in places)
        told = "+".join(place if count == 1 else f"{place} in {count}" for place, count in counted)
        return f"{self.artifact.engine} {self.artifact.precision.value} {told}"

    def _span(self, step: Step) -> str:
        """Return which segments a step runs, where there is more than one step to tell apart."""
        return f"[{step.segment}-{step.segment + step.segments - 1}]" if len(self.chain) > 1 and step.segments > 1 else ""

    def figure_of(self, what: str) -> float:
        """Return what one inference takes of a resource, or its LATENCY in seconds, or its ACCURACY, 0 where that is not known."""
        if what == LATENCY:
            return self.latency_ns / NS_PER_S
        return (self.accuracy or 0.0) if what == ACCURACY else self.demand_of(what)

    def demand_of(self, resource: str) -> float:
        """Return what one inference takes of a resource; 0 where it is not visited."""
        return sum(amount for name, amount in self.demand if name == resource)
