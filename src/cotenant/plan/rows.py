"""The plan's rows: what every rate must fit within."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from cotenant.describe import Bind, Platform, Tenant, open_rate_per_s, outstanding
from cotenant.plan.columns import Columns, Vector

ENERGY = "energy"
"""The resource that counts joules; its capacity is a platform's `power_w`."""

_KEPT = {Bind.HELD, Bind.LEVEL}
_FITS, _HOLDS = 1e-8, 1e-7  # relative: by how much rates may exceed what there is, or miss what a level keeps, as in the certificate


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Row:
    """Hold `sum of taken x <= limit`; `taken` is per inference of each option, x in inferences per second.

    `size`: what a sum may be, where that is more than its limit.
    """

    bind: Bind
    of: str
    taken: Vector
    limit: float
    size: float = 0.0

    @property
    def give(self) -> float:
        """Return by how much rates may exceed the limit and still count as keeping to it."""
        return (_HOLDS if self.bind in _KEPT else _FITS) * max(abs(self.limit), self.size)


def capacities(platform: Platform) -> tuple[tuple[str, str, float], ...]:
    """List every resource with its unit and what it gives: processors, memories of known bandwidth, links, a limited power."""
    lanes = tuple((p.name, "lane-s/s", p.lanes_given) for p in platform.processors)
    memories = tuple((m.name, "bytes/s", m.bandwidth_bytes_per_s) for m in platform.memories if m.bandwidth_bytes_per_s is not None)
    links = tuple((link.name, "bytes/s", link.bandwidth_bytes_per_s) for link in platform.links)
    power = () if platform.power_w is None else ((ENERGY, "W", platform.power_w),)
    return lanes + memories + links + power


def fixed_rows(tenants: Sequence[Tenant], columns: Columns, platform: Platform, headroom: float) -> tuple[Row, ...]:
    """List the rows (1), (2) and (4) of the plan: resources, arrivals, requests in flight, mean accuracy."""
    every = (
        *_resource_rows(tenants, columns, platform, headroom),
        *(row for at, tenant in enumerate(tenants) for row in _tenant_rows(tenant, at, columns, platform)),
    )
    return tuple(row for row in every if row.taken.any())


def _resource_rows(tenants: Sequence[Tenant], columns: Columns, platform: Platform, headroom: float) -> Iterator[Row]:
    is_open = np.array([float(open_rate_per_s(tenant.arrival) is not None) for tenant in tenants])[columns.owner]
    for name, _, capacity in capacities(platform):
        yield Row(bind=Bind.CAPACITY, of=name, taken=columns.demanded(name), limit=capacity)
    for processor in platform.processors:
        taken = columns.demanded(processor.name) * is_open
        yield Row(bind=Bind.HEADROOM, of=processor.name, taken=taken, limit=headroom * processor.lanes_given)


def _tenant_rows(tenant: Tenant, at: int, columns: Columns, platform: Platform) -> Iterator[Row]:
    own = columns.owned(at)
    rate, flight = open_rate_per_s(tenant.arrival), outstanding(tenant.arrival, platform.lanes)
    if rate is not None:
        yield Row(bind=Bind.ARRIVALS, of=tenant.name, taken=own, limit=rate)
    if flight is not None:
        yield Row(bind=Bind.OUTSTANDING, of=tenant.name, taken=own * columns.latency_s, limit=float(flight))
    if tenant.accuracy_floor is not None:
        yield Row(bind=Bind.ACCURACY, of=tenant.name, taken=own * (tenant.accuracy_floor - columns.accuracy), limit=0.0)


def held_row(tenant: str, owned: Vector, rate_per_s: float) -> Row:
    """Keep a tenant's rate at least where a level left it; `owned` is 1 for each of its options."""
    return Row(bind=Bind.HELD, of=tenant, taken=-owned, limit=-rate_per_s)
