"""A rehearsal: what an inference takes with all tenants at work."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

from cotenant.cost.opening import alone
from cotenant.describe import Arrival, Closed, Option, Outcome, Periodic, Plan, Workload, open_rate_per_s
from cotenant.errors import BackendError
from cotenant.live import Client
from cotenant.profile import MEASURING
from cotenant.study.device import inputs_of, open_device
from cotenant.study.kept import Rehearsed, Slowdowns, calmer, keep, recall
from cotenant.study.meter import others_share, read_meter
from cotenant.study.prepared import Prepared
from cotenant.study.way import driven
from cotenant.trace import Span, Trace
from cotenant.units import NS_PER_S

LEAST_S, MOST_S = 2.0, 6.0
FEWEST = 5  # requests expected of every tenant, if that fits in MOST_S
_CLOSE = 1e-3  # of a promise: nearer to it, what arrives is what is promised
_BACK_TO_BACK_NS = 1_000_000  # a longer gap on a lane is idleness


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


def slowdowns(trace: Trace, prepared: Prepared) -> Slowdowns:
    """Divide what inferences took by what they take alone; a model that was not served is as slow as the rest."""
    overhead_ns = _gap_ns(trace.spans) + _handing_over_ns(trace.spans)
    reckoned = {(share.option.tenant, share.option.name): share.option for share in prepared.plan.shares}
    taken_ns: dict[str, list[float]] = defaultdict(list)
    alone_ns: dict[str, list[float]] = defaultdict(list)
    used_ns = _used_ns(trace.spans)
    for ending in trace.endings:
        option = reckoned.get((ending.tenant, ending.option))
        if option is not None and ending.outcome is Outcome.DONE and ending.request in used_ns:
            taken_ns[option.artifact.model].append(used_ns[ending.request] + overhead_ns * len(option.chain))
            alone_ns[option.artifact.model].append(_alone_ns(option, prepared))
    everywhere = _ratio([t for times in taken_ns.values() for t in times], [a for times in alone_ns.values() for a in times])
    models = {prepared.card(tenant.name).model.digest for tenant in prepared.tenants}
    return {model: _ratio(taken_ns[model], alone_ns[model]) if taken_ns[model] else everywhere for model in sorted(models)}


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


def _used_ns(spans: Iterable[Span]) -> dict[int, float]:
    """Add up what each request used its lanes for: CPU time, from which others take nothing; of several threads, the time held."""
    held: dict[int, float] = defaultdict(float)
    cpu: dict[int, float] = defaultdict(float)
    for span in spans:
        held[span.request] += span.stop_ns - span.start_ns
        cpu[span.request] += span.cpu_ns if len(span.lanes) == 1 else span.stop_ns - span.start_ns
    return {request: cpu[request] or held[request] for request in held}


def _handing_over_ns(spans: Iterable[Span]) -> float:
    """Return what a segment holds its lane beyond its CPU time when nobody disturbs it: from being decided to being reported."""
    beyond = sorted(span.stop_ns - span.start_ns - span.cpu_ns for span in spans if span.cpu_ns > 0 and len(span.lanes) == 1)
    return max(beyond[len(beyond) // 4], 0) if beyond else 0.0


def _gap_ns(spans: Iterable[Span]) -> float:
    """Return the usual gap between two segments that a lane runs back to back."""
    by_lane: dict[tuple[str, int], list[tuple[int, int]]] = defaultdict(list)
    for span in spans:
        for lane in span.lanes:
            by_lane[span.processor, lane].append((span.start_ns, span.stop_ns))
    gaps = [later[0] - earlier[1] for times in by_lane.values() for earlier, later in pairwise(sorted(times))]
    return median([gap for gap in gaps if 0 <= gap < _BACK_TO_BACK_NS] or [0])


def _alone_ns(option: Option, prepared: Prepared) -> float:
    """Return what an option was measured to take alone: the plan may reckon with an earlier rehearsal."""
    factor = dict(prepared.profile.slowdowns).get(option.artifact.model, 1.0)
    return sum(step.duration_ns for step in option.chain) / factor


def _ratio(taken_ns: list[float], alone_ns: list[float]) -> float:
    return fmean(taken_ns) / fmean(alone_ns) if taken_ns else 1.0
