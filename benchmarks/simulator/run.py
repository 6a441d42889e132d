"""Measure how many events the simulator serves per second of process CPU time, trace kept: JSON on standard output."""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from os import environ
from pathlib import Path

from cotenant.describe import (
    Artifact,
    Memory,
    Option,
    Platform,
    Poisson,
    Precision,
    Preemption,
    Processor,
    Request,
    Share,
    Source,
    Step,
    Tenant,
    Workload,
)
from cotenant.policy import Policy, policies
from cotenant.sim import Compiler, Rig, Seeded

TENANTS, SEGMENTS, PROCESSORS = 8, 20, 4
LOADS = (0.7, 1.2)
RUNS = 5
EDF, OURS = "edf", "fewest_late"
SECONDS = {True: 10.0, False: 0.1}
BACKLOGS = (10, 1_000_000)
NS = 1_000_000_000

FIRST = "import sys; sys.path.insert(0, {folder!r}); import run; print(run.first_s())"


def board(*, memory: bool) -> Platform:
    """Return four processors of one lane, which preempt at once where there is a memory to share."""
    how = Preemption.INSTANT if memory else Preemption.SEGMENT
    processors = tuple(Processor(name=f"p{i}", kind="k", lanes=1, memory="d", preemption=how) for i in range(PROCESSORS))
    shared = Memory(name="d", capacity_bytes=1, bandwidth_bytes_per_s=10e9 if memory else None)
    return Platform(name="board", processors=processors, memories=(shared,))


def crew(load: float, *, memory: bool) -> tuple[tuple[Tenant, ...], tuple[Share, ...]]:
    """Return eight tenants of 20 segments of 20 to 55 us, each on the next processor in turn."""
    tenants, shares = [], []
    for i in range(TENANTS):
        segment_ns = (20 + 5 * i) * 1000
        alone_ns = segment_ns * SEGMENTS
        rate_per_s = load * PROCESSORS / TENANTS / (alone_ns / NS)
        chain = tuple(
            Step(segment=j, processor=f"p{(i + j) % PROCESSORS}", width=1, duration_ns=segment_ns, memory_bytes=4 * segment_ns * memory)
            for j in range(SEGMENTS)
        )
        artifact = Artifact(model=f"t{i}", precision=Precision.FP32, engine="fake", memory="d", resident_bytes=1)
        option = Option(tenant=f"t{i}", artifact=artifact, chain=chain, demand=(), latency_ns=alone_ns)
        arrival = Poisson(rate_per_s=rate_per_s)
        tenants.append(Tenant(name=f"t{i}", source=Source(model="zoo:x"), arrival=arrival, rank=i % 3, deadline_ns=8 * alone_ns))
        shares.append(Share(option=option, rate_per_s=rate_per_s))
    return tuple(tenants), tuple(shares)


def rig_of(load: float, *, memory: bool, compiler: Compiler | None) -> Rig:
    tenants, shares = crew(load, memory=memory)
    return Rig(tenants, shares, board(memory=memory), compiler)


def seeded(load: float, seconds: float, *, memory: bool) -> Seeded:
    horizon_ns = int(seconds * NS)
    requests = Workload(tenants=crew(load, memory=memory)[0], seed=1).requests(horizon_ns)
    return Seeded(requests=requests, horizon_ns=horizon_ns, seed=1)


def cpu_s(what: Callable[[], object]) -> float:
    before_s = time.process_time()
    what()
    return time.process_time() - before_s


def measured(name: str, policy: Policy, load: float, *, memory: bool, compiler: Compiler | None) -> dict[str, object]:
    """Run five times, warm; the list of arrivals is made once, as when a horizon is simulated by several policies."""
    rig = rig_of(load, memory=memory, compiler=compiler)
    asked = seeded(load, SECONDS[compiler is not None], memory=memory)
    columns = rig.run(asked, policy, name=name)
    rates = [columns.segments / cpu_s(lambda: rig.run(asked, policy, name=name)) for _ in range(RUNS)]
    return {
        "load": load,
        "policy": name,
        "memory": memory,
        "compiled": compiler is not None,
        "events_per_s": round(statistics.median(rates)),
        "least_per_s": round(min(rates)),
        "most_per_s": round(max(rates)),
        "events": columns.segments,
        "bytes_per_span": round(columns.bytes_per_span, 1),
    }


def ways() -> list[tuple[str, Policy, bool]]:
    """List what is measured: earliest deadline first alone, and with memory; and ours, which asks for everything."""
    edf = [(EDF, policies.get(EDF), memory) for memory in (False, True)]
    return [*edf, (OURS, replace(policies.get(OURS), promises=True, preempts=True), True)]


