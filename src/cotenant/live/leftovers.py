"""What an earlier crew has left behind, until no request needs it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NamedTuple

from cotenant.describe import Option
from cotenant.live.lanes import Lanes
from cotenant.live.stock import Stock

LOOK_S = 0.02
"""How often it is looked whether the last request has ended that needs something."""

OnLane = tuple[int, int, int]
"""A segment that runs, or is suspended: its slot, request and place in the chain."""


class Needed(NamedTuple):
    """Say which options and classes of lanes are needed, and whether the present crew needs them all."""

    options: Collection[Option]
    classes: Collection[bool]
    settled: bool


@dataclass(slots=True, kw_only=True)
class Leftovers:
    """Let go, in a thread of its own where that has to wait, of sessions, processes and lanes' threads that nothing needs any more.

    `changing` is held by whoever loads or lets go; `trim` forgets, under the device's lock, what has ended, and says what is needed,
    None while a segment of `before` is on its lane: those run on what was loaded when they started.
    """

    stock: Stock
    lanes: Lanes
    changing: threading.Lock
    fault: Callable[[BaseException], None]
    trim: Callable[[set[OnLane]], Needed | None]
    before: set[OnLane] = field(default_factory=set)
    _over: threading.Event = field(default_factory=threading.Event)
    _settled: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def settle(self) -> None:
        """Let go of what is not needed now, and of the rest in time; `changing` must be held."""
        self._settled.clear()
        if not self._sweep() and (self._thread is None or not self._thread.is_alive()):
            self._thread = threading.Thread(target=self._live, name="cotenant-leftovers", daemon=True)
            self._thread.start()

    def wait(self, timeout_s: float) -> bool:
        """Wait until nothing is left of an earlier crew; say whether that came in time."""
        thread = self._thread
        done = self._settled.wait(timeout_s)
        if done and thread is not None and thread is not threading.current_thread():
            thread.join(timeout_s)
        return done

    def stop(self) -> None:
        """Leave the rest to whoever closes the device."""
        self._over.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(LOOK_S)

    def _live(self) -> None:
        try:
            while not self._over.wait(LOOK_S):
                with self.changing:
                    if self._over.is_set() or self._sweep():
                        return
        except BaseException as error:  # noqa: BLE001  # the top of a thread: whoever waits must be told
            self.fault(error)

    def _sweep(self) -> bool:
        needed = self.trim(self.before)
        if needed is None:
            return False
        self.stock.keep(needed.options)
        self.lanes.keep(needed.classes)
        if needed.settled:
            self._settled.set()
        return needed.settled
