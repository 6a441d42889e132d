"""Leaves out options that no choice worth finding can use, as prices tell (reduced-cost fixing; Crowder, Johnson and Padberg, 1983)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cotenant.describe import Bind, Dual, Goal
from cotenant.plan.aim import Aim
from cotenant.plan.branch import duals_of
from cotenant.plan.columns import Mask, Matrix, Vector
from cotenant.plan.problem import Problem
from cotenant.plan.rows import Row

_ALONE = {Bind.CAPACITY, Bind.ARRIVALS, Bind.OUTSTANDING}
_OWN = {Bind.ARRIVALS, Bind.OUTSTANDING}  # rows of one tenant: of one option alone, what it can reach says more than their price
_ROUNDING = 1e-5  # relative to what the prices price: more than a checker gives way


@dataclass(frozen=True, kw_only=True, eq=False)
class Sieve:
    """Tell by prices how far a level can come with one tenant's option given, the others free to choose theirs."""

    problem: Problem
    aim: Aim
    rows: Sequence[Row]

    def duals(self, prices: Vector) -> tuple[Dual, ...]:
        """Name the prices that are used."""
        return duals_of(self.rows, self._used(prices))

    def passed(self, kept: Mask, prices: Vector, assured: float) -> Mask:
        """Mark what of the kept options a choice above `assured` may use; all of them for a goal of which prices tell nothing."""
        used = self._used(prices)
        cost = used @ self._taken
        brought = np.maximum(-cost, 0.0) * self._alone_per_s  # at most, by an option that costs less than nothing
        others = np.where(self._is_of_level, 0.0, brought)
        worth = float(used @ self._limit + _ROUNDING * used @ np.abs(self._limit))
        worth += self._most_of_each(kept, brought if self.aim.goal is Goal.MAXMIN else others)
        match self.aim.goal:
            case Goal.MAXMIN:
                return self._raising_the_least(kept, cost, worth, assured)
            case Goal.WEIGHTED | Goal.THROUGHPUT:
                added = np.maximum(self.aim.gain(self.problem) - cost, 0.0) * self._alone_per_s
                return self._adding(kept, added, assured - worth, none=0.0)
            case Goal.PROPORTIONAL:
                weight, unit = self._weight[self.problem.columns.owner], self._unit_per_s[self.problem.columns.owner]
                rate = np.minimum(self._alone_per_s, weight / np.maximum(cost, np.finfo(float).tiny))
                return self._adding(kept, weight * np.log(rate / unit) - cost * rate, assured - worth, none=-np.inf)
            case _:
                return kept

    def _most_of_each(self, kept: Mask, figure: Vector) -> float:
        return float(self._by_tenant(np.maximum, figure, kept, 0.0).sum())

    def _adding(self, kept: Mask, added: Vector, least: float, none: float) -> Mask:
        most = self._by_tenant(np.maximum, added, kept, none)
        forced = most[self._level].sum() - most[self.problem.columns.owner] + added
        enough: Mask = forced > least - 1e-9 * max(1.0, abs(least))
        return kept & (~self._is_of_level | enough)

    def _raising_the_least(self, kept: Mask, cost: Vector, worth: float, assured: float) -> Mask:
        if assured <= 0:
            return kept
        unit = (self._weight * self._unit_per_s)[self.problem.columns.owner]
        due = np.where(self._is_of_level, np.maximum(cost, 0.0) * unit, 0.0)
        least = self._by_tenant(np.minimum, due, kept, np.inf)
        forced = least[self._level].sum() - least[self.problem.columns.owner] + due
        enough: Mask = forced * assured <= worth
        return kept & (~self._is_of_level | enough)

    def _by_tenant(self, extreme: np.ufunc, figure: Vector, kept: Mask, none: float) -> Vector:
        found = np.full(len(self.problem.tenants), none)
        extreme.at(found, self.problem.columns.owner[kept], figure[kept])
        return found

    def _used(self, prices: Vector) -> Vector:
        return prices if self.aim.goal is Goal.MAXMIN else np.where(self._own, 0.0, prices)

    @cached_property
    def _own(self) -> Mask:
        return np.array([row.bind in _OWN for row in self.rows])

    @cached_property
    def _taken(self) -> Matrix:
        return np.array([row.taken for row in self.rows])

    @cached_property
    def _limit(self) -> Vector:
        return np.array([row.limit for row in self.rows])

    @cached_property
    def _alone_per_s(self) -> Vector:
        """Return the rate that each option cannot exceed, whatever else runs."""
        most = np.full(len(self.problem.options), np.inf)
        for row in self.rows:
            if row.bind in _ALONE:
                some = row.taken > 0
                most[some] = np.minimum(most[some], row.limit / row.taken[some])
        return most

    @cached_property
    def _level(self) -> list[int]:
        return [self.problem.index[name] for name in self.aim.tenants]

    @cached_property
    def _is_of_level(self) -> Mask:
        return np.isin(self.problem.columns.owner, self._level)

    @cached_property
    def _weight(self) -> Vector:
        return self._spread(self.aim.weights)

    @cached_property
    def _unit_per_s(self) -> Vector:
        return self._spread(self.aim.units_per_s)

    def _spread(self, figures: Sequence[float]) -> Vector:
        """Return a figure of each tenant, 1 of whom the level is not about."""
        every = np.ones(len(self.problem.tenants))
        every[self._level] = figures
        return every
