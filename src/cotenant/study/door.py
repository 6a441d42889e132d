"""The Python door: a crew file in, a serving device out."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from cotenant.describe import Count
from cotenant.errors import BackendError
from cotenant.live import Client, LiveDevice
from cotenant.study.device import inputs_of, open_device
from cotenant.study.prepare import profiled, rehearsed
from cotenant.study.prepared import Prepared
from cotenant.study.thermometer import Thermometer
from cotenant.trace import Trace
from cotenant.units import NS_PER_S

GRACE_S = 2.0
"""How long a run waits, after its time, for what it was asked; longer where an inference is."""

TICK_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Tick:
    """Tell how it stands: seconds since the start, counts so far, and each tenant's rate since the tick before."""

    seconds: float
    counts: Mapping[str, Count]
    rates: Mapping[str, float]


Told = Callable[[Tick], None]


def open_crew(path: str | Path, *, allow_overload: bool = False, paces: bool = False) -> LiveDevice:
    """Prepare a crew file on this machine and serve it until closed; the first time, its models are profiled.

    Where it `paces`, whoever slows a better rank down is held back while that helps.
    InputError for what cannot be used, InfeasibleError for a crew that does not fit, BackendError from an engine.
    """
    return open_device(rehearsed(profiled(Path(path)), allow_overload=allow_overload), paces=paces)


def run_crew(
    prepared: Prepared, stop: threading.Event, told: Told | None = None, seconds: float | None = None, *, paces: bool = False
) -> Trace:
    """Serve a crew with the client that its file describes, for `seconds`, else its own, else until `stop` is set.

    Stopped early, what waits is dropped and what runs is given a moment; otherwise all that was asked is answered.
    BackendError if a defect ends it.
    """
    horizon_ns = prepared.crew.workload.horizon_ns if seconds is None else round(seconds * NS_PER_S)
    inputs = inputs_of(prepared)
    with open_device(prepared, keeps_trace=True, paces=paces) as device:
        client = Client(device=device, workload=prepared.crew.workload, lanes=prepared.platform.lanes, inputs=inputs, stop=stop)
        start_ns = device.start_clock()
        with telling(device, told, start_ns, stop), thermometer_of(prepared, start_ns) as thermometer:
            client.ask(start_ns, horizon_ns)
        asked_ns = time.monotonic_ns() - start_ns
        if not stop.is_set():
            device.drain(max(GRACE_S, 2 * _longest_s(prepared)))
        device.close()
        if device.broken:
            raise BackendError("device", device.broken)
        happened = device.trace(asked_ns if stop.is_set() or horizon_ns is None else horizon_ns)
        return replace(happened, climate=thermometer.seen)


def thermometer_of(prepared: Prepared, start_ns: int) -> Thermometer:
    """Return what looks at the cores that a crew is served on, from an instant (CLOCK_MONOTONIC) on."""
    cores = [core for processor in prepared.platform.processors for core in processor.cores or ()]
    return Thermometer(cores=cores, since_ns=start_ns, clock=time.monotonic_ns)


@contextmanager
def telling(device: LiveDevice, told: Told | None, start_ns: int, stop: threading.Event) -> Iterator[None]:
    """Tell every second how a device stands; `stop` is set when nobody listens any more."""
    over = threading.Event()
    if told is not None:
        threading.Thread(target=_tell, args=(device, told, start_ns, over, stop), name="cotenant-teller", daemon=True).start()
    try:
        yield
    finally:
        over.set()


def _longest_s(prepared: Prepared) -> float:
    return max((share.option.latency_ns for share in prepared.plan.shares), default=0) / NS_PER_S


def _tell(device: LiveDevice, told: Told, start_ns: int, over: threading.Event, stop: threading.Event) -> None:
    before, before_ns = device.stats(), start_ns
    while not over.wait(TICK_S):
        counts, now_ns = device.stats(), time.monotonic_ns()
        passed_s = (now_ns - before_ns) / NS_PER_S
        rates = {name: (count.done - (before[name].done if name in before else 0)) / passed_s for name, count in counts.items()}
        try:
            told(Tick(seconds=(now_ns - start_ns) / NS_PER_S, counts=counts, rates=rates))
        except OSError:
            stop.set()  # whoever read has left
            return
        before, before_ns = counts, now_ns
