"""The order of a plan, as steps over a menu's tenants, and what a division is worth by it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import assert_never

import numpy as np

from cotenant.describe import Objective
from cotenant.search.menu import Menu
from cotenant.search.pool import Numbers

STARVED_P = 1e-5  # as in a plan: a smaller P is nothing, and no logarithm is taken of it
MET = 1e-6  # relative: a duty that is short by less is met


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Worth:
    """Compare mappings: the greater is the better.

    `order` is compared part by part, as a plan's levels are: minus what rank 0's arrivals and then the floors are short of, then rank by
    rank minus what arrivals are short of, minus the weight of whom a proportional objective starves, and the objective.
    `value` is what a plan's `value` is, or where something is short a number below all mappings that hold everything, less the
    shortage, which is `short`: the weighted sum of missing shares. `p` is each tenant's P in the division that reaches it.
    """

    order: tuple[float, ...]
    value: float = field(compare=False)
    short: float = field(compare=False)
    p: tuple[float, ...] = field(compare=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Duty:
    """Serve tenants `who` up to a P each: what arrives, or a floor."""

    who: tuple[int, ...]
    weights: tuple[float, ...]
    p: tuple[float, ...]
    arrivals: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Divide what is left among closed tenants `who`; `gains` is what P = 1 adds to an objective that is a sum."""

    who: tuple[int, ...]
    weights: tuple[float, ...]
    gains: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """Hold a plan's steps: rank 0's arrivals, all floors, then rank by rank what arrives and what is divided."""

    objective: Objective
    steps: tuple[Duty | Split, ...]

    def worth(self, p: Sequence[float]) -> Worth:
        """Say what a division, one P per tenant, is worth."""
        parts: list[float] = []
        short, served, reached = 0.0, 0.0, 0.0
        for step in self.steps:
            match step:
                case Duty():
                    lack = missing(step, p)
                    parts.append(0.0 - lack)
                    served += sum(step.weights) - lack if step.arrivals else 0.0
                case Split():
                    lack, value = _reached(self.objective, step, p)
                    parts += [0.0 - lack, _coarse(value)]
                    reached += value
                case _:
                    assert_never(step)
            short += lack
        return Worth(order=tuple(parts), value=self._value(short, served, reached), short=short, p=tuple(p))

    def _value(self, short: float, served: float, reached: float) -> float:
        closed = [w for step in self.steps if isinstance(step, Split) for w in step.weights]
        if not closed:
            return served
        least = sum(closed) * math.log(STARVED_P) if self.objective is Objective.PROPORTIONAL else 0.0
        return reached if short <= 0 else least - short


def order(menu: Menu, objective: Objective) -> Order:
    """List the steps of a plan for these tenants, as `plan.solve` takes them."""
    ranks = sorted(set(menu.rank.tolist()))
    steps: list[Duty | Split | None] = [_arrivals(menu, 0), *(_floors(menu, rank) for rank in ranks)]
    for rank in ranks:
        steps += [_arrivals(menu, rank) if rank > 0 else None, _split(menu, rank, objective)]
    return Order(objective=objective, steps=tuple(step for step in steps if step is not None))


def _arrivals(menu: Menu, rank: int) -> Duty | None:
    who = np.flatnonzero((menu.rank == rank) & ~np.isnan(menu.arriving_per_s))
    p = menu.arriving_per_s[who] / menu.solo_per_s[who]
    return _duty(menu, who.tolist(), p.tolist(), arrivals=True)


def _floors(menu: Menu, rank: int) -> Duty | None:
    who = np.flatnonzero((menu.rank == rank) & (menu.floor > 0))
    return _duty(menu, who.tolist(), menu.floor[who].tolist(), arrivals=False)


def _duty(menu: Menu, who: Sequence[int], p: Numbers, *, arrivals: bool) -> Duty | None:
    return Duty(who=tuple(who), weights=tuple(menu.weight[who].tolist()), p=tuple(p), arrivals=arrivals) if who else None


def _split(menu: Menu, rank: int, objective: Objective) -> Split | None:
    who = np.flatnonzero((menu.rank == rank) & np.isnan(menu.arriving_per_s))
    gains = menu.solo_per_s[who] if objective is Objective.THROUGHPUT else menu.weight[who]
    return Split(who=tuple(who.tolist()), weights=tuple(menu.weight[who].tolist()), gains=tuple(gains.tolist())) if len(who) else None


def missing(step: Duty, p: Sequence[float]) -> float:
    """Return the weighted sum of the shares of a duty that are not served; 0 where that is next to nothing."""
    lack = sum(w * max(1 - p[i] / most, 0.0) for i, w, most in zip(step.who, step.weights, step.p, strict=True))
    return lack if lack > MET * sum(step.weights) else 0.0


def _reached(objective: Objective, step: Split, p: Sequence[float]) -> tuple[float, float]:
    """Return the weight of whom a division starves, and what the objective comes to."""
    own = [p[i] for i in step.who]
    match objective:
        case Objective.PROPORTIONAL:
            fed = [(w, share) for w, share in zip(step.weights, own, strict=True) if share > STARVED_P / 2]
            return sum(step.weights) - sum(w for w, _ in fed), sum(w * math.log(share) for w, share in fed)
        case Objective.MAXMIN:
            return 0.0, min(share / w for share, w in zip(own, step.weights, strict=True))
        case Objective.WEIGHTED | Objective.THROUGHPUT:
            return 0.0, sum(gain * share for gain, share in zip(step.gains, own, strict=True))
        case _:
            assert_never(objective)


def _coarse(value: float) -> float:
    """Round to what counts in a comparison: the rest is how it was computed."""
    return float(f"{value:.9g}")
