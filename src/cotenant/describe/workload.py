"""Tenants over a horizon, and the open arrivals that follow from a seed."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from cotenant.describe.arrival import Closed, External, Periodic, Poisson, Replay, open_rate_per_s
from cotenant.describe.request import Request
from cotenant.describe.tenant import Tenant
from cotenant.errors import InputError
from cotenant.units import NS_PER_S

_MAX_SEED = 2**63 - 1
_MAX_REQUESTS = 10_000_000


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
        """List the open arrivals in order of time, the same for the same seed.

        ValueError without any horizon; InputError for more than can be listed.
        """
        horizon_ns = self.horizon_ns if horizon_ns is None else horizon_ns
        if horizon_ns is None:
            raise ValueError("a workload without a horizon has no last request")
        self._refuse_a_flood(horizon_ns)
        streams = np.random.SeedSequence(self.seed).spawn(len(self.tenants))
        arrivals = [
            (int(time_ns), index)
            for index, (tenant, stream) in enumerate(zip(self.tenants, streams, strict=True))
            for time_ns in arrivals_ns(tenant, horizon_ns, np.random.default_rng(stream))
        ]
        return tuple(_request(id, time_ns, self.tenants[index]) for id, (time_ns, index) in enumerate(sorted(arrivals)))

    def stream(self) -> Iterator[Request]:
        """Yield open arrivals in order of time without an end, the same for the same seed."""
        streams = np.random.SeedSequence(self.seed).spawn(len(self.tenants))
        seeded = enumerate(zip(self.tenants, streams, strict=True))
        endless = (_endless_ns(tenant, index, np.random.default_rng(stream)) for index, (tenant, stream) in seeded)
        numbered = enumerate(heapq.merge(*endless))
        return (_request(id, time_ns, self.tenants[index]) for id, (time_ns, index) in numbered)

    def _refuse_a_flood(self, horizon_ns: int) -> None:
        for index, tenant in enumerate(self.tenants):
            count = (open_rate_per_s(tenant.arrival) or 0.0) * horizon_ns / NS_PER_S
            if count > _MAX_REQUESTS and isinstance(tenant.arrival, Periodic | Poisson):
                raise InputError(f"tenants[{index}].arrival", f"{count:.0f} requests", f"at most {_MAX_REQUESTS} within the horizon")


def _request(id: int, time_ns: int, tenant: Tenant) -> Request:
    due_ns = None if tenant.deadline_ns is None else time_ns + tenant.deadline_ns
    return Request(id=id, tenant=tenant.name, arrival_ns=time_ns, due_ns=due_ns)


def arrivals_ns(tenant: Tenant, horizon_ns: int, rng: np.random.Generator) -> list[int]:
    """Draw a tenant's open arrivals before the horizon, in order; none for closed and external tenants."""
    match tenant.arrival:
        case Periodic(every_ns=every_ns, jitter_ns=jitter_ns, offset_ns=offset_ns):
            grid_ns = np.arange(offset_ns, horizon_ns, every_ns, dtype=np.int64)
            late_ns = rng.integers(0, jitter_ns + 1, grid_ns.size) if jitter_ns else 0
            return [int(t) for t in np.sort(grid_ns + late_ns) if t < horizon_ns]
        case Poisson(rate_per_s=rate_per_s):
            return _poisson_ns(rate_per_s, horizon_ns, rng)
        case Replay(times_ns=times_ns):
            return [t for t in times_ns if t < horizon_ns]
        case Closed() | External():
            return []


def _poisson_ns(rate_per_s: float, horizon_ns: int, rng: np.random.Generator) -> list[int]:
    count = rng.poisson(rate_per_s * horizon_ns / NS_PER_S)
    return [int(t) for t in np.sort(rng.integers(0, horizon_ns, count))]


def _endless_ns(tenant: Tenant, index: int, rng: np.random.Generator) -> Iterator[tuple[int, int]]:
    match tenant.arrival:
        case Periodic(every_ns=every_ns, jitter_ns=jitter_ns, offset_ns=offset_ns):
            for count in itertools.count():
                yield offset_ns + count * every_ns + int(rng.integers(0, jitter_ns + 1)), index
        case Poisson(rate_per_s=rate_per_s):
            time_ns = 0.0
            while True:
                time_ns += float(rng.exponential(NS_PER_S / rate_per_s))
                yield int(time_ns), index
        case Replay(times_ns=times_ns):
            yield from ((time_ns, index) for time_ns in times_ns)
        case Closed() | External():
            return
