"""The class of a thread that asks: before all lanes, as long as that takes little."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from types import TracebackType

from cotenant.backend.scheduling import SchedulingClass, held
from cotenant.live.allowance import Allowance
from cotenant.live.haste import Haste

SHARE = 0.1
"""Of a core's time: who takes more to ask leaves lanes too little."""


@dataclass(slots=True, kw_only=True)
class Attention:
    """Put the calling thread, while in here, before urgent lanes, where the system permits it: it then asks the moment that it wakes.

    Else it may wake on a core on which rank 0 computes in the real-time class, and cannot ask before that has ended, though another lane
    could serve what it asks. It is a normal thread again while more arrives than it can ask within an allowance.
    """

    _haste: Haste = field(default_factory=lambda: Haste(ahead=1))
    _allowance: Allowance = field(default_factory=lambda: Allowance(at_ns=0, share=SHARE))
    _charged_ns: int = 0
    _is_its_own: bool = True

    def __enter__(self) -> Attention:
        self._is_its_own = held() is SchedulingClass.NORMAL
        self._allowance.at_ns = time.monotonic_ns()
        self._charged_ns = time.thread_time_ns()
        self.pay()
        return self

    def pay(self) -> None:
        """Reckon with what was taken since the last time: take the real-time class, or give it back."""
        if self._is_its_own:
            before_ns, self._charged_ns = self._charged_ns, time.thread_time_ns()
            self._haste.take(urgent_now=self._allowance.lasts(time.monotonic_ns(), self._charged_ns - before_ns))

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._haste.take(urgent_now=False)
