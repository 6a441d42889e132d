"""Linear programs, solved by HiGHS over the columns that matter."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cotenant.plan.columns import Matrix, Vector

_PRIMAL = 4  # HiGHS's number of the primal simplex
TOLERANCE = 1e-9  # of HiGHS, on rows and columns that are scaled to about 1
_AT_ONCE = 3  # columns of each group that are taken up in one round

Indices = NDArray[np.intp]


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """Hold the best columns, the least price of each row (0 or more), and the value reached."""

    columns: Vector
    prices: Vector
    value: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Lazy:
    """Say which columns may wait outside until the prices call for them: the first ones, each of a group, but for `start`."""

    group: Indices
    start: Indices


class Lp:
    """Make `cost . columns` greatest under `matrix @ columns <= limit` and `lower <= columns`.

    `cost`, `lower`, `unit`: one per column; `unit` is its typical size. Rows added later start from the last basis. `lazy` columns are
    taken up as long as one has a price that makes it worth while (Dantzig and Wolfe, 1960): the optimum is that over all of them.
    """

    def __init__(
        self, cost: Vector, matrix: Matrix, limit: Vector, *, unit: Vector, lower: Vector | None = None, lazy: Lazy | None = None
    ) -> None:
        import highspy

        self._unit, self._lazy = unit, lazy
        self._cost = -cost * unit
        self._floor = np.zeros(len(cost)) if lower is None else lower / unit
        self._rows = np.zeros((0, len(cost)))  # scaled as HiGHS has them
        self._scale, self._limit = np.zeros(0), np.zeros(0)
        every = np.arange(len(cost))
        self._open = np.ones(len(cost), dtype=bool)
        self._at = every if lazy is None or not len(lazy.start) else np.concatenate([lazy.start, every[len(lazy.group) :]])
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in _OPTIONS:
            self._highs.setOptionValue(option, value)
        self._highs.addVars(len(self._at), self._floor[self._at], np.full(len(self._at), highspy.kHighsInf))
        self._highs.changeColsCost(len(self._at), np.arange(len(self._at), dtype=np.int32), self._cost[self._at])
        self.add(matrix, limit)

    @property
    def width(self) -> int:
        """Return the number of columns, taken up or not."""
        return len(self._unit)

    def add(self, matrix: Matrix, limit: Vector, *, sharp: float = 1.0) -> None:
        """Add rows `matrix @ columns <= limit`, held `sharp` times closer; shapes (rows, columns) and (rows,)."""
        rows = matrix * self._unit
        scale = np.maximum(np.abs(limit), np.abs(rows).max(axis=1, initial=0.0)) / sharp
        scale[scale == 0] = 1.0
        rows = rows / scale[:, None]
        for row, most in zip(rows[:, self._at], limit / scale, strict=True):
            where = np.flatnonzero(row).astype(np.int32)
            self._highs.addRow(-np.inf, most, len(where), where, row[where])
        self._rows = np.concatenate([self._rows, rows])
        self._scale, self._limit = np.concatenate([self._scale, scale]), np.concatenate([self._limit, limit])

    def open(self, columns: NDArray[np.bool_]) -> None:
        """Let these columns alone be more than 0, until others are opened; the next optimum starts from the last one."""
        changed = np.flatnonzero(columns[self._at] != self._open[self._at]).astype(np.int32)
        self._open = columns
        most = np.where(columns[self._at[changed]], np.inf, 0.0)
        self._highs.changeColsBounds(len(changed), changed, self._floor[self._at[changed]], most)

    def solve(self, *, patient: bool = True) -> Optimum | None:
        """Return the optimum, the same for the same rows and calls before; None if there is no feasible point.

        Unless `patient`, none is looked for beyond the columns that were taken up.
        """
        if not len(self._unit):
            return self._empty()
        while True:
            duals = self._run()
            if duals is None and not patient:
                return None
            wanted = self._outside() if duals is None else self._wanted(duals)
            if not len(wanted):
                return None if duals is None else self._optimum(duals)
            self._take(wanted)

    def _run(self) -> Vector | None:
        """Solve over the columns taken up; return what each row pays, None if no point is feasible."""
        import highspy

        self._highs.run()
        if self._highs.getModelStatus() == highspy.HighsModelStatus.kUnknown:  # the dual simplex may lose its way
            self._highs.clearSolver()
            self._highs.setOptionValue("simplex_strategy", _PRIMAL)
            self._highs.run()
        status = self._highs.getModelStatus()
        if status in {highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible}:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise ArithmeticError(f"HiGHS ended with {self._highs.modelStatusToString(status)}")
        return np.asarray(self._highs.getSolution().row_dual)

    def _optimum(self, duals: Vector) -> Optimum:
        columns = np.zeros(len(self._unit))
        columns[self._at] = np.asarray(self._highs.getSolution().col_value)
        value = -float(self._highs.getInfo().objective_function_value)
        return Optimum(columns=columns * self._unit, prices=np.maximum(-duals, 0.0) / self._scale, value=value)

    def _outside(self) -> Indices:
        waiting = np.ones(0 if self._lazy is None else len(self._lazy.group), dtype=bool)
        waiting[self._at[self._at < len(waiting)]] = False
        return np.flatnonzero(waiting & self._open[: len(waiting)])

    def _wanted(self, duals: Vector) -> Indices:
        """Return, of the columns outside, those of each group that gain the most at these prices; none where none gains."""
        outside = self._outside()
        if self._lazy is None or not len(outside):
            return outside
        paid = np.flatnonzero(duals)
        reduced = (self._cost - np.einsum("i,ij->j", duals[paid], self._rows[paid]))[outside]  # in this thread alone, unlike a product
        gaining = np.flatnonzero(reduced < -TOLERANCE)
        gaining = gaining[np.argsort(reduced[gaining], kind="stable")]
        group = self._lazy.group[outside[gaining]]
        first = [gaining[group == one][:_AT_ONCE] for one in np.unique(group)]
        return outside[np.concatenate(first)] if first else outside[:0]

    def _take(self, wanted: Indices) -> None:
        for column in wanted:
            entries = self._rows[:, column]
            where = np.flatnonzero(entries).astype(np.int32)
            self._highs.addCol(self._cost[column], self._floor[column], np.inf, len(where), where, entries[where])
        self._at = np.concatenate([self._at, wanted])

    def _empty(self) -> Optimum | None:
        """Judge rows over no columns, which HiGHS does not."""
        if (self._limit < 0).any():
            return None
        return Optimum(columns=np.zeros(0), prices=np.zeros(len(self._limit)), value=0.0)


_OPTIONS: tuple[tuple[str, bool | int | float | str], ...] = (
    ("output_flag", False),
    ("threads", 1),
    ("presolve", "off"),
    ("solver", "simplex"),
    ("primal_feasibility_tolerance", TOLERANCE),
    ("dual_feasibility_tolerance", TOLERANCE),
)
