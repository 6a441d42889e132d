"""One option for each tenant: a search that halves what a tenant may choose from, and proves by the halves."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cotenant.describe import ACCURACY, LATENCY, Artifact, Goal, Leaf, Option, Side
from cotenant.plan.aim import DUTIES, Aim
from cotenant.plan.branch import EXACT, Found, best, duals_of
from cotenant.plan.columns import Mask, Vector
from cotenant.plan.incumbent import Incumbent
from cotenant.plan.problem import USED, Problem
from cotenant.plan.relax import Relaxed
from cotenant.plan.rows import Row

ENOUGH_P = 1e-3  # of a solo rate: who can have it is not starved


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Say when a search for single options may end: within `gap` of the bound, relative to what is reached, or when `more` says no."""

    gap: float = 0.0
    nodes: int = 2_000
    more: Callable[[], bool] = lambda: True


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Node:
    """Hold what is left to choose from, and the best that mixtures of it reach."""

    kept: Mask
    banned: tuple[Artifact, ...]
    sides: tuple[Side, ...]
    relaxed: Relaxed


@dataclass(kw_only=True)
class _Search:
    problem: Problem
    aim: Aim
    rows: Sequence[Row]
    effort: Effort
    incumbent: Incumbent
    waiting: list[tuple[float, int, _Node]] = field(default_factory=list)
    leaves: list[tuple[float, Leaf]] = field(default_factory=list)
    count: int = 0

    def run(self, hint: Vector) -> None:
        """Split the node of the greatest bound until that is near what is reached."""
        every = np.ones(len(self.problem.options), dtype=bool)
        if hint.any():
            self.incumbent.attempt(self.incumbent.rounded(hint, every))
        self._add(every, (), (), hint)
        if self.incumbent.top is None:
            self.incumbent.attempt(self.incumbent.smallest())
        while self.waiting and self.count < self.effort.nodes and self.effort.more():
            if -self.waiting[0][0] <= self._enough():
                break
            _, _, node = heapq.heappop(self.waiting)
            for kept, banned, sides in self._split(node):
                self._add(kept, banned, sides, node.relaxed.x if node.relaxed.x is not None else hint)
        self.leaves += [(node.relaxed.bound, self._leaf(node)) for _, _, node in self.waiting]

    def _enough(self) -> float:
        """Return the bound that needs no further search."""
        if self.incumbent.top is None:
            return -math.inf
        value = self.incumbent.top.value
        if self.aim.goal is Goal.STARVED:
            return math.inf if value > ENOUGH_P else value + EXACT
        if self.aim.goal in DUTIES:
            return value + EXACT * max(1.0, abs(value))
        size = sum(self.aim.weights) if self.aim.goal is Goal.PROPORTIONAL else abs(value)
        return value + max(self.effort.gap * size, EXACT * max(1.0, abs(value)))

    def _add(self, kept: Mask, banned: tuple[Artifact, ...], sides: tuple[Side, ...], hint: Vector) -> None:
        self.count += 1
        relaxed = self.incumbent.relaxed(kept, hint)
        node = _Node(kept=kept, banned=banned, sides=sides, relaxed=relaxed)
        if relaxed.x is None:
            self.leaves.append((relaxed.bound, self._leaf(node)))
            return
        if relaxed.bound > self._enough():
            self.incumbent.attempt(self.incumbent.rounded(relaxed.x, kept))
        heapq.heappush(self.waiting, (-relaxed.bound, self.count, node))

    def _leaf(self, node: _Node) -> Leaf:
        return Leaf(banned=node.banned, duals=duals_of(self.rows, node.relaxed.prices), sides=node.sides)

    def own_first(self) -> tuple[Leaf, ...]:
        """Return the leaves, that which leaves the choice itself first."""
        assert self.incumbent.choice is not None, "asked once something is found"
        chosen = [self.problem.options[k] for k in np.flatnonzero(self.incumbent.choice)]
        leaves = [leaf for _, leaf in self.leaves]
        return tuple(sorted(leaves, key=lambda leaf: not all(_leaves(leaf, option) for option in chosen)))

    def _split(self, node: _Node) -> Iterator[tuple[Mask, tuple[Artifact, ...], tuple[Side, ...]]]:
        """Divide what a node may choose from, such that its own mixture is in no part; nothing where it is no mixture."""
        x = node.relaxed.x
        assert x is not None
        cut = self._cut(x)
        if cut is not None:
            yield from self._halves(node, *cut)
            return
        over = self.problem.overflow(x)
        if over:
            index = {artifact: at for at, artifact in enumerate(self.problem.columns.artifacts)}
            for artifact in over:
                yield node.kept & (self.problem.columns.artifact != index[artifact]), (*node.banned, artifact), node.sides
            return
        self.incumbent.attempt(self.incumbent.rounded(x, node.kept))
        self.leaves.append((node.relaxed.bound, self._leaf(node)))

    def _halves(self, node: _Node, at: int, figure: str, middle: float) -> Iterator[tuple[Mask, tuple[Artifact, ...], tuple[Side, ...]]]:
        """Let one tenant take less than the middle; or it and all that are like it in all, and may still choose alike, more.

        Whatever gives less to another of them is the first half again, with two names exchanged.
        """
        columns, name = self.problem.columns, [t.name for t in self.problem.tenants]
        demand = columns.figures[figure]
        less = Side(tenant=name[at], figure=figure, below=middle)
        yield node.kept & ((columns.owner != at) | (demand < middle)), node.banned, (*node.sides, less)
        kept, sides, own = node.kept, node.sides, node.kept[columns.owner == at]
        for one in self.alike[at]:
            if np.array_equal(node.kept[columns.owner == one], own):
                kept = kept & ((columns.owner != one) | (demand >= middle))
                sides = (*sides, Side(tenant=name[one], figure=figure, least=middle))
        yield kept, node.banned, sides

    @cached_property
    def sizes(self) -> dict[str, float]:
        """Return for each figure by which options may be told apart what counts as much of it, per inference and second."""
        return {LATENCY: float(self.problem.platform.lanes), ACCURACY: 1.0} | self.problem.capacity

    @cached_property
    def alike(self) -> list[list[int]]:
        """List for each tenant those that could take its place, itself among them, without any row or the goal telling."""
        signs = [self._sign(at) for at in range(len(self.problem.tenants))]
        return [[one for one, other in enumerate(signs) if other == sign] for sign in signs]

    def _sign(self, at: int) -> tuple[object, ...]:
        name, columns = self.problem.tenants[at].name, self.problem.columns
        own = columns.owner == at
        own_rows = [(row, row.taken[own]) for row in self.rows]
        rows = (
            ("" if row.of == name else row.of, row.bind, row.limit if row.of == name else 0.0, taken.tobytes())
            for row, taken in own_rows
            if taken.any()
        )
        t = self.problem.tenants[at]
        asked = t.rank, t.weight, t.arrival, t.floor, t.accuracy_floor
        parts = dict(zip(self.aim.tenants, zip(self.aim.weights, self.aim.units_per_s, strict=True), strict=True))
        return asked, columns.artifact[own].tobytes(), parts.get(name), frozenset(rows)

    def _cut(self, x: Vector) -> tuple[int, str, float] | None:
        """Return the tenant whose options differ most in what they take of some resource, and where to cut; None if none is mixed."""
        columns, widest, found = self.problem.columns, 0.0, None
        for at in range(len(self.problem.tenants)):
            used = np.flatnonzero((columns.owner == at) & (x > USED * self.problem.unit))
            for figure, size in self.sizes.items() if len(used) > 1 else ():
                demand = columns.figures[figure][used]
                middle = float(demand @ x[used] / x[used].sum())
                spread = float(np.abs(demand - middle) @ x[used]) / size
                if spread > widest and demand.min() < middle <= demand.max():
                    widest, found = spread, (at, figure, middle)
        return found


