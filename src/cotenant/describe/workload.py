"""Tenants over a horizon, and the open arrivals that follow from a seed."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from cotenant.describe.arrival import Arrival, Bursty, Closed, External, Periodic, Poisson, Replay, scaled
from cotenant.describe.instants import instants_ns
from cotenant.describe.request import Request
from cotenant.describe.tenant import Tenant
from cotenant.describe.tree import within
from cotenant.describe.work import hidden
from cotenant.errors import InputError
from cotenant.units import MAX_NS, NS_PER_S

_MAX_SEED = 2**63 - 1
_MAX_REQUESTS = 10_000_000
_MAX_LOAD = 1e6

_Drawn = tuple[int, int, int | None, float, int | None]
"""Arrival, index of the tenant, due, work scale, exit stage; no two of several tenants are equal in the first two."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """Hold the tenants; `horizon_ns` None goes on until stopped."""

    tenants: tuple[Tenant, ...]
    horizon_ns: int | None = None
    seed: int = 0

    def __post_init__(self) -> None:
        if not self.tenants:
            raise InputError("tenants", "none", "at least one tenant")
        names = [t.name for t in self.tenants]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise InputError(f"tenants[{index}].name", name, "a name of its own; it is taken")
        if self.horizon_ns is not None and self.horizon_ns <= 0:
            raise InputError("seconds", self.horizon_ns / NS_PER_S, "more than 0")
        if not 0 <= self.seed <= _MAX_SEED:
            raise InputError("seed", self.seed, f"0 to {_MAX_SEED}")

    def tenant(self, name: str) -> Tenant:
        """Return the tenant of this name; KeyError if there is none."""
        for tenant in self.tenants:
            if tenant.name == name:
                return tenant
        raise KeyError(name)

    def requests(self, horizon_ns: int | None = None) -> tuple[Request, ...]:
        """List the open arrivals in order of time, the same for the same seed; a longer horizon only adds some.

        ValueError without any horizon; InputError for more than can be listed.
        """
        horizon_ns = self.horizon_ns if horizon_ns is None else horizon_ns
        if horizon_ns is None:
            raise ValueError("a workload without a horizon has no last request")
        self._refuse_a_flood(horizon_ns)
        return tuple(self._until(horizon_ns))

    def stream(self) -> Iterator[Request]:
        """Yield what `requests` would list, for a hundred years."""
        return self._until(MAX_NS)

    def scaled(self, load: float) -> Workload:
        """Multiply every open rate by `load`, 1e-6 to 1e6; closed tenants, deadlines and the horizon stay as they are.

        A tenant's n-th request is the same one at any load, only sooner or later (common random numbers): a difference between two
        loads is then the load's, not chance's. InputError for another load, or a rate that cannot be.
        """
        if not 1 / _MAX_LOAD <= load <= _MAX_LOAD:
            raise InputError("load", load, f"a factor of {1 / _MAX_LOAD:f} to {_MAX_LOAD:.0f}")
        return replace(self, tenants=tuple(_scaled(index, tenant, load) for index, tenant in enumerate(self.tenants)))

    def _until(self, until_ns: int) -> Iterator[Request]:
        streams = np.random.SeedSequence(self.seed).spawn(len(self.tenants))
        seeded = enumerate(zip(self.tenants, streams, strict=True))
        drawn = (_drawn(index, tenant, until_ns, stream) for index, (tenant, stream) in seeded)
        numbered = enumerate(heapq.merge(*drawn))
        return (
            Request(id=id, tenant=self.tenants[index].name, arrival_ns=time_ns, due_ns=due_ns, work_scale=scale, exit_stage=leaves)
            for id, (time_ns, index, due_ns, scale, leaves) in numbered
        )

    def _refuse_a_flood(self, horizon_ns: int) -> None:
        for index, tenant in enumerate(self.tenants):
            per_ns, drawn = _draws(tenant.arrival)
            if (count := per_ns * horizon_ns) > _MAX_REQUESTS:
                raise InputError(f"tenants[{index}].arrival", f"{count:.0f} {drawn}", f"at most {_MAX_REQUESTS} within the horizon")


def _draws(arrival: Arrival) -> tuple[float, str]:
    """Return what is drawn most of, per nanosecond, and what it is; recorded arrivals are listed already."""
    match arrival:
        case Periodic() | Poisson():
            return arrival.rate_per_s / NS_PER_S, "requests"
        case Bursty():
            return max((arrival.rate_per_s / NS_PER_S, "requests"), (arrival.share / arrival.burst_ns, "bursts"))
        case Replay() | Closed() | External():
            return 0.0, "requests"


def _scaled(index: int, tenant: Tenant, load: float) -> Tenant:
    with within(f"tenants[{index}]"):
        return replace(tenant, arrival=scaled(tenant.arrival, load))


def _drawn(index: int, tenant: Tenant, until_ns: int, stream: np.random.SeedSequence) -> Iterator[_Drawn]:
    """Yield a tenant's requests; arrivals, work and exits are drawn apart, so that none of them moves another."""
    arrivals, scales, exits = (np.random.default_rng(seed) for seed in stream.spawn(3))
    instants = instants_ns(tenant.arrival, until_ns, arrivals)
    for time_ns, said, (scale, leaves) in zip(instants, _said(tenant), hidden(tenant.work, scales, exits), strict=False):
        due_ns = None if said.due_ns is None else time_ns - said.arrival_ns + said.due_ns
        yield time_ns, index, due_ns, scale * said.work_scale, leaves if said.exit_stage is None else said.exit_stage


def _said(tenant: Tenant) -> Iterator[Request]:
    """Yield what is known of each request before anything is drawn: what its log says, or what its tenant does."""
    match tenant.arrival:
        case Replay(requests=(_, *_) as logged):
            return iter(logged)
        case _:
            return itertools.repeat(Request(id=0, tenant=tenant.name, arrival_ns=0, due_ns=tenant.deadline_ns))
