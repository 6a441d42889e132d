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
LEAST = {Goal.MAXMIN, Goal.STARVED}
"""The goals that are a least part themselves."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Quick:
    """Hold what a choice may take, and what each tenant has to have: `held` at least, `unit` more for each 1 of the least part.

    `own`: each tenant's options.
    """

    taken: Matrix
    limit: Vector
    held: Vector
    unit: Vector
    own: Sequence[Indices]

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

    def at(self, part: float) -> Asked:
        """Return what each option asks where everybody has what this least part needs."""
        rates = np.maximum(self.held, self.unit * part)
        asked = np.empty_like(self.taken)
        for own, rate in zip(self.own, rates, strict=True):
            asked[:, own] = self.taken[:, own] * (rate / self.limit)[:, None]
        return Asked(own=self.own, asked=asked, by_tenant=[asked[:, own] for own in self.own])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """Hold what each option asks of each row's limit, at given rates, of all and by tenant; `own`: each tenant's options."""

    own: Sequence[Indices]
    asked: Matrix
    by_tenant: Sequence[Matrix]

    def bettered(self, choice: Indices) -> Indices:
        """Give each tenant in turn the option by which the busiest resource has least to do, until none betters it."""
        best, most = choice.copy(), self._most(choice)
        while True:
            for at, (own, asked) in enumerate(zip(self.own, self.by_tenant, strict=True)):
                others = self.asked[:, np.delete(best, at)].sum(axis=1)
                best[at] = own[np.argmin((others[:, None] + asked).max(axis=0))]
            before, most = most, self._most(best)
            if not most < before * (1 - 1e-9):
                return best

    def exchanged(self, choice: Indices, own: Sequence[Indices]) -> Indices:
        """Give two tenants at once, of the options given, those by which the busiest resource has least to do, until no two better it."""
        best, most = choice.copy(), self._most(choice)
        while True:
            for one, other in combinations(range(len(best)), 2):
                self._exchange(best, one, other, own)
            before, most = most, self._most(best)
            if not most < before * (1 - 1e-9):
                return best

    def _exchange(self, best: Indices, one: int, other: int, own: Sequence[Indices]) -> None:
        """Give two tenants the pair of options of which the busiest resource has least to do."""
        now = self._most(best)
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

    def _most(self, choice: Indices) -> float:
        """Return how much of its limit the busiest resource is asked for."""
        return float(self.asked[:, choice].sum(axis=1).max())


def quick(problem: Problem, aim: Aim, rows: Sequence[Row]) -> Quick | None:
    """Return what tells a least part quickly, of floors what is met of each; None for another goal, and where levels before keep a sum."""
    if aim.goal not in {*LEAST, Goal.FLOORS} or any(row.bind is Bind.LEVEL for row in rows):
        return None
    limits = [row for row in rows if row.bind is not Bind.HELD]
    if any(row.limit <= 0 for row in limits):
        return None
    held, unit = np.zeros(len(problem.tenants)), np.zeros(len(problem.tenants))
    for row in rows:
        if row.bind is Bind.HELD:
            held[problem.index[row.of]] = -row.limit
    for name, weight, unit_per_s in zip(aim.tenants, aim.weights, aim.units_per_s, strict=True):
        unit[problem.index[name]] = unit_per_s if aim.goal is Goal.FLOORS else weight * unit_per_s
    return Quick(
        taken=np.array([row.taken for row in limits]), limit=np.array([row.limit for row in limits]), held=held, unit=unit,
        own=[np.flatnonzero(problem.columns.owner == at) for at in range(len(unit))],
    )  # fmt: skip
