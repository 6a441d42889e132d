"""The order of a plan: each level is made greatest, then kept."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from cotenant.describe import Bind, Goal, Level, Objective, Solo, Tenant, open_rate_per_s
from cotenant.errors import InfeasibleError
from cotenant.plan.aim import Aim
from cotenant.plan.branch import Found, best, duals_of
from cotenant.plan.columns import Mask, Vector
from cotenant.plan.problem import Problem
from cotenant.plan.rows import Row, held_row
from cotenant.plan.single import Effort, best_single, reached
from cotenant.plan.tolerated import KEEP, tolerated

STARVED_P = 1e-5  # of a solo rate: less is nothing
_NIL = 2e-7  # of a solo rate: a proof does not count less as kept
_FROM_NOTHING = {Goal.DEMAND, Goal.FLOORS, Goal.WEIGHTED, Goal.MAXMIN, Goal.THROUGHPUT}


class UnreachedError(ArithmeticError):
    """No rates keep what the levels before reached: by the options of this ladder, or by rounding."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ladder:
    """Hold the levels climbed, the rows that keep them, and the rates that reach them all.

    `paid` is what each option cost at the last level's prices. With an `effort` each tenant has one option: those marked in `choice`;
    `chosen`: by somebody else, for good.
    """

    problem: Problem
    rows: tuple[Row, ...]
    solos: tuple[Solo, ...]
    x: Vector
    levels: tuple[Level, ...] = ()
    aims: tuple[Aim, ...] = ()
    paid: Vector | None = None
    effort: Effort | None = None
    choice: Mask | None = None
    chosen: bool = False

    def solo(self, tenant: str) -> float:
        """Return a tenant's solo rate, in inferences per second."""
        return sum(share.rate_per_s for solo in self.solos if solo.tenant == tenant for share in solo.shares)


def climb(ladder: Ladder, aim: Aim, *, settled: bool = False) -> Ladder:
    """Make one more goal greatest within all that is kept, and keep it too; `settled`: by the single options chosen before, if any."""
    found = solved(ladder, aim, settled=settled)
    bound, value = max(found.bound, found.value), 0.0 if _is_let_through(ladder, aim, found) else found.value
    level = Level(goal=aim.goal, rank=aim.rank, tenants=aim.tenants, value=value, bound=bound, leaves=found.leaves)
    match aim.goal:
        case Goal.DEMAND | Goal.WEIGHTED | Goal.THROUGHPUT:
            least = value - KEEP * max(1.0, abs(value))
            level = replace(level, least=least if value > 10 * KEEP else min(0.0, least))
        case Goal.FLOORS | Goal.MAXMIN | Goal.PROPORTIONAL:
            level = replace(level, held=_held(ladder, aim, replace(found, value=value)))
        case Goal.STARVED | Goal.LOAD:
            pass
    rows = _keep(ladder, level, aim)
    paid = sum((price * row.taken for price, row in zip(found.prices, ladder.rows, strict=True) if price > 0), np.zeros(len(found.x)))
    return replace(ladder, levels=(*ladder.levels, level), aims=(*ladder.aims, aim), rows=rows, x=found.x, paid=paid, choice=found.choice)


def _is_let_through(ladder: Ladder, aim: Aim, found: Found) -> bool:
    """Say whether a level has nothing but what the tolerances of those before leave it: nothing is proved by keeping that."""
    if aim.goal not in _FROM_NOTHING:
        return False
    return 0 < found.value <= tolerated(duals_of(ladder.rows, found.prices), ladder.levels)


def solved(ladder: Ladder, aim: Aim, *, settled: bool = False) -> Found:
    """Make a goal greatest within all that is kept; what was kept stays possible, so something is found."""
    if ladder.effort is None:
        found = best(ladder.problem, aim, ladder.rows, ladder.x)
    elif ladder.choice is not None and (settled or ladder.chosen):
        found = reached(ladder.problem, aim, ladder.rows, ladder.choice)
    else:
        found = best_single(ladder.problem, aim, ladder.rows, ladder.x, ladder.effort)
        if found is None and ladder.choice is not None:
            found = reached(ladder.problem, aim, ladder.rows, ladder.choice)
        if found is None:
            raise InfeasibleError(
                "--single", "no one option for each tenant was found that fits the memories", "more --budget, or mixtures"
            )
    if found is None:
        raise UnreachedError(f"{aim.goal.value} {aim.rank}: the rates that reached the levels before fit no more")
    return found


def _held(ladder: Ladder, aim: Aim, found: Found) -> tuple[tuple[str, float], ...]:
    """Return the rates to keep: what counts of them for the goal, less the tolerance; nothing is kept of next to nothing."""
    rates = {name: rate if rate > _NIL * ladder.solo(name) else 0.0 for name, rate in ladder.problem.rates(found.x).items()}
    match aim.goal:
        case Goal.FLOORS:
            most = aim.units_per_s if found.value > 0 else (0.0,) * len(aim.tenants)
        case Goal.MAXMIN:
            most = tuple(found.value * w * unit for w, unit in zip(aim.weights, aim.units_per_s, strict=True))
        case _:
            most = tuple(rates[tenant] for tenant in aim.tenants)
    return tuple((t, min(rates[t], m) * (1 - KEEP)) for t, m in zip(aim.tenants, most, strict=True))


def sum_row(ladder: Ladder, problem: Problem, aim: Aim, of: str, least: float) -> Row:
    """Keep a level's sum, over the options of a problem, at least at what is given."""
    size = sum(w * ladder.solo(t) / unit for t, w, unit in zip(aim.tenants, aim.weights, aim.units_per_s, strict=True))
    return Row(bind=Bind.LEVEL, of=of, taken=-aim.gain(problem), limit=-least, size=max(1.0, size))


