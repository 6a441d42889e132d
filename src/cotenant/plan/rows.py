"""The plan's rows: what every rate must fit within."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cotenant.describe import Bind, Option, Platform, Tenant, open_rate_per_s, outstanding
from cotenant.plan.lp import Vector
from cotenant.units import NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """Hold `sum of taken x <= limit`; `taken` is per inference of each option, x in inferences per second."""

    bind: Bind
    of: str
    taken: Vector
    limit: float


def owned(options: Sequence[Option], tenant: str) -> Vector:
    """Return 1 for each option of a tenant, else 0."""
    return np.array([float(option.tenant == tenant) for option in options])


def demanded(options: Sequence[Option], resource: str) -> Vector:
    """Return what one inference by each option takes of a resource."""
    return np.array([option.demand_of(resource) for option in options])


def capacities(platform: Platform) -> tuple[tuple[str, str, float], ...]:
    """List every resource with its unit and what it gives: processors, then memories and links of known bandwidth."""
    lanes = tuple((p.name, "lane-s/s", float(p.lanes)) for p in platform.processors)
    memories = tuple((m.name, "bytes/s", m.bandwidth_bytes_per_s) for m in platform.memories if m.bandwidth_bytes_per_s is not None)
    links = tuple((link.name, "bytes/s", link.bandwidth_bytes_per_s) for link in platform.links)
    return lanes + memories + links


def fixed_rows(tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, headroom: float) -> tuple[Row, ...]:
    """List the rows (1), (2) and (4) of the plan: resources, arrivals, requests in flight, mean accuracy."""
    every = (*_resource_rows(tenants, options, platform, headroom), *(row for t in tenants for row in _tenant_rows(t, options, platform)))
    return tuple(row for row in every if row.taken.any())


def _resource_rows(tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, headroom: float) -> Iterator[Row]:
    is_open = sum((owned(options, t.name) for t in tenants if open_rate_per_s(t.arrival) is not None), np.zeros(len(options)))
    for name, _, capacity in capacities(platform):
        yield Row(bind=Bind.CAPACITY, of=name, taken=demanded(options, name), limit=capacity)
    for processor in platform.processors:
        taken = demanded(options, processor.name) * is_open
        yield Row(bind=Bind.HEADROOM, of=processor.name, taken=taken, limit=headroom * processor.lanes)


def _tenant_rows(tenant: Tenant, options: Sequence[Option], platform: Platform) -> Iterator[Row]:
    own = owned(options, tenant.name)
    rate, flight = open_rate_per_s(tenant.arrival), outstanding(tenant.arrival, platform.lanes)
    if rate is not None:
        yield Row(bind=Bind.ARRIVALS, of=tenant.name, taken=own, limit=rate)
    if flight is not None:
        latency_s = np.array([option.latency_ns / NS_PER_S for option in options])
        yield Row(bind=Bind.OUTSTANDING, of=tenant.name, taken=own * latency_s, limit=float(flight))
    if tenant.accuracy_floor is not None:
        short = np.array([tenant.accuracy_floor - (option.accuracy or 0.0) for option in options])
        yield Row(bind=Bind.ACCURACY, of=tenant.name, taken=own * short, limit=0.0)


def held_row(options: Sequence[Option], tenant: str, rate_per_s: float) -> Row:
    """Keep a tenant's rate at least where a level left it."""
    return Row(bind=Bind.HELD, of=tenant, taken=-owned(options, tenant), limit=-rate_per_s)
