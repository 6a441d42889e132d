"""HaX-CoNN: at most one switch per network, the shortest round of all (Dagli and Belviranli, PPoPP 2024)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu

MOST_VISITS = 2  # one switch
TIE = 1e-6  # what a second of the busiest processor counts beside a second of the round: of equals the one that leaves more idle

Times = tuple[float, ...]
"""Seconds, one number per processor."""


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Find the mapping with the shortest round, one inference of each network at once, by branch and bound."""
    own = [[k for k in some.tolist() if len(menu.routes[k]) <= MOST_VISITS] or some.tolist() for some in menu.own]
    busy_s: list[Times] = [tuple(times) for times in (menu.lane_s / menu.lanes[:, None]).T.tolist()]
    lightest_s = [min(sum(busy_s[k]) for k in some) for some in own]
    heaviest = sorted(range(len(own)), key=lambda i: -lightest_s[i])
    rounds = _Rounds(
        judge=judge, tenants=heaviest, lists=[own[i] for i in heaviest], latency_s=menu.latency_s.tolist(), busy_s=busy_s,
        after_s=[sum(lightest_s[i] for i in heaviest[depth:]) for depth in range(len(own) + 1)],
    )  # fmt: skip
    rounds.follow((), (0.0,) * len(menu.lanes), 0.0, float("inf"))
    assert judge.best is not None, "the first descent is never cut off"
    return judge.best


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Rounds:
    """Hold what tenants take, the heaviest first: `lists` of options, and `after_s`, what all from one on keep busy at least."""

    judge: Judge
    tenants: Sequence[int]
    lists: Sequence[Sequence[int]]
    latency_s: Sequence[float]
    busy_s: Sequence[Times]
    after_s: Sequence[float]

    def follow(self, begun: Choice, taken_s: Times, longest_s: float, shortest_s: float) -> float:
        """Go on where a mapping was begun and takes so much of each processor; return the shortest round that is known then."""
        if len(begun) == len(self.lists):
            round_s = max(longest_s, *taken_s) + TIE * max(taken_s)
            self.judge.note([k for _, k in sorted(zip(self.tenants, begun, strict=True))], -round_s)
            return round_s
        for least_s, k, sums_s in self._ahead(len(begun), taken_s, longest_s):
            if least_s >= shortest_s:
                break
            shortest_s = min(shortest_s, self.follow((*begun, k), sums_s, max(longest_s, self.latency_s[k]), shortest_s))
        return shortest_s

    def _ahead(self, depth: int, taken_s: Times, longest_s: float) -> list[tuple[float, int, Times]]:
        """List the options that may come next, the most promising first.

        No round is shorter than its longest chain, than its busiest processor, or than its processors are busy on the average.
        """
        found = []
        for k in self.lists[depth]:
            self.judge.step()
            sums_s = tuple(map(float.__add__, taken_s, self.busy_s[k]))
            busiest_s = max(*sums_s, (sum(sums_s) + self.after_s[depth + 1]) / len(sums_s))
            found.append((max(longest_s, self.latency_s[k], busiest_s) + TIE * busiest_s, k, sums_s))
        return sorted(found)


haxconn = Search(choose=choose, about="at most one switch per network, the shortest round of all (Dagli and Belviranli, PPoPP 2024)")
