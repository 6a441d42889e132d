"""What lanes' threads take beside engines."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import accumulate

BIN_NS = 100
BINS = 5_000
"""Up to half a millisecond, told apart to a tenth of a microsecond; whatever takes longer is counted with the last."""


def _empty() -> array[int]:
    return array("q", bytes(BINS * 8))


@dataclass(slots=True, kw_only=True)
class Overhead:
    """Count segments by the CPU time (ns) that their thread took beside the engine; of the same size however many they are.

    Written by one thread.
    """

    total_ns: int = 0
    counts: array[int] = field(default_factory=_empty)

    def add(self, taken_ns: int, segments: int = 1) -> None:
        """Count a segment, or so many of which one was measured; clocks that disagree by a moment count as nothing taken."""
        taken_ns = max(taken_ns, 0)
        self.total_ns += taken_ns * segments
        self.counts[min(taken_ns // BIN_NS, BINS - 1)] += segments

    @property
    def segments(self) -> int:
        return sum(self.counts)

    @property
    def mean_ns(self) -> float | None:
        """Return what a segment took on the mean; None without segments."""
        return self.total_ns / self.segments if self.segments else None

    @property
    def median_ns(self) -> int | None:
        """Return the upper end of the bin that holds the median segment; None without segments."""
        half = -(-self.segments // 2)
        return next((BIN_NS * (index + 1) for index, count in enumerate(accumulate(self.counts)) if count >= half), None) if half else None


def joined(parts: Iterable[Overhead]) -> Overhead:
    """Add up what several threads have counted so far."""
    whole = Overhead()
    for part in parts:
        whole.total_ns += part.total_ns
        for index, count in enumerate(part.counts):
            whole.counts[index] += count
    return whole
