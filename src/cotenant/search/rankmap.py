"""RankMap: a tree search by priority that starves nobody (Karatzas et al., DATE 2025)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from cotenant.search.estimator import shipped
from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu
from cotenant.search.tree import descend

LEAST_P = 0.02  # whoever is foreseen less, or less than its floor, is starved


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Descend until the judge says stop."""
    weights = (menu.weight / menu.weight.sum()).tolist()
    floors = np.maximum(menu.floor, LEAST_P).tolist()
    descend(menu, partial(judge.foresee, score=partial(_reward, weights=weights, floors=floors)), rng)


def _reward(p: Sequence[float], weights: Sequence[float], floors: Sequence[float]) -> float:
    """Return the weighted mean of P in [0, 1], or minus the weight of whoever is below its floor."""
    starved = sum(w for share, w, floor in zip(p, weights, floors, strict=True) if share < floor)
    return -starved if starved else sum(share * w for share, w in zip(p, weights, strict=True))


rankmap = Search(
    choose=choose, anytime=True, evaluator=shipped,
    about="a tree search for the greatest weighted P above the floors, foreseen (Karatzas et al., DATE 2025)",
)  # fmt: skip
