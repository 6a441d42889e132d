"""How much of its core a lane may take in the real-time class."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.units import NS_PER_MS

SHARE = 0.9
"""Of the time that passes: the rest is left to everybody else, should more come than was planned."""

SAVED_NS = 200 * NS_PER_MS
"""At most so much is saved up."""


@dataclass(slots=True, kw_only=True)
class Allowance:
    """Hold the CPU time that may still be taken; `at_ns` is when that was reckoned, `share` what comes back of the time that passes."""

    at_ns: int
    share: float = SHARE
    left_ns: float = SAVED_NS

    def lasts(self, now_ns: int, taken_ns: int = 0) -> bool:
        """Reckon with what was taken since the last time; say whether something is left."""
        self.left_ns = min(self.left_ns - taken_ns + self.share * (now_ns - self.at_ns), SAVED_NS)
        self.at_ns = now_ns
        return self.left_ns > 0
