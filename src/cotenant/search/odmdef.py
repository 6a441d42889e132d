"""ODMDEF: one network after the other onto what is free (Lim and Kim, IEEE Access 2021)."""

from __future__ import annotations

import numpy as np

from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Queue one inference of each network, by rank and then as listed, and give each the option that is to finish first."""
    free_s, choice = [0.0] * len(menu.lanes), [0] * len(menu.own)
    for i in sorted(range(len(menu.own)), key=lambda i: int(menu.rank[i])):
        choice[i] = min(menu.own[i].tolist(), key=lambda k: (_finish(menu, k, free_s)[0], k))
        free_s = _finish(menu, choice[i], free_s)[1]
    return tuple(choice)


def _finish(menu: Menu, option: int, free_s: list[float]) -> tuple[float, list[float]]:
    """Return when a chain would end behind what is queued, and when each processor would then be free; in seconds.

    A step holds a processor for as long as its lanes would all be busy with it, a handover holds none.
    """
    after_s, route = list(free_s), menu.routes[option]
    ready_s = 0.0
    for visit in route:
        start_s = max(ready_s, after_s[visit.processor])
        ready_s = start_s + visit.seconds
        after_s[visit.processor] = start_s + visit.seconds * visit.width / menu.lanes[visit.processor]
    handed_s = float(menu.latency_s[option]) - sum(visit.seconds for visit in route)
    return ready_s + handed_s, after_s


odmdef = Search(choose=choose, about="one network after the other, each to where it is to finish first (Lim and Kim, IEEE Access 2021)")
