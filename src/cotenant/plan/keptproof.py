"""The proof of a plan that keeps its options, over all options.

The kept plan is proved over *all* options, by the prices of the best plan: `check` passes it. A bound from prices moves with what the
levels before are held to (weak duality), and no other way. So each level's bound is the best plan's, plus price times what the level's
rows give way; a proof of several leaves is priced anew, since a leaf that was impossible may be so no more. It says what no plan that keeps
as much at the levels before can exceed, so its gap is no less than what moving would gain. The prices shown are those of that proof: what
more of a resource would be worth if all moved where they should. `Replanned.best` has that plan, with its own bound.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Artifact, Bind, Leaf, Level, Option, Plan
from cotenant.plan.branch import duals_of
from cotenant.plan.columns import columns
from cotenant.plan.levels import Ladder, sum_row
from cotenant.plan.loss import EQUAL
from cotenant.plan.problem import Problem, build
from cotenant.plan.relax import relax
from cotenant.plan.rows import Row, held_row
from cotenant.plan.tolerated import KEEP

_SPARED = 0.9 * KEEP  # relative: what of the room for rounding may be given up, so that rates are left which keep the rows

Limits = Mapping[tuple[Bind, str], float]
"""The right sides of the rows that levels leave behind."""


def proved(ladder: Ladder, plan: Plan, options: Sequence[Option]) -> Ladder:
    """Give the level climbed last a proof over all `options`: the leaves of the best plan's, with a bound for what this ladder keeps."""
    index = len(ladder.levels) - 1
    best = plan.levels[index]
    ladder = _rounded(ladder, best)
    level = ladder.levels[-1]
    before, now = _limits(plan.levels[:index]), _limits(ladder.levels[:-1])
    if before == now:
        bound, leaves = best.bound, best.leaves
    elif len(best.leaves) == 1 and not best.leaves[0].sieves:
        bound, leaves = best.bound + _slip(best.leaves[0], before, now), best.leaves
    else:
        bound, leaves = _again(ladder, best, options, plan.headroom)
    return replace(ladder, levels=(*ladder.levels[:-1], replace(level, bound=max(bound, level.value), leaves=leaves)))


def _rounded(ladder: Ladder, best: Level) -> Ladder:
    """Keep just what the best plan's level keeps, where these rates reach it but for rounding: later proofs then hold as they are."""
    level = ladder.levels[-1]
    pairs = [(rate, most) for (_, rate), (_, most) in zip(level.held, best.held, strict=True)]
    same = all(rate - EQUAL / 2 * most <= most <= rate * (1 + _SPARED) for rate, most in pairs)
    if level.least is not None and best.least is not None:
        size = max(1.0, abs(best.value))
        same = best.least + (KEEP - _SPARED) * size <= level.value <= best.value + EQUAL / 2 * size
    if not same:
        return ladder
    levels = (*ladder.levels[:-1], replace(level, held=best.held, least=best.least))
    limits = _limits(levels)
    rows = tuple(replace(row, limit=limits.get((row.bind, row.of), row.limit)) for row in ladder.rows)
    return replace(ladder, levels=levels, rows=rows)


def _limits(levels: Sequence[Level]) -> Limits:
    limits: dict[tuple[Bind, str], float] = {}
    for level in levels:
        if level.least is not None:
            limits[Bind.LEVEL, level.name] = -level.least
        for tenant, rate_per_s in level.held:
            limits[Bind.HELD, tenant] = min(-rate_per_s, limits.get((Bind.HELD, tenant), 0.0))
    return limits


def _slip(leaf: Leaf, before: Limits, now: Limits) -> float:
    """Return by how much a leaf's bound moves with the limits: a sum of price times limit, all else the same."""
    return sum(dual.price * (now[row] - before[row]) for dual in leaf.duals if (row := (dual.bind, dual.of)) in before)


def _again(ladder: Ladder, best: Level, options: Sequence[Option], headroom: float) -> tuple[float, tuple[Leaf, ...]]:
    """Bound a level anew for what the ladder keeps: leaf by leaf, since one that was impossible may be so no more.

    Sides rest on tenants being alike, and they may keep different rates now: plans of single options are bounded by mixtures.
    """
    tenants, aim = ladder.problem.tenants, ladder.aims[-1]
    problem = build(tenants, columns(tenants, options), ladder.problem.platform, headroom)
    rows = (*problem.rows, *_kept_rows(ladder, problem))
    banned = tuple(dict.fromkeys(leaf.banned for leaf in best.leaves))
    found = [relax(problem, aim, rows, _left(problem, some), np.zeros(len(problem.options))) for some in banned]
    leaves = (Leaf(banned=some, duals=duals_of(rows, one.prices)) for some, one in zip(banned, found, strict=True))
    return max(one.bound for one in found), tuple(leaves)


def _kept_rows(ladder: Ladder, problem: Problem) -> Iterator[Row]:
    """Yield the rows that all levels but the last leave behind, over the options of a problem."""
    aims = {level.name: aim for level, aim in zip(ladder.levels, ladder.aims, strict=True) if level.least is not None}
    for (bind, of), limit in _limits(ladder.levels[:-1]).items():
        if bind is Bind.HELD:
            yield held_row(of, problem.owner(of), -limit)
        else:
            yield sum_row(ladder, problem, aims[of], of, -limit)


def _left(problem: Problem, banned: Sequence[Artifact]) -> NDArray[np.intp]:
    """Return the indices of the options that need none of these artifacts."""
    return np.flatnonzero([option.artifact not in banned for option in problem.options])
