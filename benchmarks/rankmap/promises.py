"""Promises: what of a plan's rates the simulator reaches."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Final

from benchmarks.rankmap.decisions import MIXTURES, MOST_S, OBJECTIVES, SINGLE, effort_until
from benchmarks.rankmap.sample import Mix, board_of, options_of, tenants_of
from benchmarks.rankmap.served import DEEP, kept
from benchmarks.rankmap.store import Json
from cotenant.describe import Objective, Option, Plan, Platform, Tenant
from cotenant.plan import settled, solve

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
        for kind in (MIXTURES, SINGLE):
            plan = settled(tenants, platform, partial(_planned, tenants, options, objective, is_single=kind == SINGLE))
            reached = {name: kept(plan, mix, tenants, outstanding=n).tolist() for name, n in OUTSTANDING.items()}
            told[objective.value][kind] = reached
    return told


def _planned(tenants: Sequence[Tenant], options: Sequence[Option], objective: Objective, at: Platform, *, is_single: bool) -> Plan:
    effort = effort_until(time.process_time() + MOST_S) if is_single else None
    return solve(tenants, options, at, objective, allow_overload=True, effort=effort)
