"""Compare every policy on MoCA's workload sets, simulated, and the simulator with MoCA's logs.

python benchmarks/moca/run.py [--json] [--seeds 30] [--policies edf,moca] [--quick]: sets A, B and C at QoS H, M and L.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[2]))  # so that a script finds its neighbours as a test does

from benchmarks.moca import logs
from cotenant.describe import Board, Poisson, Request, Tenant
from cotenant.describe.files import board
from cotenant.errors import CotenantError, InputError
from cotenant.policy import Policy, named, policies, variants
from cotenant.registry import nearest
from cotenant.sim import Compiler, Rig, Seeded, is_there
from cotenant.study.boarded import shares_for
from cotenant.trace.columns import Columns
from cotenant.trace.figures import Alone, figures
from cotenant.trace.metrics import fairness

HERE: Final = Path(__file__).parent
OURS: Final = "fewest_late"
MOCAS: Final = ("moca", "moca as_published=1")
BASELINE: Final = "static_partition as_published=1"
SEEDS, QUICK_SEEDS = 30, 3
MARGIN: Final = 0.01
"""How far below the best ours may be in a cell."""

CHOSEN, HELD, OTHER, LOGGED = "chosen", "held_out", "set_c", "logged"
GROUPS: Final = {CHOSEN: ("ab", 0), HELD: ("ab", 1000), OTHER: ("c", 0)}
"""Sets and first seed: where parameters of ours were chosen, the same sets with other seeds, and a set that was never used for it."""

ALONE_NS: Final = {
    "resnet50": 14_187_000, "alexnet": 7_451_000, "googlenet": 6_839_000, "squeezenet": 2_514_000, "kws_res26": 4_940_000,
    "yolov2": 8_730_000, "yolo_lite": 1_415_000,
}  # fmt: skip
"""Cycles alone on two tiles: isolated_cycles_2tile of networks.csv, from the artifact (SeahK/gemmini-rocc-tests-moca-ae, BSD-3-Clause)."""

FIGURES: Final = ("sla", "stp", "antt", "fairness", "fairness_by_priority", "miss_priority_11")
Values = NDArray[np.float64]  # a row for each run, a column for each of FIGURES
Runs = Mapping[str, Mapping["Cell", Values]]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A policy with parameters, and what it is called here."""

    label: str
    policy: str
    params: tuple[tuple[str, float], ...] = ()

    @property
    def is_ours(self) -> bool:
        return self.policy.startswith(OURS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A set at a QoS, with the seeds that are drawn, or none for the arrivals of a log."""

    group: str
    set: str
    qos: str
    seeds: tuple[int, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.set.upper()}/{self.qos}"


STATIC: Final = Way(label=BASELINE, policy="static_partition", params=(("as_published", 1.0),))


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="workloads drawn for each cell, 2 or more")
    parser.add_argument("--policies", help="comma-separated, instead of all; ours is always among them")
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_SEEDS} seeds; neither held-out seeds nor set C")
    asked = parser.parse_args(arguments)
    try:
        found = measured(chosen(asked.policies), QUICK_SEEDS if asked.quick else asked.seeds, quick=asked.quick)
    except CotenantError as error:
        sys.exit(str(error))
    print(json.dumps(found, indent=2) if asked.json else "\n".join(shown(found)))
    return 0 if all(check["kept"] for check in found["checks"].values()) else 1


def measured(ways: Sequence[Way], seeds: int, *, quick: bool = False) -> Json:
    """Simulate all ways in all cells, and judge what comes of it."""
    if seeds < 2:
        raise InputError("--seeds", seeds, "2 or more, for an interval")
    folder = logs_folder()
    groups = {group: GROUPS[group] for group in ((CHOSEN,) if quick else GROUPS)}
    cells = [
        Cell(group=g, set=s, qos=q, seeds=tuple(range(first, first + seeds)))
        for g, (sets, first) in groups.items()
        for s in sets
        for q in logs.QOS
    ]
    cells += [Cell(group=LOGGED, set=s, qos=q) for s in "ab" for q in logs.QOS] if folder else []
    runs = simulated(ways, tuple(cells), folder)
    found: Json = {"simulated": True, "seeds": seeds, "ours": OURS}
    found |= {group: part(ways, runs, [cell for cell in cells if cell.group == group]) for group in groups}
    found["logged"] = as_logged(runs, cells, folder) if folder else None
    found["calibration"] = calibration(folder)
    found["checks"] = checks(found)
    return found


def logs_folder() -> Path | None:
    """Return the folder of the logs, or None after saying so."""
    try:
        return logs.find()
    except InputError as error:
        print(f"without the logged arrivals: {error}", file=sys.stderr)
        return None


# Which policies.


def all_ways() -> tuple[Way, ...]:
    """List every registered policy and its variant with hopeless requests last, then those with parameters of interest."""
    given = (("static_partition", "as_published"), ("moca", "as_published"), (OURS, "first"))
    plain = (Way(label=name, policy=name) for name in variants(policies))
    return (*plain, *(Way(label=f"{name} {key}=1", policy=name, params=((key, 1.0),)) for name, key in given))


def chosen(asked: str | None) -> tuple[Way, ...]:
    """Return the ways asked for, and ours; all if none were."""
    ways = {way.label: way for way in all_ways()}
    labels = list(ways) if asked is None else [OURS, *(label.strip() for label in asked.split(","))]
    for label in labels:
        if label not in ways:
            raise InputError("--policies", label, nearest(label, tuple(ways)))
    return tuple(ways[label] for label in dict.fromkeys(labels))


# Simulation. What a policy may see: a rig is made of names, ranks, deadlines and times alone, at no rates, whatever comes when; the loop
# is given the requests and shows each to the policy at its arrival, as the head of a queue, and not before.


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
    way, cells, folder = task
    return {cell: np.array([run_figures(way, log) for log in logs_of(cell, folder)]) for cell in cells}


@cache
def logs_of(cell: Cell, folder: Path | None) -> tuple[logs.Log, ...]:
    """Return the workloads of a cell: the same for every policy."""
    if cell.seeds:
        return tuple(logs.drawn(cell.set, cell.qos, seed=seed) for seed in cell.seeds)
    assert folder is not None
    return (logs.read(folder, cell.set, cell.qos, "static"),)


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
    alone = {t.name: Alone(latency_ns=ALONE_NS[_network(t.name)]) for t in log.tenants}
    of = figures(run(way, log.tenants, log.requests), alone, [t.rank for t in log.tenants])
    shares = {t.name: float(logs.FIRST_PRIORITY + 1 - t.rank) for t in log.tenants}
    first = dict(of.miss_by_rank).get(0, math.nan)
    return of.sla, of.stp, of.antt, of.fairness, fairness(dict(of.p), shares), first


def _network(tenant: str) -> str:
    return tenant.rpartition("-p")[0]


# Means, differences, intervals.


def student(level: float, freedom: int) -> float:
    """Return t such that Student's distribution has `level` of itself between -t and t (Abramowitz and Stegun, 1964, 26.7.3 and 26.7.4)."""
    low, high = 0.0, 1e4
    for _ in range(100):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return high


def _within(t: float, freedom: int) -> float:
    angle = math.atan(t / math.sqrt(freedom))
    odd = freedom % 2
    term = math.cos(angle) if odd else 1.0
    total = 0.0
    for k in range(odd, freedom - 1, 2):
        total += term
        term *= math.cos(angle) ** 2 * (k + 1) / (k + 2)
    total *= math.sin(angle)
    return (angle + total) * 2 / math.pi if odd else total


def bounded(values: Values, level: float) -> tuple[float, float] | None:
    """Bound the mean of independent values; None of fewer than two."""
    if len(values) < 2:
        return None
    half = student(level, len(values) - 1) * float(np.std(values, ddof=1)) / math.sqrt(len(values))
    return float(np.mean(values)) - half, float(np.mean(values)) + half


def part(ways: Sequence[Way], runs: Runs, cells: Sequence[Cell]) -> Json:
    """Return every policy's figures in these cells, ours against each, and every cell that ours loses."""
    others = [way for way in ways if way.label != OURS]
    against = {way.label: difference(runs[OURS], runs[way.label], cells) | {"variant_of_ours": way.is_ours} for way in others}
    return {
        "policies": {way.label: summed(runs[way.label], cells) for way in ways},
        "against": against,
        "lost": sorted(lost(against), key=lambda loss: -float(loss["by"])),
        "over_moca": {label: over(runs[OURS], runs[label], cells) for label in MOCAS if label in runs},
    }


def summed(own: Mapping[Cell, Values], cells: Sequence[Cell]) -> Json:
    """Return the SLA in each cell, and the means of all figures over cells."""
    sla = {cell.name: {"sla": _mean(own[cell][:, 0]), "ci95": _rounded(bounded(own[cell][:, 0], 0.95))} for cell in cells}
    over_cells = np.mean([own[cell] for cell in cells], axis=0)  # by seed: the cells of a seed share their arrivals
    means = {name: _mean(over_cells[:, index][~np.isnan(over_cells[:, index])]) for index, name in enumerate(FIGURES)}
    return {**means, "sla_ci95": _rounded(bounded(over_cells[:, 0], 0.95)), "cells": sla}


def difference(ours: Mapping[Cell, Values], other: Mapping[Cell, Values], cells: Sequence[Cell]) -> Json:
    """Return by how much the SLA of ours is above another's, seed by seed: in each cell, and over all."""
    by_cell = {cell.name: ours[cell][:, 0] - other[cell][:, 0] for cell in cells}
    told = {name: {"difference": _mean(found), "ci99": _rounded(bounded(found, 0.99))} for name, found in by_cell.items()}
    mean = np.mean(list(by_cell.values()), axis=0)
    return {"difference": _mean(mean), "ci99": _rounded(bounded(mean, 0.99)), "cells": told}


def lost(against: Mapping[str, Json]) -> Iterator[Json]:
    """List the cells in which another's mean is higher; `beyond_margin` where even the interval's better end is below -MARGIN."""
    for label, found in against.items():
        for cell, of in found["cells"].items():
            if of["difference"] < 0:
                beyond = of["ci99"] is not None and of["ci99"][1] < -MARGIN
                told = {"by": -of["difference"], "ci99": of["ci99"], "beyond_margin": beyond, "variant_of_ours": found["variant_of_ours"]}
                yield {"policy": label, "cell": cell, **told}


def over(ours: Mapping[Cell, Values], other: Mapping[Cell, Values], cells: Sequence[Cell]) -> Json:
    """Return ours over another's, each the mean over cells and seeds."""
    names = ("sla", "stp", "fairness", "fairness_by_priority")
    index = [FIGURES.index(name) for name in names]
    above, below = (np.mean([of[cell][:, index] for cell in cells], axis=(0, 1)) for of in (ours, other))
    return {name: round(float(a / b), 4) for name, a, b in zip(names, above, below, strict=True)}


def _mean(values: Values) -> float:
    return round(float(np.mean(values)), 5)


def _rounded(interval: tuple[float, float] | None) -> list[float] | None:
    return None if interval is None else [round(end, 5) for end in interval]


# Beside the logs.


def as_logged(runs: Runs, cells: Sequence[Cell], folder: Path) -> Json:
    """Return the SLA of every policy on the logged arrivals, a single run each, where ours loses, and what the logs hold."""
    mine = [cell for cell in cells if cell.group == LOGGED]
    sla = {label: {cell.name: _mean(own[cell][:, 0]) for cell in mine} for label, own in runs.items()}
    worse = [
        {"policy": label, "cell": name, "by": round(of[name] - sla[OURS][name], 5)}
        for label, of in sla.items() for name in of if of[name] > sla[OURS][name]
    ]  # fmt: skip
    published = {system: {cell.name: logged_sla(logs.read(folder, cell.set, cell.qos, system)) for cell in mine} for system in logs.SYSTEMS}
    return {"sla": sla, "lost": sorted(worse, key=lambda loss: -loss["by"]), "published": published}


def logged_sla(log: logs.Log) -> float:
    """Return how many of a log's requests were done in time there; what was not executed was not."""
    pairs = zip(log.requests, log.outcomes, strict=True)
    met = [r.due_ns is not None and o.executed and r.arrival_ns + o.latency_ns <= r.due_ns for r, o in pairs]
    return sum(met) / len(met)


def calibration(folder: Path | None) -> Json:
    """Return how far the simulator is from what was measured: networks alone; in the logs, slowdowns and SLA of the static partition."""
    found: Json = {"alone": {name: round(alone_ns(name) / measured_ns - 1, 5) for name, measured_ns in ALONE_NS.items()}}
    if folder:
        found |= {
            "inflation": {set.upper(): inflation(folder, set) for set in "ab"},
            "static_sla": {s.upper(): static_sla(folder, s) for s in "ab"},
        }
    return found


def alone_ns(network: str) -> int:
    """Simulate a network alone on two tiles, one request."""
    tenants, requests = logs.asked([logs.Task(network=network, priority=0, arrival_ns=0, deadline_ns=10**9, qos="M", system="")], "alone")
    ran = run(STATIC, tenants, requests)
    return int(ran.endings["finish_ns"][0])


def inflation(folder: Path, set: str) -> Json:
    """Return, for each network, its mean time from first start to end over its time alone: simulated, logged, and the error."""
    simulated_by: dict[str, list[float]] = {}
    logged_by: dict[str, list[float]] = {}
    for qos in logs.QOS:
        log = logs.read(folder, set, qos, "static")
        ran = run(STATIC, log.tenants, log.requests)
        for request, outcome, ran_ns in zip(log.requests, log.outcomes, spans_ns(ran), strict=True):
            network = _network(request.tenant)
            simulated_by.setdefault(network, []).append(ran_ns / ALONE_NS[network])
            logged_by.setdefault(network, []).append(outcome.runtime_ns / ALONE_NS[network])
    rows = {name: (float(np.mean(own)), float(np.mean(logged_by[name]))) for name, own in simulated_by.items()}
    networks = {name: {"simulated": round(a, 4), "logged": round(b, 4), "error": round(a / b - 1, 4)} for name, (a, b) in rows.items()}
    return {"networks": networks, "median_error": median(abs(of["error"]) for of in networks.values())}


def spans_ns(columns: Columns) -> list[int]:
    """Return how long each request took from its first start to its last stop."""
    starts, stops = np.full(len(columns.endings), np.iinfo(np.int64).max), np.zeros(len(columns.endings), dtype=np.int64)
    np.minimum.at(starts, columns.spans["request"], columns.spans["start_ns"])
    np.maximum.at(stops, columns.spans["request"], columns.spans["stop_ns"])
    return [int(stop - start) for start, stop in zip(starts, stops, strict=True)]


def static_sla(folder: Path, set: str) -> Json:
    """Return the SLA of the static partition at each QoS, simulated and logged, and the mean of their absolute differences."""
    rows = {}
    for qos in logs.QOS:
        log = logs.read(folder, set, qos, "static")
        rows[qos] = {"simulated": round(run_figures(STATIC, log)[0], 4), "logged": round(logged_sla(log), 4)}
    return {"qos": rows, "mean_difference": round(float(np.mean([abs(r["simulated"] - r["logged"]) for r in rows.values()])), 4)}


# What is wanted, and what is shown.


def checks(found: Json) -> Json:
    """Judge what was found by expected.json; what was not simulated is not judged. Variants of ours are no rivals."""
    expected = json.loads((HERE / "expected.json").read_text())
    told = {name: values for name, values in judged(found[CHOSEN], found["calibration"]).items() if values}
    return {name: {"found": values, **expected[name], "kept": _keeps(expected[name], values.values())} for name, values in told.items()}


def judged(chosen: Json, calibration: Json) -> dict[str, dict[str, float]]:
    """Return the values that each check is about; of a cell, the worse end of the interval."""
    rivals = {label: found for label, found in chosen["against"].items() if not found["variant_of_ours"]}
    worst = {label: min(of["ci99"][0] for of in found["cells"].values()) for label, found in rivals.items()}
    over_moca = chosen["over_moca"].items()
    return {
        "mean_highest": _least({label: found["difference"] for label, found in rivals.items()}),
        "no_cell_more_than_0.01_below": _least(worst),
        "stp_at_least_moca": {label: of["stp"] for label, of in over_moca},
        "fairness_at_least_moca": {label: of["fairness"] for label, of in over_moca},
        "fairness_by_priority_at_least_moca": {label: of["fairness_by_priority"] for label, of in over_moca},
        "alone_within_10_percent": {name: abs(error) for name, error in calibration["alone"].items()},
        "inflation_median_error": {set: of["median_error"] for set, of in calibration.get("inflation", {}).items()},
        "static_sla_difference": {set: of["mean_difference"] for set, of in calibration.get("static_sla", {}).items()},
    }


def _least(values: Mapping[str, float]) -> dict[str, float]:
    label = min(values, key=lambda name: values[name], default=None)
    return {} if label is None else {label: values[label]}


def _keeps(expected: Mapping[str, float], values: Iterable[float]) -> bool:
    low, high = expected.get("at_least", -math.inf), expected.get("at_most", math.inf)
    return all(low <= value <= high for value in values)


# Tables.

WORDS: Final = {CHOSEN: "Sets A and B, seeds 0 on", HELD: "Sets A and B, seeds 1000 on", OTHER: "Set C"}


def shown(found: Json) -> Iterator[str]:
    """Yield the lines of all tables, in Markdown."""
    yield f"Simulated. {found['seeds']} drawn workloads in each cell; the same for every policy."
    for group in (group for group in GROUPS if group in found):
        yield from ("", f"## {WORDS[group]}", "", *figures_table(found[group]))
        yield from ("", f"SLA of {OURS} less that of another (99 %):", "", *against_table(found[group]))
        yield from ("", "Cells lost:", "", *lost_table(found[group]["lost"]), "")
        for label, of in found[group]["over_moca"].items():
            yield f"{OURS} over {label}: " + ", ".join(f"{name} {ratio:.3f}" for name, ratio in of.items())
    if found["logged"]:
        yield from ("", "## The logged arrivals, one run each", "", *logged_table(found["logged"]))
    yield from (
        "",
        "## Beside what was measured",
        "",
        *calibration_lines(found["calibration"]),
        "",
        "## Checks",
        "",
        *check_table(found["checks"]),
    )


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{'---|' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def figures_table(of: Json) -> Iterator[str]:
    ranked = sorted(of["policies"].items(), key=lambda item: -float(item[1]["sla"]))
    cells = list(of["policies"][OURS]["cells"])
    header = ["policy", *cells, "mean SLA", "STP", "ANTT", "fairness", "by priority", "priority 11 late"]
    rows = ([label, *(_pm(own["cells"][c]["sla"], own["cells"][c]["ci95"]) for c in cells), *_means(own)] for label, own in ranked)
    return table(header, rows)


def _means(own: Json) -> list[str]:
    plain = (f"{own[name]:.{digits}f}" for name, digits in zip(FIGURES[1:], (2, 2, 3, 3, 3), strict=True))
    return [_pm(own["sla"], own["sla_ci95"]), *plain]


def against_table(of: Json) -> Iterator[str]:
    ranked = sorted(of["against"].items(), key=lambda item: float(item[1]["difference"]))
    cells = list(of["policies"][OURS]["cells"])
    told = ((label, [*(found["cells"][c] for c in cells), found]) for label, found in ranked)
    return table(["policy", *cells, "mean"], ([label, *(_pm(one["difference"], one["ci99"]) for one in own)] for label, own in told))


def lost_table(losses: Sequence[Json]) -> Iterator[str]:
    if not losses:
        return iter(("none",))
    words = {True: "yes", False: "no"}
    rows = ([x["policy"], x["cell"], f"{x['by']:.4f}", _span(x["ci99"]), words[x["beyond_margin"]]] for x in losses)
    return table(["policy", "cell", "by", "difference, 99 %", f"more than {MARGIN} for sure"], rows)


def logged_table(logged: Json) -> Iterator[str]:
    cells = list(logged["sla"][OURS])
    ranked = sorted(logged["sla"].items(), key=lambda item: -sum(item[1].values()))
    published = [(f"*logged: {system}*", of) for system, of in logged["published"].items()]
    yield from table(["policy", *cells], ([label, *(f"{of[cell]:.3f}" for cell in cells)] for label, of in (*published, *ranked)))
    losses = ", ".join(f"{x['policy']} {x['cell']} {x['by']:.3f}" for x in logged["lost"])
    yield from ("", f"Lost: {losses or 'none'}.")


def calibration_lines(of: Json) -> Iterator[str]:
    yield "Alone on two tiles, error: " + ", ".join(f"{name} {error:+.1%}" for name, error in of["alone"].items())
    for set, found in of.get("inflation", {}).items():
        each = ", ".join(f"{name} {row['simulated']:.2f} for {row['logged']:.2f}" for name, row in found["networks"].items())
        yield f"Slowdown in set {set}, simulated for logged: {each}; median error {found['median_error']:.1%}"
    for set, found in of.get("static_sla", {}).items():
        each = ", ".join(f"{qos} {row['simulated']:.3f} for {row['logged']:.3f}" for qos, row in found["qos"].items())
        yield f"SLA of static in set {set}, simulated for logged: {each}; mean difference {found['mean_difference']:.3f}"


def check_table(found: Json) -> Iterator[str]:
    rows = (
        [
            name,
            ", ".join(f"{what}: {value:.4f}" for what, value in of["found"].items()),
            _wanted(of),
            "kept" if of["kept"] else "**not kept**",
        ]
        for name, of in found.items()
    )
    return table(["check", "found", "wanted", ""], rows)


def _wanted(check: Json) -> str:
    return f"at least {check['at_least']}" if "at_least" in check else f"at most {check['at_most']}"


def _pm(value: float, interval: Sequence[float] | None) -> str:
    return f"{value:.3f}" if interval is None else f"{value:.3f} ± {(interval[1] - interval[0]) / 2:.3f}"


def _span(interval: Sequence[float] | None) -> str:
    return "one run" if interval is None else f"{interval[0]:.4f} to {interval[1]:.4f}"


if __name__ == "__main__":
    sys.exit(main())
