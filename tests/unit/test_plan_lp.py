"""Linear programs where the solver loses its way."""

from __future__ import annotations

import highspy
import numpy as np
import pytest

from cotenant.plan.lp import Lp


def program() -> Lp:
    return Lp(np.array([3.0, 2.0]), np.array([[1.0, 1.0], [1.0, 0.0]]), np.array([4.0, 3.0]), unit=np.ones(2))


@pytest.mark.parametrize("lost", [0, 1, 2])
def test_a_solver_that_loses_its_way_is_asked_again_by_the_other_method(lost: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told, real = list[str](), highspy.Highs.run

    def run(self: highspy.Highs) -> object:
        told.append("run")
        return real(self)

    def status(self: highspy.Highs) -> highspy.HighsModelStatus:
        return highspy.HighsModelStatus.kUnknown if len(told) <= lost else highspy.HighsModelStatus.kOptimal

    monkeypatch.setattr(highspy.Highs, "run", run)
    monkeypatch.setattr(highspy.Highs, "getModelStatus", status)
    found = program().solve()
    assert found is not None
    assert found.columns.tolist() == pytest.approx([3.0, 1.0])
    assert len(told) == lost + 1


def test_a_solver_that_never_finds_its_way_is_no_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(highspy.Highs, "getModelStatus", lambda _: highspy.HighsModelStatus.kUnknown)
    with pytest.raises(ArithmeticError, match="HiGHS ended with"):
        program().solve()
