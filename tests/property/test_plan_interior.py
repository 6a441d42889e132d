"""The interior point of one option each, against the linear programs that follow the logarithm by tangents."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cotenant.describe import Goal, Objective
from cotenant.plan import Effort, solve
from cotenant.plan.aim import Aim
from cotenant.plan.columns import Mask, Vector
from cotenant.plan.interior import NEAR, Interior, interior
from cotenant.plan.levels import STARVED_P, Ladder
from cotenant.plan.relax import Relaxed, relax
from cotenant.plan.solve import secured
from tests.oracle.drawn_crews import Kind, drawn
from tests.plan_cases import Case, cases

CLOSE = 1e-6


@dataclass(frozen=True)
class Level:
    """A sum of logarithms to be made greatest by a choice of options, after demands and floors."""

    ladder: Ladder
    aim: Aim
    choice: Mask

    @property
    def interior(self) -> Interior:
        return interior(self.ladder.problem, self.aim, self.ladder.rows)

    @property
    def least(self) -> float:
        """Return a value that nobody is starved above."""
        return min(self.aim.weights) * float(np.log(10 * STARVED_P))

    def by_tangents(self) -> Relaxed:
        kept = np.flatnonzero(self.choice)
        return relax(self.ladder.problem, self.aim, self.ladder.rows, kept, np.zeros(len(self.choice)))

    def excess(self, x: Vector) -> float:
        """Return by how much rates break the worst row, relative to its limit."""
        return max(float(row.taken @ x - row.limit) / max(abs(row.limit), 1e-9) for row in self.ladder.rows)


@st.composite
def levels(draw: st.DrawFn, *, roomy: bool = False) -> Level:
    """Draw a level; `roomy`: the first, when nobody has been served."""
    case: Case = draw(cases(level=roomy))
    ladder = secured(case.tenants, case.options, case.platform, 0.9)
    some = draw(st.lists(st.sampled_from(case.tenants), min_size=1, unique_by=lambda t: t.name))
    aim = Aim(
        goal=Goal.PROPORTIONAL, rank=0, tenants=tuple(t.name for t in some), weights=tuple(t.weight for t in some),
        units_per_s=tuple(ladder.solo(t.name) for t in some),
    )  # fmt: skip
    choice = np.zeros(len(case.options), dtype=bool)
    owner = ladder.problem.columns.owner
    for at in range(len(case.tenants)):
        choice[draw(st.sampled_from(np.flatnonzero(owner == at).tolist()))] = True
    return Level(ladder, aim, choice)


@settings(max_examples=150, deadline=None)
@given(levels())
def test_it_reaches_what_tangents_do(level: Level) -> None:
    """But for the starved, of whom no logarithm is ever asked."""
    found, known = level.interior.relax(level.choice, -np.inf, NEAR), level.by_tangents()
    assume(found is not None and known.value > level.least)
    assert found is not None
    assert known.x is not None
    assert found.x is not None
    assert found.value == pytest.approx(known.value, abs=CLOSE * sum(level.aim.weights))
    assert known.value <= found.bound + CLOSE * sum(level.aim.weights)
    assert level.excess(found.x) < 1e-7


@settings(max_examples=100, deadline=None)
@given(levels(roomy=True))
def test_it_settles_wherever_there_is_room(level: Level) -> None:
    assert level.interior.relax(level.choice, -np.inf, NEAR) is not None


@settings(max_examples=100, deadline=None)
@given(levels(), st.floats(-2.0, 2.0))
def test_it_gives_up_only_what_does_not_come_beyond(level: Level, more: float) -> None:
    whole = level.interior.relax(level.choice, -np.inf, NEAR)
    assume(whole is not None and whole.value > level.least)
    assert whole is not None
    found = level.interior.relax(level.choice, whole.value + more, NEAR)
    assert found is not None
    assert found.bound >= whole.value - CLOSE
    if abs(more) > CLOSE:
        assert (found.x is not None) == (more < 0)


@pytest.mark.parametrize("seed", [14, 138, 200, 224, 383, *range(7), *range(10, 15)])
def test_plans_by_it_come_as_far_as_without(seed: int) -> None:
    """Where memory is tight and ranks before leave crumbs, too: these seeds have been wrong."""
    case = drawn(Kind(tenants=4, ranks=2, opened=0.5, rates_per_s=(10.0, 60.0), tight=True), seed)
    ways = [solve(case.tenants, case.options, case.platform, Objective.PROPORTIONAL, allow_overload=True, effort=Effort())]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cotenant.plan.incumbent.interior", lambda *_: None)
        ways.append(solve(case.tenants, case.options, case.platform, Objective.PROPORTIONAL, allow_overload=True, effort=Effort()))
    own, other = ([level for level in plan.levels if level.goal is not Goal.LOAD] for plan in ways)  # of equals each takes its own
    assert [(level.goal, level.rank, level.tenants) for level in own] == [(level.goal, level.rank, level.tenants) for level in other]
    assert [level.value for level in own] == pytest.approx([level.value for level in other], abs=1e-5)
