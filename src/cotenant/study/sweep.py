"""Policies under loads: the same requests for each, seed by seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from cotenant.describe import Closed, Crew, Platform, Share, Tenant, Workload, open_rate_per_s
from cotenant.errors import InputError
from cotenant.policy import Policy, policies
from cotenant.sim import Compiler, Rig, Seeded, is_there
from cotenant.study.bootstrap import LEVEL, bounded_mean
from cotenant.trace.columns import Columns
from cotenant.trace.figures import Alone, Figures, done_per_s, figures
from cotenant.trace.report import Cell, Fate
from cotenant.units import NS_PER_S

REQUESTS = 300
"""How many requests a run has on average, where neither the crew nor the caller says how long it lasts."""

_FIRST_COME = policies.get("fifo")
"""By which closed loops are served alone: nothing is to be chosen there but lanes."""

_QUANTILES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)

Offer = Callable[[Sequence[Tenant]], tuple[Share, ...]]
Told = Callable[[str], None]
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """Say what is compared: policies by name, loads as factors of every open rate, how many seeds, from the crew's own on."""

    policies: tuple[tuple[str, Policy], ...]
    loads: tuple[float, ...] = (1.0,)
    seeds: int = 10
    seconds: float | None = None

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise InputError("--seeds", self.seeds, "1 or more")
        if not self.policies or not self.loads:
            raise InputError("--policy", "none", "at least one policy and one load")


@dataclass(frozen=True, slots=True, kw_only=True)
class Swept:
    """Hold a cell for every policy at every load, with the figures of every seed, and an example run of the first seed of each.

    `events` counts finished segments; `cpu_s` is the processor time that the runs took, compiling aside.
    """

    cells: tuple[Cell, ...]
    runs: Mapping[tuple[str, float], tuple[Figures, ...]]
    examples: Mapping[tuple[str, float], Columns]
    platform: Platform
    horizon_s: Mapping[float, float]
    events: int
    cpu_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Done:
    load: float
    policy: str
    figures: tuple[Figures, ...]
    example: Columns
    events: int
    cpu_s: float


def sweep(crew: Crew, platform: Platform, offer: Offer, ask: Ask, told: Told = lambda _: None) -> Swept:
    """Simulate every policy at every load under the same requests; `told` hears of every policy that is done at a load."""
    from time import thread_time

    compiler = Compiler() if is_there() else None
    horizons = {load: _horizon_ns(crew.workload.scaled(load), ask) for load in ask.loads}

    def at_load(load: float) -> list[_Done]:
        workload = crew.workload.scaled(load)
        rig = Rig(workload.tenants, offer(workload.tenants), platform, compiler)
        seeded = [_seeded(workload, horizons[load], ask, index) for index in range(ask.seeds)]
        alone = {t.name: _alone(t, rig.lineup.shares, platform, horizons[load], compiler) for t in workload.tenants}
        found = []
        for name, policy in ask.policies:
            before_s = thread_time()
            runs = [rig.run(one, policy, name=name, params=_params(crew, name)) for one in seeded]
            cpu_s = thread_time() - before_s
            ranks = [t.rank for t in workload.tenants]
            sums = tuple(figures(run, alone, ranks) for run in runs)
            found.append(_Done(load=load, policy=name, figures=sums, example=runs[0], events=sum(r.segments for r in runs), cpu_s=cpu_s))
            told(f"{name} at {load:g}")
        return found

    if compiler is not None:
        _warm(compiler, crew, platform, offer, ask)
    with ThreadPoolExecutor(max_workers=_workers(compiler)) as pool:
        done = [one for at in pool.map(at_load, ask.loads) for one in at]
    return _swept(done, crew, platform, horizons)


def _workers(compiler: Compiler | None) -> int:
    """Return how many threads help: compiled code runs beside the others, plain Python does not."""
    return len(os.sched_getaffinity(0)) if compiler is not None and hasattr(os, "sched_getaffinity") else 1


def _warm(compiler: Compiler, crew: Crew, platform: Platform, offer: Offer, ask: Ask) -> None:
    """Compile everything before threads use it, and see each policy serve nobody."""
    rig = Rig(crew.workload.tenants, offer(crew.workload.tenants), platform, compiler)
    for name, policy in ask.policies:
        rig.run(Seeded(requests=(), horizon_ns=0), policy, name=name, params=_params(crew, name))
    if any(isinstance(t.arrival, Closed) for t in crew.workload.tenants):
        rig.run(Seeded(requests=(), horizon_ns=0), _FIRST_COME, name="fifo")


