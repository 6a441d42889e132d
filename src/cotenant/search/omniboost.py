"""OmniBoost: a tree search for the greatest mean progress (Karatzas and Anagnostopoulos, DAC 2023)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from cotenant.search.estimator import shipped
from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu
from cotenant.search.tree import descend


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Descend until the judge says stop."""
    descend(menu, partial(judge.foresee, score=_mean), rng)


def _mean(p: Sequence[float]) -> float:
    return sum(p) / len(p)


omniboost = Search(
    choose=choose, anytime=True, evaluator=shipped,
    about="a tree search for the greatest mean P, foreseen (Karatzas and Anagnostopoulos, DAC 2023)",
)  # fmt: skip
