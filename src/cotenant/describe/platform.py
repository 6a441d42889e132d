"""A machine: processors, their lanes, memories and links."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from enum import Enum

from cotenant.describe.digest import NEWER
from cotenant.errors import InputError


class Preemption(str, Enum):
    """Say where lower-ranked work can be interrupted."""

    NONE = "none"
    SEGMENT = "segment"
    KERNEL = "kernel"
    CLASS = "class"  # at once, rank 0 the rest: the classes of an operating system
    INSTANT = "instant"  # at once, anybody anybody


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """Hold a memory's size and bandwidth; None where unknown.

    `interference` is the slowdown that each further co-runner beside this memory adds, in shared caches for one: with k of them
    nobody runs faster than 1 / (1 + interference (k - 1)) of its speed alone.
    """

    name: str
    capacity_bytes: int
    bandwidth_bytes_per_s: float | None = None
    interference: float = 0.0

    def __post_init__(self) -> None:
        if not 0 <= self.interference <= 1000:
            raise InputError(f"memories[{self.name}].interference", self.interference, "0 or more, at most 1000")


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """Join two hosts or memories."""

    name: str
    ends: tuple[str, str]
    bandwidth_bytes_per_s: float
    latency_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Processor:
    """Group lanes that are alike: a cluster's cores, tiles, or GPU contexts.

    `kind` names the microarchitecture, so that a profile of one lane serves all lanes of that kind;
    `switch_ns` is what a lane loses when it goes to another tenant, `preempt_ns` when an interrupted segment goes on, `decision_ns` at
    each start: only the simulator adds them, for a profile holds them already. `unhidden` is what part of the shorter of computing and
    moving data the longer does not hide: 0 where they overlap in full, 1 where one follows the other. `cores` are the operating
    system's numbers of the lanes, empty for a board that is not this machine. Lanes that are `reserved` for a tenant, by name, are a
    processor of their own, `part_of` another, by name; both are empty else. `stalled` is the share of its lanes' time that a plan takes
    to be lost waiting for the memory that others use; 0 for a tenant alone.
    """

    name: str
    kind: str
    lanes: int
    memory: str
    preemption: Preemption = Preemption.SEGMENT
    host: str = "local"
    engines: tuple[str, ...] = ()
    flop_per_s: float | None = None
    power_w: float | None = None
    switch_ns: int = 0
    preempt_ns: int = 0
    decision_ns: int = 0
    unhidden: float = 0.0
    cores: tuple[int, ...] = ()
    reserved: str = field(default="", metadata=NEWER)
    part_of: str = field(default="", metadata=NEWER)
    stalled: float = field(default=0.0, metadata=NEWER)

    def __post_init__(self) -> None:
        if self.lanes < 1:
            raise InputError(f"processors[{self.name}].lanes", self.lanes, "1 or more")
        if not 0 <= self.stalled < 1:
            raise InputError(f"processors[{self.name}].stalled", self.stalled, "0 or more, less than 1")
        if not 0 <= self.unhidden <= 1:
            raise InputError(f"processors[{self.name}].unhidden", self.unhidden, "0 to 1")
        if self.cores and len(self.cores) != self.lanes:
            raise InputError(f"processors[{self.name}].cores", self.cores, f"one core for each of {self.lanes} lanes")

    @property
    def lanes_given(self) -> float:
        """Return what its lanes can be promised together, in lane-seconds per second."""
        return self.lanes * (1.0 - self.stalled)


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """Hold one device or a few; `fingerprint` keys measurements taken on this very machine.

    `power_w` is what may be drawn on the average, by supply or cooling; None where nothing limits it.
    """

    name: str
    processors: tuple[Processor, ...]
    memories: tuple[Memory, ...]
    links: tuple[Link, ...] = ()
    hosts: tuple[str, ...] = ("local",)
    fingerprint: str = ""
    power_w: float | None = None

    def __post_init__(self) -> None:
        if self.power_w is not None and not 0 < self.power_w < math.inf:
            raise InputError("power_w", self.power_w, "more than 0; left out where nothing limits it")
        memories = {m.name for m in self.memories}
        for processor in self.processors:
            if processor.memory not in memories:
                raise InputError(f"processors[{processor.name}].memory", processor.memory, f"one of {sorted(memories)}")

    def processor(self, name: str) -> Processor:
        """Return the processor of this name; KeyError if there is none."""
        for processor in self.processors:
            if processor.name == name:
                return processor
        raise KeyError(name)

    @property
    def lanes(self) -> int:
        return sum(p.lanes for p in self.processors)
