"""A crew served in several ways, in turn."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cotenant.describe import Workload
from cotenant.study.meter import Reading, read_meter
from cotenant.study.prepared import Prepared
from cotenant.study.reference import Names, references_of
from cotenant.study.report import PLANNED, Report, ratio, rounds_of, served
from cotenant.study.rounds import Measured, Turns
from cotenant.study.solo import solo_ways
from cotenant.study.way import Period, Serve, Way, driven, of_round
from cotenant.study.ways import Bench, alone, baselines, write_samples
from cotenant.trace.summary import fidelity_by_plan
from cotenant.units import NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Say how long to compare; a request unanswered `grace_s` after its period is lost."""

    rounds: int = 5
    period_s: float = 20.0
    alone_s: float = 2.0
    grace_s: float = 10.0


# For a look: too few rounds for intervals.
QUICK = Settings(rounds=2, period_s=4.0, alone_s=1.0)

FIRST_ALONE = "rank-alone"
"""The best rank served by the plan's own device, nobody else asking: what it could have, engine and threads being the same."""


def compare(
    prepared: Prepared,
    planned: Serve,
    settings: Settings | None = None,
    told: Callable[[Measured], None] = lambda _: None,
    meter: Callable[[], Reading] = read_meter,
    noted: Callable[[str], None] = lambda _: None,
    *,
    first: Serve | None = None,
) -> Report:
    """Serve a prepared crew in every way, round by round, `planned` by the plan, and each model alone.

    Alone is with ONNX Runtime's defaults, and as each variant on one core; `first` serves the best rank by the plan, nobody else asking.
    External tenants are asked as `driven` says. BackendError from an engine, or a child that dies, ends the comparison;
    `told` and `noted` hear how it stands, as `Turns` says.
    """
    settings = settings or Settings()
    with tempfile.TemporaryDirectory(prefix="cotenant-") as folder:
        bench = Bench(prepared=prepared, samples=write_samples(prepared, Path(folder)))
        own = Way(name=PLANNED, serve=planned, fidelity=fidelity_by_plan(prepared.plan))
        alone_first = () if first is None else (Way(name=FIRST_ALONE, serve=first, fidelity=own.fidelity),)
        ways = (*baselines(bench), *alone_first, own)
        alone_ns = round(settings.alone_s * NS_PER_S)
        singly, solos = {t.name: alone(bench, t, alone_ns) for t in prepared.tenants}, solo_ways(bench, alone_ns)
        turns = Turns(
            ways=(*ways, *singly.values(), *solos.values()),
            rounds=settings.rounds,
            period=lambda way, index: period_of(driven(prepared.crew.workload), way, index, settings),
            meter=meter,
            told=told,
            noted=noted,
        )
        measured = turns.measure()
    names = Names(alone={tenant: way.name for tenant, way in singly.items()}, solo={key: way.name for key, way in solos.items()})
    return report_of(prepared, ways, measured, names, settings.rounds)


def period_of(workload: Workload, way: Way, round_index: int, settings: Settings) -> Period:
    """Return what a way serves in a round: the same arrivals as every other way."""
    stop_ns = round(settings.period_s * NS_PER_S) if way.stop_ns is None else way.stop_ns
    return Period(workload=of_round(workload, round_index), stop_ns=stop_ns, grace_ns=round(settings.grace_s * NS_PER_S))


def report_of(prepared: Prepared, ways: Sequence[Way], measured: Sequence[Measured], names: Names, rounds: int) -> Report:
    """Sum up what was measured; `names` are those of the ways that measured models alone."""
    tenants, platform = prepared.tenants, prepared.platform
    references = references_of(prepared, measured, names, rounds)
    summed = tuple((way.name, served(way, measured, prepared.plan, tenants, platform, references)) for way in ways)
    counted = {way.name: rounds_of(way.name, measured, tenants) for way in ways}
    rng = np.random.default_rng(prepared.crew.workload.seed)
    others = [name for name in counted if name != PLANNED]
    ratios = tuple((name, ratio(counted[PLANNED], counted[name], tenants, references.whole.rates, rng)) for name in others)
    return Report(rounds=rounds, lanes=platform.lanes, references=references, ways=summed, ratios=ratios)
