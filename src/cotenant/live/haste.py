"""The class that a thread takes for urgent work, and gives back."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.backend.scheduling import SchedulingClass, normal, urgent


@dataclass(slots=True, kw_only=True)
class Haste:
    """Hold the calling thread's class; what the system refuses once is not asked for again.

    `ahead`: how many real-time priorities above the least it goes.
    """

    ahead: int = 0
    taken: SchedulingClass = SchedulingClass.NORMAL
    _refused: bool = False

    def take(self, *, urgent_now: bool) -> None:
        """Take the real-time class, or give it back."""
        if urgent_now and not self._refused and self.taken is not SchedulingClass.REALTIME:
            self.taken = urgent(self.ahead)
            self._refused = self.taken is not SchedulingClass.REALTIME
        elif not urgent_now and self.taken is SchedulingClass.REALTIME:
            self.taken = normal()
