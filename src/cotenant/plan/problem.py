"""What is planned: tenants, options, rows, memories."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Artifact, Option, Platform, Tenant
from cotenant.plan.columns import Columns, Vector
from cotenant.plan.rows import Row, capacities, fixed_rows

USED = 1e-9  # share of an option's own greatest rate below which an option counts as unused


@dataclass(frozen=True, kw_only=True, eq=False)
class Problem:
    """Hold what a plan must fit; `unit` is the rate, in inferences per second, that each option alone could reach."""

    tenants: tuple[Tenant, ...]
    platform: Platform
    columns: Columns
    rows: tuple[Row, ...]
    unit: Vector

    @property
    def options(self) -> tuple[Option, ...]:
        return self.columns.options

    @cached_property
    def capacity(self) -> dict[str, float]:
        """Return what each resource gives."""
        return {name: given for name, _, given in capacities(self.platform)}

    @cached_property
    def promising(self) -> NDArray[np.bool_]:
        """Mark for each tenant the option that is fastest by itself, and that which takes least of each row."""
        marked = np.zeros(len(self.options), dtype=bool)
        for at in range(len(self.tenants)):
            own = np.flatnonzero(self.columns.owner == at)
            if len(own):
                marked[own[np.argmax(self.unit[own])]] = True
                for row in self.rows:
                    marked[own[np.argmin(row.taken[own])]] = True
        return marked

    @cached_property
    def index(self) -> dict[str, int]:
        """Return each tenant's place."""
        return {tenant.name: at for at, tenant in enumerate(self.tenants)}

    def reached(self, x: Vector) -> Vector:
        """Add up the rate of each tenant, in their order."""
        return np.asarray(np.bincount(self.columns.owner, weights=x, minlength=len(self.tenants)), dtype=np.float64)

    def rates(self, x: Vector) -> dict[str, float]:
        """Add up each tenant's rate."""
        return dict(zip(self.index, self.reached(x).tolist(), strict=True))

    def owner(self, tenant: str) -> Vector:
        """Return 1 for each option of a tenant, else 0."""
        return self.columns.owned(self.index[tenant])

    def used(self, x: Vector) -> tuple[Artifact, ...]:
        """List the artifacts that rates need resident, each once."""
        return tuple(dict.fromkeys(self.options[k].artifact for k in np.flatnonzero(x > USED * self.unit)))

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


def build(tenants: Sequence[Tenant], columns: Columns, platform: Platform, headroom: float) -> Problem:
    """Join tenants with the columns of their options."""
    rows = fixed_rows(tenants, columns, platform, headroom)
    return Problem(tenants=tuple(tenants), columns=columns, platform=platform, rows=rows, unit=_alone(rows, len(columns.options)))


def _alone(rows: Sequence[Row], options: int) -> Vector:
    """Return the rate that each option reaches by itself; every tenant has a row that limits it."""
    most = np.full(options, np.inf)
    for row in rows:
        taken = row.taken > 0
        if row.limit > 0:
            most[taken] = np.minimum(most[taken], row.limit / row.taken[taken])
    return most
