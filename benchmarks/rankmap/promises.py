"""Promises: what of a plan's rates the simulator reaches."""

from __future__ import annotations

from typing import Final

from benchmarks.rankmap.decisions import GAP, MIXTURES, OBJECTIVES, SINGLE
from benchmarks.rankmap.sample import Mix, board_of, options_of, tenants_of
from benchmarks.rankmap.served import DEEP, kept
from benchmarks.rankmap.store import Json
from cotenant.plan import Effort, solve

PLANNED, BACKLOG = "as_planned", "backlog"
OUTSTANDING: Final = {PLANNED: 1, BACKLOG: DEEP}
"""Requests outstanding for each lane: what the plan reckons with, where nobody waits for others, and so many that somebody always waits."""


def promised(mix: Mix) -> Json:
    """Serve a plan of every objective, with mixtures and with one option each: each tenant's rate over the promised one."""
    tenants, platform = tenants_of(mix), board_of(mix.board).platform
    options = options_of(mix, tenants)
    told: Json = {}
    for objective in OBJECTIVES:
        told[objective.value] = {}
        for kind, effort in ((MIXTURES, None), (SINGLE, Effort(gap=GAP))):
            plan = solve(tenants, options, platform, objective, allow_overload=True, effort=effort)
            reached = {name: kept(plan, mix, tenants, outstanding=n).tolist() for name, n in OUTSTANDING.items()}
            told[objective.value][kind] = reached
    return told
