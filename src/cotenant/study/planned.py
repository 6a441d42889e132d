"""The planned way of a comparison: the live device in a child of its own."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from cotenant.describe import External, Precision, Workload
from cotenant.errors import BackendError, InputError
from cotenant.live import Client
from cotenant.live.overhead import Overhead
from cotenant.study import children
from cotenant.study.child import Run, attend
from cotenant.study.device import inputs_of, open_device
from cotenant.study.prepare import profiled
from cotenant.study.prepared import Prepared
from cotenant.study.spent import Mark, brought_ns, mark, spent_ns
from cotenant.study.way import Period, Serve, driven
from cotenant.trace import Trace, Usage
from cotenant.units import NS_PER_S

CHILD = "cotenant.study.planned"
SLACK_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Tell the child what to serve: a crew file, by the plan that follows from what the store holds and these slowdowns.

    With `first` nobody but the best rank asks.
    """

    crew: str
    digest: str
    precisions: tuple[Precision, ...] | None
    allow_overload: bool
    slowdowns: tuple[tuple[str, float], ...]
    seed: int
    stop_ns: int
    grace_ns: int
    first: bool = False


def planned(prepared: Prepared, crew: Path, precisions: Sequence[Precision] | None = None, *, first: bool = False) -> Serve:
    """Return what serves a prepared crew, from its file, by its plan; with `first`, nobody but the best rank asks."""

    def serve(period: Period) -> Trace:
        errand = Errand(
            crew=str(crew.absolute()),  # a link stays a link: models lie beside it
            digest=prepared.plan.crew,
            precisions=None if precisions is None else tuple(precisions),
            allow_overload=prepared.allow_overload,
            slowdowns=prepared.plan.slowdowns,
            seed=period.workload.seed,
            stop_ns=period.stop_ns,
            grace_ns=period.grace_ns,
            first=first,
        )
        limit_s = (period.stop_ns + period.grace_ns) / NS_PER_S + SLACK_S
        return children.serve(CHILD, [msgspec.json.encode(errand)], limit_s)[0]

    return serve


def load(line: bytes) -> Run:
    """Open the device, warm it, and return what serves."""
    errand = msgspec.json.decode(line, type=Errand)
    found = profiled(Path(errand.crew), errand.precisions).reckoning(dict(errand.slowdowns))
    prepared = found.planned(allow_overload=errand.allow_overload)
    if prepared.plan.crew != errand.digest:
        raise InputError(errand.crew, "changed while it was compared", "the same crew throughout")
    workload = replace(driven(prepared.crew.workload), seed=errand.seed)
    prepared = replace(prepared, crew=replace(prepared.crew, workload=workload))
    inputs = inputs_of(prepared)
    device = open_device(prepared, keeps_trace=True)
    stop = threading.Event()
    asked = first_alone(workload) if errand.first else workload
    client = Client(device=device, workload=asked, lanes=prepared.platform.lanes, inputs=inputs, stop=stop)
    gc.collect()
    gc.freeze()

    def run(start_ns: int) -> Trace:
        while (left_ns := start_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / NS_PER_S)
        start_ns = device.start_clock()
        before = mark()
        client.ask(start_ns, errand.stop_ns)
        usage = used(device.overhead(), before, mark(), errand.stop_ns)
        device.drain(errand.grace_ns / NS_PER_S)
        stop.set()
        device.close()
        if device.broken:
            raise BackendError("device", device.broken)
        return replace(device.trace(errand.stop_ns), spans=(), usage=usage)

    return run


def first_alone(workload: Workload) -> Workload:
    """Let nobody but the best rank ask, when it would have asked beside the others."""
    best = min(tenant.rank for tenant in workload.tenants)
    return replace(workload, tenants=tuple(t if t.rank == best else replace(t, arrival=External()) for t in workload.tenants))


def used(overhead: Overhead, before: Mark, after: Mark, window_ns: int) -> Usage:
    """Say what a window took between its two marks, with the overhead of all that was served until then."""
    return Usage(
        cpu_ns=spent_ns(before, after, window_ns),
        segments=overhead.segments,
        dispatch_ns=brought_ns(overhead.total_ns, before, after, window_ns),
        dispatch_mean_ns=overhead.mean_ns,
        dispatch_median_ns=overhead.median_ns,
    )


if __name__ == "__main__":
    attend(load)
