"""The order of a plan by brute force: every level over every choice, by scipy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from scipy.optimize import linprog, minimize  # type: ignore[import-untyped]
from scipy.sparse import block_diag, coo_matrix  # type: ignore[import-untyped]

from cotenant.describe import Goal, Objective, Tenant, open_rate_per_s
from tests.oracle.parts import Matrix, Part, Vector, choices, given, mixtures, rows
from tests.plan_cases import Case

KEEP = 1e-8  # relative: by how much a level may be undercut later, as in the plan
FED_P = 1e-3  # of a solo rate: who cannot have it may count as starved
MORE_P = 1e-6  # of a solo rate: who can have no more than this beyond the least stays at the least
MOST_POINTS = 60
TINY = 1e-12
EVEN = 1e-7  # where the search for the greatest sum of logarithms ends
GOALS = {
    Objective.PROPORTIONAL: Goal.PROPORTIONAL, Objective.WEIGHTED: Goal.WEIGHTED,
    Objective.MAXMIN: Goal.MAXMIN, Objective.THROUGHPUT: Goal.THROUGHPUT,
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rung:
    """Hold a level: its tenants by index, their weights, and the rates at which they count as 1."""

    goal: Goal
    rank: int
    among: tuple[int, ...]
    weight: Vector
    unit: Vector

    def worth(self, rates: Vector) -> float:
        """Return how far rates of all tenants come."""
        part = rates[list(self.among)] / self.unit
        match self.goal:
            case Goal.FLOORS:
                return float(self.weight @ np.minimum(part, 1.0))
            case Goal.MAXMIN:
                return float((part / self.weight).min())
            case Goal.PROPORTIONAL:
                return float(self.weight @ np.log(part)) if (part > 0).all() else -np.inf
            case _:
                return float(self.weight @ part)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """Hold how far a level can come, between `low` and `high`, and whether all that was due is reached."""

    low: float
    high: float
    full: bool = True


def order_of(case: Case, *, single: bool) -> Order:
    """Return the order of a crew before anything is climbed, with one option for each tenant or with mixtures."""
    parts = choices(case) if single else mixtures(case)
    return Order(case=case, parts=parts, solo=np.array([solo_rate(case, t) for t in case.tenants]), fixed=rows(case))


def solo_rate(case: Case, tenant: Tenant) -> float:
    """Return the greatest rate of a tenant that has the platform for itself, and may mix."""
    alone = Case(tenants=(tenant,), options=tuple(o for o in case.options if o.tenant == tenant.name), platform=case.platform)
    parts = [part for part in mixtures(alone) if part]
    if not parts:
        return 0.0
    order = Order(case=alone, parts=parts, solo=np.ones(1), fixed=rows(alone))
    return order.climb(order.rung(Goal.THROUGHPUT, tenant.rank, (0,), np.ones(1), equal=True)).high


@dataclass(kw_only=True)
class Order:
    """Climb level by level, and keep the parts of all choices that reach what was reached."""

    case: Case
    parts: list[Part]
    solo: Vector
    fixed: tuple[Matrix, Vector]
    kept: list[tuple[Vector, float]] = field(default_factory=list)

    @cached_property
    def owner(self) -> Matrix:
        return np.array([[float(o.tenant == t.name) for o in self.case.options] for t in self.case.tenants])

    def rung(self, goal: Goal, rank: int, among: Sequence[int], unit: Vector, *, equal: bool = False) -> Rung:
        weight = np.array([1.0 if equal else self.case.tenants[at].weight for at in among])
        return Rung(goal=goal, rank=rank, among=tuple(among), weight=weight, unit=unit)

    def rungs(self, objective: Objective) -> Iterator[Rung]:
        """List the levels in their order: rank 0's arrivals, floors, then rank by rank arrivals and the objective."""
        ranks = sorted({t.rank for t in self.case.tenants})
        yield from self._demand(0)
        for rank in ranks:
            some = [at for at, t in enumerate(self.case.tenants) if t.rank == rank and t.floor > 0]
            if some:
                yield self.rung(Goal.FLOORS, rank, some, np.array([self.case.tenants[at].floor for at in some]) * self.solo[some])
        for rank in ranks:
            yield from self._demand(rank) if rank else ()
            some = [at for at, t in enumerate(self.case.tenants) if t.rank == rank and open_rate_per_s(t.arrival) is None]
            if some:
                equal = objective is Objective.THROUGHPUT
                yield self.rung(GOALS[objective], rank, some, np.ones(len(some)) if equal else self.solo[some], equal=equal)

    def _demand(self, rank: int) -> Iterator[Rung]:
        arriving = {at: open_rate_per_s(t.arrival) for at, t in enumerate(self.case.tenants) if t.rank == rank}
        some = {at: rate for at, rate in arriving.items() if rate is not None}
        if some:
            yield self.rung(Goal.DEMAND, rank, tuple(some), np.array(list(some.values())))

    def climb(self, rung: Rung) -> Reached:
        """Make a level greatest over all parts; of those that fall short none is looked at again."""
        if rung.goal is Goal.PROPORTIONAL:
            return self._most_even(rung)
        found = self._greatest(rung)
        best = max(found)
        slack = KEEP * max(1.0, abs(best))
        self.parts = [part for part, value in zip(self.parts, found, strict=True) if value >= best - slack / 2]
        due = float(rung.weight.sum()) if rung.goal in {Goal.DEMAND, Goal.FLOORS} else -np.inf
        self._keep(rung, best, slack)
        return Reached(low=best, high=best, full=best >= due * (1 - 10 * KEEP))

    def _keep(self, rung: Rung, best: float, slack: float) -> None:
        own = self.owner[list(rung.among)]
        match rung.goal:
            case Goal.FLOORS:
                self.hold(rung, rung.unit * (1 - KEEP))
            case Goal.MAXMIN:
                self.hold(rung, best * rung.weight * rung.unit * (1 - KEEP))
            case _:
                self.kept.append((-(rung.weight / rung.unit) @ own, slack - best))

    def hold(self, rung: Rung, rates: Vector) -> None:
        """Keep each tenant of a level at a rate from here on."""
        self.kept += [(-row, -rate) for row, rate in zip(self.owner[list(rung.among)], rates, strict=True)]

    def narrow(self, rung: Rung) -> None:
        """Leave the parts that can hold what is kept of a level."""
        held = np.array([-limit for _, limit in self.kept[-len(rung.among) :]])
        due = replace(rung, goal=Goal.FLOORS, unit=held, weight=np.ones(len(held)))
        before = replace(self, kept=self.kept[: -len(held)])
        self.parts = [part for part, value in zip(self.parts, before._greatest(due), strict=True) if value >= len(held) - KEEP]

    def part_rows(self, part: Part) -> tuple[Matrix, Vector]:
        matrix, limit = self.fixed
        kept = np.array([row for row, _ in self.kept]).reshape(len(self.kept), matrix.shape[1])
        least = np.array([least for _, least in self.kept])
        size = np.maximum(np.abs(least), KEEP)
        every = np.vstack([matrix, kept / size[:, None]])
        return every[:, part], np.concatenate([limit, least / size])

    def _greatest(self, rung: Rung) -> list[float]:
        """Solve a level over each part, all in one program of blocks."""
        blocks = [self._block(rung, part) for part in self.parts]
        gains = [gain for gain, *_ in blocks]
        x, ends = _solved(blocks), np.cumsum([len(gain) for gain in gains])
        return [float(gain @ some) for gain, some in zip(gains, np.split(x, ends[:-1]), strict=True)]

    def _block(self, rung: Rung, part: Part) -> tuple[Vector, Matrix, Vector, Vector]:
        """Write gain, rows, limits and the greatest values of rates and of the level's own columns, which are 0 or more."""
        matrix, limit = self.part_rows(part)
        share = self.owner[list(rung.among)][:, part] / rung.unit[:, None]
        count = len(rung.among)
        match rung.goal:
            case Goal.FLOORS:  # f <= share, f <= 1
                gain, own, extra = np.zeros(len(part)), rung.weight, np.hstack([-share, np.eye(count)])
            case Goal.MAXMIN:  # t <= share / weight
                gain, own, extra = np.zeros(len(part)), np.ones(1), np.hstack([-share / rung.weight[:, None], np.ones((count, 1))])
            case _:
                gain, own, extra = rung.weight @ share, np.zeros(0), np.zeros((0, len(part)))
        wide = np.hstack([matrix, np.zeros((len(limit), len(own)))])
        most = np.concatenate([np.full(len(part), np.inf), np.full(len(own), 1.0 if rung.goal is Goal.FLOORS else np.inf)])
        return np.concatenate([gain, own]), np.vstack([wide, extra]), np.concatenate([limit, np.zeros(len(extra))]), most

    def least_load(self) -> float:
        """Return the least sum of used shares of all resources by which everything that is kept is kept."""
        amounts = given(self.case.platform).items()
        load = np.array([sum(o.demand_of(name) / amount for name, amount in amounts) for o in self.case.options])
        blocks = [(-load[list(part)], *self.part_rows(part), np.full(len(part), np.inf)) for part in self.parts]
        ends = np.cumsum([len(part) for part in self.parts])
        return min(float(-gain @ some) for (gain, *_), some in zip(blocks, np.split(_solved(blocks), ends[:-1]), strict=True))

    def evened_out(self, rung: Rung) -> Vector:
        """Make the least share by weight greatest, then that of the others, and so on; return the shares. For one part only."""
        rest, share = list(range(len(rung.among))), np.zeros(len(rung.among))
        while rest:
            some = self.rung(rung.goal, rung.rank, [rung.among[at] for at in rest], rung.unit[rest])
            share[rest] = self.climb(some).low * some.weight
            alone = {at: self.rung(Goal.WEIGHTED, rung.rank, [rung.among[at]], rung.unit[[at]], equal=True) for at in rest}
            rest = [at for at, one in alone.items() if self._greatest(one)[0] > share[at] + MORE_P]
        return share

    def starves(self, rung: Rung) -> bool:
        """Say whether not all tenants of a level can have what counts as anything."""
        least = replace(rung, goal=Goal.MAXMIN, weight=np.ones(len(rung.among)))
        return max(self._greatest(least)) < FED_P

    def _most_even(self, rung: Rung) -> Reached:
        """Bracket the greatest sum of w log P: from below by a local search, from above by tangents at what it finds.

        log P <= log p + (P - p) / p for every p, so each point found bounds all parts at once, by one linear program.
        """
        low, high = -np.inf, np.full(len(self.parts), np.inf)
        for _ in range(3 * len(self.parts)):
            at = int(np.argmax(high))
            if high[at] <= low + EVEN:
                break
            share = self._evened(rung, self.parts[at])
            if share is None:
                high[at] = -np.inf
                continue
            low = max(low, float(rung.weight @ np.log(share)))
            slope = replace(rung, goal=Goal.WEIGHTED, weight=rung.weight / share)
            level = float(rung.weight @ (np.log(share) - 1.0))
            high = np.minimum(high, level + np.array(self._greatest(slope)))
        return Reached(low=low, high=float(high.max()))

    def _evened(self, rung: Rung, part: Part) -> Vector | None:
        """Return the shares where a search in one part ends, all above 0; None where somebody must have nothing.

        The best mixture of the points found so far tells by its slope which point to add (Holloway, 1974).
        """
        share = self.owner[list(rung.among)][:, part] / rung.unit[:, None]

        def furthest(goal: Goal, weight: Vector) -> Vector:
            x = _solved([self._block(replace(rung, goal=goal, weight=weight), part)])
            return np.asarray(share @ x[: len(part)])

        points = [furthest(Goal.MAXMIN, np.ones(len(rung.among)))]
        if points[0].min() < MORE_P:
            return None
        mixed = points[0]
        for _ in range(MOST_POINTS):
            points.append(furthest(Goal.WEIGHTED, rung.weight / mixed))
            if rung.weight @ (points[-1] / mixed - 1.0) <= EVEN / 10:
                break
            mixed = _mixed(rung.weight, np.array(points))
        return mixed