def _keep(ladder: Ladder, level: Level, aim: Aim) -> tuple[Row, ...]:
    rows, problem = ladder.rows, ladder.problem
    if level.least is not None:
        rows = (*rows, sum_row(ladder, problem, aim, level.name, level.least))
    before = {row.of: -row.limit for row in rows if row.bind is Bind.HELD}
    for tenant, rate_per_s in level.held:
        if rate_per_s > before.get(tenant, 0.0):
            rows = (*(r for r in rows if (r.bind, r.of) != (Bind.HELD, tenant)), held_row(tenant, problem.owner(tenant), rate_per_s))
    return rows


def demand(ladder: Ladder, rank: int) -> Ladder:
    """Serve what arrives at the open tenants of a rank: the greatest weighted sum of served shares."""
    tenants = [t for t in ladder.problem.tenants if t.rank == rank and open_rate_per_s(t.arrival) is not None]
    return climb(ladder, aim_of(ladder, Goal.DEMAND, rank, tenants)) if tenants else ladder


def floors(ladder: Ladder, rank: int) -> Ladder:
    """Reach the floors of a rank: the greatest weighted sum of reached shares."""
    tenants = [t for t in ladder.problem.tenants if t.rank == rank and t.floor > 0]
    return climb(ladder, aim_of(ladder, Goal.FLOORS, rank, tenants)) if tenants else ladder


def share(ladder: Ladder, rank: int, objective: Objective) -> Ladder:
    """Divide what is left among the closed tenants of a rank by the objective."""
    tenants = [t for t in ladder.problem.tenants if t.rank == rank and open_rate_per_s(t.arrival) is None]
    if not tenants:
        return ladder
    match objective:
        case Objective.PROPORTIONAL:
            return _proportional(ladder, rank, tenants)
        case Objective.MAXMIN:
            return _leximin(ladder, rank, tenants)
        case Objective.WEIGHTED:
            return climb(ladder, aim_of(ladder, Goal.WEIGHTED, rank, tenants))
        case Objective.THROUGHPUT:
            return climb(ladder, aim_of(ladder, Goal.THROUGHPUT, rank, tenants))


def lighten(ladder: Ladder) -> Ladder:
    """Among the plans that are equally good, take one of least load."""
    return climb(ladder, aim_of(ladder, Goal.LOAD, 0, []), settled=True)


def aim_of(ladder: Ladder, goal: Goal, rank: int, tenants: Sequence[Tenant]) -> Aim:
    """Aim at a goal for some tenants of a rank: with the weight of each in it, and the rate that counts as 1."""
    solos, ones = tuple(ladder.solo(t.name) for t in tenants), (1.0,) * len(tenants)
    weights, units = tuple(t.weight for t in tenants), solos
    match goal:
        case Goal.DEMAND:
            units = tuple(open_rate_per_s(t.arrival) or math.inf for t in tenants)
        case Goal.FLOORS:
            units = tuple(t.floor * solo for t, solo in zip(tenants, solos, strict=True))
        case Goal.STARVED:
            weights = ones
        case Goal.THROUGHPUT | Goal.LOAD:
            weights = units = ones
        case Goal.PROPORTIONAL | Goal.WEIGHTED | Goal.MAXMIN:
            pass
    return Aim(goal=goal, rank=rank, tenants=tuple(t.name for t in tenants), weights=weights, units_per_s=units)


def _proportional(ladder: Ladder, rank: int, tenants: Sequence[Tenant]) -> Ladder:
    """Make the sum of w log P greatest over those that can have anything at all; a logarithm knows no zero."""

    def least(some: Sequence[Tenant]) -> Aim:
        return aim_of(ladder, Goal.STARVED, rank, some)

    fed = list(tenants)
    has_some = least(fed).value(ladder.problem, ladder.x) > STARVED_P
    found = None if has_some else solved(ladder, least(fed))
    if found is not None and found.value > STARVED_P:
        ladder = replace(ladder, x=found.x)
    elif found is not None:
        fed = []
        for tenant in sorted(tenants, key=lambda t: -t.weight):
            found = solved(ladder, least([*fed, tenant]))
            if found.value > STARVED_P:
                fed.append(tenant)
                ladder = replace(ladder, x=found.x)
            else:
                ladder = climb(ladder, least([*fed, tenant]))
    return climb(ladder, aim_of(ladder, Goal.PROPORTIONAL, rank, fed)) if fed else ladder


def _leximin(ladder: Ladder, rank: int, tenants: Sequence[Tenant]) -> Ladder:
    """Make the least P / w greatest, then that of the others, and so on.

    A tenant whose row carries a price cannot have more: it is left at the least. The prices of all such rows add up to 1, so at
    least one carries its even share.
    """
    rest = list(tenants)
    while rest:
        again = len(rest) < len(tenants)
        ladder = climb(ladder, aim_of(ladder, Goal.MAXMIN, rank, rest), settled=again)
        weight = pinned(ladder, rest)
        enough = min(0.5 / len(weight), max(weight.values()))
        rest = [t for t in rest if weight[t.name] < enough]
    return ladder


def pinned(ladder: Ladder, tenants: Sequence[Tenant]) -> dict[str, float]:
    """Return, by the last level's prices, how far each tenant holds the least P / w down; they add up to 1.

    Who was chosen no option, where memory holds none, holds it down for good.
    """
    problem, paid = ladder.problem, ladder.paid
    assert paid is not None, "a level was climbed"
    open_to = np.ones(len(paid)) if ladder.choice is None else np.asarray(ladder.choice, dtype=np.float64)
    return {t.name: float(paid[problem.owner(t.name) * open_to > 0].min(initial=np.inf)) * t.weight * ladder.solo(t.name) for t in tenants}
