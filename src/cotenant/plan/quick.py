"""How far a least part can come by one option each, without a program to solve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Bind, Goal
from cotenant.plan.aim import Aim
from cotenant.plan.columns import Matrix, Vector
from cotenant.plan.problem import Problem
from cotenant.plan.rows import Row

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quick:
    """Hold what a choice may take, and what each tenant has to have: `held` at least, `unit` more for each 1 of the least part.

    `own`: each tenant's options. `asked`: of each row's limit, what a least part of 1 asks for by each option.
    """

    taken: Matrix
    limit: Vector
    held: Vector
    unit: Vector
    own: Sequence[Indices]
    asked: Matrix

    def least(self, choice: Indices) -> float:
        """Return the greatest least part of a choice, an option's index for each tenant; -inf where it cannot hold what is kept.

        Nobody gets more than that asks for; who is held above it only takes away from the others (progressive filling).
        """
        taken = self.taken[:, choice]
        free = self.unit > 0
        while True:
            left = self.limit - taken @ np.where(free, 0.0, self.held)
            rising = taken @ np.where(free, self.unit, 0.0)
            if (left < -1e-9 * np.abs(self.limit)).any():
                return -np.inf
            if not rising.any():
                return np.inf
            least = float((left[rising > 0] / rising[rising > 0]).min())
            above = free & (self.unit * least < self.held)
            if not above.any():
                return least
            free &= ~above

    def bettered(self, choice: Indices) -> Indices:
        """Give each tenant in turn the option by which the least part comes furthest, until none betters it."""
        best, least = choice.copy(), self._apart(choice)
        own_asked = [self.asked[:, own] for own in self.own]
        while True:
            for at, own in enumerate(self.own):
                others = self.asked[:, np.delete(best, at)].sum(axis=1)
                best[at] = own[np.argmin((others[:, None] + own_asked[at]).max(axis=0))]
            before, least = least, self._apart(best)
            if least <= before * (1 + 1e-9):
                return best

    def exchanged(self, choice: Indices, own: Sequence[Indices]) -> Indices:
        """Give two tenants at once those of the options given for each by which the least part comes furthest, until no pair betters it."""
        best, least = choice.copy(), self._apart(choice)
        while True:
            for one, other in combinations(range(len(best)), 2):
                self._exchange(best, one, other, own)
            before, least = least, self._apart(best)
            if least <= before * (1 + 1e-9):
                return best

    def _exchange(self, best: Indices, one: int, other: int, own: Sequence[Indices]) -> None:
        """Give two tenants the pair of options of which the busiest resource has least to do."""
        now = 1.0 / self._apart(best)
        rest = self.asked[:, np.delete(best, (one, other))].sum(axis=1)
        asked, more = rest[:, None] + self.asked[:, own[one]], self.asked[:, own[other]]
        ones = np.flatnonzero(asked.max(axis=0) < now)
        others = np.flatnonzero((more + rest[:, None]).max(axis=0) < now)
        if not len(ones) or not len(others):
            return
        busiest = np.zeros((len(ones), len(others)))
        for first, second in zip(asked[:, ones], more[:, others], strict=True):
            np.maximum(busiest, np.add.outer(first, second), out=busiest)
        at = int(busiest.argmin())
        if busiest.flat[at] < now:
            best[one], best[other] = own[one][ones[at // len(others)]], own[other][others[at % len(others)]]

    def _apart(self, choice: Indices) -> float:
        """Return how far a choice would come if nobody were held above the least part."""
        return 1.0 / float(self.asked[:, choice].sum(axis=1).max())


def quick(problem: Problem, aim: Aim, rows: Sequence[Row]) -> Quick | None:
    """Return what tells a least part quickly; None for another goal, and where levels before keep a sum."""
    if aim.goal not in {Goal.MAXMIN, Goal.STARVED} or any(row.bind is Bind.LEVEL for row in rows):
        return None
    limits = [row for row in rows if row.bind is not Bind.HELD]
    if any(row.limit <= 0 for row in limits):
        return None
    held, unit = np.zeros(len(problem.tenants)), np.zeros(len(problem.tenants))
    for row in rows:
        if row.bind is Bind.HELD:
            held[problem.index[row.of]] = -row.limit
    for name, weight, unit_per_s in zip(aim.tenants, aim.weights, aim.units_per_s, strict=True):
        unit[problem.index[name]] = weight * unit_per_s
    taken, limit = np.array([row.taken for row in limits]), np.array([row.limit for row in limits])
    owner = problem.columns.owner
    return Quick(
        taken=taken, limit=limit, held=held, unit=unit,
        own=[np.flatnonzero(owner == at) for at in range(len(unit))], asked=taken * unit[owner] / limit[:, None],
    )  # fmt: skip
