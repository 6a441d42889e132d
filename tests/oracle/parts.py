"""What may have rates together, and the rows that rates must fit: by enumeration."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Artifact, Platform, Tenant, open_rate_per_s, outstanding
from tests.plan_cases import Case

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Part = tuple[int, ...]
"""Options that may have rates together, by index."""

HEADROOM = 0.9


def given(platform: Platform) -> dict[str, float]:
    """Return what each resource gives."""
    bandwidth = {m.name: m.bandwidth_bytes_per_s for m in platform.memories if m.bandwidth_bytes_per_s is not None}
    power = {} if platform.power_w is None else {"energy": platform.power_w}
    return {**{p.name: float(p.lanes) for p in platform.processors}, **bandwidth, **power}


def rows(case: Case) -> tuple[Matrix, Vector]:
    """Write what rates must fit: `matrix x <= limit`, each row in units of its limit."""
    opens = {t.name for t in case.tenants if open_rate_per_s(t.arrival) is not None}
    found = [([o.demand_of(name) for o in case.options], amount) for name, amount in given(case.platform).items()]
    found += [([o.demand_of(p.name) * (o.tenant in opens) for o in case.options], HEADROOM * p.lanes) for p in case.platform.processors]
    found += [row for t in case.tenants for row in _own_rows(t, case)]
    size = [limit or 1.0 for _, limit in found]
    return np.array([row for row, _ in found]) / np.array(size)[:, None], np.array([limit for _, limit in found]) / size


def _own_rows(tenant: Tenant, case: Case) -> Iterator[tuple[list[float], float]]:
    own = [float(o.tenant == tenant.name) for o in case.options]
    arriving, flight = open_rate_per_s(tenant.arrival), outstanding(tenant.arrival, case.platform.lanes)
    if arriving is not None:
        yield own, arriving
    if flight is not None:
        yield [mine * o.latency_ns / 1e9 for mine, o in zip(own, case.options, strict=True)], float(flight)
    if (least := tenant.accuracy_floor) is not None:
        yield [mine * (least - (o.accuracy or 0.0)) for mine, o in zip(own, case.options, strict=True)], 0.0


def fits(artifacts: set[Artifact], platform: Platform) -> bool:
    """Say whether artifacts can be resident together."""
    return all(sum(a.resident_bytes for a in artifacts if a.memory == m.name) <= m.capacity_bytes for m in platform.memories)


def mixtures(case: Case) -> list[Part]:
    """List the options of every set of artifacts that fits and to which none can be added."""
    every = list(dict.fromkeys(o.artifact for o in case.options))
    sets = [set(some) for n in range(len(every) + 1) for some in itertools.combinations(every, n)]
    fitting = [some for some in sets if fits(some, case.platform)]
    most = [some for some in fitting if not any(fits(some | {one}, case.platform) for one in every if one not in some)]
    return [tuple(k for k, o in enumerate(case.options) if o.artifact in some) for some in most]


def choices(case: Case) -> list[Part]:
    """List every choice of one option for each tenant, or of none where none fits beside the others'."""
    own: list[list[int | None]] = [[*(k for k, o in enumerate(case.options) if o.tenant == t.name), None] for t in case.tenants]
    every = [tuple(k for k in some if k is not None) for some in itertools.product(*own)]
    fitting = {part for part in every if fits({case.options[k].artifact for k in part}, case.platform)}
    smaller = {tuple(k for k in part if k != left) for part in fitting for left in part}
    return sorted(fitting - smaller)


def homeless(case: Case) -> bool:
    """Say whether no choice of one option for each tenant fits the memories."""
    return max(map(len, choices(case))) < len(case.tenants)
