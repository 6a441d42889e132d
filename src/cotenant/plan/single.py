"""One option for each tenant: a search that halves what a tenant may choose from, and proves by the halves."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from cotenant.describe import ACCURACY, LATENCY, Artifact, Goal, Leaf, Option, Side
from cotenant.plan.aim import Aim
from cotenant.plan.branch import EXACT, Found, best, duals_of
from cotenant.plan.columns import Mask, Vector
from cotenant.plan.interior import NEAR, Interior, interior
from cotenant.plan.problem import USED, Problem
from cotenant.plan.quick import Quick, quick
from cotenant.plan.relax import TANGENT_GAP, Relaxed, relax
from cotenant.plan.rows import Row
from cotenant.plan.standing import Standing

DUTIES = {Goal.DEMAND, Goal.FLOORS, Goal.STARVED}  # what is due admits of no gap
_WORTH = 0.1  # of the gap allowed: how much cheaper another option must be to be tried
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
    top: Relaxed | None = None
    choice: Mask | None = None
    tried: set[bytes] = field(default_factory=set)
    waiting: list[tuple[float, int, _Node]] = field(default_factory=list)
    leaves: list[tuple[float, Leaf]] = field(default_factory=list)
    count: int = 0
    standing: Standing | None = None

    def run(self, hint: Vector) -> None:
        """Split the node of the greatest bound until that is near what is reached."""
        every = np.ones(len(self.problem.options), dtype=bool)
        if hint.any():
            self._try(self._rounded(hint, every))
        self._add(every, (), (), hint)
        if self.top is None:
            self._try(self._smallest())
        while self.waiting and self.count < self.effort.nodes and self.effort.more():
            if -self.waiting[0][0] <= self._enough():
                break
            _, _, node = heapq.heappop(self.waiting)
            for kept, banned, sides in self._split(node):
                self._add(kept, banned, sides, node.relaxed.x if node.relaxed.x is not None else hint)
        self.leaves += [(node.relaxed.bound, self._leaf(node)) for _, _, node in self.waiting]

    def _enough(self) -> float:
        """Return the bound that needs no further search."""
        if self.top is None:
            return -math.inf
        value = self.top.value
        if self.aim.goal is Goal.STARVED:
            return math.inf if value > ENOUGH_P else value + EXACT
        if self.aim.goal in DUTIES:
            return value + EXACT * max(1.0, abs(value))
        size = sum(self.aim.weights) if self.aim.goal is Goal.PROPORTIONAL else abs(value)
        return value + max(self.effort.gap * size, EXACT * max(1.0, abs(value)))

    def _add(self, kept: Mask, banned: tuple[Artifact, ...], sides: tuple[Side, ...], hint: Vector) -> None:
        self.count += 1
        relaxed = self._relaxed(kept, hint)
        node = _Node(kept=kept, banned=banned, sides=sides, relaxed=relaxed)
        if relaxed.x is None:
            self.leaves.append((relaxed.bound, self._leaf(node)))
            return
        if relaxed.bound > self._enough():
            self._try(self._rounded(relaxed.x, kept))
        heapq.heappush(self.waiting, (-relaxed.bound, self.count, node))

    def _relaxed(self, kept: Mask, hint: Vector) -> Relaxed:
        if self.standing is None:
            close = max(TANGENT_GAP, self.effort.gap * sum(self.aim.weights) / 10)
            self.standing = Standing(self.problem, self.aim, self.rows, hint, close)
        return self.standing.relax(kept)

    def _chosen(self, choice: Mask) -> Relaxed:
        """Return the best rates of a choice, x None where there are none, or plainly none better than the best so far."""
        found = self._inside(choice, -math.inf if self.top is None else self.top.value, NEAR)
        return self._relaxed(choice, self._like(choice)) if found is None else found

    def exact(self, choice: Mask) -> Relaxed:
        """Return the best rates of a choice, as near as that can be told."""
        found = self._inside(choice, -math.inf, EXACT / 10)
        return relax(self.problem, self.aim, self.rows, np.flatnonzero(choice), self._like(choice)) if found is None else found

    def _inside(self, choice: Mask, beyond: float, near: float) -> Relaxed | None:
        """Return what an interior point finds; None where a corner is called for, so that who is to have nothing has no model resident."""
        found = None if self.interior is None else self.interior.relax(choice, beyond, near)
        return None if found is not None and found.x is not None and self.problem.overflow(found.x) else found

    @cached_property
    def interior(self) -> Interior | None:
        return interior(self.problem, self.aim, self.rows) if self.aim.goal is Goal.PROPORTIONAL else None

    def _like(self, choice: Mask) -> Vector:
        """Return the rates of the best choice so far, each tenant's by the option that it has in this one."""
        if self.top is None or self.top.x is None:
            return np.asarray(choice, dtype=np.float64)
        rates = np.bincount(self.problem.columns.owner, weights=self.top.x, minlength=len(self.problem.tenants))
        return np.where(choice, rates[self.problem.columns.owner], 0.0)

    def _leaf(self, node: _Node) -> Leaf:
        return Leaf(banned=node.banned, duals=duals_of(self.rows, node.relaxed.prices), sides=node.sides)

    def own_first(self) -> tuple[Leaf, ...]:
        """Return the leaves, that which leaves the choice itself first."""
        assert self.choice is not None, "asked once something is found"
        chosen = [self.problem.options[k] for k in np.flatnonzero(self.choice)]
        leaves = [leaf for _, leaf in self.leaves]
        return tuple(sorted(leaves, key=lambda leaf: not all(_leaves(leaf, option) for option in chosen)))

    def _rounded(self, x: Vector, kept: Mask) -> Mask:
        """Choose for each tenant the option that serves most of it; one without any rate gets its fastest."""
        choice = np.zeros(len(kept), dtype=bool)
        for at in range(len(self.problem.tenants)):
            own = np.flatnonzero((self.problem.columns.owner == at) & kept)
            if len(own):
                most = x[own] if (x[own] > 0).any() else self.problem.unit[own]
                choice[own[np.argmax(most)]] = True
        return choice

    def _smallest(self) -> Mask:
        """Choose for each tenant the option whose model takes the least memory, of equals the fastest."""
        resident = np.array([a.resident_bytes for a in self.problem.columns.artifacts])[self.problem.columns.artifact]
        order = np.lexsort((-self.problem.unit, resident))
        choice = np.zeros(len(order), dtype=bool)
        choice[order[np.unique(self.problem.columns.owner[order], return_index=True)[1]]] = True
        return choice

    def _try(self, choice: Mask) -> None:
        """See what one choice reaches, and better it, tenant by tenant, as long as its own prices find an option that is cheaper."""
        found = self._reached(self._bettered(choice)) or self._reached(choice)
        while found is not None and found is self.top and self.choice is not None and not self._is_full(found):
            found = self._cheaper(self.choice, found)

    def _is_full(self, found: Relaxed) -> bool:
        """Say whether all that is due is reached, more than which there is not."""
        return self.aim.goal in {Goal.DEMAND, Goal.FLOORS} and found.value >= sum(self.aim.weights) * (1 - EXACT)

    def _reached(self, choice: Mask) -> Relaxed | None:
        """Return what a choice reaches, and keep it if it is the best so far; None if it was tried before, or does not fit."""
        key = choice.tobytes()
        if key in self.tried:
            return None
        self.tried.add(key)
        if self.top is not None and self._quickly(choice) <= self.top.value:
            return None
        found = self._chosen(choice)
        if found.x is None or self.problem.overflow(found.x):
            return None
        if self.top is None or found.value > self.top.value:
            self.top, self.choice = found, choice
        return found

    def _bettered(self, choice: Mask) -> Mask:
        chosen = np.flatnonzero(choice)
        if self.quick is None or len(chosen) < len(self.problem.tenants):
            return choice
        owner = self.problem.columns.owner
        better = np.zeros(len(choice), dtype=bool)
        better[self.quick.bettered(chosen[np.argsort(owner[chosen])], owner)] = True
        return better

    def _quickly(self, choice: Mask) -> float:
        """Return at most how far a choice comes."""
        chosen = np.flatnonzero(choice)
        if self.quick is None or len(chosen) < len(self.problem.tenants):
            return math.inf
        return self.quick.least(chosen[np.argsort(self.problem.columns.owner[chosen])])

    @cached_property
    def quick(self) -> Quick | None:
        return quick(self.problem, self.aim, self.rows)

    def _cheaper(self, choice: Mask, found: Relaxed) -> Relaxed | None:
        """Give each tenant in turn the option that is cheapest at the prices; return the best so far if that bettered it."""
        cost = sum((price * row.taken for price, row in zip(found.prices, self.rows, strict=True) if price > 0), np.zeros(len(choice)))
        worth = EXACT if self.aim.goal in DUTIES else max(EXACT, self.effort.gap * _WORTH)
        for at in range(len(self.problem.tenants)):
            own = np.flatnonzero(self.problem.columns.owner == at)
            best = self.choice if self.choice is not None else choice
            cheapest = own[np.argmin(cost[own])]
            if cost[cheapest] < cost[own[best[own]]].sum() * (1 - worth):
                swapped = best.copy()
                swapped[own] = False
                swapped[cheapest] = True
                self._reached(swapped)
        return self.top if self.top is not found else None

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
        self._try(self._rounded(x, node.kept))
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
    search = _Search(problem=problem, aim=aim, rows=rows, effort=effort)
    search.run(hint)
    if search.top is None or search.choice is None:
        return None
    top = search.top
    if aim.goal is Goal.PROPORTIONAL:  # followed no closer than the gap so far
        exact = search.exact(search.choice)
        top = top if exact.x is None else exact
    assert top.x is not None, "a choice that was kept fitted"
    return Found(
        x=top.x, value=top.value, bound=max((bound for bound, _ in search.leaves), default=top.value),
        leaves=search.own_first(), choice=search.choice, prices=top.prices,
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
