"""Linear programs, solved by HiGHS."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

_PRIMAL = 4  # HiGHS's number of the primal simplex
TOLERANCE = 1e-9  # of HiGHS, on rows and columns that are scaled to about 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """Hold the best columns, the least price of each row (0 or more), and the value reached."""

    columns: Vector
    prices: Vector
    value: float


class Lp:
    """Make `cost . columns` greatest under `matrix @ columns <= limit` and `lower <= columns`.

    `cost`, `lower`, `unit`: one per column; `unit` is its typical size. Rows added later start from the last basis.
    """

    def __init__(self, cost: Vector, matrix: Matrix, limit: Vector, *, unit: Vector, lower: Vector | None = None) -> None:
        import highspy

        self._unit = unit
        self._scale: list[float] = []
        self._limit: list[float] = []
        self._highs = highspy.Highs()  # type: ignore[no-untyped-call]
        for option, value in _OPTIONS:
            self._highs.setOptionValue(option, value)
        floor = np.zeros(len(cost)) if lower is None else lower / unit
        self._highs.addVars(len(cost), floor, np.full(len(cost), highspy.kHighsInf))
        self._highs.changeColsCost(len(cost), np.arange(len(cost), dtype=np.int32), -cost * unit)
        self.add(matrix, limit)

    def add(self, matrix: Matrix, limit: Vector, *, sharp: float = 1.0) -> None:
        """Add rows `matrix @ columns <= limit`, held `sharp` times closer; shapes (rows, columns) and (rows,)."""
        for row, most in zip(matrix * self._unit, limit, strict=True):
            scale = max(abs(most), float(np.abs(row).max(initial=0.0))) / sharp or 1.0
            where = np.flatnonzero(row).astype(np.int32)
            self._scale.append(scale)
            self._limit.append(float(most))
            self._highs.addRow(-np.inf, most / scale, len(where), where, row[where] / scale)

    def solve(self) -> Optimum | None:
        """Return the optimum, the same for the same rows; None if there is no feasible point."""
        import highspy

        if not len(self._unit):
            return self._empty()
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
        solution = self._highs.getSolution()
        return Optimum(
            columns=np.asarray(solution.col_value) * self._unit,
            prices=np.maximum(-np.asarray(solution.row_dual), 0.0) / np.asarray(self._scale),
            value=-float(self._highs.getInfo().objective_function_value),
        )

    def _empty(self) -> Optimum | None:
        """Judge rows over no columns, which HiGHS does not."""
        if any(most < 0 for most in self._limit):
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
