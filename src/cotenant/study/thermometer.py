"""A thermometer: the machine's climate, once a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

from cotenant.backend import climate
from cotenant.trace import Climate

EVERY_S = 1.0


class Thermometer:
    """Look, in a thread of its own, from the start of a `with` to its end; at nothing where the kernel shows nothing.

    `clock` gives ns, `root` is where the kernel's files are.
    """

    def __init__(self, *, cores: Sequence[int], since_ns: int, clock: Callable[[], int], root: Path = Path("/")) -> None:
        self._cores, self._since_ns, self._clock, self._root = tuple(cores), since_ns, clock, root
        self._seen: list[Climate] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._live, name="cotenant-thermometer", daemon=True)

    def __enter__(self) -> Thermometer:
        if self.look():
            self._thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def seen(self) -> tuple[Climate, ...]:
        """Return what was seen so far, in order of time."""
        return tuple(self._seen)

    def look(self) -> bool:
        """Look once; say whether anything is shown."""
        khz = [found for core in self._cores if (found := climate.now_khz(self._root, core)) is not None]
        hottest_mc, throttles = climate.hottest_mc(self._root), climate.throttles(self._root, self._cores)
        if not khz and hottest_mc is None and throttles is None:
            return False
        at_ns = max(0, self._clock() - self._since_ns)
        self._seen.append(Climate(at_ns=at_ns, slowest_khz=min(khz, default=None), hottest_mc=hottest_mc, throttles=throttles))
        return True

    def _live(self) -> None:
        while not self._over.wait(EVERY_S):
            self.look()
