"""The child of every way but the planned: `python -m cotenant.study.serving`."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import count

import msgspec
import numpy as np

from cotenant.backend import Session
from cotenant.backend.hugepages import collapse
from cotenant.backend.scheduling import best_effort
from cotenant.describe import Array
from cotenant.profile.samples import one
from cotenant.study.child import Run, attend
from cotenant.study.clients import Inputs, Log, Shared, Window, ask_on_time, endings, keep_asking, wait_until
from cotenant.study.seat import Seat, Service
from cotenant.study.sessions import load as load_sessions
from cotenant.study.spent import mark, spent_ns
from cotenant.trace import Ending, Trace, Usage
from cotenant.units import NS_PER_S

Clients = tuple[list[Log], list[threading.Thread]]


def load(line: bytes) -> Run:
    """Load and warm every seat, and return what serves; only that is best effort, if told so: loading must not starve."""
    service = msgspec.json.decode(line, type=Service)
    loaded = [(seat, *load_sessions(seat), read_samples(seat)) for seat in service.seats]
    for _, sessions, _, inputs in loaded:
        _warm(sessions, inputs, service.warm_runs)
    if service.huge_pages:
        collapse()
    # As in the planned way: no collection walks what was loaded while requests are served.
    gc.collect()
    gc.freeze()

    def run(start_ns: int) -> Trace:
        window = Window(start_ns=start_ns, stop_ns=start_ns + service.stop_ns, end_ns=start_ns + service.stop_ns + service.grace_ns)
        idle = service.best_effort
        kept = [(seat, option, *_start(seat, sessions, inputs, window, idle=idle)) for seat, sessions, option, inputs in loaded]
        cpu_ns = _spent_within(window)
        for _, _, _, threads in kept:
            _join(threads, window)
        made = [e for seat, option, logs, _ in kept for e in endings(logs, seat.tenant, seat.deadline_ns, start_ns, option)]
        return replace(_trace(service, made), usage=Usage(cpu_ns=cpu_ns))

    return run


def read_samples(seat: Seat) -> tuple[Inputs, ...]:
    """Read the seat's samples as the inputs of one request each."""
    with np.load(seat.samples) as arrays:
        stacked = {name: (_loaded(arrays[f"arr_{index}"]), shape) for index, (name, shape) in enumerate(seat.shapes)}
    samples = min(len(array) for array, _ in stacked.values())
    return tuple({name: one(array, i, shape) for name, (array, shape) in stacked.items()} for i in range(samples))


def _loaded(array: Array) -> Array:
    """Turn text back into the objects that engines take for strings: no other input is written as text."""
    return array.astype(object) if array.dtype.kind == "U" else array


def _warm(sessions: tuple[Session, ...], inputs: tuple[Inputs, ...], runs: int) -> None:
    for session in dict.fromkeys(sessions):
        for index in range(runs):
            session.run(inputs[index % len(inputs)])


def _start(seat: Seat, sessions: tuple[Session, ...], inputs: tuple[Inputs, ...], window: Window, *, idle: bool) -> Clients:
    """Start a thread for each session; return what they log, and the threads."""
    logs = [Log() for _ in sessions]
    arrivals = None if seat.arrivals_ns is None else Shared(iter(seat.arrivals_ns))
    threads = []
    for index, (session, log) in enumerate(zip(sessions, logs, strict=True)):
        ask = keep_asking if arrivals is None else partial(ask_on_time, arrivals)
        work = partial(ask, session, _cycled(inputs, index), window, log)
        threads.append(threading.Thread(target=partial(_as_best_effort, work) if idle else work, daemon=True))
        threads[-1].start()
    return logs, threads


def _as_best_effort(work: Callable[[], None]) -> None:
    best_effort()
    work()


def _cycled(inputs: tuple[Inputs, ...], first: int) -> Iterator[Inputs]:
    return (inputs[i % len(inputs)] for i in count(first))


def _spent_within(window: Window) -> int:
    """Sleep until requests arrive no more; return the CPU time taken since they began to."""
    wait_until(window.start_ns)
    before = mark()
    wait_until(window.stop_ns)
    return spent_ns(before, mark(), window.stop_ns - window.start_ns)


def _join(threads: list[threading.Thread], window: Window) -> None:
    for thread in threads:
        thread.join(max(window.end_ns - time.monotonic_ns(), 0) / NS_PER_S)


def _trace(service: Service, made: list[Ending]) -> Trace:
    """Put numbers to the endings; count as asked also the arrivals that no client came to take."""
    asked = tuple((s.tenant, _asked(s, made)) for s in service.seats)
    numbered = tuple(replace(e, request=i) for i, e in enumerate(sorted(made, key=lambda e: e.arrival_ns)))
    return Trace(spans=(), endings=numbered, stop_ns=service.stop_ns, platform="", policy="", asked=asked)


def _asked(seat: Seat, made: list[Ending]) -> int:
    return sum(e.tenant == seat.tenant for e in made) if seat.arrivals_ns is None else len(seat.arrivals_ns)


if __name__ == "__main__":
    attend(load)
