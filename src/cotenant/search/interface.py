"""What a search is, and what it finds."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from cotenant.search.budget import Budget, Spent
from cotenant.search.judge import Evaluator, Judge
from cotenant.search.menu import Choice, Menu
from cotenant.search.order import Worth

Choose = Callable[[Menu, Judge, np.random.Generator], Sequence[int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Choose one option for each tenant: `choose(menu, judge, rng)` returns a mapping, or goes on until the judge stops it.

    `about` says in one line what it does. `anytime`: with a greater budget it never ends worse, as the exact worth goes. `evaluator` loads
    what foresees the P of each tenant, where the search is guided by that rather than by the exact worth; InputError where it cannot.
    """

    choose: Choose
    about: str
    anytime: bool = False
    evaluator: Callable[[], Evaluator] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Hold what a search found: one option for each tenant (an index into the menu's), and its exact worth.

    `evaluations` counts the mappings looked at, whole or in part; `cpu_s` is what the search took of the processor, the exact
    worth of its answer not included.
    """

    choice: Choice
    worth: Worth
    evaluations: int
    cpu_s: float

    @property
    def value(self) -> float:
        return self.worth.value


def run(search: Search, menu: Menu, judge: Judge, budget: Budget, seed: int) -> Found:
    """Search a menu until the search or the budget ends; the answer is judged exactly, whatever guided the search.

    What the judge has seen before is not used, so that searches can be compared.
    """
    assert judge.menu is menu, "a judge knows one menu"
    asked = judge.begin(budget, None if search.evaluator is None else search.evaluator())
    since_s = time.process_time()
    try:
        choice: Sequence[int] | None = search.choose(menu, asked, np.random.default_rng(seed))
    except Spent:
        choice = asked.best
    cpu_s = time.process_time() - since_s
    assert choice is not None, "a judge stops nobody who has no answer"
    mapping = tuple(int(k) for k in choice)
    return Found(choice=mapping, worth=asked.weigh(mapping), evaluations=asked.evaluations, cpu_s=cpu_s)
