"""The options of a plan as columns of numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import ACCURACY, LATENCY, Artifact, Option, Tenant
from cotenant.units import NS_PER_S

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Columns:
    """Hold what one inference by each option takes; `owner` has the index of its tenant, `demand` what it takes of each resource."""

    options: tuple[Option, ...]
    owner: NDArray[np.intp]
    demand: Mapping[str, Vector]
    latency_s: Vector

    def demanded(self, resource: str) -> Vector:
        """Return what one inference by each option takes of a resource: lane-seconds, bytes or joules."""
        return self.demand.get(resource, np.zeros(len(self.options)))

    def owned(self, tenant: int) -> Vector:
        """Return 1 for each option of a tenant, else 0."""
        return np.asarray(self.owner == tenant, dtype=np.float64)

    @cached_property
    def accuracy(self) -> Vector:
        return np.array([option.accuracy or 0.0 for option in self.options])

    @cached_property
    def figures(self) -> Mapping[str, Vector]:
        """Return all by which options may be told apart, named as `Option.figure_of` does."""
        none = np.zeros(len(self.options))
        return defaultdict(lambda: none, {**self.demand, LATENCY: self.latency_s, ACCURACY: self.accuracy})

    @cached_property
    def _objects(self) -> tuple[list[int], Mapping[int, Artifact]]:
        """Return which object each option's artifact is, and the objects: few, and hashed slowly."""
        own = [option.artifact for option in self.options]
        which = list(map(id, own))
        return which, dict(zip(which, own, strict=True))

    @cached_property
    def artifacts(self) -> tuple[Artifact, ...]:
        """List what options need resident, each once."""
        return tuple(dict.fromkeys(self._objects[1].values()))

    @cached_property
    def artifact(self) -> NDArray[np.intp]:
        """Return the index of each option's artifact."""
        index = {artifact: at for at, artifact in enumerate(self.artifacts)}
        which, known = self._objects
        at = {key: index[artifact] for key, artifact in known.items()}
        return np.array([at[key] for key in which], dtype=np.intp)

    def artifacts_of(self, tenant: int) -> tuple[Artifact, ...]:
        """List what the options of one tenant need resident, each once."""
        return tuple(self.artifacts[at] for at in dict.fromkeys(self.artifact[self.owner == tenant].tolist()))

    def of(self, tenant: int) -> Columns:
        """Return the columns of one tenant alone, as tenant 0."""
        own = self.owner == tenant
        options = tuple(compress(self.options, own))
        demand = {name: some[own] for name, some in self.demand.items()}
        return Columns(options=options, owner=np.zeros(len(options), dtype=np.intp), demand=demand, latency_s=self.latency_s[own])


def columns(tenants: Sequence[Tenant], options: Sequence[Option]) -> Columns:
    """Tabulate the options that these tenants own, in the order given."""
    index = {tenant.name: at for at, tenant in enumerate(tenants)}
    own = tuple(option for option in options if option.tenant in index)
    demand: dict[str, list[float]] = defaultdict(lambda: [0.0] * len(own))
    for at, option in enumerate(own):
        for name, amount in option.demand:
            demand[name][at] += amount
    return Columns(
        options=own,
        owner=np.array([index[option.tenant] for option in own], dtype=np.intp),
        demand={name: np.array(demand[name]) for name in sorted(demand)},
        latency_s=np.array([option.latency_ns for option in own], dtype=np.float64) / NS_PER_S,
    )