def best_single(problem: Problem, aim: Aim, rows: Sequence[Row], hint: Vector, effort: Effort) -> Found | None:
    """Solve one level by one option for each tenant, to within the effort's gap; None if nothing fits.

    The node of the greatest bound is split where its mixture differs most (Land and Doig, 1960); each node's bound is that of its
    mixtures.
    """
    incumbent = Incumbent(problem=problem, aim=aim, rows=rows, gap=effort.gap)
    search = _Search(problem=problem, aim=aim, rows=rows, effort=effort, incumbent=incumbent)
    search.run(hint)
    if incumbent.top is None or incumbent.choice is None:
        return None
    top = incumbent.top
    if aim.goal is Goal.PROPORTIONAL:  # followed no closer than the gap so far
        exact = incumbent.exact(incumbent.choice)
        top = top if exact.x is None else exact
    assert top.x is not None, "a choice that was kept fitted"
    return Found(
        x=top.x, value=top.value, bound=max((bound for bound, _ in search.leaves), default=top.value),
        leaves=search.own_first(), choice=incumbent.choice, prices=top.prices,
    )  # fmt: skip


def _leaves(leaf: Leaf, option: Option) -> bool:
    """Say whether a leaf leaves an option."""
    own = (side for side in leaf.sides if side.tenant == option.tenant)
    return option.artifact not in leaf.banned and all(side.least <= option.figure_of(side.figure) < side.below for side in own)


def reached(problem: Problem, aim: Aim, rows: Sequence[Row], choice: Mask) -> Found | None:
    """Solve one level by options that are chosen already; its bound is that of all mixtures. None if nothing fits."""
    hint = np.asarray(choice, dtype=np.float64)
    found = best(problem, aim, rows, hint, choice)
    whole = best(problem, aim, rows, hint)
    if found is None or whole is None:
        return None
    return replace(found, bound=whole.bound, leaves=whole.leaves, choice=choice)
