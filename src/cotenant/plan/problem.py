"""What is planned: tenants, options, rows, memories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cotenant.describe import Artifact, Option, Platform, Tenant
from cotenant.plan.lp import Matrix, Vector
from cotenant.plan.rows import Row, fixed_rows

USED = 1e-9  # share of an option's own greatest rate below which an option counts as unused


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Problem:
    """Hold what a plan must fit; `unit` is the rate, in inferences per second, that each option alone could reach."""

    tenants: tuple[Tenant, ...]
    options: tuple[Option, ...]
    platform: Platform
    rows: tuple[Row, ...]
    unit: Vector
    owners: Matrix

    def rates(self, x: Vector) -> dict[str, float]:
        """Add up each tenant's rate."""
        return {t.name: float(y) for t, y in zip(self.tenants, self.owners @ x, strict=True)}

    def owner(self, tenant: str) -> Vector:
        return np.asarray(self.owners[[t.name for t in self.tenants].index(tenant)])

    def used(self, x: Vector) -> tuple[Artifact, ...]:
        """List the artifacts that rates need resident, each once."""
        return tuple(dict.fromkeys(o.artifact for o, rate, unit in zip(self.options, x, self.unit, strict=True) if rate > USED * unit))

    def overflow(self, x: Vector) -> tuple[Artifact, ...]:
        """Return artifacts in use that do not fit a memory together, as few as it takes; none where all fit."""
        used = self.used(x)
        for memory in self.platform.memories:
            inside = sorted((a for a in used if a.memory == memory.name), key=lambda a: -a.resident_bytes)
            while inside and sum(a.resident_bytes for a in inside[:-1]) > memory.capacity_bytes:
                inside.pop()
            if sum(a.resident_bytes for a in inside) > memory.capacity_bytes:
                return tuple(inside)
        return ()


def build(tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, headroom: float) -> Problem:
    """Join tenants with their own options, in the order given."""
    names = {t.name for t in tenants}
    own = tuple(o for o in options if o.tenant in names)
    owners = np.array([[float(o.tenant == t.name) for o in own] for t in tenants]).reshape(len(tenants), len(own))
    rows = fixed_rows(tenants, own, platform, headroom)
    return Problem(tenants=tuple(tenants), options=own, platform=platform, rows=rows, unit=_alone(rows, len(own)), owners=owners)


def _alone(rows: Sequence[Row], options: int) -> Vector:
    """Return the rate that each option reaches by itself; every tenant has a row that limits it."""
    most = np.full(options, np.inf)
    for row in rows:
        taken = row.taken > 0
        if row.limit > 0:
            most[taken] = np.minimum(most[taken], row.limit / row.taken[taken])
    return most