def _params(crew: Crew, name: str) -> tuple[tuple[str, float], ...]:
    return crew.params if name == crew.policy else ()


def _seeded(workload: Workload, horizon_ns: int, ask: Ask, index: int) -> Seeded:
    seed = workload.seed + index
    return Seeded(requests=replace(workload, seed=seed).requests(horizon_ns), horizon_ns=horizon_ns, seed=seed)


def _horizon_ns(workload: Workload, ask: Ask) -> int:
    """Return how long a run lasts: as asked, as the crew says, or for about REQUESTS requests."""
    if ask.seconds is not None:
        return int(ask.seconds * NS_PER_S)
    if workload.horizon_ns is not None:
        return workload.horizon_ns
    rate_per_s = sum(open_rate_per_s(t.arrival) or 0.0 for t in workload.tenants)
    return int(REQUESTS / rate_per_s * NS_PER_S) if rate_per_s > 0 else 10 * NS_PER_S


def _alone(tenant: Tenant, shares: Sequence[Share], platform: Platform, horizon_ns: int, compiler: Compiler | None) -> Alone:
    """Return how a tenant fares alone, by the option that it is planned to take most; simulated for a closed loop, its own co-runner.

    A horizon too short for a single request counts as long enough for one.
    """
    own = tuple(s for s in shares if s.option.tenant == tenant.name)
    latency_ns = float(max(own, key=lambda s: s.rate_per_s).option.latency_ns)
    if not isinstance(tenant.arrival, Closed):
        return Alone(latency_ns=latency_ns)
    rig = Rig((tenant,), own, platform, compiler)
    rate_per_s = done_per_s(rig.run(Seeded(requests=(), horizon_ns=horizon_ns), _FIRST_COME, name="fifo"), 0)
    return Alone(latency_ns=latency_ns, rate_per_s=rate_per_s or NS_PER_S / horizon_ns)


def _swept(done: Sequence[_Done], crew: Crew, platform: Platform, horizons: Mapping[float, int]) -> Swept:
    return Swept(
        cells=tuple(_cell(one, crew.workload.tenants) for one in done),
        runs={(one.policy, one.load): one.figures for one in done},
        examples={(one.policy, one.load): one.example for one in done},
        horizon_s={load: horizon_ns / NS_PER_S for load, horizon_ns in horizons.items()},
        platform=platform,
        events=sum(one.events for one in done),
        cpu_s=sum(one.cpu_s for one in done),
    )


def _cell(done: _Done, tenants: Sequence[Tenant]) -> Cell:
    runs = done.figures
    p99 = [f.p99_ms for f in runs if f.p99_ms is not None]
    return Cell(
        policy=done.policy,
        load=done.load,
        sla=_mean([f.sla for f in runs]),
        stp=_mean([f.stp for f in runs]),
        antt=_mean([f.antt for f in runs]),
        fairness=_mean([f.fairness for f in runs]),
        p99_ms=_mean(p99) if p99 else None,
        miss_by_rank=tuple(_misses(runs)),
        fates=tuple(_fates(runs, tenants)),
        sla_ci95=mean_interval([f.sla for f in runs]),
        stp_ci95=mean_interval([f.stp for f in runs]),
        antt_ci95=mean_interval([f.antt for f in runs]),
        fairness_ci95=mean_interval([f.fairness for f in runs]),
        p99_ms_ci95=mean_interval(p99),
    )


def _misses(runs: Sequence[Figures]) -> Iterator[tuple[int, float]]:
    ranks = sorted({rank for f in runs for rank, _ in f.miss_by_rank})
    for rank in ranks:
        yield rank, _mean([ratio for f in runs for own, ratio in f.miss_by_rank if own == rank])


def _fates(runs: Sequence[Figures], tenants: Sequence[Tenant]) -> Iterator[Fate]:
    for index, tenant in enumerate(tenants):
        latencies = np.concatenate([f.latencies_ms[index] for f in runs])
        slow = [1 / value for f in runs for name, value in f.p if name == tenant.name and value > 0]
        marks = tuple((q, float(np.quantile(latencies, q, method="inverted_cdf"))) for q in _QUANTILES) if len(latencies) else ()
        yield Fate(tenant=tenant.name, slowdown=_mean(slow) if slow else None, latencies_ms=marks)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Bound a mean at 95 % by Student's t over independent runs; None with fewer than two, or one that is infinite."""
    return bounded_mean(values, LEVEL)
