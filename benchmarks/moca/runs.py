"""The runs: every way in every cell, simulated.

What a policy may see: a rig is made of names, ranks, deadlines and times alone, at no rates, whatever comes when; the loop is given the
requests and shows each to the policy at its arrival, as the head of a queue, and not before.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.moca import logs
from benchmarks.moca.cells import Cell, logs_of
from benchmarks.moca.ways import Way
from cotenant.describe import Board, Poisson, Request, Tenant
from cotenant.describe.files import board
from cotenant.policy import Policy, named, policies
from cotenant.sim import Compiler, Rig, Seeded, is_there
from cotenant.study.boarded import shares_for
from cotenant.trace.columns import Columns
from cotenant.trace.figures import Alone, figures
from cotenant.trace.metrics import fairness

ALONE_NS: Final = {
    "resnet50": 14_187_000, "alexnet": 7_451_000, "googlenet": 6_839_000, "squeezenet": 2_514_000, "kws_res26": 4_940_000,
    "yolov2": 8_730_000, "yolo_lite": 1_415_000,
}  # fmt: skip
"""Cycles alone on two tiles: isolated_cycles_2tile of networks.csv, from the artifact (SeahK/gemmini-rocc-tests-moca-ae, BSD-3-Clause)."""

FIGURES: Final = ("sla", "stp", "antt", "fairness", "fairness_by_priority", "miss_priority_11")
Values = NDArray[np.float64]  # a row for each run, a column for each of FIGURES
Runs = Mapping[str, Mapping[Cell, Values]]


def simulated(ways: Sequence[Way], cells: tuple[Cell, ...], folder: Path | None) -> dict[str, dict[Cell, Values]]:
    """Run every way in every cell, in as many processes as there are cores: half of a short run is Python."""
    tasks = [(way, cells, folder) for way in ways]
    with ProcessPoolExecutor(max_workers=min(_cores(), len(tasks)), mp_context=get_context("spawn")) as pool:
        found = {}
        for way, values in zip(ways, pool.map(_in_all, tasks), strict=True):
            found[way.label] = values
            print(f"{len(found)}/{len(ways)} {way.label}", file=sys.stderr, flush=True)
    return found


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _in_all(task: tuple[Way, tuple[Cell, ...], Path | None]) -> dict[Cell, Values]:
    """Return the figures of a way in every cell; what two groups have in common is simulated once."""
    way, cells, folder = task
    alike = {cell: replace(cell, group="") if cell.seeds else cell for cell in cells}
    found = {cell: np.array([run_figures(way, log) for log in logs_of(cell, folder)]) for cell in dict.fromkeys(alike.values())}
    return {cell: found[alike[cell]] for cell in cells}


@cache
def compiler() -> Compiler | None:
    return Compiler() if is_there() else None


@cache
def the_board() -> Board:
    return board("moca_soc")


@cache
def policy_of(name: str) -> Policy:
    return named(policies, name)


def rig_of(tenants: Sequence[Tenant]) -> Rig:
    """Return a rig that knows nothing of when these tenants' requests come; the same one where all else is the same."""
    return _rig(tuple(replace(tenant, arrival=Poisson(rate_per_s=1.0)) for tenant in tenants))


@cache
def _rig(tenants: tuple[Tenant, ...]) -> Rig:
    offered = tuple(replace(share, rate_per_s=0.0) for share in shares_for(tenants, the_board()))
    return Rig(tenants, offered, the_board().platform, compiler())


def run(way: Way, tenants: Sequence[Tenant], requests: Sequence[Request]) -> Columns:
    """Simulate requests until all of them are done."""
    seeded = Seeded(requests=requests, horizon_ns=requests[-1].arrival_ns + 1)
    return rig_of(tenants).run(seeded, policy_of(way.policy), name=way.policy, params=way.params)


def run_figures(way: Way, log: logs.Log) -> tuple[float, ...]:
    """Return FIGURES of one run; whatever was not executed counts as a miss."""
    alone = {t.name: Alone(latency_ns=ALONE_NS[network_of(t.name)]) for t in log.tenants}
    of = figures(run(way, log.tenants, log.requests), alone, [t.rank for t in log.tenants])
    shares = {t.name: float(logs.FIRST_PRIORITY + 1 - t.rank) for t in log.tenants}
    first = dict(of.miss_by_rank).get(0, math.nan)
    return of.sla, of.stp, of.antt, of.fairness, fairness(dict(of.p), shares), first


def network_of(tenant: str) -> str:
    return tenant.rpartition("-p")[0]
