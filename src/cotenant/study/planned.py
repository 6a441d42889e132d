"""The planned way of a comparison: the live device in a child of its own."""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from cotenant.describe import Precision
from cotenant.errors import BackendError, InputError
from cotenant.live import Client
from cotenant.study import children
from cotenant.study.child import Run, attend
from cotenant.study.device import inputs_of, open_device
from cotenant.study.prepare import profiled
from cotenant.study.prepared import Prepared
from cotenant.study.way import Period, Serve, driven
from cotenant.trace import Trace
from cotenant.units import NS_PER_S

CHILD = "cotenant.study.planned"
SLACK_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """Tell the child what to serve: a crew file, by the plan that follows from what the store holds and these slowdowns."""

    crew: str
    digest: str
    precisions: tuple[Precision, ...] | None
    allow_overload: bool
    slowdowns: tuple[tuple[str, float], ...]
    seed: int
    stop_ns: int
    grace_ns: int


def planned(prepared: Prepared, crew: Path, precisions: Sequence[Precision] | None = None) -> Serve:
    """Return what serves a prepared crew, from its file, by its plan."""

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
    client = Client(device=device, workload=workload, lanes=prepared.platform.lanes, inputs=inputs, stop=stop)
    gc.collect()
    gc.freeze()

    def run(start_ns: int) -> Trace:
        while (left_ns := start_ns - time.monotonic_ns()) > 0:
            time.sleep(left_ns / NS_PER_S)
        start_ns = device.start_clock()
        client.ask(start_ns, errand.stop_ns)
        device.drain(errand.grace_ns / NS_PER_S)
        stop.set()
        device.close()
        if device.broken:
            raise BackendError("device", device.broken)
        return replace(device.trace(errand.stop_ns), spans=())

    return run


if __name__ == "__main__":
    attend(load)
