"""Threads that ask: flat out, or when a request is due to arrive."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from cotenant.backend.engine import Session
from cotenant.describe import Array, Outcome
from cotenant.errors import BackendError
from cotenant.trace import Ending
from cotenant.units import NS_PER_S

Inputs = Mapping[str, Array]
Clock = Callable[[], int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Requests arrive in [start_ns, stop_ns) and are served until `end_ns`, by CLOCK_MONOTONIC."""

    start_ns: int
    stop_ns: int
    end_ns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Note what one client asked and, one entry each later, how that ended; written by its thread alone."""

    arrivals_ns: list[int] = field(default_factory=list)
    ends: list[tuple[int, str]] = field(default_factory=list)


def keep_asking(session: Session, inputs: Iterator[Inputs], window: Window, log: Log, clock: Clock = time.monotonic_ns) -> None:
    """Keep one request outstanding from start to stop: the next arrives the instant one ends; stop at a failure."""
    wait_until(window.start_ns, clock)
    arrival_ns, reason = window.start_ns, ""
    while arrival_ns < window.stop_ns and not reason:
        log.arrivals_ns.append(arrival_ns)
        reason = _attempt(session, next(inputs))
        arrival_ns = clock()
        log.ends.append((arrival_ns, reason))


def ask_on_time(
    arrivals_ns: Iterator[int], session: Session, inputs: Iterator[Inputs], window: Window, log: Log, clock: Clock = time.monotonic_ns
) -> None:
    """Take the arrivals (instants from the start) one by one, each when it is due, until none is left or the end has come."""
    for offset_ns in arrivals_ns:
        log.arrivals_ns.append(window.start_ns + offset_ns)
        wait_until(window.start_ns + offset_ns, clock)
        if clock() >= window.end_ns:
            return
        reason = _attempt(session, next(inputs))
        log.ends.append((clock(), reason))


def wait_until(instant_ns: int, clock: Clock = time.monotonic_ns) -> None:
    """Sleep until an instant has come."""
    while (left_ns := instant_ns - clock()) > 0:
        time.sleep(left_ns / NS_PER_S)


def endings(logs: list[Log], tenant: str, deadline_ns: int | None, start_ns: int, option: str) -> list[Ending]:
    """Turn the logs of a tenant's clients into endings; what has not ended has no outcome. Times from the start."""
    made = []
    for log in logs:
        ends = list(log.ends)
        for index, instant_ns in enumerate(list(log.arrivals_ns)):
            end = ends[index] if index < len(ends) else None
            made.append(_ending(tenant, instant_ns - start_ns, deadline_ns, end, start_ns, option))
    return made


def _ending(tenant: str, arrival_ns: int, deadline_ns: int | None, end: tuple[int, str] | None, start_ns: int, option: str) -> Ending:
    return Ending(
        request=0,
        tenant=tenant,
        arrival_ns=arrival_ns,
        due_ns=None if deadline_ns is None else arrival_ns + deadline_ns,
        finish_ns=None if end is None else end[0] - start_ns,
        outcome=None if end is None else Outcome.FAILED if end[1] else Outcome.DONE,
        option=option,
        reason="" if end is None else end[1],
    )


def _attempt(session: Session, inputs: Inputs) -> str:
    """Run once; return why it failed, or nothing."""
    try:
        session.run(inputs)
    except BackendError as error:
        return str(error)
    return ""


@dataclass(frozen=True, slots=True)
class Shared:
    """Hand out the items of an iterator to several threads, each once."""

    items: Iterator[int]
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        with self.lock:
            return next(self.items)
