"""A pace: a token bucket of bytes."""

from __future__ import annotations

import math
from dataclasses import dataclass

from cotenant.units import NS_PER_S

OFF = math.inf
"""The rate, in bytes per s, of who may start whenever it likes."""

SAVED_NS = 20_000_000
"""How long a pace saves up, beside two segments: a lane that is late to start one then costs nothing."""


@dataclass(slots=True, kw_only=True)
class Bucket:
    """Hold the bytes that may start now, filling at a rate up to `burst_bytes`; below 0 after a segment of more than that.

    Over any window no more bytes start than `rate_bytes_per_s` gives in it, and the burst, or the largest segment where that is more.
    """

    rate_bytes_per_s: float
    burst_bytes: float
    at_ns: int
    level_bytes: float = 0.0
    largest_bytes: float = 0.0

    @classmethod
    def of(cls, rate_bytes_per_s: float, largest_bytes: float, now_ns: int) -> Bucket:
        """Return one that is empty, for segments of up to so many bytes."""
        bucket = cls(rate_bytes_per_s=rate_bytes_per_s, burst_bytes=0.0, at_ns=now_ns)
        bucket.fill_at(rate_bytes_per_s, largest_bytes, now_ns)
        return bucket

    def fill_at(self, rate_bytes_per_s: float, largest_bytes: float, now_ns: int) -> None:
        """Fill at another rate from now on."""
        self._fill(now_ns)
        self.rate_bytes_per_s, self.largest_bytes = rate_bytes_per_s, largest_bytes
        self.burst_bytes = 2 * largest_bytes + (0.0 if rate_bytes_per_s == OFF else rate_bytes_per_s * SAVED_NS / NS_PER_S)
        self.level_bytes = min(self.level_bytes, self.burst_bytes)

    def ready_ns(self, segment_bytes: float, now_ns: int) -> int:
        """Return when a segment of so many bytes may start: now, or later; one of more than the burst when the bucket is full."""
        self._fill(now_ns)
        missing_bytes = min(segment_bytes, self.burst_bytes) - self.level_bytes
        if missing_bytes <= 0.0 or self.rate_bytes_per_s == OFF:
            return now_ns
        return now_ns + math.ceil(missing_bytes / self.rate_bytes_per_s * NS_PER_S)

    def charge(self, segment_bytes: float, now_ns: int) -> None:
        """Take what a segment moves, as it starts."""
        self._fill(now_ns)
        self.level_bytes -= segment_bytes

    def _fill(self, now_ns: int) -> None:
        if self.rate_bytes_per_s == OFF:
            self.level_bytes = self.burst_bytes
        else:
            earned_bytes = max(0, now_ns - self.at_ns) * self.rate_bytes_per_s / NS_PER_S
            self.level_bytes = min(self.burst_bytes, self.level_bytes + earned_bytes)
        self.at_ns = max(self.at_ns, now_ns)
