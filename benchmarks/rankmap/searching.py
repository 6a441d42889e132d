"""Searches beside the plan: what each reaches of the proven bound within a budget."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Final

from benchmarks.rankmap.decisions import effort_until
from benchmarks.rankmap.sample import Mix, board_of, options_of, tenants_of
from benchmarks.rankmap.served import flat_out
from benchmarks.rankmap.store import Json
from cotenant.describe import Objective, Plan
from cotenant.plan import Effort, solve
from cotenant.search import Budget, Judge, Menu, Worth, menu_of, named, run, searches, variants

OBJECTIVE: Final = Objective.WEIGHTED
"""RankMap's: the sum of P by priority, with nobody below a floor."""

PLAN, PLAN_SINGLE = "plan, mixtures", "plan, one option each"


def searched(mix: Mix, seconds: float, *, anytime_only: bool = False) -> Json:
    """Let every search have the same menu, judge and budget, and weigh its mapping exactly; the plan has the same CPU seconds.

    `p` is each tenant's P where what the mapping leaves is divided by the objective; `simulated` its P where a runtime that knows
    neither priorities nor promises serves it. `ceiling` is the bound of all plans with one option each, as far as the budget proved it.
    """
    tenants, platform = tenants_of(mix), board_of(mix.board).platform
    options = options_of(mix, tenants)
    menu = menu_of(tenants, options, platform)
    best, best_s = _planned(menu, None)
    one, one_s = _planned(menu, effort_until(time.process_time() + seconds))
    found = {PLAN: _of_plan(best, best_s, best.bound), PLAN_SINGLE: _of_plan(one, one_s, best.bound)}
    found[PLAN_SINGLE]["ceiling"] = min(one.bound / best.bound, 1.0)
    judge = Judge(menu, OBJECTIVE)
    for name in variants(searches):
        search = named(searches, name)
        if search.anytime or not anytime_only:
            reached = run(search, menu, judge, Budget(seconds=seconds), seed=mix.index)
            found[name] = _of_mapping(menu, reached.choice, reached.worth, best.bound)
            found[name] |= {"cpu_s": reached.cpu_s, "evaluations": reached.evaluations}
    return found


def _planned(menu: Menu, effort: Effort | None) -> tuple[Plan, float]:
    problem, since_s = menu.problem, time.process_time()
    plan = solve(problem.tenants, problem.options, problem.platform, OBJECTIVE, allow_overload=True, effort=effort)
    return plan, time.process_time() - since_s


def _of_plan(plan: Plan, cpu_s: float, bound: float) -> Json:
    return {"share": plan.value / bound, "missed": False, "p": [promise.p for promise in plan.promises], "cpu_s": cpu_s}


def _of_mapping(menu: Menu, choice: Sequence[int], worth: Worth, bound: float) -> Json:
    """Return what a mapping reaches; one that cannot hold the floors is no answer, and counts as nothing of the bound."""
    missed = worth.short > 0
    simulated = flat_out(menu, choice).tolist()
    return {"share": 0.0 if missed else worth.value / bound, "missed": missed, "p": list(worth.p), "simulated": simulated}
