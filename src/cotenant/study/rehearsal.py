"""A rehearsal: what an inference takes with all tenants at work."""

from __future__ import annotations

import math
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from statistics import fmean, median

import msgspec

from cotenant.backend import engines
from cotenant.cost.opening import alone, open_store
from cotenant.describe import Option, Outcome, Platform, Share
from cotenant.describe.files import digest_of
from cotenant.live import Client
from cotenant.profile import MEASURING, STORE
from cotenant.study.device import inputs_of, open_device
from cotenant.study.meter import others_share, read_meter
from cotenant.study.prepared import Prepared
from cotenant.study.rounds import OTHERS_MAX
from cotenant.study.way import driven
from cotenant.trace import Span, Trace
from cotenant.units import NS_PER_S

Slowdowns = Mapping[str, float]
"""What an inference takes at work over what it takes alone, by the model's digest."""

LEAST_S, MOST_S = 2.0, 6.0
FEWEST = 5  # requests expected of every tenant, if that fits in MOST_S
TRIES = 3
_BACK_TO_BACK_NS = 1_000_000  # a longer gap on a lane is idleness


def recall(folder: Path, shares: Iterable[Share], platform: Platform, crew: str) -> Slowdowns | None:
    """Return what a rehearsal of these options found, None if there was none; `crew` is the crew's digest."""
    with open_store(folder / STORE, lambda _: None) as store:
        kept = store.fact(_name(shares, platform, crew))
    return None if kept is None else _read(kept)


def rehearse(prepared: Prepared, folder: Path) -> Slowdowns:
    """Serve a crew by its plan for a moment, and keep what each model's inferences took; again while others disturb it.

    That is the lane's time from one start to the next: caches that others have filled and the dispatcher's own work
    count. What was disturbed each time is returned, but not kept. Who else measures from the same folder is waited for, and
    what was found meanwhile is returned. BackendError from an engine.
    """
    plan = prepared.plan
    with alone(folder / MEASURING):
        return recall(folder, plan.shares, prepared.platform, plan.crew) or _rehearse_now(prepared, folder)


def _rehearse_now(prepared: Prepared, folder: Path) -> Slowdowns:
    tries = []
    for _ in range(TRIES):
        before = read_meter()
        trace = _performed(prepared)
        tries.append((others_share(before, read_meter()), trace))
        if tries[-1][0] <= OTHERS_MAX:
            break
    others, trace = min(tries, key=lambda pair: pair[0])
    found = slowdowns(trace, prepared)
    if others > OTHERS_MAX:
        return found  # the best there is now, but nothing to remember
    name = _name(prepared.plan.shares, prepared.platform, prepared.plan.crew)
    with open_store(folder / STORE, lambda _: None) as store:
        store.put_fact(name, msgspec.json.encode(found))
    return found


def _read(kept: bytes) -> Slowdowns | None:
    """Return what was kept; None where that is damaged."""
    try:
        found = msgspec.json.decode(kept, type=dict[str, float])
    except (msgspec.DecodeError, ValueError):
        return None
    return found if all(0 < factor < math.inf for factor in found.values()) else None


def slowdowns(trace: Trace, prepared: Prepared) -> Slowdowns:
    """Divide what inferences took by what they take alone; a model that was not served is as slow as the rest."""
    overhead_ns = _overhead_ns(trace.spans)
    reckoned = {(share.option.tenant, share.option.name): share.option for share in prepared.plan.shares}
    taken_ns: dict[str, list[float]] = defaultdict(list)
    alone_ns: dict[str, list[float]] = defaultdict(list)
    held_ns = _held_ns(trace.spans)
    for ending in trace.endings:
        option = reckoned.get((ending.tenant, ending.option))
        if option is not None and ending.outcome is Outcome.DONE and ending.request in held_ns:
            taken_ns[option.artifact.model].append(held_ns[ending.request] + overhead_ns * len(option.chain))
            alone_ns[option.artifact.model].append(_alone_ns(option, prepared))
    everywhere = _ratio([t for times in taken_ns.values() for t in times], [a for times in alone_ns.values() for a in times])
    models = {prepared.card(tenant.name).model.digest for tenant in prepared.tenants}
    return {model: _ratio(taken_ns[model], alone_ns[model]) if taken_ns[model] else everywhere for model in sorted(models)}


def _performed(prepared: Prepared) -> Trace:
    workload = driven(prepared.crew.workload)
    prepared = replace(prepared, crew=replace(prepared.crew, workload=workload))
    least_per_s = min((promise.rate_per_s for promise in prepared.plan.promises if promise.rate_per_s > 0), default=FEWEST / LEAST_S)
    period_ns = round(min(max(LEAST_S, FEWEST / least_per_s), MOST_S) * NS_PER_S)
    stop, inputs = threading.Event(), inputs_of(prepared)
    with open_device(prepared, keeps_trace=True) as device:
        client = Client(device=device, workload=workload, lanes=prepared.platform.lanes, inputs=inputs, stop=stop)
        client.ask(device.start_clock(), period_ns)
        stop.set()
        device.close()
        return device.trace(period_ns)


def _held_ns(spans: Iterable[Span]) -> dict[int, float]:
    """Add up how long each request held its lanes, without the time for which it was suspended."""
    held: dict[int, float] = defaultdict(float)
    for span in spans:
        held[span.request] += span.stop_ns - span.start_ns
    return held


def _overhead_ns(spans: Iterable[Span]) -> float:
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


def _name(shares: Iterable[Share], platform: Platform, crew: str) -> str:
    """Name a rehearsal by all that it depends on, but not by the costs that it corrects."""
    options = [share.option for share in shares]
    used = sorted((o.tenant, o.name, o.artifact.model, engines.get(o.artifact.engine).version) for o in options)
    return f"rehearsal {digest_of((crew, platform, tuple(used)))}"
