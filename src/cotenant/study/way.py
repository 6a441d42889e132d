"""A way to serve a crew: a name, and who does it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from cotenant.describe import Arrival, Closed, External, Periodic, Tenant, Workload
from cotenant.trace import Trace
from cotenant.units import NS_PER_S


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """Serve this workload, whose seed is the round's, in [0, stop_ns); what is unanswered `grace_ns` later is lost."""

    workload: Workload
    stop_ns: int
    grace_ns: int


Serve = Callable[[Period], Trace]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Name who serves a period in fresh processes; `stop_ns` None lasts as long as the comparison says.

    `fidelity` maps (tenant, option name), as its traces name options, to a fidelity in [0, 1] or None.
    """

    name: str
    serve: Serve
    fidelity: Callable[[str, str], float | None]
    stop_ns: int | None = None


def driven(workload: Workload) -> Workload:
    """Give external tenants somebody who asks: regularly at the rate they reserved, else flat out."""
    return replace(workload, tenants=tuple(replace(t, arrival=_asking(t)) for t in workload.tenants))


def of_round(workload: Workload, round: int) -> Workload:
    """Return the workload with the seed of a round: each round has arrivals of its own, the same in every way."""
    return replace(workload, seed=workload.seed + round)


def _asking(tenant: Tenant) -> Arrival:
    match tenant.arrival:
        case External(rate_per_s=None):
            return Closed()
        case External(rate_per_s=float(rate_per_s)):
            return Periodic(every_ns=round(NS_PER_S / rate_per_s))
        case arrival:
            return arrival
