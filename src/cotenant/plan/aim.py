"""What a level makes greatest."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cotenant.describe import Goal
from cotenant.plan.columns import Matrix, Vector
from cotenant.plan.problem import Problem
from cotenant.plan.rows import capacities

DUTIES = {Goal.DEMAND, Goal.FLOORS, Goal.STARVED}
"""Goals by which somebody is owed something: no gap, and no gain, outweighs it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Hold a goal for some tenants of a rank: each one's weight, and the rate at which it counts as 1."""

    goal: Goal
    rank: int
    tenants: tuple[str, ...]
    weights: tuple[float, ...]
    units_per_s: tuple[float, ...]

    def parts(self, problem: Problem) -> Matrix:
        """Return what one inference per second by each option adds to each tenant's part; shape (tenants, options)."""
        owners = [problem.owner(tenant) / unit for tenant, unit in zip(self.tenants, self.units_per_s, strict=True)]
        return np.array(owners).reshape(len(self.tenants), len(problem.options))

    def gain(self, problem: Problem) -> Vector:
        """Return what one inference per second by each option adds to a goal that is a sum."""
        if self.goal is Goal.LOAD:
            return -loads(problem)
        return np.asarray(np.array(self.weights) @ self.parts(problem))

    def value(self, problem: Problem, x: Vector) -> float:
        """Return how far rates come."""
        if self.goal is Goal.LOAD:
            return float(self.gain(problem) @ x)
        own = [problem.index[tenant] for tenant in self.tenants]
        part, weight = problem.reached(x)[own] / self.units_per_s, np.array(self.weights)
        match self.goal:
            case Goal.DEMAND | Goal.WEIGHTED | Goal.THROUGHPUT:
                return float(weight @ part)
            case Goal.FLOORS:
                return float(weight @ np.minimum(part, 1.0))
            case Goal.STARVED | Goal.MAXMIN:
                return float((part / weight).min())
            case Goal.PROPORTIONAL:
                return float(weight @ np.log(part)) if (part > 0).all() else -np.inf


def loads(problem: Problem) -> Vector:
    """Return the share of each resource that one inference per second by each option takes, added up; what is reserved costs nothing."""
    reserved = {p.name for p in problem.platform.processors if p.reserved}
    resources = [(name, capacity) for name, _, capacity in capacities(problem.platform) if name not in reserved]
    return sum((problem.columns.demanded(name) / capacity for name, capacity in resources), np.zeros(len(problem.options)))
