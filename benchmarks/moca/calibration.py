"""The simulator beside what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.moca import logs
from benchmarks.moca.cells import LOGGED, Cell
from benchmarks.moca.comparison import Json, mean
from benchmarks.moca.runs import ALONE_NS, Runs, network_of, run, run_figures
from benchmarks.moca.ways import OURS, STATIC
from cotenant.trace.columns import Columns


def as_logged(runs: Runs, cells: Sequence[Cell], folder: Path) -> Json:
    """Return the SLA of every policy on the logged arrivals, a single run each, where ours loses, and what the logs hold."""
    mine = [cell for cell in cells if cell.group == LOGGED]
    sla = {label: {cell.name: mean(own[cell][:, 0]) for cell in mine} for label, own in runs.items()}
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
            network = network_of(request.tenant)
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
