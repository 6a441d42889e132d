"""A level that is solved again and again, with other options left out each time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cotenant.plan.aim import Aim
from cotenant.plan.columns import Vector
from cotenant.plan.lp import LostError
from cotenant.plan.problem import Problem
from cotenant.plan.relax import Relaxed, loaded, optimum_of, program_of, relax, relaxed
from cotenant.plan.rows import Row


class Standing:
    """Keep a level's program loaded, so that each solution starts from the one before."""

    def __init__(self, problem: Problem, aim: Aim, rows: Sequence[Row], hint: Vector, close: float) -> None:
        self._problem, self._aim, self._rows, self._hint, self._close = problem, aim, rows, hint, close
        self._program = program_of(problem, aim, rows, np.arange(len(problem.options)), hint)
        self._lp = loaded(self._program, aim.goal, aim.gain(problem), hint)
        self._more = self._lp.width - len(problem.options)

    def relax(self, kept: NDArray[np.bool_]) -> Relaxed:
        """Solve the level over the options marked, with no regard to memories; what seems impossible is tried afresh."""
        found = self.probe(kept)
        return relax(self._problem, self._aim, self._rows, np.flatnonzero(kept), self._hint, self._close) if found is None else found

    def probe(self, kept: NDArray[np.bool_]) -> Relaxed | None:
        """Solve the level likewise; None for what seems impossible by the options that were looked at, which is quick to tell."""
        if not (self._program.parts[:, kept].max(axis=1, initial=0.0) > 0).all():
            return None
        self._lp.open(np.concatenate([kept, np.ones(self._more, dtype=bool)]))
        try:
            found = optimum_of(self._lp, self._program, self._aim.goal, self._close, patient=False)
        except LostError:
            return None
        return None if found is None else relaxed(self._problem, self._aim, self._program, found)
