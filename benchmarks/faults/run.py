"""Kill, stop and overload what serves a crew, and set what became of its requests beside the figures to reach.

python benchmarks/faults/run.py [--json] [--quick] [--seconds S]: without --json a table.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from crashing import crashing_model

from cotenant.describe import Outcome, Poisson, Workload
from cotenant.live import Client, LiveDevice
from cotenant.study.device import inputs_of, open_device
from cotenant.study.prepare import profiled, rehearsed
from cotenant.study.prepared import Prepared
from cotenant.trace import Ending, Trace, quantile_ns

HERE = Path(__file__).parent
VICTIM, CRITICAL = "classifier", "detector"
EVERY_S = 2.0
STOPPED_EVERY_S = 5.0
WINDOW_S = 10.0  # with faults and without, in turns
OVERLOAD = 3.0
NS_PER_S = 10**9
Figures = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Served:
    """Hold a run: its trace, when faults were made, and in which windows they were."""

    trace: Trace
    lost: int
    faults_ns: tuple[int, ...]
    windows_ns: tuple[tuple[int, int], ...]
    memory_bytes: tuple[int, int]

    def of(self, tenant: str) -> list[Ending]:
        return [ending for ending in self.trace.endings if ending.tenant == tenant]


def main() -> None:
    asked = arguments()
    seconds, window_s = (10.0, 5.0) if asked.quick else (asked.seconds, WINDOW_S)
    crew = rehearsed(profiled(HERE / ("quick.yaml" if asked.quick else "crew.yaml")))
    found = {name: run(crew, seconds, window_s) for name, run in SCENARIOS.items()}
    expected = json.loads((HERE / "expected.json").read_text())
    result = {"reached": reached(found, expected), "seconds": seconds, "scenarios": found}
    print(json.dumps(result, indent=2) if asked.json else table(result))


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--seconds", type=float, default=60.0, help="of faults; as much again is served without")
    return parser.parse_args()


def kills(crew: Prepared, seconds: float, window_s: float, *, standby: bool = False) -> Figures:
    served = serve(with_standby(crew, standby=standby), seconds, window_s, killer(signal.SIGKILL), EVERY_S)
    return {**counted(served), **comeback(served), **critical(served)}


def stops(crew: Prepared, seconds: float, window_s: float) -> Figures:
    served = serve(crew, seconds, window_s, killer(signal.SIGSTOP), STOPPED_EVERY_S)
    return {**counted(served), **comeback(served), **critical(served)}


def overload(crew: Prepared, seconds: float, window_s: float) -> Figures:
    """Ask every tenant but the first rank three times what the plan promises it; no window is without."""
    promised = {promise.tenant: promise.rate_per_s for promise in crew.plan.promises}
    tenants = tuple(
        t if t.rank == 0 else replace(t, arrival=Poisson(rate_per_s=OVERLOAD * promised[t.name])) for t in crew.crew.workload.tenants
    )
    crew = replace(crew, crew=replace(crew.crew, workload=replace(crew.crew.workload, tenants=tenants)))
    served = serve(crew, seconds, window_s, lambda _: None, seconds)
    first = served.of(CRITICAL)
    missed = sum(e.finish_ns is None or e.due_ns is None or e.finish_ns > e.due_ns or e.outcome is not Outcome.DONE for e in first)
    before, after = served.memory_bytes
    return {**counted(served), "missed": missed, "asked_first": len(first), "missed_share": missed / len(first), "memory": after / before}


def crashing(_crew: Prepared, _seconds: float, _window_s: float) -> Figures:
    return crashing_model()


SCENARIOS: dict[str, Callable[[Prepared, float, float], Figures]] = {
    "kills": kills,
    "kills, standby": lambda crew, seconds, window_s: kills(crew, seconds, window_s, standby=True),
    "stops": stops,
    "overload": overload,
    "crashing model": crashing,
}


def with_standby(crew: Prepared, *, standby: bool) -> Prepared:
    tenants = tuple(replace(t, standby=standby and t.isolated) for t in crew.crew.workload.tenants)
    return replace(crew, crew=replace(crew.crew, workload=replace(crew.crew.workload, tenants=tenants)))


def killer(number: signal.Signals) -> Callable[[LiveDevice], None]:
    def strike(device: LiveDevice) -> None:
        if pid := device.health()[VICTIM].pid:
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    return strike


def serve(crew: Prepared, seconds: float, window_s: float, strike: Callable[[LiveDevice], None], every_s: float) -> Served:
    """Serve for `seconds` with faults and as long without, window by window in turns."""
    stop, faults, inputs = threading.Event(), list[int](), inputs_of(crew)
    rounds = max(1, round(seconds / window_s))
    total_ns = round(2 * rounds * window_s * NS_PER_S)
    workload: Workload = crew.crew.workload
    with open_device(crew, keeps_trace=True) as device:
        client = Client(device=device, workload=workload, lanes=crew.platform.lanes, inputs=inputs, stop=stop)
        start_ns = device.start_clock()
        windows = [(round((2 * i + 1) * window_s * NS_PER_S), round((2 * i + 2) * window_s * NS_PER_S)) for i in range(rounds)]
        instants = [instant for window in windows for instant in instants_in(window, every_s)]
        thread = threading.Thread(target=strike_at, args=(device, strike, start_ns, instants, faults), daemon=True)
        thread.start()
        memory = list[int]()
        threading.Timer(window_s, lambda: memory.append(resident_bytes())).start()
        client.ask(start_ns, total_ns)
        memory.append(resident_bytes())
        stop.set()
        thread.join()
        device.drain(30.0)
        lost = sum(count.lost + count.outstanding for count in device.stats().values())
        trace = device.trace(total_ns)
    return Served(
        trace=trace, lost=lost, faults_ns=tuple(faults), windows_ns=tuple(windows), memory_bytes=(memory[0], memory[-1])
    )  # fmt: skip


def instants_in(window_ns: tuple[int, int], every_s: float) -> Iterator[int]:
    every_ns = round(every_s * NS_PER_S)
    return iter(range(window_ns[0], window_ns[1] - every_ns // 2, every_ns))


def strike_at(
    device: LiveDevice, strike: Callable[[LiveDevice], None], start_ns: int, instants: list[int], faults: list[int]
) -> None:  # fmt: skip
    for instant in instants:
        time.sleep(max(0, start_ns + instant - time.monotonic_ns()) / NS_PER_S)
        faults.append(time.monotonic_ns() - start_ns)
        strike(device)


def resident_bytes() -> int:
    """Return what this process and all below it hold in memory."""
    pids, found = [os.getpid()], 0
    while pids:
        pid = pids.pop()
        with suppress(OSError):
            found += int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            pids += [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return found


def counted(served: Served) -> Figures:
    endings = served.trace.endings
    broken = {span.request for span in served.trace.spans if span.outcome is Outcome.FAILED}
    return {
        "asked": len(endings),
        "done": sum(e.outcome is Outcome.DONE for e in endings),
        "retried": sum(e.outcome is Outcome.DONE and e.request in broken for e in endings),
        "failed": sum(e.outcome is Outcome.FAILED for e in endings),
        "dropped": sum(e.outcome is Outcome.DROPPED for e in endings),
        "lost": served.lost,
        "faults": len(served.faults_ns),
    }


def comeback(served: Served) -> Figures:
    """Say how long it took from each fault until a run that began after it was answered."""
    answered = {e.request: e.finish_ns for e in served.of(VICTIM) if e.outcome is Outcome.DONE and e.finish_ns is not None}
    runs = sorted((answered[s.request], s.start_ns) for s in served.trace.spans if s.request in answered and s.outcome is Outcome.DONE)
    waits = [next((finish - fault for finish, start in runs if start > fault), None) for fault in served.faults_ns]
    known = [wait / NS_PER_S for wait in waits if wait is not None]
    if not known:
        return {"back_median_s": None, "back_s": None}
    return {"back_median_s": median(known), "back_s": max(known)}


def critical(served: Served) -> Figures:
    """Compare the first rank's latencies in windows with faults and in those without."""
    within, without = list[int](), list[int]()
    for e in served.of(CRITICAL):
        if e.finish_ns is not None:
            faulty = any(start <= e.arrival_ns < stop for start, stop in served.windows_ns)
            (within if faulty else without).append(e.finish_ns - e.arrival_ns)
    with_ns, without_ns = ({q: quantile_ns(sorted(some), q) or 0 for q in (0.5, 0.99)} for some in (within, without))
    return {
        "critical_ms": {f"p{100 * q:g}": [with_ns[q] / 1e6, without_ns[q] / 1e6] for q in (0.5, 0.99)},
        "critical_p99": with_ns[0.99] / max(without_ns[0.99], 1),
    }


def reached(found: dict[str, Figures], expected: dict[str, dict[str, float]]) -> dict[str, dict[str, Any]]:
    """Return, for each scenario and figure, what was found, the most that is wanted, and whether it was reached."""
    return {
        name: {
            figure: {"found": value, "at_most": most, "reached": value is not None and value <= most}
            for figure, most in figures.items()
            for value in (found[name][figure],)
        }
        for name, figures in expected.items()
    }


def table(result: dict[str, Any]) -> str:
    lines = []
    for name, figures in result["scenarios"].items():
        told = ", ".join(f"{key} {value:.4g}" if isinstance(value, float) else f"{key} {value}" for key, value in figures.items())
        missed = [figure for figure, found in result["reached"][name].items() if not found["reached"]]
        lines.append(f"{name}: {told}; " + (f"NOT reached: {', '.join(missed)}" if missed else "reached"))
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
