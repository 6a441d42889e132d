"""A stretch: segments of one request that follow one another on a lane without a decision."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from cotenant.backend import Session


@dataclass(slots=True, kw_only=True)
class Stretch:
    """Hold the sessions of the segments after the first, and until when they follow.

    `passed`: when each segment that is done ended, in ns; the first `noted` of them the dispatcher knows. Used under the device's lock
    alone, by the lane itself too.
    """

    slot: int
    sessions: Sequence[Session]
    until_ns: int
    passed: list[int] = field(default_factory=list)
    noted: int = 0

    def follow(self, now_ns: int) -> Session | None:
        """Let the next segment follow one that has just ended; None where somebody has to be asked."""
        if now_ns >= self.until_ns or len(self.passed) == len(self.sessions):
            return None
        self.passed.append(now_ns)
        return self.sessions[len(self.passed) - 1]

    def stop(self) -> None:
        """Let no segment follow any more."""
        self.until_ns = 0
