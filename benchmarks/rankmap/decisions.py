"""Decisions: the CPU time that a plan takes, and how near its bound it is then."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import cache
from typing import Final

from benchmarks.rankmap.sample import BOARDS, Mix, board_of, drawn, options_of, tenants_of
from benchmarks.rankmap.store import Json
from cotenant.describe import Objective, Option, Plan, Platform, Tenant
from cotenant.errors import InfeasibleError
from cotenant.plan import Effort, settled, solve

OBJECTIVES: Final = (Objective.WEIGHTED, Objective.MAXMIN, Objective.THROUGHPUT, Objective.PROPORTIONAL)
MIXTURES, SINGLE = "mixtures", "single"
GAP: Final = 0.01
MOST_S: Final = 1.9
"""When a plan of one option each gives up: what it then has is reported with its gap."""


def decided(mix: Mix) -> Json:
    """Plan by every objective, with mixtures and with one option each; CPU seconds, options listed and solver loaded before.

    Plans are settled, as those of `plan` are.
    """
    _warmed()
    tenants, platform = tenants_of(mix), board_of(mix.board).platform
    options = options_of(mix, tenants)
    try:
        return {
            objective.value: {kind: _timed(tenants, options, platform, objective, is_single=kind == SINGLE) for kind in (MIXTURES, SINGLE)}
            for objective in OBJECTIVES
        }
    except InfeasibleError as error:
        return {"infeasible": str(error)}


@cache
def _warmed() -> None:
    """Load the solver and every module that a plan needs."""
    mix = drawn(BOARDS[0], 2, 0, "warm")
    tenants = tenants_of(mix)
    for effort in (None, Effort(gap=GAP)):
        solve(tenants, options_of(mix, tenants), board_of(mix.board).platform, Objective.PROPORTIONAL, effort=effort, allow_overload=True)


def _timed(tenants: Sequence[Tenant], options: Sequence[Option], platform: Platform, objective: Objective, *, is_single: bool) -> Json:
    since_s = time.process_time()

    def solving(at: Platform) -> Plan:
        return solve(tenants, options, at, objective, effort=effort_until(time.process_time() + MOST_S) if is_single else None)

    plan = settled(tenants, platform, solving)
    return {"cpu_s": time.process_time() - since_s, "gap": gap(plan, tenants), "options": len(options)}


def effort_until(until_s: float) -> Effort:
    """Search until a plan is within 1 % of its bound, or until the process has used so much CPU."""
    return Effort(gap=GAP, more=lambda: time.process_time() < until_s)


def gap(plan: Plan, tenants: Sequence[Tenant]) -> float:
    """Return bound less value over value; of logarithms, whose sum has no size, over the weights: about the share of each P."""
    size = sum(t.weight for t in tenants) if plan.objective is Objective.PROPORTIONAL else abs(plan.value)
    return plan.gap / size
