"""Dividing what tenants share for the greatest sum."""

from __future__ import annotations

import math
from collections.abc import Sequence
from operator import mul

from cotenant.search.pool import EPS, Numbers, Pool

MANY_STEPS = 100  # after so many the rule changes to one that ends
MOST_STEPS = 10_000


def greatest(shared: Pool, gains: Numbers) -> tuple[list[float], bool]:
    """Make the sum of gain x z greatest; return z, and whether no other z is as good.

    The primal simplex with bounded variables (Dantzig, 1955), from the least, which fits: no first phase.
    """
    table = _Tableau(shared, gains)
    for _ in range(MOST_STEPS):
        if not table.step():
            return table.z(), table.is_unique()
    raise ArithmeticError(f"the simplex found no end in {MOST_STEPS} steps")


class _Tableau:
    """Hold what is basic in terms of what is not: `basic = right - cells @ others`, each variable from 0 to its top.

    Variables 0..n-1 are the tenants' growth, the rest the rows' slack. A flipped one counts down from its top.
    """

    def __init__(self, shared: Pool, gains: Numbers) -> None:
        self._least = shared.least
        self._top = [*(m - low for low, m in zip(shared.least, shared.most, strict=True)), *([math.inf] * len(shared.rows))]
        self._cells = [list(row) for row in shared.rows]
        self._right = [1 - sum(map(mul, row, shared.least)) for row in shared.rows]
        self._costs = list(gains)
        self._others = list(range(len(gains)))
        self._basic = list(range(len(gains), len(gains) + len(shared.rows)))
        self._flipped = [False] * len(self._top)
        self._slack = EPS * max((abs(g) for g in gains), default=0.0)
        self._steps = 0

    def step(self) -> bool:
        """Let one variable grow; False where none gains."""
        column = self._entering()
        if column < 0:
            return False
        limit, leaving, at_top = self._top[self._others[column]], -1, False
        for i, cells in enumerate(self._cells):
            cell = cells[column]
            room = self._right[i] if cell > 0 else self._top[self._basic[i]] - self._right[i]
            if abs(cell) > EPS and room < limit * abs(cell):
                limit, leaving, at_top = max(room / abs(cell), 0.0), i, cell < 0
        if leaving < 0:
            self._flip(column, limit)
        else:
            self._pivot(leaving, column, at_top=at_top)
        return True

    def _entering(self) -> int:
        """Choose what gains most, after many steps the first that gains, which cannot go round in circles (Bland, 1977)."""
        self._steps += 1
        gaining = [j for j, cost in enumerate(self._costs) if cost > self._slack and self._top[self._others[j]] > 0]
        if not gaining:
            return -1
        return max(gaining, key=self._costs.__getitem__) if self._steps < MANY_STEPS else min(gaining, key=self._others.__getitem__)

    def _flip(self, column: int, top: float) -> None:
        for i, cells in enumerate(self._cells):
            self._right[i] -= cells[column] * top
            cells[column] = -cells[column]
        self._costs[column] = -self._costs[column]
        self._flipped[self._others[column]] ^= True

    def _pivot(self, row: int, column: int, *, at_top: bool) -> None:
        if at_top:
            self._cells[row] = [-cell for cell in self._cells[row]]
            self._right[row] = self._top[self._basic[row]] - self._right[row]
            self._flipped[self._basic[row]] ^= True
        pivot = self._cells[row][column]
        own = [cell / pivot for cell in self._cells[row]]
        own[column] = 1 / pivot
        amount = max(self._right[row] / pivot, 0.0)
        for i, cells in enumerate(self._cells):
            if i != row:
                factor = cells[column]
                self._right[i] = max(self._right[i] - factor * amount, 0.0)
                self._cells[i] = _less(cells, factor, own, column)
        self._costs = _less(self._costs, self._costs[column], own, column)
        self._cells[row], self._right[row] = own, amount
        self._basic[row], self._others[column] = self._others[column], self._basic[row]

    def z(self) -> list[float]:
        grown = [0.0] * len(self._least)
        for i, variable in enumerate(self._basic):
            if variable < len(grown):
                grown[variable] = self._right[i]
        down = [self._top[i] - g if self._flipped[i] else g for i, g in enumerate(grown)]
        return [low + g for low, g in zip(self._least, down, strict=True)]

    def is_unique(self) -> bool:
        """Say whether whatever is not basic would cost something."""
        return all(cost < -1e3 * self._slack or self._top[v] <= 0 for v, cost in zip(self._others, self._costs, strict=True))


def _less(cells: Sequence[float], factor: float, own: Sequence[float], column: int) -> list[float]:
    """Take what a pivot row replaces out of another row."""
    left = [cell - factor * other for cell, other in zip(cells, own, strict=True)]
    left[column] = -factor * own[column]
    return left
