"""Proves a plan level by level; shares no code with the solver."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby, pairwise

from cotenant.describe import Goal, Level, Plan, Tenant, open_rate_per_s
from cotenant.plan.cover import covers
from cotenant.plan.fits import rates_per_s, unequal
from cotenant.plan.ground import CLOSE, Ground, reached
from cotenant.plan.scan import bounded, cheapest, given

NOTHING_P = 2e-5  # of a solo rate: what counts as starved
DEAREST = 1e30  # a price beyond it is none: sums of such would overflow
_SUMS = {Goal.DEMAND, Goal.WEIGHTED, Goal.THROUGHPUT}
_PARTS = {Goal.FLOORS, Goal.MAXMIN, Goal.PROPORTIONAL}
_OBJECTIVES = {Goal.PROPORTIONAL, Goal.WEIGHTED, Goal.MAXMIN, Goal.THROUGHPUT}


@dataclass(frozen=True, slots=True, kw_only=True)
class Climbed:
    """Hold the value and the bound that a plan's levels add up to, what is wrong with them, and what they leave open."""

    value: float
    bound: float
    complaints: tuple[str, ...]
    undecided: tuple[str, ...]


def misordered(levels: Sequence[Level], tenants: Sequence[Tenant], goal: Goal) -> Iterator[str]:
    """Compare the levels with those that ranks, arrivals and floors ask for."""
    asked = list(_asked(tenants, goal))
    found: list[tuple[Goal, int, set[str]]] = []
    for (family, rank), same in groupby(levels, key=lambda level: (_family(level.goal), level.rank)):
        whole = list(same)
        yield from _misnamed(whole)
        some = [level.tenants[-1:] if level.goal is Goal.STARVED else level.tenants for level in whole]
        found.append((family, rank, {name for names in some for name in names}))
    if asked != found:
        yield f"levels: {_told(found)}; asked: {_told(asked)}"


def _misnamed(same: Sequence[Level]) -> Iterator[str]:
    """Say which levels of one family name a tenant twice, or nobody, or more than the one before them leaves."""
    yield from (f"{level.name}: tenants {'+'.join(level.tenants) or 'none'}" for level in same if _is_odd(level))
    objectives = [level for level in same if level.goal is not Goal.STARVED]
    for before, after in pairwise(objectives):
        if after.goal is not Goal.MAXMIN or not set(after.tenants) < set(before.tenants):
            yield f"{after.name}: {'+'.join(after.tenants)} after {'+'.join(before.tenants)}"


def _is_odd(level: Level) -> bool:
    return len(set(level.tenants)) < len(level.tenants) or (not level.tenants and level.goal is not Goal.LOAD)


def _family(goal: Goal) -> Goal:
    return Goal.PROPORTIONAL if goal is Goal.STARVED else goal


def _told(levels: Sequence[tuple[Goal, int, set[str]]]) -> str:
    return ", ".join(f"{goal.value} {rank} of {'+'.join(sorted(names)) or 'all'}" for goal, rank, names in levels)


def _asked(tenants: Sequence[Tenant], goal: Goal) -> Iterator[tuple[Goal, int, set[str]]]:
    def opens(rank: int) -> set[str]:
        return {t.name for t in tenants if t.rank == rank and open_rate_per_s(t.arrival) is not None}

    ranks = sorted({t.rank for t in tenants})
    levels = [(Goal.DEMAND, 0, opens(0))]
    levels += [(Goal.FLOORS, rank, {t.name for t in tenants if t.rank == rank and t.floor > 0}) for rank in ranks]
    for rank in ranks:
        levels += [(Goal.DEMAND, rank, opens(rank))] if rank else []
        levels += [(goal, rank, {t.name for t in tenants if t.rank == rank} - opens(rank))]
    yield from (level for level in levels if level[2])
    yield Goal.LOAD, 0, set()


def climb(plan: Plan, ground: Ground) -> Climbed:
    """Prove each level within those before."""
    rates = rates_per_s(plan.shares, ground.tenants)
    load = math.fsum(ground.load(s.option) * s.rate_per_s for s in plan.shares)
    counted, complaints, undecided = _counted(plan.levels), list[str](), list[str]()
    value = bound = 0.0
    for index, level in enumerate(plan.levels):
        again, wrong = proven(level, ground)
        at = reached(ground, level, rates, load)
        complaints += [*wrong, *_stated(level, at, again, ground)]
        if level.goal is Goal.STARVED and again > NOTHING_P and not wrong:
            could = f"{level.tenants[-1]} could have {again:.3g} of its solo rate"
            if plan.single:  # that mixtures could is no contradiction
                undecided.append(f"{level.name}: it is not ruled out that {could}")
            else:
                complaints.append(f"{level.name}: {could}")
        complaints += [*_kept(level, ground, rates), *(() if plan.single or wrong else _pinned(plan.levels, index, ground))]
        if index in counted:
            value, bound = value + at, bound + again
        ground = _keep(ground, level)
    return Climbed(value=value, bound=bound, complaints=tuple(complaints), undecided=tuple(undecided))