def first_s() -> float:
    """Return the CPU seconds from nothing compiled to the first trace; called in a process of its own."""
    rig, asked = rig_of(0.7, memory=False, compiler=Compiler()), seeded(0.7, 0.01, memory=False)
    return cpu_s(lambda: rig.run(asked, policies.get("edf"), name="edf"))


def compiling() -> dict[str, float]:
    """Measure with an empty cache, again in the same process for another policy, and in a second process."""
    command = [sys.executable, "-c", FIRST.format(folder=str(Path(__file__).parent))]
    with tempfile.TemporaryDirectory() as folder:
        env = {**environ, "COTENANT_CACHE": folder}
        first, second = (float(subprocess.run(command, check=True, capture_output=True, text=True, env=env).stdout) for _ in range(2))
    compiler = Compiler()
    asked = seeded(0.7, 0.01, memory=False)
    rig_of(0.7, memory=False, compiler=compiler).run(asked, policies.get("edf"), name="edf")
    rig = rig_of(0.7, memory=False, compiler=compiler)
    following = cpu_s(lambda: rig.run(asked, policies.get("rank_edf"), name="rank_edf"))
    return {"compile_first_s": round(first, 2), "compile_next_s": round(following, 2), "second_process_s": round(second, 2)}


def backlog(outstanding: int, compiler: Compiler) -> float:
    """Return the CPU ns per event of serving eight tenants while many requests of a ninth wait for another processor.

    What the backlog itself takes is taken off: by a run with a twentieth of the events.
    """
    tenants, shares = crew(0.7, memory=False)
    behind = replace(tenants[0], name="behind", rank=9, deadline_ns=None)
    slow = Step(segment=0, processor="p4", width=1, duration_ns=10 * NS)
    hog = Share(option=replace(shares[0].option, tenant="behind", chain=(slow,)), rate_per_s=1.0)
    platform = board(memory=False)
    platform = replace(platform, processors=(*platform.processors, replace(platform.processors[0], name="p4")))
    waiting = tuple(Request(id=i, tenant="behind", arrival_ns=0) for i in range(outstanding))
    coming = Workload(tenants=tenants, seed=1).requests(20 * NS)
    rig = Rig((*tenants, behind), (*shares, hog), platform, compiler)
    few_s, few = stopped(rig, (*waiting, *coming[: len(coming) // 20]))
    many_s, many = stopped(rig, (*waiting, *coming))
    return (many_s - few_s) / (many - few) * 1e9


def stopped(rig: Rig, requests: tuple[Request, ...]) -> tuple[float, int]:
    """Return the least CPU seconds of five runs, and their events."""
    asked = Seeded(requests=requests, horizon_ns=20 * NS)
    policy = policies.get("rank")
    columns = rig.run(asked, policy, name="rank")
    return min(cpu_s(lambda: rig.run(asked, policy, name="rank")) for _ in range(RUNS)), columns.segments


def main() -> int:
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--json", action="store_true", help="print JSON (it does so anyway)")
    asked.parse_args()
    compiler = Compiler()
    runs = [measured(n, p, load, memory=m, compiler=compiler) for load in LOADS for n, p, m in ways()]
    runs += [measured("edf", policies.get("edf"), load, memory=False, compiler=None) for load in LOADS]
    found: dict[str, object] = {"runs": runs, **compiling()}
    costs = [round(backlog(outstanding, compiler)) for outstanding in BACKLOGS]
    found["backlog_ns_per_event"] = dict(zip(map(str, BACKLOGS), costs, strict=True))
    expected = json.loads(Path(__file__).with_name("expected.json").read_text())
    compiled = [run for run in runs if run["compiled"]]
    kept = {
        "events_per_s": min(r["events_per_s"] for r in compiled if not r["memory"]) >= expected["events_per_s"]["at_least"],
        "ours_events_per_s": min(r["events_per_s"] for r in compiled if r["policy"] == OURS) >= expected["ours_events_per_s"]["at_least"],
        "compile_first_s": found["compile_first_s"] <= expected["compile_first_s"]["at_most"],
        "compile_next_s": found["compile_next_s"] <= expected["compile_next_s"]["at_most"],
        "bytes_per_span": max(run["bytes_per_span"] for run in runs) <= expected["bytes_per_span"]["at_most"],
        "second_process_s": found["second_process_s"] <= expected["second_process_s"]["at_most"],
        "backlog_ratio": all(b <= expected["backlog_ratio"]["at_most"] * a for a, b in pairwise(costs)),
    }
    print(json.dumps({**found, "repeats": RUNS, "kept": kept}, indent=2))
    return 0 if all(kept.values()) else 1


if __name__ == "__main__":
    sys.exit(main())
