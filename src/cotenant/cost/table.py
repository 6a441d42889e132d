"""Measured times, and how to find one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from cotenant.describe import Precision
from cotenant.errors import InputError

Key = tuple[str, Precision, str, str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Hold what one inference takes alone, on `width` lanes of one kind of processor.

    `model` is the digest of the model; `wall_ns` and `cpu_ns` (all threads together) are medians over `runs`; `spread` is
    (p75 - p25) / median of the wall time; `resident_bytes` is what the model keeps in memory, loaded once.
    """

    model: str
    precision: Precision
    engine: str
    engine_version: str
    kind: str
    width: int
    wall_ns: int
    cpu_ns: int
    spread: float
    runs: int
    resident_bytes: int

    def __post_init__(self) -> None:
        if self.width < 1:
            raise InputError("timing.width", self.width, "1 or more")
        if self.wall_ns < 1:
            raise InputError("timing.wall_ns", self.wall_ns, "1 or more")

    @property
    def key(self) -> Key:
        """Return what tells this timing from the others of a table."""
        return self.model, self.precision, self.engine, self.kind, self.width


@dataclass(frozen=True, kw_only=True)
class Table:
    """Hold timings of one machine, one for each (model, precision, engine, kind, width)."""

    timings: tuple[Timing, ...]

    def __post_init__(self) -> None:
        if len(self._by_key) != len(self.timings):
            raise InputError("table", f"{len(self.timings)} timings", f"one for each variant and place; {len(self._by_key)} differ")

    @cached_property
    def _by_key(self) -> dict[Key, Timing]:
        return {timing.key: timing for timing in self.timings}

    def timing(self, *, model: str, precision: Precision, engine: str, kind: str, width: int = 1) -> Timing | None:
        """Return the timing of a variant on `width` lanes of a kind; None where it was not measured."""
        return self._by_key.get((model, precision, engine, kind, width))

    def resident_bytes(self, timing: Timing) -> int:
        """Return the most that a copy of a timing's variant was seen to keep, on any kind of processor: one copy may serve them all."""
        variant = timing.key[:3]
        return max(t.resident_bytes for t in self.timings if t.key[:3] == variant)

    def slowed(self, factors: Mapping[str, float]) -> Table:
        """Return the table with the wall times of models (by digest) multiplied; others stay as they are."""
        slowed = (replace(t, wall_ns=max(1, round(t.wall_ns * factors.get(t.model, 1.0)))) for t in self.timings)
        return Table(timings=tuple(slowed))

    def widths(self, *, model: str, precision: Precision, engine: str, kind: str) -> tuple[int, ...]:
        """List the widths, in lanes, at which a variant was measured on a kind of processor, the least first."""
        asked = (model, precision, engine, kind)
        return tuple(sorted(width for *key, width in self._by_key if tuple(key) == asked))