def _counted(levels: Sequence[Level]) -> set[int]:
    """Return the positions of the levels that a plan adds up: the first of each rank's objective; else the demands."""
    first = {level.rank: index for index, level in reversed(list(enumerate(levels))) if level.goal in _OBJECTIVES}
    return set(first.values()) or {index for index, level in enumerate(levels) if level.goal is Goal.DEMAND}


def proven(level: Level, ground: Ground) -> tuple[float, list[str]]:
    """Compute the bound that a level's prices prove, infinite if they prove none, with complaints about the prices."""
    duals = [dual for leaf in level.leaves for some in (leaf.duals, *leaf.sieves) for dual in some]
    wrong = [f"{level.name}: price {dual.price} of {dual.bind.value} of {dual.of}" for dual in duals if not 0 <= dual.price <= DEAREST]
    if not covers(level, ground):
        wrong.append(f"{level.name}: the leaves leave out models that fit")
    try:
        return (math.inf if wrong else bounded(ground, level)), wrong
    except KeyError as stranger:
        return math.inf, [f"{level.name}: a price of {stranger}, which has no such row here"]


def _stated(level: Level, at: float, again: float, ground: Ground) -> Iterator[str]:
    slack = ground.slack(level, CLOSE)
    if level.goal is not Goal.STARVED and at < level.value - ground.missed(level):
        yield f"{level.name}: {level.value:.9g} stated, the rates reach {at:.9g}"
    if level.goal is not Goal.STARVED and at > again + slack and at > again + slack + _excess(level, ground, slack):
        yield f"{level.name}: the rates reach {at:.9g}, above the bound {again:.9g}"
    if level.value > level.bound + slack:
        yield f"{level.name}: value {level.value:.9g} above bound {level.bound:.9g}"
    yield from unequal(f"bound of {level.name}", level.bound, again, over=True, slack=slack)


def _excess(level: Level, ground: Ground, slack: float) -> float:
    """Return by how much rates may exceed a bound since they may miss what is kept; of a load, which only settles ties, by all of that."""
    return given(ground, level) if level.goal is Goal.LOAD else min(given(ground, level), 9 * slack)


def _kept(level: Level, ground: Ground, rates: Mapping[str, float]) -> Iterator[str]:
    """Check that what later levels keep is what this level reached, no less and no more."""
    slack = ground.slack(level, CLOSE)
    if (level.least is not None) != (level.goal in _SUMS) or bool(level.held) != (level.goal in _PARTS):
        yield f"{level.name}: keeps what it should not, or not what it should"
    elif level.least is not None and not level.value - slack <= level.least <= level.value:
        yield f"{level.name}: keeps {level.least:.9g} of {level.value:.9g}"
    elif level.held:
        held = dict(level.held)
        if set(held) != set(level.tenants):
            yield f"{level.name}: holds others than its own"
            return
        if reached(ground, level, held, 0.0) < level.value - slack:
            yield f"{level.name}: holds less than {level.value:.9g}"
        for name, rate in held.items():
            if rate > min(rates[name], _due(level, ground, name)) + ground.given_way_per_s(name, rate):
                yield f"{level.name}: holds {rate:.9g}/s for {name}, which is more than it has or is due"


def _due(level: Level, ground: Ground, name: str) -> float:
    """Return the greatest rate that a level may hold for a tenant."""
    weight, unit = ground.term(level.goal, name)
    match level.goal:
        case Goal.FLOORS:
            return unit
        case Goal.MAXMIN:
            return level.value * weight * unit
        case _:
            return math.inf


def _pinned(levels: Sequence[Level], index: int, ground: Ground) -> Iterator[str]:
    """Check that who leaves a max-min level has a price that holds it at the least, so that it cannot have more."""
    level = levels[index]
    if level.goal is not Goal.MAXMIN or len(level.leaves) > 1:
        return
    after = levels[index + 1] if index + 1 < len(levels) else level
    rest = set(after.tenants) if (after.goal, after.rank) == (level.goal, level.rank) else set[str]()
    price = cheapest(ground, level, level.leaves[0])
    for name in set(level.tenants) - rest:
        weight, unit = ground.term(level.goal, name)
        if price[name] * weight * unit < 0.25 / len(level.tenants):
            yield f"{level.name}: {name} is left at the least without a price that says why"


def _keep(ground: Ground, level: Level) -> Ground:
    held = {**ground.held_per_s}
    for name, rate in level.held:
        held[name] = max(rate, held.get(name, 0.0))
    least = ground.least if level.least is None else {**ground.least, level.name: (level, level.least)}
    return replace(ground, held_per_s=held, least=least)
