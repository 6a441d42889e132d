"""Policies under loads: the same requests for each, seed by seed."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import CancelledError, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from threading import Event
from time import thread_time

from cotenant.describe import Closed, Crew, Platform, Replay, Request, Share, Tenant, Workload, open_rate_per_s
from cotenant.errors import DecisionError, InputError
from cotenant.policy import Policy, policies
from cotenant.sim import Compiler, Rig, Seeded, is_there
from cotenant.study.cells import cell
from cotenant.trace.columns import Columns
from cotenant.trace.figures import Alone, Figures, done_per_s, figures
from cotenant.trace.report import Cell
from cotenant.units import NS_PER_S

REQUESTS = 300
"""How many requests a run has on average, where neither the crew nor the caller says how long it lasts."""

_CLOSED_S = 10
"""How long it lasts where only closed loops ask."""

_FIRST_COME = policies.get("fifo")
"""By which closed loops are served alone: nothing is to be chosen there but lanes."""

Offer = Callable[[Sequence[Tenant]], tuple[Share, ...]]
Told = Callable[[str], None]


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

    `failed` says of the policies that are in none why not. `events` counts finished segments; `cpu_s` is the processor time that the runs
    took, compiling aside.
    """

    cells: tuple[Cell, ...]
    runs: Mapping[tuple[str, float], tuple[Figures, ...]]
    examples: Mapping[tuple[str, float], Columns]
    platform: Platform
    horizon_s: Mapping[float, float]
    failed: Mapping[str, DecisionError]
    events: int
    cpu_s: float


@dataclass(slots=True, kw_only=True)
class _Tally:
    """Hold what one policy's runs at one load have come to so far."""

    policy: str
    load: float
    figures: list[Figures] = field(default_factory=list)
    example: Columns | None = None
    events: int = 0
    cpu_s: float = 0.0

    def add(self, run: Columns, figures: Figures) -> None:
        self.figures.append(figures)
        self.example = self.example or run
        self.events += run.segments


@dataclass(frozen=True, slots=True, kw_only=True)
class _At:
    """Hold what all policies came to at one load; `drawn`, if not every seed brought the same requests."""

    load: float
    horizon_ns: int
    tallies: tuple[_Tally, ...]
    drawn: bool


def sweep(crew: Crew, platform: Platform, offer: Offer, ask: Ask, told: Told = lambda _: None) -> Swept:
    """Simulate every policy at every load under the same requests; `told` hears of every seed that is done at a load.

    A policy that decides what it may not is left out, at every load; DecisionError if none is left.
    """
    compiler = Compiler() if is_there() else None
    failed = dict[str, DecisionError]() if compiler is None else _warm(compiler, crew, platform, offer, ask)
    loads = _Loads(crew=crew, platform=platform, offer=offer, ask=ask, compiler=compiler, told=told, failed=failed)
    with ThreadPoolExecutor(max_workers=_workers(compiler)) as pool:
        try:
            done = list(pool.map(loads.at, ask.loads))
        finally:
            loads.stopped.set()
    ordered = {name: failed[name] for name, _ in ask.policies if name in failed}
    if len(ordered) == len(dict(ask.policies)):
        raise next(iter(ordered.values()))
    return _swept(done, crew, platform, ordered)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Loads:
    """Simulate at one load or another, seed by seed, so that one seed's requests are in memory at a time; until `stopped`."""

    crew: Crew
    platform: Platform
    offer: Offer
    ask: Ask
    compiler: Compiler | None
    told: Told
    failed: dict[str, DecisionError]
    stopped: Event = field(default_factory=Event)

    def at(self, load: float) -> _At:
        workload = self.crew.workload.scaled(load)
        horizon_ns = _horizon_ns(workload, self.ask)
        rig = Rig(workload.tenants, self.offer(workload.tenants), self.platform, self.compiler)
        alone = {t.name: _alone(t, rig.lineup.shares, self.platform, horizon_ns, self.compiler) for t in workload.tenants}
        tallies = tuple(_Tally(policy=name, load=load) for name, _ in self.ask.policies)
        first: Sequence[Request] = ()
        drawn = False
        for index in range(self.ask.seeds):
            if len(self.failed) == len(tallies):
                break
            seeded = _seeded(workload, horizon_ns, index)
            first = seeded.requests if index == 0 else first
            drawn = drawn or seeded.requests != first
            self._run(rig, seeded, tallies, alone)
            self.told(f"seed {index + 1} at {load:g}")
        return _At(load=load, horizon_ns=horizon_ns, tallies=tallies, drawn=drawn)

    def _run(self, rig: Rig, seeded: Seeded, tallies: Sequence[_Tally], alone: Mapping[str, Alone]) -> None:
        ranks = [t.rank for t in self.crew.workload.tenants]
        for tally, (name, policy) in zip(tallies, self.ask.policies, strict=True):
            if self.stopped.is_set():
                raise CancelledError
            if name in self.failed:
                continue
            before_s = thread_time()
            try:
                run = rig.run(seeded, policy, name=name)
            except DecisionError as error:
                self.failed.setdefault(name, error)
                continue
            tally.cpu_s += thread_time() - before_s
            tally.add(run, figures(run, alone, ranks))


