"""The best mapping there is, by branch and bound on the prices of the plan that may mix options."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cotenant.describe import Bind, Objective
from cotenant.plan.single import Effort
from cotenant.plan.solve import solve
from cotenant.search.branch import Ahead, Part, branch, is_beaten, promise
from cotenant.search.interface import Search
from cotenant.search.judge import Judge
from cotenant.search.menu import Choice, Menu, Vector

GAP = 0.01  # of the bound: beyond it this search goes on by itself
MOST_NODES = 200
RESOURCES = (Bind.CAPACITY, Bind.HEADROOM)


def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
    """Begin with the planner's own mapping; follow first what costs least, until nothing that is left promises more than is known."""
    judge.worth(_planned(menu, judge))
    return branch(judge, _ahead(menu, judge))


def _planned(menu: Menu, judge: Judge) -> Choice:
    """Return the mapping that the planner gives near its bound; whoever it leaves with nothing has the first of its options."""
    problem = menu.problem
    effort = Effort(gap=GAP, nodes=MOST_NODES, more=lambda: not judge.is_spent())
    plan = solve(
        problem.tenants, problem.options, problem.platform, judge.objective, headroom=menu.headroom, allow_overload=True, effort=effort
    )
    used = {share.option for share in plan.shares}
    return tuple(next((int(k) for k in own if problem.options[k] in used), int(own[0])) for own in menu.own)


def _ahead(menu: Menu, judge: Judge) -> Ahead:
    """Promise what one row leaves, the sum of all rows at their prices (a surrogate: Glover, 1965), then what it leaves with the rows.

    A sum of rows, each times what is not negative, holds wherever they do; at the prices of the best plan that may mix options it
    alone keeps every mapping below that plan's bound. Of two options the one that costs less promises no less.
    """
    costs, scale = _costs(menu, judge.objective), judge.scale
    lists = [sorted(own.tolist(), key=lambda k: costs[k]) for own in menu.own]
    by_price = promise(judge, [(cost,) for cost in costs], [1.0] * len(costs), lists)
    by_rows = promise(judge, [(cost, *column) for cost, column in zip(costs, scale.columns, strict=True)], scale.most, lists)

    def ahead(begun: Choice) -> Iterator[tuple[Part, int]]:
        for k in lists[len(begun)]:
            part = by_price((*begun, k))
            if is_beaten(judge, part) or len(begun) + 1 == len(lists) or not is_beaten(judge, by_rows((*begun, k))):
                yield part, k

    return ahead


def _costs(menu: Menu, objective: Objective) -> list[float]:
    """Return what P = 1 by each option costs at the prices of the best plan, as a share of what all resources cost."""
    problem = menu.problem
    plan = solve(problem.tenants, problem.options, problem.platform, objective, headroom=menu.headroom, allow_overload=True)
    level = next((level for level in plan.levels if level.goal.value == objective.value), plan.levels[0])
    prices = {(dual.bind, dual.of): dual.price for dual in level.leaves[0].duals}
    price = np.array([prices.get((row.bind, row.of), 0.0) * (row.bind in RESOURCES) for row in problem.rows])
    costs: Vector = price @ menu.taken * menu.solo_per_s[menu.owner]
    return (costs / (float(price @ menu.limit) or 1.0)).tolist()  # type: ignore[no-any-return]


exact = Search(choose=choose, about="the best mapping there is: branch and bound on the planner's prices", anytime=True)
