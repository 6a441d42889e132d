"""Whole networks, the heaviest first, each where it hurts least (longest processing time first: Graham, 1969)."""

from __future__ import annotations

import numpy as np

from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Place each network where the busiest processor stays least busy, then move each to where the exact worth is greatest."""
    load, whole = menu.load(), [menu.whole(i) for i in range(len(menu.own))]
    heaviest = sorted(range(len(whole)), key=lambda i: -min(load[:, k].sum() for k in whole[i]))
    busy, choice = np.zeros(len(menu.lanes)), [own[0] for own in whole]
    for i in heaviest:
        choice[i] = min(whole[i], key=lambda k: (tuple(np.sort(busy + load[:, k])[::-1]), menu.latency_s[k]))
        busy = busy + load[:, choice[i]]
    best = judge.worth(choice)
    for i in heaviest:
        for k in whole[i]:
            moved = [*choice[:i], k, *choice[i + 1 :]]
            worth = judge.worth(moved)
            choice, best = (moved, worth) if worth > best else (choice, best)
    return tuple(choice)


whole_greedy = Search(choose=choose, about="whole networks, heaviest first, to where they hurt least")
