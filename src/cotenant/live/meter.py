"""A meter: what a tenant draws of late."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.units import NS_PER_S

SPAN_NS = NS_PER_S // 2


@dataclass(slots=True, kw_only=True)
class Meter:
    """Count the bytes of the segments that start, over half a second at a time."""

    since_ns: int
    _bytes: float = 0.0
    _before: float | None = None

    def add(self, segment_bytes: float, now_ns: int) -> None:
        """Count one segment."""
        self._turn(now_ns)
        self._bytes += segment_bytes

    def bytes_per_s(self, now_ns: int) -> float:
        """Return the rate over the last whole span; before the first, since the start."""
        self._turn(now_ns)
        if self._before is not None:
            return self._before
        return self._bytes * NS_PER_S / max(1, now_ns - self.since_ns)

    def _turn(self, now_ns: int) -> None:
        passed_ns = now_ns - self.since_ns
        if passed_ns >= SPAN_NS:
            self._before = self._bytes * NS_PER_S / passed_ns
            self._bytes, self.since_ns = 0.0, now_ns
