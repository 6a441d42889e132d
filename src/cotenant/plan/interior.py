"""How far a sum of logarithms comes by one option each: an interior point's path over a handful of rates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cotenant.plan.aim import Aim
from cotenant.plan.columns import Mask, Matrix, Vector
from cotenant.plan.problem import Problem
from cotenant.plan.relax import Relaxed
from cotenant.plan.rows import Row

MOST_STEPS = 40  # a dozen are usual; what has not settled by then is left to a linear program
CENTRED = 0.1  # of the products of slack and price: where each step aims
SHORT = 0.99  # of the way to where a slack, a price or a rate would be 0
FIRST_SLACK = 0.1  # of a row, at least: the path need not begin within the rows
FITTING = 1e-8  # of a row: by how much rates may exceed it, as a level before may be undercut
SETTLED = 1e-9  # of a row: by how much it may be off
DUST = 1e-6  # of what an option reaches alone: what the path leaves to one of no weight that is to have nothing
NEAR = 1e-8  # for a weight of 1: how near the bound is to be, while choices are compared


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Interior:
    """Hold a level over all options: its rows, the rate that each reaches alone, and each tenant's weight and what counts as 1 of it.

    `needed`: of whom the level, or one before it, wants anything.
    """

    owner: NDArray[np.intp]
    unit: Vector
    taken: Matrix
    limit: Vector
    weights: Vector
    whole: Vector
    needed: Mask

    def relax(self, choice: Mask, beyond: float, near: float) -> Relaxed | None:
        """Return the best rates by one option for each tenant; x None where they come no further than `beyond`.

        None: it did not settle, as where there are no such rates, or hardly any. The bound is that of the choice alone, and this `near`
        for a weight of 1.
        """
        kept = np.flatnonzero(choice & self.needed)
        unit, weight = self.unit[kept], self.weights[self.owner[kept]]
        known = float(weight @ np.log(unit / self.whole[self.owner[kept]]))
        rows = np.concatenate([self.taken[:, kept] * unit, -np.eye(len(kept))[weight == 0]])
        limit = np.concatenate([self.limit, np.zeros(len(rows) - len(self.limit))])
        scale = np.maximum(np.abs(limit), np.abs(rows).max(axis=1))
        scale[scale == 0] = 1.0
        found = _path(rows / scale[:, None], limit / scale, weight, len(self.limit), beyond - known, near)
        if found is None:
            return None
        y, prices, bound = found
        x = np.zeros(len(choice))
        x[kept] = np.where((weight == 0) & (y < DUST), 0.0, y) * unit
        is_beyond = bound > beyond - known
        if is_beyond and not self._fits(x):
            return None
        value = known + _sum_of_logs(weight, y)
        prices = (prices / scale)[: len(self.limit)]
        return Relaxed(x=x if is_beyond else None, value=value, bound=known + bound, prices=prices)

    def _fits(self, x: Vector) -> bool:
        used, size = self.taken @ x, np.abs(self.taken) @ x
        return bool((used <= self.limit + FITTING * np.maximum(np.abs(self.limit), size)).all())


def interior(problem: Problem, aim: Aim, rows: Sequence[Row]) -> Interior:
    """Tabulate a level that divides by logarithms."""
    index = {tenant.name: at for at, tenant in enumerate(problem.tenants)}
    weights, whole = np.zeros(len(index)), np.ones(len(index))
    for name, weight, unit_per_s in zip(aim.tenants, aim.weights, aim.units_per_s, strict=True):
        weights[index[name]], whole[index[name]] = weight, unit_per_s
    owner, taken, limit = problem.columns.owner, np.array([row.taken for row in rows]), np.array([row.limit for row in rows])
    return Interior(
        owner=owner, unit=problem.unit, taken=taken, limit=limit, weights=weights, whole=whole,
        needed=(weights[owner] > 0) | (taken[limit < 0] < 0).any(axis=0),
    )  # fmt: skip


def _path(rows: Matrix, limit: Vector, weight: Vector, real: int, beyond: float, near: float) -> tuple[Vector, Vector, float] | None:
    """Make `weight . log y` greatest under `rows @ y <= limit`; return y, prices and the bound that they prove, None if it fails.

    It ends where the bound is not `beyond`, too. The first `real` rows let no part of y exceed 1; those after them say that y is not
    negative. A primal-dual path whose points need not fit until its end (Wright, Primal-Dual Interior-Point Methods, 1997).
    """
    count, whole = len(limit), float(weight.sum())
    y = np.full(len(weight), 0.5 / len(weight))
    slack = np.maximum(limit - rows @ y, FIRST_SLACK)
    price = whole / count / slack
    for _ in range(MOST_STEPS):
        off, gap = rows @ y + slack - limit, float(slack @ price)
        bound = _bound(price[:real] @ rows[:real], float(price @ limit), weight)
        if bound <= beyond or (np.abs(off).max() < SETTLED and bound - _sum_of_logs(weight, y) < near * whole):
            return y, price, bound
        ratio, aim = price / slack, CENTRED * gap / count / slack
        curve = np.diag(weight / y**2) + (rows.T * ratio) @ rows
        try:
            step = np.linalg.solve(curve, weight / y - rows.T @ (aim + ratio * off))
        except np.linalg.LinAlgError:
            return None
        loosened = -off - rows @ step
        dearer = aim - price - ratio * loosened
        far = min(1.0, SHORT * min(_room(slack, loosened), _room(price, dearer), _room(y, step)))
        y, slack, price = y + far * step, slack + far * loosened, price + far * dearer
    return None


def _bound(paid: Vector, worth: float, weight: Vector) -> float:
    """Return what no y of at most 1 exceeds, by what each pays at the prices and what the limits are worth (weak duality)."""
    weighed = weight > 0
    y = np.where(weighed, weight / np.maximum(paid, np.where(weighed, weight, 1.0)), paid < 0)
    return worth + _sum_of_logs(weight, y) - float(paid @ y)


def _sum_of_logs(weight: Vector, y: Vector) -> float:
    return float(weight[weight > 0] @ np.log(y[weight > 0]))


def _room(point: Vector, step: Vector) -> float:
    """Return how many steps a positive point may go until a part of it is 0."""
    falling = step < 0
    return float((point[falling] / -step[falling]).min(initial=np.inf))
