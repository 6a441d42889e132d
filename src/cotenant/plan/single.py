"""One option for each tenant: a search that halves what a tenant may choose from, and proves by the halves."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from cotenant.describe import Artifact, Dual, Goal, Leaf, Option, Side
from cotenant.plan.aim import DUTIES, Aim
from cotenant.plan.branch import EXACT, Found, best, duals_of
from cotenant.plan.columns import Mask, Vector
from cotenant.plan.halving import Cut, Halving
from cotenant.plan.incumbent import Incumbent
from cotenant.plan.problem import USED, Problem
from cotenant.plan.relax import Relaxed
from cotenant.plan.rows import Row
from cotenant.plan.sieve import Sieve

FIRST = 16  # nodes: their choices are bettered in pairs, later some; what is not done by then is worth choosing among cuts
LOOKED_AT = 2  # cuts of which the halves are solved before one is chosen
WORTH_A_SIEVE = 0.9  # of the options: more left is no help
FAR, EVERY = 3.0, 4  # what is reached is far from enough by so many times what is allowed: then every so many-th node is dived from
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
    sieves: tuple[tuple[Dual, ...], ...]
    relaxed: Relaxed


@dataclass(kw_only=True)
class _Search:
    problem: Problem
    aim: Aim
    rows: Sequence[Row]
    effort: Effort
    incumbent: Incumbent
    halving: Halving
    sieve: Sieve
    waiting: list[tuple[float, int, _Node]] = field(default_factory=list)
    leaves: list[tuple[float, Leaf]] = field(default_factory=list)
    sieved: float = -math.inf  # what was left out comes no further
    count: int = 0

    def run(self, hint: Vector) -> None:
        """Split the node of the greatest bound until that is near what is reached."""
        every = np.ones(len(self.problem.options), dtype=bool)
        if hint.any():
            self.incumbent.attempt(self.incumbent.rounded(hint, every))
        self._add(self._node(every, (), (), (), hint))
        if self.incumbent.top is None:
            self.incumbent.attempt(self.incumbent.smallest())
        while self.waiting and self.count < self.effort.nodes and self.effort.more():
            if -self.waiting[0][0] <= self._enough():
                break
            _, _, node = heapq.heappop(self.waiting)
            for part in self._split(node):
                self._add(part)
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

    def _node(
        self, kept: Mask, banned: tuple[Artifact, ...], sides: tuple[Side, ...], sieves: tuple[tuple[Dual, ...], ...], hint: Vector
    ) -> _Node:
        return _Node(kept=kept, banned=banned, sides=sides, sieves=sieves, relaxed=self.incumbent.relaxed(kept, hint))

    def _add(self, node: _Node) -> None:
        self.count += 1
        if node.relaxed.x is None:
            self.leaves.append((node.relaxed.bound, self._leaf(node)))
            return
        if node.relaxed.bound > self._enough():
            prices = node.relaxed.prices if self.count < FIRST or self.count % EVERY == 0 else None
            self.incumbent.attempt(self.incumbent.rounded(node.relaxed.x, node.kept), prices)
            if self._is_worth_a_dive(node):
                self._dive(node)
        heapq.heappush(self.waiting, (-node.relaxed.bound, self.count, node))

    def _is_worth_a_dive(self, node: _Node) -> bool:
        """Say so of nodes 1, 2, 4, 8, ..., and of every fourth while what is reached is far from enough."""
        if self.count & (self.count - 1) == 0:
            return True
        top = self.incumbent.top
        is_far = top is not None and node.relaxed.bound - top.value > FAR * (self._enough() - top.value)
        return is_far and self.count % EVERY == 0

    def _dive(self, node: _Node) -> None:
        """Settle one tenant after the other on the option that serves most of it, the nearest to that first; try what comes."""
        assert node.relaxed.x is not None, "what is infeasible is not followed"
        kept, x, owner = node.kept, node.relaxed.x, self.problem.columns.owner
        for _ in self.problem.tenants:
            used = np.where(x > USED * self.problem.unit, x, 0.0)
            most = np.zeros(len(self.problem.tenants))
            np.maximum.at(most, owner, used)
            parts = most / np.maximum(self.problem.reached(used), USED)
            split = np.flatnonzero((parts > 0) & (parts < 1 - USED))
            if not len(split):
                break
            settled = split[np.argmax(parts[split])]
            kept = kept & ((owner != settled) | (used == most[settled]))
            relaxed = self.incumbent.probed(kept, x)
            if relaxed is None or relaxed.x is None or relaxed.bound <= self._enough():
                return
            x = relaxed.x
        self.incumbent.attempt(self.incumbent.rounded(x, kept))

    def _leaf(self, node: _Node) -> Leaf:
        return Leaf(banned=node.banned, duals=duals_of(self.rows, node.relaxed.prices), sides=node.sides, sieves=node.sieves)

    def own_first(self) -> tuple[Leaf, ...]:
        """Return the leaves, that which leaves the choice itself first."""
        assert self.incumbent.choice is not None, "asked once something is found"
        chosen = [self.problem.options[k] for k in np.flatnonzero(self.incumbent.choice)]
        leaves = [leaf for _, leaf in self.leaves]
        return tuple(sorted(leaves, key=lambda leaf: not all(_leaves(leaf, option) for option in chosen)))

    def _split(self, node: _Node) -> Iterator[_Node]:
        """Divide what a node may choose from, such that its own mixture is in no part; nothing where it is no mixture."""
        before, node, x = node, self._sieved(node), node.relaxed.x
        assert x is not None
        if self._served(node.kept) < self._served(before.kept):
            self.leaves.append((self.sieved, self._leaf(node)))
            return
        if (x > USED * self.problem.unit)[~node.kept].any():
            yield self._node(node.kept, node.banned, node.sides, node.sieves, x)
            return
        cuts = self.halving.cuts(x, node.sides)
        if cuts:
            yield from self._best_halves(node, x, cuts[: LOOKED_AT if self.count > FIRST else 1])
            return
        over = self.problem.overflow(x)
        if over:
            index = {artifact: at for at, artifact in enumerate(self.problem.columns.artifacts)}
            for artifact in over:
                kept = node.kept & (self.problem.columns.artifact != index[artifact])
                yield self._node(kept, (*node.banned, artifact), node.sides, node.sieves, x)
            return
        self.incumbent.attempt(self.incumbent.rounded(x, node.kept))
        self.leaves.append((node.relaxed.bound, self._leaf(node)))

    def _sieved(self, node: _Node) -> _Node:
        """Leave out by what nothing above what is enough can be chosen, where that is worth its place in the proof."""
        assured = self._enough()
        passed = self.sieve.passed(node.kept, node.relaxed.prices, assured)
        if passed.sum() > WORTH_A_SIEVE * node.kept.sum():
            return node
        self.sieved = max(self.sieved, assured)
        return replace(node, kept=passed, sieves=(*node.sieves, self.sieve.duals(node.relaxed.prices)))

    def _served(self, kept: Mask) -> int:
        """Count the tenants that have an option left."""
        return len(np.unique(self.problem.columns.owner[kept]))

    def _best_halves(self, node: _Node, x: Vector, cuts: Sequence[Cut]) -> list[_Node]:
        """Return the halves whose bounds fall furthest (strong branching; Applegate, Bixby, Chvatal and Cook, 1995)."""
        best, most, assured = list[_Node](), -1.0, self._enough()
        for cut in cuts:
            halves = self.halving.halves(cut, node.kept)
            parts = [self._node(kept, node.banned, (*node.sides, *sides), node.sieves, x) for kept, sides in halves]
            fallen = math.prod(max(node.relaxed.bound - max(part.relaxed.bound, assured), EXACT) for part in parts)
            if fallen > most:
                best, most = parts, fallen
            if all(part.relaxed.bound <= assured for part in parts):
                return parts
        return best


def best_single(problem: Problem, aim: Aim, rows: Sequence[Row], hint: Vector, effort: Effort) -> Found | None:
    """Solve one level by one option for each tenant, to within the effort's gap; None if nothing fits.

    The node of the greatest bound is split where its mixture differs most (Land and Doig, 1960); each node's bound is that of its
    mixtures.
    """
    incumbent = Incumbent(problem=problem, aim=aim, rows=rows, gap=effort.gap)
    halving = Halving(problem=problem, aim=aim, rows=rows)
    sieve = Sieve(problem=problem, aim=aim, rows=rows)
    search = _Search(problem=problem, aim=aim, rows=rows, effort=effort, incumbent=incumbent, halving=halving, sieve=sieve)
    search.run(hint)
    if incumbent.top is None or incumbent.choice is None:
        return None
    top = incumbent.top
    if aim.goal is Goal.PROPORTIONAL:  # followed no closer than the gap so far
        exact = incumbent.exact(incumbent.choice)
        top = top if exact.x is None else exact
    assert top.x is not None, "a choice that was kept fitted"
    return Found(
        x=top.x, value=top.value, bound=max((search.sieved, *(bound for bound, _ in search.leaves)), default=top.value),
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