def _workers(compiler: Compiler | None) -> int:
    """Return how many threads help: compiled code runs beside the others, plain Python does not."""
    return len(os.sched_getaffinity(0)) if compiler is not None and hasattr(os, "sched_getaffinity") else 1


def _warm(compiler: Compiler, crew: Crew, platform: Platform, offer: Offer, ask: Ask) -> dict[str, DecisionError]:
    """Compile everything before threads use it, and see each policy serve nobody; return those that cannot even do that."""
    rig = Rig(crew.workload.tenants, offer(crew.workload.tenants), platform, compiler)
    found = {name: _failure(rig, name, policy) for name, policy in ask.policies}
    if any(isinstance(t.arrival, Closed) for t in crew.workload.tenants):
        rig.run(Seeded(requests=(), horizon_ns=0), _FIRST_COME, name="fifo")
    return {name: error for name, error in found.items() if error is not None}


def _failure(rig: Rig, name: str, policy: Policy) -> DecisionError | None:
    try:
        rig.run(Seeded(requests=(), horizon_ns=0), policy, name=name)
    except DecisionError as error:
        return error
    return None


def _seeded(workload: Workload, horizon_ns: int, index: int) -> Seeded:
    seed = workload.seed + index
    return Seeded(requests=replace(workload, seed=seed).requests(horizon_ns), horizon_ns=horizon_ns, seed=seed)


def _horizon_ns(workload: Workload, ask: Ask) -> int:
    """Return how long a run lasts: as asked, as the crew says, or until its logs end, and for about REQUESTS requests of those drawn."""
    if ask.seconds is not None:
        return int(ask.seconds * NS_PER_S)
    if workload.horizon_ns is not None:
        return workload.horizon_ns
    logged_ns = max((t.arrival.times_ns[-1] + 1 for t in workload.tenants if isinstance(t.arrival, Replay)), default=0)
    rate_per_s = sum(open_rate_per_s(t.arrival) or 0.0 for t in workload.tenants if not isinstance(t.arrival, Replay))
    return max(logged_ns, int(REQUESTS / rate_per_s * NS_PER_S) if rate_per_s > 0 else 0) or _CLOSED_S * NS_PER_S


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


def _swept(done: Sequence[_At], crew: Crew, platform: Platform, failed: Mapping[str, DecisionError]) -> Swept:
    names = [t.name for t in crew.workload.tenants]
    tallies = [(at, tally) for at in done for tally in at.tallies if tally.policy not in failed]
    return Swept(
        cells=tuple(cell(tally.policy, tally.load, tally.figures, names, drawn=at.drawn) for at, tally in tallies),
        runs={(tally.policy, tally.load): tuple(tally.figures) for _, tally in tallies},
        examples={(tally.policy, tally.load): tally.example for _, tally in tallies if tally.example is not None},
        horizon_s={at.load: at.horizon_ns / NS_PER_S for at in done},
        platform=platform,
        failed=failed,
        events=sum(tally.events for _, tally in tallies),
        cpu_s=sum(tally.cpu_s for _, tally in tallies),
    )
