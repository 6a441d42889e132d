"""All networks on the one processor that serves them best."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Weigh one mapping for each processor."""
    return max(_candidates(menu), key=judge.worth)


def _candidates(menu: Menu) -> Iterator[Choice]:
    """Yield one mapping for each processor: everybody there by the option that alone gets furthest, of these the fastest.

    Who cannot be served there alone keeps off the rest as far as it can: the least time elsewhere.
    """
    for processor in range(len(menu.lanes)):
        elsewhere = np.array([sum(visit.seconds for visit in route if visit.processor != processor) for route in menu.routes])
        yield tuple(int(min(own, key=lambda k: (elsewhere[k], -menu.most[k], menu.latency_s[k]))) for own in menu.own)


all_on_one = Search(choose=choose, about="all networks on one processor, the best for all")
