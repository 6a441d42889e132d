"""Which artifacts are resident: a search that bans, and proves by what it bans."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Artifact, Dual, Leaf
from cotenant.plan.aim import Aim
from cotenant.plan.columns import Mask, Vector
from cotenant.plan.problem import Problem
from cotenant.plan.relax import Relaxed, relax
from cotenant.plan.rows import Row

EXACT = 1e-9  # relative: a ban that promises less than this above the best found is not followed
MOST_NODES = 400  # beyond it what is open stays open, and the gap says so


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Found:
    """Hold the best rates whose artifacts fit, and the leaves whose greatest bound is `bound`; the first is the rates' own.

    `prices` are those of the rows at the rates, among the options open to them: those marked in `choice`, where it is not None.
    """

    x: Vector
    value: float
    bound: float
    leaves: tuple[Leaf, ...]
    prices: Vector
    choice: Mask | None = None


def best(problem: Problem, aim: Aim, rows: Sequence[Row], hint: Vector, within: Mask | None = None) -> Found | None:
    """Solve one level, starting from the options of a hint's rates, by those marked in `within` if it is given; None if nothing fits.

    Where an optimum needs artifacts that do not fit together, any plan must do without one of them: each is banned in turn.
    Without such a conflict this is one linear program.
    """
    banned: tuple[Artifact, ...] = ()
    waiting, seen = [banned], {frozenset(banned)}
    top: Relaxed | None = None
    leaves: list[tuple[float, Leaf]] = []
    while waiting:
        banned = waiting.pop()
        node = relax(problem, aim, rows, _kept(problem, banned, within), hint)
        leaf = (node.bound, _leaf(banned, rows, node.prices))
        over = () if node.x is None else problem.overflow(node.x)
        if node.x is None or (top is not None and (node.bound <= _enough(top) or (over and len(seen) > MOST_NODES))):
            leaves.append(leaf)
        elif over:
            children = [(*banned, a) for a in over if frozenset((*banned, a)) not in seen]
            seen.update(frozenset(child) for child in children)
            waiting.extend(children)
        elif top is None or node.value > top.value:
            top, leaves = node, [leaf, *leaves]
        else:
            leaves.append(leaf)
    if top is None or top.x is None:
        return None
    return Found(
        x=top.x, value=top.value, bound=max(bound for bound, _ in leaves), leaves=tuple(leaf for _, leaf in leaves), prices=top.prices
    )


def _enough(top: Relaxed) -> float:
    return top.value + EXACT * max(1.0, abs(top.value))


def _kept(problem: Problem, banned: Sequence[Artifact], within: Mask | None) -> NDArray[np.intp]:
    if not banned:
        return np.arange(len(problem.options)) if within is None else np.flatnonzero(within)
    index = {artifact: at for at, artifact in enumerate(problem.columns.artifacts)}
    kept = ~np.isin(problem.columns.artifact, [index[artifact] for artifact in banned])
    return np.flatnonzero(kept if within is None else kept & within)


def _leaf(banned: tuple[Artifact, ...], rows: Sequence[Row], prices: Vector) -> Leaf:
    return Leaf(banned=banned, duals=duals_of(rows, prices))


def duals_of(rows: Sequence[Row], prices: Vector) -> tuple[Dual, ...]:
    """Name the rows that have a price."""
    return tuple(Dual(bind=row.bind, of=row.of, price=float(price)) for row, price in zip(rows, prices, strict=True) if price > 0)
