"""Sensitivity: wrong estimates, dearer or cheaper handovers, no row for the memory."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final

import numpy as np

from benchmarks.rankmap.decisions import GAP
from benchmarks.rankmap.sample import Mix, board_of, networks_of, options_of, owned, tenants_of
from benchmarks.rankmap.searching import OBJECTIVE
from benchmarks.rankmap.segmented import timed
from benchmarks.rankmap.served import DEEP, kept
from benchmarks.rankmap.store import Json
from cotenant.describe import Closed, Network, Option, Plan, Platform, Segment, Source, Tenant
from cotenant.plan import Effort, chains, settled, solve
from cotenant.search import Budget, Judge, menu_of, named, run, searches
from cotenant.units import NS_PER_S

NOISES: Final = (0.0, 0.05, 0.10, 0.20)
FACTORS: Final = (0.3, 1.0, 3.0)
BUDGET_S: Final = 0.1
LOOKED_AT: Final = ("whole_exact", "rankmap")


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """Say how a board's table is changed: times wrong by up to `noise`, drawn from `seed`, and handovers times `factor`."""

    noise: float = 0.0
    seed: int = 0
    factor: float = 1.0


def noisy(mix: Mix, noise: float) -> Json:
    """Plan by estimates that are wrong, and see what those options reach at the true times, divided anew.

    `overload`: by how much the busiest processor would be over its capacity at the rates planned by the wrong times.
    """
    tenants, platform = tenants_of(mix), board_of(mix.board).platform
    true, wrong = options_of(mix, tenants), _changed_options(mix, tenants, Change(noise=noise, seed=mix.index))
    bound = solve(tenants, true, platform, OBJECTIVE, allow_overload=True).bound
    told: Json = {}
    for kind, effort in (("mixtures", None), ("single", Effort(gap=GAP))):
        plan = solve(tenants, wrong, platform, OBJECTIVE, allow_overload=True, effort=effort)
        right = {share.option: _retold(mix, share.option, tenants) for share in plan.shares}
        chosen = tuple(dict.fromkeys(right.values()))
        reached = solve(tenants, tuple(dict.fromkeys((*true, *chosen))), platform, OBJECTIVE, allow_overload=True, chosen=chosen)
        told[kind] = {"share": reached.value / bound, "overload": _busiest(plan, right, platform) - 1}
    return told


def _busiest(plan: Plan, right: dict[Option, Option], platform: Platform) -> float:
    """Return the greatest share of a processor that the plan's rates would take, options told rightly."""
    return max(sum(right[s.option].demand_of(p.name) * s.rate_per_s for s in plan.shares) / p.lanes for p in platform.processors)


def _retold(mix: Mix, option: Option, tenants: Sequence[Tenant]) -> Option:
    """Return an option with what it takes by the board's own table."""
    network = networks_of(mix, tenants)[option.tenant]
    steps, busy_s = [], dict[str, float]()
    for step, times in timed(option, network):
        steps.append(replace(step, duration_ns=sum(times), longest_ns=max(times)))
        busy_s[step.processor] = busy_s.get(step.processor, 0.0) + step.width * sum(times) / NS_PER_S
    demand = tuple((name, busy_s.get(name, amount)) for name, amount in option.demand)
    return replace(option, chain=tuple(steps), demand=demand, latency_ns=sum(step.duration_ns for step in steps))


def handed(mix: Mix, factor: float) -> Json:
    """Plan with handovers that take `factor` times as long: what is reached, how many tenants are cut, what whole networks reach."""
    tenants, platform = tenants_of(mix), board_of(mix.board).platform
    options = _changed_options(mix, tenants, Change(factor=factor))
    plan = solve(tenants, options, platform, OBJECTIVE, allow_overload=True)
    menu = menu_of(tenants, options, platform)
    judge = Judge(menu, OBJECTIVE)
    found = {name: run(named(searches, name), menu, judge, Budget(seconds=BUDGET_S), seed=mix.index).worth for name in LOOKED_AT}
    return {
        "value": plan.value,
        "cut": float(np.mean([any(len(s.option.chain) > 1 for s in plan.shares_of(t.name)) for t in tenants])),
        **{name: 0.0 if worth.short > 0 else worth.value / plan.bound for name, worth in found.items()},
    }


def unremembered(mix: Mix) -> Json:
    """Plan without the memory's row, with it, and with room for waiting: what each is worth, takes of the memory and keeps, simulated."""
    tenants, platform = tenants_of(mix), board_of(mix.board).platform
    options = options_of(mix, tenants)
    free = replace(platform, memories=tuple(replace(memory, bandwidth_bytes_per_s=None) for memory in platform.memories))
    told: Json = {}

    def planned(at: Platform) -> Plan:
        return solve(tenants, options, at, OBJECTIVE, allow_overload=True)

    for kind, plan in (("with", planned(platform)), ("without", planned(free)), ("settled", settled(tenants, platform, planned))):
        taken = sum(share.option.demand_of(platform.memories[0].name) * share.rate_per_s for share in plan.shares)
        least = float(kept(plan, mix, tenants, outstanding=DEEP).min())
        told[kind] = {"value": plan.value, "memory": taken / (platform.memories[0].bandwidth_bytes_per_s or np.inf), "least_kept": least}
    return told


def _changed_options(mix: Mix, tenants: Sequence[Tenant], change: Change) -> tuple[Option, ...]:
    listed = zip(tenants, mix.networks, strict=True)
    return tuple(option for tenant, network in listed for option in owned(_listed(mix.board, network, change), tenant.name))


@cache
def _listed(board: str, network: str, change: Change) -> tuple[Option, ...]:
    known = board_of(board)
    tenant = Tenant(name=network, source=Source(model=f"board:{network}"), arrival=Closed(), rank=1)
    return chains(tenant, changed(board, known.network(network), change), known.platform)


def changed(board: str, network: Network, change: Change) -> Network:
    """Return a network by another table; all of it is wrong alike on one processor, so that errors do not cancel over its segments."""
    rng = np.random.default_rng([zlib.crc32(f"{board} {network.name}".encode()), change.seed])
    places = sorted({cost.place for segment in network.segments for cost in segment.costs})
    wrong = {place: 1 + change.noise * float(rng.uniform(-1, 1)) for place in places}
    return replace(network, segments=tuple(_changed(segment, wrong, change.factor) for segment in network.segments))


def _changed(segment: Segment, wrong: dict[tuple[str, int], float], factor: float) -> Segment:
    costs = tuple(replace(cost, duration_ns=max(1, round(cost.duration_ns * wrong[cost.place]))) for cost in segment.costs)
    handovers = tuple(replace(one, duration_ns=round(one.duration_ns * factor)) for one in segment.handovers)
    return replace(segment, costs=costs, handovers=handovers)
