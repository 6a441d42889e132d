"""The best mapping of whole networks."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from cotenant.search.branch import Part, branch, promise
from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Follow first what leaves most to those still to be placed, until nothing that is left promises more than is known."""
    lists = [menu.whole(i) for i in range(len(menu.own))]
    promised = promise(judge, judge.scale.columns, judge.scale.most, lists)

    def ahead(begun: Choice) -> Iterable[tuple[Part, int]]:
        return sorted(((promised((*begun, k)), k) for k in lists[len(begun)]), key=lambda pair: pair[0], reverse=True)

    return branch(judge, ahead)


whole_exact = Search(choose=choose, about="the best mapping of whole networks", anytime=True)
