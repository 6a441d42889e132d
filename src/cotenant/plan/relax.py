"""One level's optimum when every memory is large enough."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Goal
from cotenant.plan.aim import Aim
from cotenant.plan.columns import Matrix, Vector
from cotenant.plan.lp import Lazy, LostError, Lp, Optimum
from cotenant.plan.problem import Problem
from cotenant.plan.rows import Row
from cotenant.plan.tolerated import LOOSE

TANGENT_GAP = 1e-9  # in units of the goal: where cutting stops; the rates are then right to its root
MOST_ROUNDS = 80  # of cuts; a dozen are usual
MOST_IDLE = 3  # rounds that close nothing of the gap, before the rest is the solver's tolerance
SHARP = 100.0  # a tangent, and what it is of, are held by less than the solver's tolerance
LEAST_PART = 1e-6  # of a solo rate: below it the logarithm is not followed
_CLEAR = 1.2  # times what a proof calls kept: by less no rows contradict each other
_HALVINGS = 24  # of the way from one point to another
_FIRST_CUTS = 2.0 ** -np.arange(11)  # P = 1, 1/2, ..., 1/1024


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Relaxed:
    """Hold the best rates with their value, and a price of each row that proves the bound.

    `x` None: there are no such rates, and the prices prove that; where rows contradict each other by next to nothing, they prove a bound.
    """

    x: Vector | None
    value: float
    bound: float
    prices: Vector


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Program:
    """Hold a level as a linear program over the kept options and `aux` columns of the goal's own."""

    kept: NDArray[np.intp]
    taken: Matrix
    limit: Vector
    give: Vector
    parts: Matrix
    weights: Vector
    unit: Vector
    lazy: Lazy


def relax(problem: Problem, aim: Aim, rows: Sequence[Row], kept: NDArray[np.intp], hint: Vector, close: float = TANGENT_GAP) -> Relaxed:
    """Solve one level over the options of these indices, with no regard to memories; `hint`: rates of which it may start, be they too many.

    A logarithm is followed until value and bound are this `close`.
    """
    program = program_of(problem, aim, rows, kept, hint)
    if aim.goal is Goal.PROPORTIONAL and not program.parts.any(axis=1).all():
        return Relaxed(x=None, value=-np.inf, bound=-np.inf, prices=np.zeros(len(rows)))  # the logarithm of a tenant without an option
    start = hint[kept] if (program.taken @ hint[kept] <= program.limit + LOOSE * np.abs(program.limit)).all() else None

    def optimum(limit: Vector) -> tuple[Optimum, float] | None:
        eased = replace(program, limit=limit)
        return optimum_of(loaded(eased, aim.goal, aim.gain(problem)[kept], hint[kept]), eased, aim.goal, close, start=start)

    def found(limit: Vector) -> tuple[Optimum, float] | None:
        try:
            return optimum(limit)
        except LostError:
            return None

    best = found(program.limit)
    if best is None:
        clear = program.limit + _CLEAR * program.give
        most = optimum(clear)
        if most is None:
            return Relaxed(x=None, value=-np.inf, bound=-np.inf, prices=_refutation(replace(program, limit=clear)))
        best = found(np.where(program.limit < 0, program.limit * (1 - LOOSE), program.limit))
        if best is None:
            return Relaxed(x=None, value=-np.inf, bound=most[1], prices=most[0].prices[: len(rows)])
    return relaxed(problem, aim, program, best)


def program_of(problem: Problem, aim: Aim, rows: Sequence[Row], kept: NDArray[np.intp], hint: Vector) -> Program:
    """Write a level over the options of these indices."""
    return Program(
        kept=kept,
        taken=np.array([row.taken for row in rows]).reshape(len(rows), len(problem.options))[:, kept],
        limit=np.array([row.limit for row in rows]),
        give=np.array([row.give for row in rows]),
        parts=aim.parts(problem)[:, kept],
        weights=np.array(aim.weights),
        unit=problem.unit[kept],
        lazy=Lazy(group=problem.columns.owner[kept], start=np.flatnonzero(problem.promising[kept] | (hint[kept] > 0))),
    )


def relaxed(problem: Problem, aim: Aim, program: Program, best: tuple[Optimum, float]) -> Relaxed:
    """Return an optimum and its bound as rates over all options."""
    optimum, bound = best
    x = np.zeros(len(problem.options))
    x[program.kept] = np.maximum(optimum.columns[: len(program.kept)], 0.0)
    return Relaxed(x=x, value=aim.value(problem, x), bound=bound, prices=optimum.prices[: len(program.limit)])


def _lp(program: Program, gain: Vector, own: Vector, matrix: Matrix, limit: Vector, *, sharp: float = 1.0) -> Lp:
    """Join the plan's rows with the goal's own free columns (their gain is `own`) and rows (`matrix`, over all columns)."""
    kept, aux = len(program.kept), len(own)
    return Lp(
        np.concatenate([gain, own]),
        np.vstack([np.hstack([program.taken, np.zeros((len(program.limit), aux))]), matrix.reshape(len(limit), kept + aux)]),
        np.concatenate([program.limit, limit]),
        unit=np.concatenate([program.unit, np.ones(aux)]),
        lower=np.concatenate([np.zeros(kept), np.full(aux, -np.inf)]),
        lazy=program.lazy,
        sharp=np.repeat([1.0, sharp], [len(program.limit), len(limit)]),
    )


