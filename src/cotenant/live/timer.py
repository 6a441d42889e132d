"""A timer: rings when a queued request turns late."""

from __future__ import annotations

import threading
from collections.abc import Callable

from cotenant.units import NS_PER_S


class Timer:
    """Ring, in a thread of its own, at an instant that may be set anew at any time."""

    __slots__ = ("_at_ns", "_changed", "_clock", "_ring", "_stopped", "_thread")

    def __init__(self, *, clock: Callable[[], int], ring: Callable[[], None]) -> None:
        self._clock, self._ring = clock, ring
        self._at_ns: int | None = None
        self._stopped = False
        self._changed = threading.Event()
        self._thread = threading.Thread(target=self._live, name="cotenant-timer", daemon=True)

    def start(self) -> None:
        """Start the thread; it inherits the caller's cores and class."""
        self._thread.start()

    def set(self, at_ns: int | None) -> None:
        """Ring at an instant; None is never."""
        if at_ns == self._at_ns:
            return
        self._at_ns = at_ns
        self._changed.set()

    def stop(self) -> None:
        """End the thread."""
        self._stopped = True
        self._changed.set()

    def _live(self) -> None:
        while not self._stopped:
            at_ns = self._at_ns
            left_s = None if at_ns is None else max(0, at_ns - self._clock()) / NS_PER_S
            if self._changed.wait(left_s):
                self._changed.clear()
            elif self._at_ns == at_ns:
                self._at_ns = None
                self._ring()
