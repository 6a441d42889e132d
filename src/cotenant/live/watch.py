"""The watch: ends engine processes that hang, or take too much memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from cotenant.live.process import Channel, Process
from cotenant.live.resident import private_bytes, progress
from cotenant.live.ward import Ward
from cotenant.units import NS_PER_S

TICK_S = 0.05
_MB = 10**6


@dataclass(slots=True, kw_only=True)
class _Seen:
    """Hold what was last seen of the request that was asked at `since_ns`."""

    since_ns: int
    first_cpu_ns: int
    cpu_ns: int
    awake_ns: int


@dataclass(slots=True, kw_only=True)
class Watch:
    """Look, in a thread of its own, at every process of the wards.

    A lane could not: one in the real-time class does not wake while what it waits for spins on its core.
    """

    wards: Sequence[Ward]
    fault: Callable[[BaseException], None]
    _seen: dict[Channel, _Seen] = field(default_factory=dict)
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=self._live, name="cotenant-watch", daemon=True)

    def start(self) -> None:
        """Start the thread, where there is a ward."""
        if self.wards:
            self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._over.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()

    def _live(self) -> None:
        try:
            while not self._over.wait(TICK_S):
                self.look(time.monotonic_ns())
        except BaseException as error:  # noqa: BLE001  # the top of a thread: whoever waits must be told
            self.fault(error)

    def look(self, now_ns: int) -> None:
        """Look once at every process."""
        known, self._seen = self._seen, {}
        for ward in self.wards:
            for process in ward.processes:
                if ward.memory_bytes is not None:
                    _weigh(process, ward.memory_bytes)
                for channel, thread in zip(process.channels, process.threads, strict=False):
                    if channel.since_ns:
                        self._time(process, channel, thread, known.get(channel), now_ns)

    def _time(self, process: Process, channel: Channel, thread: int, seen: _Seen | None, now_ns: int) -> None:
        """End a process that was asleep over a request for its bound, or has computed for as long.

        A thread that is not asleep waits for its core, which better ranks may have: that is no fault of its own.
        """
        since_ns, found = channel.since_ns, progress(process.pid, thread)
        if found is None or not since_ns:
            return
        if seen is None or seen.since_ns != since_ns:
            seen = _Seen(since_ns=since_ns, first_cpu_ns=found.cpu_ns, cpu_ns=found.cpu_ns, awake_ns=since_ns)
        if not found.sleeps or found.cpu_ns > seen.cpu_ns:
            seen.awake_ns = now_ns
        seen.cpu_ns = found.cpu_ns
        self._seen[channel] = seen
        if max(now_ns - seen.awake_ns, seen.cpu_ns - seen.first_cpu_ns) > channel.bound_ns:
            process.kill(f"its process hung for {(now_ns - since_ns) / NS_PER_S:.1f} s and was ended")


def _weigh(process: Process, most_bytes: int) -> None:
    """End a process whose models take more memory than they may."""
    taken_bytes = private_bytes(process.pid) - process.private_bytes if process.pid else 0
    if taken_bytes > most_bytes:
        blame = f"its process took {taken_bytes / _MB:.1f} MB and was ended; its memory is {most_bytes / _MB:g} MB"
        process.kill(blame, spares=False)
