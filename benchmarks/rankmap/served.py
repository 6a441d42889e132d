"""What tenants get in the simulator: flat out in equal shares, or as a plan promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.rankmap.sample import Mix, board_of, networks_of
from benchmarks.rankmap.segmented import in_segments
from cotenant.describe import Closed, Plan, Platform, Share, Tenant
from cotenant.policy import policies
from cotenant.search import Menu
from cotenant.sim import Compiler, Rig, Seeded, is_there
from cotenant.units import NS_PER_S

ROUNDS: Final = 60
"""How often the slowest chain, alone, fits into a run, for each tenant; the first part of it is not counted."""

WARM: Final = 0.2
SHORTEST_S, LONGEST_S = 60.0, 1000.0
"""How long a run is at least, for each request outstanding for each lane, and at most: what is half done at its ends does not count."""

TIMES: Final = 100
"""How often whoever is promised least is to be served in a run, if that is neither too short nor too long."""

DEEP: Final = 8
"""Requests outstanding for each lane, where somebody is always to be waiting."""

RUNTIME: Final = "rank"
"""The runtime that knows no plan: processor sharing. Everybody is of one rank and owed its own rate alone, more than all can have, so
tenants take turns by the time that they would take alone (start-time fair queueing; Goyal, Vin and Cheng, 1996). An operating system
shares its cores so; by turns alone, counted in requests, the fastest network would be starved by the slowest whatever the mapping."""

PROMISING: Final = "rank_edf"

Array = NDArray[np.float64]


@cache
def compiler() -> Compiler | None:
    return Compiler() if is_there() else None


def flat_out(menu: Menu, choice: Sequence[int], rounds: int = ROUNDS) -> Array:
    """Return each tenant's P under a mapping, simulated: everybody flat out, in equal shares of time, whatever its priority or floor."""
    tenants = tuple(replace(tenant, rank=1, weight=1.0) for tenant in menu.tenants)
    k = np.asarray(choice, dtype=np.intp)
    alone_per_s = menu.most[k] * menu.solo_per_s
    shares = tuple(Share(option=option, rate_per_s=float(rate)) for option, rate in zip(menu.options(choice), alone_per_s, strict=True))
    horizon_ns = int(menu.latency_s[k].max() * NS_PER_S * rounds * len(k))
    rates = _rates_per_s(tenants, shares, menu.problem.platform, horizon_ns, RUNTIME)
    return np.asarray(rates / menu.solo_per_s)


def kept(plan: Plan, mix: Mix, tenants: Sequence[Tenant], outstanding: int = 1) -> Array:
    """Return for each tenant which part of the promised rate a plan reaches, simulated, with so many requests outstanding for each lane.

    Lanes are left between segments, as the platform says. 1 for whoever is promised nothing.
    """
    platform, networks = board_of(mix.board).platform, networks_of(mix, tenants)
    shares = tuple(replace(share, option=in_segments(share.option, networks[share.option.tenant])) for share in plan.shares)
    asking = tuple(replace(tenant, arrival=Closed(outstanding=outstanding * platform.lanes)) for tenant in tenants)
    promised = np.array([plan.promise(tenant.name).rate_per_s for tenant in tenants])
    horizon_s = min(max(TIMES / promised[promised > 0].min(), SHORTEST_S * outstanding), LONGEST_S)
    rates = _rates_per_s(asking, shares, platform, int(horizon_s * NS_PER_S), PROMISING)
    return np.where(promised > 0, rates / np.where(promised > 0, promised, 1.0), 1.0)


def _rates_per_s(tenants: tuple[Tenant, ...], shares: tuple[Share, ...], platform: Platform, horizon_ns: int, name: str) -> Array:
    """Simulate until the horizon and count what ended by then, behind the start."""
    policy = replace(policies.get(name), promises=True)
    ends = Rig(tenants, shares, platform, compiler()).run(Seeded(requests=(), horizon_ns=horizon_ns), policy, name=name).endings
    since_ns = int(horizon_ns * WARM)
    counted = ends["tenant"][(ends["finish_ns"] > since_ns) & (ends["finish_ns"] <= horizon_ns)]
    return np.asarray(np.bincount(counted, minlength=len(tenants)) * (NS_PER_S / (horizon_ns - since_ns)))
