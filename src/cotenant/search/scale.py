"""The exact worth of a mapping."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from operator import mul
from typing import assert_never

import numpy as np

from cotenant.describe import Objective, Tenant, open_rate_per_s
from cotenant.plan.solve import solve
from cotenant.search.market import proportional
from cotenant.search.menu import Choice, Menu
from cotenant.search.order import STARVED_P, Duty, Split, Worth, order
from cotenant.search.pool import Numbers, pool, together
from cotenant.search.simplex import greatest

KEEP = 1e-8  # relative: by how much later steps may undercut an earlier one, as in a plan
_FULL = 1 + 1e-9  # a row that takes no more than this holds
_MOST_WEIGHT = 1e6

Rows = Sequence[Numbers]


class Scale:
    """Weigh mappings by a menu's rows and an objective: exactly, each by itself.

    With one option for each tenant, rates counted in P share rows of nothing but positive numbers: a floor is a lower bound, and if the
    least rates do not fit, none do. Where that is not the whole of it (models that do not fit a memory together, arrivals that
    several divisions serve equally badly, sums that several make greatest before the next rank), the planner is asked.

    `columns`, `most`: for each option what P = 1 by it takes of every row that tenants share, as a share of the row, and its P alone.
    """

    def __init__(self, menu: Menu, objective: Objective) -> None:
        self.menu = menu
        self.order = order(menu, objective)
        self.columns = _columns(menu)
        self.most: list[float] = menu.most.tolist()
        self._sizes = _sizes(menu)

    def weigh(self, choice: Choice) -> Worth:
        """Return the worth of a mapping: the greatest over all rates of just these options that rows and memories allow."""
        columns, most = [self.columns[k] for k in choice], [self.most[k] for k in choice]
        p = self.divided(columns, most) if self._fits(choice) else None
        return self.order.worth(self._planned(choice) if p is None else p)

    def divided(self, columns: Sequence[Numbers], most: Numbers) -> list[float] | None:
        """Climb the plan's steps; None where one leaves open where the next begins.

        For each tenant, what P = 1 takes of every shared row, and the P that it reaches alone.
        """
        rows, p = tuple(zip(*columns, strict=True)), [0.0] * len(most)
        for step in self.order.steps:
            match step:
                case Duty():
                    found = _serve(step, rows, p, most)
                case Split():
                    found = self._split(step, rows, p, most)
                case _:
                    assert_never(step)
            if found is None:
                return None
            p = found if step is self.order.steps[-1] else [share * (1 - KEEP) for share in found]
        return p

    def _split(self, step: Split, rows: Rows, p: list[float], most: Numbers) -> list[float] | None:
        objective = self.order.objective
        match objective:
            case Objective.MAXMIN:
                return _with(p, step.who, together(pool(rows, p, most, step.who), step.weights))
            case Objective.PROPORTIONAL:
                fed = _fed(step, rows, p, most)
                weights = [w for i, w in zip(step.who, step.weights, strict=True) if i in fed]
                found = proportional(pool(rows, p, most, fed), weights)
                return None if found is None else _with(p, fed, found)
            case Objective.WEIGHTED | Objective.THROUGHPUT:
                found, only = greatest(pool(rows, p, most, step.who), step.gains)
                return _with(p, step.who, found) if only or step is self.order.steps[-1] else None
            case _:
                assert_never(objective)

    def _fits(self, choice: Choice) -> bool:
        """Say whether the models that a mapping needs are resident at once, each counted once."""
        if not self._sizes:
            return True
        artifacts = {int(self.menu.artifact[k]) for k in choice}
        return all(sum(sizes[a] for a in artifacts) <= room for sizes, room in self._sizes)

    def _planned(self, choice: Choice) -> list[float]:
        """Ask the planner for the P of each tenant."""
        menu, objective = self.menu, self.order.objective
        tenants = [_rescaled(t, self.most[k], objective) for t, k in zip(menu.tenants, choice, strict=True)]
        plan = solve(tenants, menu.options(choice), menu.problem.platform, objective, headroom=menu.headroom, allow_overload=True)
        return [plan.promise(t.name).rate_per_s / solo for t, solo in zip(tenants, menu.solo_per_s.tolist(), strict=True)]


def _columns(menu: Menu) -> list[tuple[float, ...]]:
    """Return what P = 1 by each option takes of every row that several tenants share, as a share of the row."""
    owners = [set(menu.owner[row > 0].tolist()) for row in menu.taken]
    shared = np.array([len(some) > 1 and most > 0 for some, most in zip(owners, menu.limit.tolist(), strict=True)], dtype=bool)
    parts = menu.taken[shared] * menu.solo_per_s[menu.owner] / menu.limit[shared][:, None]
    return [tuple(column) for column in parts.T.tolist()]


def _sizes(menu: Menu) -> list[tuple[list[float], float]]:
    """Return for each memory that may be too small what every artifact takes there, and what there is."""
    artifacts = dict.fromkeys(option.artifact for option in menu.problem.options)
    sizes = {m: [float(a.resident_bytes) * (a.memory == m.name) for a in artifacts] for m in menu.problem.platform.memories}
    return [(some, float(memory.capacity_bytes)) for memory, some in sizes.items() if sum(some) > memory.capacity_bytes]


def _serve(step: Duty, rows: Rows, p: list[float], most: Numbers) -> list[float] | None:
    """Serve a duty in full if that fits, else as much of it as does; None where several divisions serve arrivals equally badly.

    Which floors are missed, where all cannot be kept, is left to the simplex.
    """
    want = _with(p, step.who, [max(p[i], share) for i, share in zip(step.who, step.p, strict=True)])
    if all(want[i] <= most[i] * _FULL for i in step.who) and _holds(rows, want):
        return want
    gains = [w / share for w, share in zip(step.weights, step.p, strict=True)]
    found, only = greatest(pool(rows, p, list(map(min, most, want)), step.who), gains)
    return _with(p, step.who, found) if only or not step.arrivals else None


def _fed(step: Split, rows: Rows, p: list[float], most: Numbers) -> tuple[int, ...]:
    """Return those who can have anything at all, the greatest weight first where not all can, as a plan does."""
    if _feeds(step.who, rows, p, most):
        return step.who
    fed: tuple[int, ...] = ()
    weight = dict(zip(step.who, step.weights, strict=True))
    for i in sorted(step.who, key=lambda i: -weight[i]):
        fed = (*fed, i) if _feeds((*fed, i), rows, p, most) else fed
    return tuple(sorted(fed))


def _feeds(who: Sequence[int], rows: Rows, p: list[float], most: Numbers) -> bool:
    want = _with(p, who, [max(p[i], STARVED_P) for i in who])
    return all(want[i] <= most[i] for i in who) and all(sum(map(mul, row, want)) < 1 for row in rows)


def _holds(rows: Rows, p: Numbers) -> bool:
    return all(sum(map(mul, row, p)) <= _FULL for row in rows)


def _with(p: Sequence[float], who: Sequence[int], found: Numbers) -> list[float]:
    merged = list(p)
    for i, share in zip(who, found, strict=True):
        merged[i] = share
    return merged


def _rescaled(tenant: Tenant, most: float, objective: Objective) -> Tenant:
    """Count floor and weight against the rate of one option alone, `most` of the solo rate, which the planner will take for that."""
    weight, is_closed = tenant.weight, open_rate_per_s(tenant.arrival) is None
    if is_closed and objective is Objective.WEIGHTED:
        weight *= most
    if is_closed and objective is Objective.MAXMIN:
        weight /= most
    return replace(tenant, floor=min(tenant.floor / most, 1.0), weight=min(weight, _MOST_WEIGHT))
