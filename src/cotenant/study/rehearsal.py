"""A rehearsal: what an inference takes with all tenants at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from cotenant.cost.opening import alone
from cotenant.describe import Arrival, Closed, Outcome, Periodic, Plan, Workload, open_rate_per_s
from cotenant.errors import BackendError
from cotenant.live import Client
from cotenant.profile import MEASURING
from cotenant.study.at_work import slowdowns
from cotenant.study.device import inputs_of, open_device
from cotenant.study.kept import Rehearsed, Slowdowns, calmer, keep, recall
from cotenant.study.meter import others_share, read_meter
from cotenant.study.prepared import Prepared
from cotenant.study.way import driven
from cotenant.trace import Trace
from cotenant.units import NS_PER_S

LEAST_S, MOST_S = 2.0, 6.0
FEWEST = 5  # requests expected of every tenant, if that fits in MOST_S
_CLOSE = 1e-3  # of a promise: nearer to it, what arrives is what is promised


def rehearse(prepared: Prepared, folder: Path, told: Callable[[str], None] = lambda _: None) -> Slowdowns:
    """Serve a crew by its plan for a moment, keep what each model's inferences took, and return it; at once where that is known.

    That is the lane's time from one start to the next: caches that others have filled and the dispatcher's own work
    count. Who else measures from the same folder is waited for; what was disturbed is tried again the next time.
    BackendError from an engine.
    """
    plan, platform = prepared.plan, prepared.platform
    known = recall(folder, plan, platform)
    if known is None or not known.settled(time.time()):
        told("rehearsing: the plan is served for a moment, to see what its models take beside one another")
        with alone(folder / MEASURING):
            known = _rehearse_now(prepared, folder, recall(folder, plan, platform))
    return known.slowdowns


def _rehearse_now(prepared: Prepared, folder: Path, known: Rehearsed | None) -> Rehearsed:
    if known is not None and known.settled(time.time()):
        return known  # somebody else was faster
    before = read_meter()
    trace = _performed(prepared)
    others = others_share(before, read_meter())
    found = calmer(known, Rehearsed(slowdowns=dict(slowdowns(trace, prepared)), others=others, at_s=time.time()))
    if not _failed_throughout(trace):
        keep(folder, prepared.plan, prepared.platform, found)
    return found


def _failed_throughout(trace: Trace) -> bool:
    """Say whether something failed and nothing was done: that tells nothing of what inferences take."""
    outcomes = {ending.outcome for ending in trace.endings}
    return Outcome.FAILED in outcomes and Outcome.DONE not in outcomes


def _performed(prepared: Prepared) -> Trace:
    workload = as_promised(driven(prepared.crew.workload), prepared.plan)
    prepared = replace(prepared, crew=replace(prepared.crew, workload=workload))
    least_per_s = min((promise.rate_per_s for promise in prepared.plan.promises if promise.rate_per_s > 0), default=FEWEST / LEAST_S)
    period_ns = round(min(max(LEAST_S, FEWEST / least_per_s), MOST_S) * NS_PER_S)
    stop, inputs = threading.Event(), inputs_of(prepared)
    with open_device(prepared, keeps_trace=True) as device:
        client = Client(device=device, workload=workload, lanes=prepared.platform.lanes, inputs=inputs, stop=stop)
        bell = threading.Timer(period_ns / NS_PER_S, stop.set)  # who asks more than can be served is behind time by then
        bell.daemon = True
        bell.start()
        client.ask(device.start_clock(), period_ns)
        stop.set()
        device.close()
        if device.broken:
            raise BackendError("device", device.broken)
        return device.trace(period_ns)


def as_promised(workload: Workload, plan: Plan) -> Workload:
    """Return the workload without what arrives beyond the plan's promises: a backlog shows nothing of what inferences take."""
    promised_per_s = {promise.tenant: promise.rate_per_s for promise in plan.promises}
    return replace(workload, tenants=tuple(replace(t, arrival=_at_most(t.arrival, promised_per_s[t.name])) for t in workload.tenants))


def _at_most(arrival: Arrival, rate_per_s: float) -> Arrival:
    comes_per_s = open_rate_per_s(arrival)
    if comes_per_s is None or comes_per_s <= rate_per_s * (1 + _CLOSE):
        return arrival
    return Periodic(every_ns=round(NS_PER_S / rate_per_s)) if rate_per_s * LEAST_S >= 1 else Closed(outstanding=1)