def _mixed(weight: Vector, points: Matrix) -> Vector:
    """Return the mixture of points whose sum of w log is greatest, points by row."""

    def worth(part: Vector) -> tuple[float, Vector]:
        mixed = np.maximum(part @ points, TINY)
        return -float(weight @ np.log(mixed)), -points @ (weight / mixed)

    found = minimize(
        worth, np.full(len(points), 1.0 / len(points)), jac=True, method="SLSQP", bounds=[(0.0, 1.0)] * len(points),
        constraints={"type": "eq", "fun": lambda part: part.sum() - 1.0, "jac": np.ones_like}, options={"ftol": 1e-15, "maxiter": 300},
    )  # fmt: skip
    part = np.maximum(found.x, 0.0)
    return np.asarray(part @ points / part.sum())


def _solved(blocks: Sequence[tuple[Vector, Matrix, Vector, Vector]]) -> Vector:
    gain, most = np.concatenate([b[0] for b in blocks]), np.concatenate([b[3] for b in blocks])
    matrix = block_diag([coo_matrix(b[1]) for b in blocks], format="csr")
    limit, bounds = np.concatenate([b[2] for b in blocks]), [(0.0, one) for one in most]
    for presolve in (True, False):  # what is kept leaves little room, and is sometimes taken for none
        options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10, "presolve": presolve}
        found = linprog(-gain, A_ub=matrix, b_ub=limit, bounds=bounds, method="highs", options=options)
        if found.status == 0:
            return np.asarray(found.x)
    raise ArithmeticError(found.message)
