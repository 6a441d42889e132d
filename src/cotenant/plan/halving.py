"""Where to halve what tenants may choose from, where their mixtures differ most."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import ACCURACY, LATENCY, Side
from cotenant.plan.aim import Aim
from cotenant.plan.columns import Mask, Vector
from cotenant.plan.problem import USED, Problem
from cotenant.plan.rows import Row


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """Tell options by whether they take less of a figure than the middle.

    The tenants are alike and may choose alike, whoever takes less most often first; of their mixtures `count`, and less than one more, take
    less.
    """

    tenants: tuple[int, ...]
    figure: str
    middle: float
    count: int


@dataclass(frozen=True, kw_only=True, eq=False)
class Halving:
    """Divide what a level's tenants may choose from."""

    problem: Problem
    aim: Aim
    rows: Sequence[Row]

    def cuts(self, x: Vector, sides: Sequence[Side]) -> list[Cut]:
        """Return where a mixture within sides is best cut by each figure, that first by which a tenant's options differ most."""
        widest: dict[str, tuple[float, int, float]] = {}
        for at, own in enumerate(self._own):
            used = own[x[own] > USED * self.problem.unit[own]]
            for figure, size in self._sizes.items() if len(used) > 1 else ():
                demand = self.problem.columns.figures[figure][used]
                middle = float(demand @ x[used] / x[used].sum())
                spread = float(np.abs(demand - middle) @ x[used]) / size
                if spread > widest.get(figure, (0.0,))[0] and demand.min() < middle <= demand.max():
                    widest[figure] = spread, at, middle
        ordered = sorted(widest.items(), key=lambda one: -one[1][0])
        return [self._cut(x, sides, at, figure, middle) for figure, (_, at, middle) in ordered]

    def halves(self, cut: Cut, kept: Mask) -> Iterator[tuple[Mask, tuple[Side, ...]]]:
        """Yield what is left if more of a cut's tenants take less than its middle than do now, and if no more do.

        Which of them, makes no difference: whatever chooses others of them is the same again, with names exchanged.
        """
        columns, names = self.problem.columns, [tenant.name for tenant in self.problem.tenants]
        less = columns.figures[cut.figure] < cut.middle
        for some, inside, limits in (
            (cut.tenants[: cut.count + 1], less, {"below": cut.middle}),
            (cut.tenants[cut.count :], ~less, {"least": cut.middle}),
        ):
            sides = tuple(Side(tenant=names[one], figure=cut.figure, **limits) for one in some)
            yield kept & (~np.isin(columns.owner, some) | inside), sides

    def _cut(self, x: Vector, sides: Sequence[Side], at: int, figure: str, middle: float) -> Cut:
        less = self.problem.columns.figures[figure] < middle
        names = [tenant.name for tenant in self.problem.tenants]
        same = [one for one in self._alike[at] if _of(sides, names[one]) == _of(sides, names[at])]
        part = {one: float(x[own] @ less[own] / max(x[own].sum(), USED)) for one in same for own in [self._own[one]]}
        count = min(int(sum(part.values())), len(same) - 1)
        return Cut(tenants=tuple(sorted(same, key=lambda one: -part[one])), figure=figure, middle=middle, count=count)

    @cached_property
    def _own(self) -> list[NDArray[np.intp]]:
        return [np.flatnonzero(self.problem.columns.owner == at) for at in range(len(self.problem.tenants))]

    @cached_property
    def _sizes(self) -> dict[str, float]:
        """Return for each figure by which options may be told apart what counts as much of it, per inference and second."""
        return {LATENCY: float(self.problem.platform.lanes), ACCURACY: 1.0} | self.problem.capacity

    @cached_property
    def _alike(self) -> list[list[int]]:
        """List for each tenant those that could take its place, itself among them, without any row or the goal telling."""
        signs = [self._sign(at) for at in range(len(self.problem.tenants))]
        return [[one for one, other in enumerate(signs) if other == sign] for sign in signs]

    def _sign(self, at: int) -> tuple[object, ...]:
        name, own = self.problem.tenants[at].name, self._own[at]
        own_rows = [(row, row.taken[own]) for row in self.rows]
        rows = (
            ("" if row.of == name else row.of, row.bind, row.limit if row.of == name else 0.0, taken.tobytes())
            for row, taken in own_rows
            if taken.any()
        )
        t = self.problem.tenants[at]
        asked = t.rank, t.weight, t.arrival, t.floor, t.accuracy_floor
        parts = dict(zip(self.aim.tenants, zip(self.aim.weights, self.aim.units_per_s, strict=True), strict=True))
        return asked, self.problem.columns.artifact[own].tobytes(), parts.get(name), frozenset(rows)


def _of(sides: Sequence[Side], name: str) -> frozenset[Side]:
    """Return the sides of one tenant, whoever it is."""
    return frozenset(replace(side, tenant="") for side in sides if side.tenant == name)