def loaded(program: Program, goal: Goal, gain: Vector, hint: Vector) -> Lp:
    """Load a goal that is one linear program: a sum, a sum of capped parts, a least part; or tangents of a sum of logarithms."""
    tenants, none = len(program.weights), np.zeros(len(program.kept))
    match goal:
        case Goal.FLOORS:  # f_i <= part_i, f_i <= 1
            matrix = np.vstack([np.hstack([-program.parts, np.eye(tenants)]), np.hstack([0 * program.parts, np.eye(tenants)])])
            return _lp(program, none, program.weights, matrix, np.repeat([0.0, 1.0], tenants))
        case Goal.STARVED | Goal.MAXMIN:  # t <= part_i / w_i
            matrix = np.hstack([-program.parts / program.weights[:, None], np.ones((tenants, 1))])
            return _lp(program, none, np.ones(1), matrix, np.zeros(tenants))
        case Goal.PROPORTIONAL:  # y_i <= part_i, and v_i <= log(p) + (y_i - p) / p for some p
            matrix = np.hstack([-program.parts, np.eye(tenants), np.zeros((tenants, tenants))])
            own = np.concatenate([np.zeros(tenants), program.weights])
            lp = _lp(program, none, own, matrix, np.zeros(tenants), sharp=SHARP)
            near = program.parts @ hint
            for points in [np.full(tenants, p) for p in _FIRST_CUTS] + ([near] if near.min() > LEAST_PART else []):
                lp.add(*_tangents(points), sharp=SHARP)
            return lp
        case Goal.DEMAND | Goal.WEIGHTED | Goal.THROUGHPUT | Goal.LOAD:
            return _lp(program, gain, np.zeros(0), np.zeros((0, len(gain))), np.zeros(0))


def optimum_of(
    lp: Lp, program: Program, goal: Goal, close: float, *, patient: bool = True, start: Vector | None = None
) -> tuple[Optimum, float] | None:
    """Solve what is loaded; return the optimum with its bound, None if nothing fits (or, unless `patient`, seems to).

    `start`: rates that fit.
    """
    if goal is Goal.PROPORTIONAL:
        return _cut(lp, program, close, start, patient=patient)
    optimum = lp.solve(patient=patient)
    return None if optimum is None else (optimum, optimum.value)


def _cut(lp: Lp, program: Program, close: float, start: Vector | None, *, patient: bool) -> tuple[Optimum, float] | None:
    """Solve the sum of w log(part) by tangents from above, added where the last optimum stood (Kelley, 1960), and where the best is.

    v_i <= log(p) + (part_i - p) / p for every p: each program's value bounds the goal, and its prices prove it. The best is sought on
    the way from the best before, or the start, to the last optimum: where tangents lie flat, optima stand anywhere, and by whom hardly
    weighs anything they may give nothing.
    """
    points, best, prices = np.full(len(program.weights), _FIRST_CUTS[-1]), start, np.zeros(0)
    value, bound, idle = -np.inf, np.inf, 0
    for _ in range(MOST_ROUNDS):
        optimum = lp.solve(patient=patient)
        if optimum is None:
            return None
        x = optimum.columns[: len(program.kept)]
        part, before, gap = program.parts @ x, points, bound - value
        points = np.where(part > LEAST_PART, part, np.maximum(points / 16, LEAST_PART))
        if optimum.value < bound:
            bound, prices = optimum.value, optimum.prices
        best = x if best is None or _logs(program, part) >= bound - close else best + _way(program, best, part) * (x - best)
        reached = program.parts @ best
        value = _logs(program, reached)
        idle = idle + 1 if gap <= bound - value < np.inf else 0
        if bound - value <= close or idle > MOST_IDLE or (np.maximum(part, before) <= LEAST_PART).any():
            break
        lp.add(*_tangents(points), sharp=SHARP)
        if value > -np.inf and best is not x:
            lp.add(*_tangents(np.maximum(reached, LEAST_PART)), sharp=SHARP)
    return None if best is None else (Optimum(columns=best, prices=prices, value=value), bound)


def _logs(program: Program, part: Vector) -> float:
    return float(program.weights @ np.log(part)) if (part > 0).all() else -np.inf


def _way(program: Program, x: Vector, there: Vector) -> float:
    """Return how far to go from rates towards other parts for the greatest sum of w log(part), in [0, 1]."""
    here = program.parts @ x
    some = (here > 0) | (there > 0)
    weights, here, ahead = program.weights[some], here[some], (there - here)[some]
    low, high = 0.0, 1.0
    if (here + ahead > 0).all() and float(weights @ (ahead / (here + ahead))) >= 0:
        return high
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if float(weights @ (ahead / (here + middle * ahead))) > 0 else (low, middle)
    return low


def _tangents(points: Vector) -> tuple[Matrix, Vector]:
    """Return one tangent of the logarithm per tenant, at its point: rows over the goal's columns, y and v."""
    return np.hstack([-np.diag(1.0 / points), np.eye(len(points))]), np.log(points) - 1.0


def _refutation(program: Program) -> Vector:
    """Return prices by which rows that ask for more than nothing contradict those that limit (Farkas)."""
    asks = np.flatnonzero(program.limit < 0)
    short = np.zeros((len(program.limit), len(asks)))
    short[asks, np.arange(len(asks))] = program.limit[asks]
    lp = Lp(
        np.concatenate([np.zeros(len(program.kept)), -np.ones(len(asks))]), np.hstack([program.taken, short]), program.limit,
        unit=np.concatenate([program.unit, np.ones(len(asks))]),
    )  # fmt: skip
    optimum = lp.solve()
    assert optimum is not None, "asking for nothing is always possible"
    return optimum.prices
