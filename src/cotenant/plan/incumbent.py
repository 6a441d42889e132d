"""The best choice of one option for each tenant so far, and how it is bettered."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Goal
from cotenant.plan.aim import DUTIES, Aim
from cotenant.plan.branch import EXACT
from cotenant.plan.columns import Mask, Vector
from cotenant.plan.interior import NEAR, Interior, interior
from cotenant.plan.problem import Problem
from cotenant.plan.quick import LEAST, Asked, Quick, quick
from cotenant.plan.relax import TANGENT_GAP, Relaxed, relax
from cotenant.plan.rows import Row
from cotenant.plan.standing import Standing

_WORTH = 0.1  # of the gap allowed: how much cheaper another option must be to be tried
TOGETHER = 64  # options of a tenant, the cheapest, that are tried in pairs with those of another
_FOLLOWED = 0.1  # of the gap allowed: how closely a logarithm is followed


@dataclass(kw_only=True)
class Incumbent:
    """Try choices on one level, and keep the best: what it reaches is `top`, its options are marked in `choice`; `gap` as in `Effort`."""

    problem: Problem
    aim: Aim
    rows: Sequence[Row]
    gap: float
    top: Relaxed | None = None
    choice: Mask | None = None
    tried: set[bytes] = field(default_factory=set)
    standing: Standing | None = None
    last: tuple[float, Asked] | None = None

    def relaxed(self, kept: Mask, hint: Vector) -> Relaxed:
        """Return the best that mixtures of what is kept reach, with no regard to memories."""
        return self._standing(hint).relax(kept)

    def probed(self, kept: Mask, hint: Vector) -> Relaxed | None:
        """Return it likewise, None where there seems to be nothing."""
        return self._standing(hint).probe(kept)

    def _standing(self, hint: Vector) -> Standing:
        if self.standing is None:
            close = max(TANGENT_GAP, self.gap * sum(self.aim.weights) * _FOLLOWED)
            self.standing = Standing(self.problem, self.aim, self.rows, hint, close)
        return self.standing

    def _chosen(self, choice: Mask) -> Relaxed | None:
        """Return the best rates of a choice; None where there are none, or none that fit the memories, or plainly none above the best."""
        found = self._inside(choice, -math.inf if self.top is None else self.top.value, NEAR)
        if found is None:
            like = self._like(choice)
            found = self.relaxed(choice, like) if self.top is None else self.probed(choice, like)
            return None if found is None or found.x is None or self.problem.overflow(found.x) else found
        return None if found.x is None else found

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
        return np.where(choice, self.problem.reached(self.top.x)[self.problem.columns.owner], 0.0)

    def rounded(self, x: Vector, kept: Mask) -> Mask:
        """Choose for each tenant the option that serves most of it; one without any rate gets its fastest."""
        choice = np.zeros(len(kept), dtype=bool)
        for at in range(len(self.problem.tenants)):
            own = np.flatnonzero((self.problem.columns.owner == at) & kept)
            if len(own):
                most = x[own] if (x[own] > 0).any() else self.problem.unit[own]
                choice[own[np.argmax(most)]] = True
        return choice

    def smallest(self) -> Mask:
        """Choose for each tenant the option whose model takes the least memory, of equals the fastest."""
        resident = np.array([a.resident_bytes for a in self.problem.columns.artifacts])[self.problem.columns.artifact]
        order = np.lexsort((-self.problem.unit, resident))
        choice = np.zeros(len(order), dtype=bool)
        choice[order[np.unique(self.problem.columns.owner[order], return_index=True)[1]]] = True
        return choice

    def attempt(self, choice: Mask, prices: Vector | None = None) -> None:
        """See what one choice reaches, and better it, tenant by tenant, as long as its own prices find an option that is cheaper.

        `prices` of rows: by them the options are told that are worth trying together.
        """
        found = self._reached(self._bettered(choice, prices)) or self._reached(choice)
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
        if found is None:
            return None
        if self.top is None or found.value > self.top.value:
            self.top, self.choice = found, choice
        return found

    def _bettered(self, choice: Mask, prices: Vector | None) -> Mask:
        chosen = np.flatnonzero(choice)
        if self.quick is None or len(chosen) < len(self.problem.tenants):
            return choice
        chosen = chosen[np.argsort(self.problem.columns.owner[chosen])]
        least = self.quick.least(chosen)
        if (not math.isfinite(least) and least > 0) or (self.aim.goal is Goal.FLOORS and least >= 1.0):
            return choice
        asked = self._asked(max(least, 0.0 if self.top is None else self.top.value) if self.aim.goal in LEAST else 1.0)
        found = asked.bettered(chosen)
        if prices is not None and self._marked(found).tobytes() not in self.tried:
            found = asked.exchanged(found, self._cheapest(prices))
        return self._marked(found)

    def _marked(self, chosen: NDArray[np.intp]) -> Mask:
        choice = np.zeros(len(self.problem.options), dtype=bool)
        choice[chosen] = True
        return choice

    def _asked(self, part: float) -> Asked:
        assert self.quick is not None, "who asks this has looked"
        if self.last is None or self.last[0] != part:
            self.last = part, self.quick.at(part)
        return self.last[1]

    def _cheapest(self, prices: Vector) -> list[NDArray[np.intp]]:
        """Return of each tenant the options that cost least."""
        cost = self._cost(prices)
        every = (np.flatnonzero(self.problem.columns.owner == at) for at in range(len(self.problem.tenants)))
        return [own if len(own) <= TOGETHER else own[np.argpartition(cost[own], TOGETHER)[:TOGETHER]] for own in every]

    def _cost(self, prices: Vector) -> Vector:
        none = np.zeros(len(self.problem.options))
        return sum((price * row.taken for price, row in zip(prices, self.rows, strict=True) if price > 0), none)

    def _quickly(self, choice: Mask) -> float:
        """Return at most how far a choice comes."""
        chosen = np.flatnonzero(choice)
        if self.quick is None or self.aim.goal not in LEAST or len(chosen) < len(self.problem.tenants):
            return math.inf
        return self.quick.least(chosen[np.argsort(self.problem.columns.owner[chosen])])

    @cached_property
    def quick(self) -> Quick | None:
        return quick(self.problem, self.aim, self.rows)

    def _cheaper(self, choice: Mask, found: Relaxed) -> Relaxed | None:
        """Give each tenant in turn the option that is cheapest at the prices; return the best so far if that bettered it."""
        cost = self._cost(found.prices)
        worth = EXACT if self.aim.goal in DUTIES else max(EXACT, self.gap * _WORTH)
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
