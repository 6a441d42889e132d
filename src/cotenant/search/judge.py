"""Who says what a mapping is worth, and when a search has to stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Protocol

from cotenant.describe import Objective
from cotenant.search.budget import Budget, Spent
from cotenant.search.menu import Choice, Menu
from cotenant.search.order import Worth
from cotenant.search.scale import Scale

MOST_KEPT = 100_000  # worths remembered, of about half a kilobyte each


class Evaluator(Protocol):
    """Foresee the P of each tenant under a mapping, which may be wrong."""

    def predict(self, menu: Menu, choice: Choice) -> Sequence[float]: ...


class Judge:
    """Weigh a search's mappings, count them, remember the best, and raise `Spent` once the budget is.

    A search knows no clock: it asks until it has an answer, or until it is stopped. Every look at a mapping counts, whole or in
    part, known before or not. `best` is the best mapping so far: by exact worth where the search asks for that, else by the search's
    own score. Nothing is raised before there is one.
    """

    def __init__(
        self, menu: Menu, objective: Objective, *,
        budget: Budget | None = None, evaluator: Evaluator | None = None, scale: Scale | None = None,
    ) -> None:  # fmt: skip
        self.menu, self.objective = menu, objective
        self.scale = scale or Scale(menu, objective)
        self.evaluations = 0
        self.best: Choice | None = None
        self.best_worth: Worth | None = None
        self._best_score = -float("inf")
        self._known: dict[Choice, Worth] = {}
        self._evaluator = evaluator
        self._most = budget.evaluations if budget else None
        self._until_s = time.process_time() + budget.seconds if budget and budget.seconds is not None else None

    def begin(self, budget: Budget, evaluator: Evaluator | None = None) -> Judge:
        """Return a judge for one search, which has seen nothing yet; what it foresees it foresees by `evaluator`."""
        return Judge(self.menu, self.objective, budget=budget, evaluator=evaluator, scale=self.scale)

    def worth(self, choice: Sequence[int]) -> Worth:
        """Return a mapping's exact worth, and remember the mapping if it is the best."""
        self.step()
        worth = self.weigh(tuple(choice))
        if self.best_worth is None or worth > self.best_worth:
            self.best, self.best_worth = tuple(choice), worth
        return worth

    def worths(self, choices: Sequence[Sequence[int]]) -> list[Worth]:
        """Return the exact worth of each mapping."""
        return [self.worth(choice) for choice in choices]

    def foresee(self, choice: Sequence[int], score: Callable[[Sequence[float]], float]) -> float:
        """Return the score of the P of each tenant, as the evaluator foresees them, or without one as they would be."""
        if self._evaluator is None:
            return score(self.worth(choice).p)
        self.step()
        return self._remember(choice, score(self._evaluator.predict(self.menu, tuple(choice))))

    def note(self, choice: Sequence[int], score: float) -> float:
        """Take a search's own score of a mapping, and remember the mapping if it is the best by that; return the score."""
        self.step()
        return self._remember(choice, score)

    def step(self) -> None:
        """Count one look at a mapping, or at a part of one; raise `Spent` once the budget is and there is an answer."""
        if self.best is not None and self.is_spent():
            raise Spent
        self.evaluations += 1

    def weigh(self, choice: Choice) -> Worth:
        """Return a mapping's exact worth, uncounted."""
        worth = self._known.get(choice)
        if worth is None:
            if len(self._known) >= MOST_KEPT:
                self._known.clear()
            worth = self._known[choice] = self.scale.weigh(choice)
        return worth

    def _remember(self, choice: Sequence[int], score: float) -> float:
        if self.best is None or score > self._best_score:
            self.best, self._best_score = tuple(choice), score
        return score

    def is_spent(self) -> bool:
        """Say whether the budget is spent."""
        if self._most is not None and self.evaluations >= self._most:
            return True
        return self._until_s is not None and time.process_time() >= self._until_s
