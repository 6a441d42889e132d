"""Linear programs, solved by HiGHS over the columns that matter."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cotenant.plan.columns import Matrix, Vector

_DUAL, _PRIMAL = 1, 4  # HiGHS's numbers of the two simplex methods
_OTHER_WAYS = ((_PRIMAL, "off"), (_DUAL, "off"), (_DUAL, "on"))  # either simplex may lose its way from where it stands, or at all
TOLERANCE = 1e-9  # of HiGHS, on rows and columns that are scaled to about 1
_AT_ONCE = 3  # columns of each group that are taken up in one round
_FEW = 32  # columns that are taken up as soon as no others are open

Indices = NDArray[np.intp]


class LostError(ArithmeticError):
    """It could not be told whether any point is feasible: rows nearly contradict each other."""


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

    `cost`, `lower`, `unit`: one per column; `unit` is its typical size. `sharp`: how many times closer each row is held, one per row.
    `lazy` columns are taken up as long as one has a price that makes it worth while (Dantzig and Wolfe, 1960): the optimum is that over
    all of them.
    """

    def __init__(
        self, cost: Vector, matrix: Matrix, limit: Vector, *, unit: Vector, lower: Vector | None = None, lazy: Lazy | None = None,
        sharp: Vector | float = 1.0,
    ) -> None:  # fmt: skip
        import highspy

        self._unit, self._lazy = unit, lazy
        self._cost = -cost * unit
        self._floor = np.zeros(len(cost)) if lower is None else lower / unit
        self._rows = matrix * unit
        self._scale, self._limit = _size(self._rows, limit, sharp), limit
        self._rows /= self._scale[:, None]  # as HiGHS has them
        every = np.arange(len(cost))
        self._open = np.ones(len(cost), dtype=bool)
        self._later = 0  # columns taken up since the start
        self._at = every if lazy is None or not len(lazy.start) else np.concatenate([lazy.start, every[len(lazy.group) :]])
        self._highs = _silent()()
        for option, value in _OPTIONS:
            self._highs.setOptionValue(option, value)
        self._highs.addVars(len(self._at), self._floor[self._at], np.full(len(self._at), highspy.kHighsInf))
        self._highs.changeColsCost(len(self._at), np.arange(len(self._at), dtype=np.int32), self._cost[self._at])
        self._load(self._rows[:, self._at], limit / self._scale, np.arange(len(self._at), dtype=np.int32))

    @property
    def width(self) -> int:
        """Return the number of columns, taken up or not."""
        return len(self._unit)

    def add(self, matrix: Matrix, limit: Vector, *, sharp: float = 1.0) -> None:
        """Add rows over the last columns, none of them lazy, `matrix @ those <= limit`; the next optimum starts from the last one."""
        own = np.arange(self.width - matrix.shape[1], self.width)
        first = len(self._at) - len(own) - self._later
        rows = matrix * self._unit[own]
        scale = _size(rows, limit, sharp)
        self._load(rows / scale[:, None], limit / scale, np.arange(first, first + len(own), dtype=np.int32))

    def _load(self, rows: Matrix, limit: Vector, at: NDArray[np.int32]) -> None:
        for row, most in zip(rows, limit, strict=True):
            where = np.flatnonzero(row)
            self._highs.addRow(-np.inf, most, len(where), at[where], row[where])

    def open(self, columns: NDArray[np.bool_]) -> None:
        """Let these columns alone be more than 0, until others are opened; the next optimum starts from the last one."""
        assert self._lazy is not None, "columns that are opened come lazily"
        changed = np.flatnonzero(columns[self._at] != self._open[self._at]).astype(np.int32)
        self._open = columns
        most = np.where(columns[self._at[changed]], np.inf, 0.0)
        self._highs.changeColsBounds(len(changed), changed, self._floor[self._at[changed]], most)
        if np.count_nonzero(columns[: len(self._lazy.group)]) <= _FEW:
            self._take(self._outside())

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
        lost = {highspy.HighsModelStatus.kUnknown, highspy.HighsModelStatus.kNotset, highspy.HighsModelStatus.kSolveError}
        for strategy, presolve in _OTHER_WAYS:
            if self._highs.getModelStatus() not in lost:
                break
            self._highs.clearSolver()
            self._highs.setOptionValue("simplex_strategy", strategy)
            self._highs.setOptionValue("presolve", presolve)
            self._highs.run()
            self._highs.setOptionValue("presolve", "off")
        status = self._highs.getModelStatus()
        if status in {highspy.HighsModelStatus.kInfeasible, highspy.HighsModelStatus.kUnboundedOrInfeasible}:
            return None
        if status != highspy.HighsModelStatus.kOptimal:
            raise LostError(f"HiGHS ended with {self._highs.modelStatusToString(status)}")
        return np.asarray(self._highs.getSolution().row_dual)

    def _optimum(self, duals: Vector) -> Optimum:
        columns = np.zeros(len(self._unit))
        columns[self._at] = np.asarray(self._highs.getSolution().col_value)
        value = -float(self._highs.getInfo().objective_function_value)
        return Optimum(columns=columns * self._unit, prices=np.maximum(-duals[: len(self._scale)], 0.0) / self._scale, value=value)

    def _outside(self) -> Indices:
        waiting = np.ones(0 if self._lazy is None else len(self._lazy.group), dtype=bool)
        waiting[self._at[self._at < len(waiting)]] = False
        return np.flatnonzero(waiting & self._open[: len(waiting)])

    def _wanted(self, duals: Vector) -> Indices:
        """Return, of the columns outside, those of each group that gain the most at these prices; none where none gains."""
        outside = self._outside()
        if self._lazy is None or not len(outside):
            return outside
        paid = np.flatnonzero(duals[: len(self._rows)])
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
        self._later += len(wanted)

    def _empty(self) -> Optimum | None:
        """Judge rows over no columns, which HiGHS does not."""
        if (self._limit < 0).any():
            return None
        return Optimum(columns=np.zeros(0), prices=np.zeros(len(self._limit)), value=0.0)


@cache
def _silent() -> Any:
    """Return HiGHS's class, told to be silent before it says its own name (as soon as it is made, from 1.16 on)."""
    import highspy

    class Silent(highspy.Highs):
        def enableCallbacks(self) -> None:  # noqa: N802
            self.silent()
            super().enableCallbacks()  # type: ignore[no-untyped-call]

    return Silent


def _size(rows: Matrix, limit: Vector, sharp: Vector | float) -> Vector:
    """Return what each row is divided by, so that its greatest number is `sharp`."""
    size = np.maximum(np.abs(limit), np.abs(rows).max(axis=1, initial=0.0)) / sharp
    size[size == 0] = 1.0
    return np.asarray(size)


_OPTIONS: tuple[tuple[str, bool | int | float | str], ...] = (
    ("output_flag", False),
    ("threads", 1),
    ("presolve", "off"),
    ("solver", "simplex"),
    ("primal_feasibility_tolerance", TOLERANCE),
    ("dual_feasibility_tolerance", TOLERANCE),
)
