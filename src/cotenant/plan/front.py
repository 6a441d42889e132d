"""The most throughput that each share of the first rank leaves."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from cotenant.describe import Closed, Link, Objective, Option, Plan, Platform, Promise, Tenant, open_rate_per_s
from cotenant.errors import InfeasibleError
from cotenant.plan.solve import solve

LEVELS = 11
"""At how many levels of the first rank's P the rest is planned."""

_ENDLESS = 1_000_000  # requests outstanding: so many limit no rate
_REACHED = 1 - 1e-6  # of the greatest P: what a floor may ask and the solver's tolerances still give
_CLOSE = 1e-6  # relative: less than this does not tell two points apart


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """Hold what every tenant gets in one plan; `first` names those of the best rank."""

    first: tuple[str, ...]
    promises: tuple[Promise, ...]

    @property
    def critical_p(self) -> float:
        """Return the P of the first rank's worst tenant, in [0, 1]."""
        return min(promise.p for promise in self.promises if promise.tenant in self.first)

    @property
    def stp(self) -> float:
        """Return the sum of P over all tenants."""
        return sum(promise.p for promise in self.promises)

    @property
    def inferences_per_s(self) -> float:
        return sum(promise.rate_per_s for promise in self.promises)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ground:
    """Hold a crew in which all tenants are closed and of weight 1, so that one objective divides among them all."""

    first: tuple[str, ...]
    tenants: tuple[Tenant, ...]
    options: tuple[Option, ...]
    platform: Platform
    headroom: float


def point(plan: Plan, tenants: Sequence[Tenant]) -> Point:
    """Return where a plan of these tenants stands beside the front."""
    return Point(first=_first(tenants), promises=plan.promises)


def front(
    plan: Plan, tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, *, levels: int = LEVELS
) -> tuple[Point, ...]:
    """Return the Pareto front of STP against the P of the first rank's worst tenant, the least P first.

    Each point has the greatest sum of P, all tenants counted alike, in which the first rank's have at least so much and the others
    their floors: ranks, weights and the order of open demand say nothing here. The P are `levels` (2 or more) evenly spaced ones, from
    what is free to the greatest, and the plan's own. None where the others' floors do not fit.
    """
    ground = _closed(tenants, options, platform, plan.headroom)
    found = list(_at(ground, 0.0))
    if found:
        least, most = found[0].critical_p, _greatest_p(ground)
        wanted = [least + (most - least) * step / (levels - 1) for step in range(1, levels)]
        found += [one for p in (*wanted, point(plan, tenants).critical_p) for one in _at(ground, p)]
    return undominated(found)


def undominated(points: Sequence[Point]) -> tuple[Point, ...]:
    """Drop each point that another matches or beats in both, the least P first; of equals one stays."""
    kept: list[Point] = []
    for one in sorted(points, key=lambda one: (-one.critical_p, -one.stp)):
        if not kept or one.stp > kept[-1].stp * (1 + _CLOSE):
            kept.append(one)
    return tuple(reversed(kept))


def _at(ground: _Ground, floor: float) -> Iterator[Point]:
    """Yield the plan of the greatest STP in which the first rank has this floor; none if it does not fit."""
    tenants = [replace(t, rank=0, floor=min(1.0, floor) * _REACHED) if t.name in ground.first else t for t in ground.tenants]
    try:
        plan = solve(tenants, ground.options, ground.platform, Objective.WEIGHTED, headroom=ground.headroom)
    except InfeasibleError:
        return
    yield Point(first=ground.first, promises=plan.promises)


def _greatest_p(ground: _Ground) -> float:
    """Return the greatest P that all of the first rank can have together, beside the others' floors."""
    ahead = [replace(t, floor=0.0) for t in ground.tenants if t.name in ground.first]
    beside = [replace(t, rank=1) for t in ground.tenants if t.name not in ground.first and t.floor > 0]
    plan = solve([*ahead, *beside], ground.options, ground.platform, Objective.MAXMIN, headroom=ground.headroom)
    return Point(first=ground.first, promises=plan.promises).critical_p


def _first(tenants: Sequence[Tenant]) -> tuple[str, ...]:
    best = min(tenant.rank for tenant in tenants)
    return tuple(tenant.name for tenant in tenants if tenant.rank == best)


def _closed(tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, headroom: float) -> _Ground:
    """Tell open tenants as closed ones, whose rates and headroom links limit.

    A plan serves what arrives before it divides the rest. Here both count alike, so what arrives is the bandwidth of a link of which
    each inference takes 1, and what open work may have of a processor that of another.
    """
    arriving = {t.name: rate for t in tenants if (rate := open_rate_per_s(t.arrival)) is not None}
    links = [_link(_arrivals(name), rate) for name, rate in arriving.items()]
    if arriving:
        links += [_link(_open_work(p.name), headroom * p.lanes_given) for p in platform.processors]
    names = {p.name for p in platform.processors}
    return _Ground(
        first=_first(tenants),
        tenants=tuple(_alike(tenant, is_open=tenant.name in arriving) for tenant in tenants),
        options=tuple(_limited(option, names) if option.tenant in arriving else option for option in options),
        platform=replace(platform, links=(*platform.links, *links)),
        headroom=headroom,
    )


def _alike(tenant: Tenant, *, is_open: bool) -> Tenant:
    arrival = Closed(outstanding=_ENDLESS) if is_open else tenant.arrival
    return replace(tenant, arrival=arrival, rank=0, weight=1.0)


def _limited(option: Option, processors: set[str]) -> Option:
    open_work = tuple((_open_work(name), amount) for name, amount in option.demand if name in processors)
    return replace(option, demand=(*option.demand, (_arrivals(option.tenant), 1.0), *open_work))


def _link(name: str, most: float) -> Link:
    return Link(name=name, ends=("", ""), bandwidth_bytes_per_s=most, latency_ns=0)


def _arrivals(tenant: str) -> str:
    return f"arrivals of {tenant}"


def _open_work(processor: str) -> str:
    return f"open work on {processor}"
