"""What MoCA's SoC was asked for, as logged, and more of the same kind.

`read(folder, set, qos, system)` turns a log of the artifact into tenants and requests, with what became of them there; `drawn(set, qos,
seed=...)` makes others. `python benchmarks/moca/logs.py [FOLDER]` prints what the logs hold. One cycle is one nanosecond (1 GHz).

The logs are FireSim runs of the artifact of Kim et al., "MoCA: Memory-Centric, Adaptive Execution for Multi-Tenant Deep Neural Networks",
HPCA 2023 (SeahK/gemmini-rocc-tests-moca-ae, BSD-3-Clause). They stay outside this repository: `find` looks for them.
"""

from __future__ import annotations

import sys
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, chain, islice
from pathlib import Path
from typing import Final, TypeVar

import numpy as np

from cotenant.describe import Replay, Request, Source, Tenant
from cotenant.describe.sheet import Sheet, read_sheet
from cotenant.errors import CotenantError, InputError
from cotenant.registry import nearest
from cotenant.units import MAX_NS, NS_PER_MS

T = TypeVar("T")

QOS: Final = {"H": 0.8, "M": 1.0, "L": 1.2}
"""How long a deadline is, over that of QoS-M (the paper, section V)."""
SYSTEMS: Final = ("static", "moca")
DRAWN: Final = "drawn"
COLUMNS: Final = (
    "qos", "system", "network", "priority", "arrival_cycles", "target_cycles", "latency_cycles", "runtime_cycles", "executed",
)  # fmt: skip
FIRST_PRIORITY: Final = 11
"""The greatest priority goes first: it becomes rank 0."""

TARGETS: Final = {
    "resnet50": 50_000_000, "alexnet": 33_333_334, "googlenet": 33_333_334, "squeezenet": 10_000_000, "kws_res26": 33_333_334,
    "yolov2": 16_666_667, "yolo_lite": 10_000_000,
}  # fmt: skip
"""Deadlines of QoS-M in the logs, in cycles; networks.csv has 33,299,999 for the three of 33,333,334, and 16,700,000 for yolov2."""

PARTS: Final = {
    "a": {"squeezenet": 30, "kws_res26": 21, "yolo_lite": 25},
    "b": {"resnet50": 12, "alexnet": 18, "googlenet": 16, "yolov2": 18},
    "c": {"resnet50": 12, "alexnet": 18, "googlenet": 16, "squeezenet": 30, "kws_res26": 21, "yolov2": 18, "yolo_lite": 25},
}
"""How many parts of the draw each network of a set has, in this order."""
PRIORITY_PARTS: Final = {0: 15, 1: 18, 2: 10, 4: 15, 6: 15, 8: 15, 9: 10, 11: 10}
DRAWS: Final = 256
"""What is drawn is a byte, modulo the number of parts: so the first parts weigh more."""

GAPS: Final = {
    "resnet50": 15_070_506, "alexnet": 8_382_324, "googlenet": 7_070_440, "squeezenet": 2_608_024, "kws_res26": 9_010_000,
    "yolov2": 5_132_036, "yolo_lite": 1_678_161,
}  # fmt: skip
"""After a network, its chain waits this many cycles times the set's factor: times alone that the authors had at first."""
FACTORS: Final = {"a": 0.92, "b": 1.42, "c": 1.17}
"""Found from the logs of A and B, whose 492 gaps they explain to within 0.4 % of a step; of C there is no log: halfway between."""
CHAINS: Final = 4
STAGGER: Final = 50_000
EARLIER: Final = 45_000
STEPS: Final = 20
"""Four chains start 50,000 cycles apart; each gap is shorter by 45,000 times a whole number below 20, all alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What became of a request there: latency from its arrival, its own running time; `executed` False if it never ran."""

    latency_ns: int
    runtime_ns: int
    executed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Requests in order of arrival; `outcomes` has one for each, in the same order, or none where they were drawn."""

    set: str
    qos: str
    system: str
    tenants: tuple[Tenant, ...]
    requests: tuple[Request, ...]
    outcomes: tuple[Logged, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One line: a network, its priority, when it comes and how long it may take; the QoS and system of which it was logged."""

    network: str
    priority: int
    arrival_ns: int
    deadline_ns: int
    qos: str
    system: str

    @property
    def tenant(self) -> str:
        return tenant_name(self.network, self.priority)


def tenant_name(network: str, priority: int) -> str:
    """Name the tenant that asks for a network at a priority: ranks are tenants', so each pair is one."""
    return f"{network}-p{priority}"


def rank_of(priority: int) -> int:
    """Return the rank of a priority, 0 for the greatest."""
    return FIRST_PRIORITY - priority


# From a log.


def find(given: Path | None = None) -> Path:
    """Return the folder of the logs: the given one, or `data/moca_soc` of a folder `shared` above this one; InputError if there is none."""
    folders = [given] if given else [above / "shared" / "data" / "moca_soc" for above in Path(__file__).resolve().parents]
    for folder in folders:
        if (folder / "tasks_a.csv").is_file():
            return folder
    allowed = "a folder that holds MoCA's published logs, tasks_a.csv and tasks_b.csv"
    raise InputError("logs", given or f"no shared/data/moca_soc above {Path(__file__).parent}", allowed)


def read(folder: Path, set: str, qos: str, system: str) -> Log:
    """Read the requests of a set ("a" or "b") at a QoS under a system ("static" or "moca"); InputError says what is wrong, and where."""
    _known("qos", qos, tuple(QOS))
    _known("system", system, SYSTEMS)
    _known("set", set, ("a", "b"))
    path = folder / f"tasks_{set}.csv"
    found = [(task, logged) for task, logged in _lines(path) if (task.qos, task.system) == (qos, system)]
    if not found:
        raise InputError("logs", f"{path}: none of QoS {qos} under {system}", "a log with tasks of both")
    found.sort(key=lambda pair: pair[0].arrival_ns)  # those that arrive together stay in order
    tenants, requests = asked([task for task, _ in found], str(path))
    return Log(set=set, qos=qos, system=system, tenants=tenants, requests=requests, outcomes=tuple(logged for _, logged in found))


def _known(what: str, value: str, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InputError(what, value, nearest(value, known))


def _lines(path: Path) -> Iterator[tuple[Task, Logged]]:
    sheet = read_sheet(path, "logs")
    if missing := [name for name in COLUMNS if name not in sheet.header]:
        raise sheet.refused(sheet.line, ",".join(sheet.header) or "empty", f"a column {missing[0]}")
    for line, cells in sheet.rows:
        if len(cells) != len(sheet.header):
            raise sheet.refused(line, ",".join(cells), f"{len(sheet.header)} cells, one for each column")
        yield _line(sheet, line, dict(zip(sheet.header, cells, strict=True)))


def _line(sheet: Sheet, line: int, row: dict[str, str]) -> tuple[Task, Logged]:
    def whole(name: str, least: int = 0, most: int = MAX_NS) -> int:
        number = sheet.number(line, row[name], Decimal(least), Decimal(most), f"{name}: {least} to {most}")
        if number != int(number):
            raise sheet.refused(line, row[name], f"{name}: a whole number")
        return int(number)

    task = Task(
        network=row["network"],
        priority=whole("priority", most=FIRST_PRIORITY),
        arrival_ns=whole("arrival_cycles"),
        deadline_ns=whole("target_cycles", least=1),
        qos=row["qos"],
        system=row["system"],
    )
    return task, Logged(
        latency_ns=whole("latency_cycles"), runtime_ns=whole("runtime_cycles"), executed=whole("executed", most=1) == 1
    )  # fmt: skip


def asked(tasks: Sequence[Task], path: str) -> tuple[tuple[Tenant, ...], tuple[Request, ...]]:
    """Turn tasks in order of arrival into a tenant for each network and priority, and a request for each task, numbered alike."""
    requests = tuple(
        Request(id=id, tenant=task.tenant, arrival_ns=task.arrival_ns, due_ns=task.arrival_ns + task.deadline_ns)
        for id, task in enumerate(tasks)
    )
    by_name = {task.tenant: task for task in reversed(tasks)}
    found = sorted(by_name.items(), key=lambda item: (rank_of(item[1].priority), item[0]))
    return tuple(_tenant(name, task, [r for r in requests if r.tenant == name], path) for name, task in found), requests


def _tenant(name: str, task: Task, own: Sequence[Request], path: str) -> Tenant:
    return Tenant(
        name=name,
        source=Source(model=f"board:{task.network}"),
        arrival=Replay(path=path, times_ns=tuple(r.arrival_ns for r in own), requests=tuple(own)),
        rank=rank_of(task.priority),
        deadline_ns=task.deadline_ns,
    )


# More of the same kind.


def drawn(set: str, qos: str = "M", *, seed: int, count: int = 250, factor: float | None = None) -> Log:
    """Draw a workload as the logs' were: the same seed, the same one; the QoS changes deadlines alone.

    Four chains of tasks; in each, the next arrives when `factor` (that of the set) times the gap of the task before has passed, less
    0 to 855,000 cycles. Network and priority are drawn by themselves. A greater factor is a lower load.
    """
    _known("set", set, tuple(PARTS))
    _known("qos", qos, tuple(QOS))
    if count < 1:
        raise InputError("count", count, "1 or more")
    stretch = FACTORS[set] if factor is None else factor
    starts = zip(range(0, CHAINS * STAGGER, STAGGER), np.random.default_rng(seed).spawn(CHAINS), strict=True)
    chains = [islice(_chain(set, qos, start_ns, stretch, rng), count) for start_ns, rng in starts]
    tasks = sorted(chain.from_iterable(chains), key=lambda task: task.arrival_ns)[:count]
    tenants, requests = asked(tasks, f"{DRAWN} {set}, seed {seed}")
    return Log(set=set, qos=qos, system=DRAWN, tenants=tenants, requests=requests)


def _chain(set: str, qos: str, start_ns: int, factor: float, rng: np.random.Generator) -> Iterator[Task]:
    now_ns = start_ns
    while True:
        network, priority = _one(PARTS[set], rng), _one(PRIORITY_PARTS, rng)
        deadline_ns = round(TARGETS[network] * QOS[qos])
        yield Task(network=network, priority=priority, arrival_ns=now_ns, deadline_ns=deadline_ns, qos=qos, system=DRAWN)
        now_ns += max(0, int(factor * GAPS[network]) - EARLIER * int(rng.integers(STEPS)))


def _one(parts: Mapping[T, int], rng: np.random.Generator) -> T:
    """Draw a byte, and return whose part it falls into."""
    ends = list(accumulate(parts.values()))
    return list(parts)[bisect_right(ends, int(rng.integers(DRAWS)) % ends[-1])]


# What there is.


def main() -> None:
    try:
        folder = find(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
        logs = [read(folder, set, qos, system) for set in ("a", "b") for qos in QOS for system in SYSTEMS]
    except CotenantError as error:
        sys.exit(str(error))
    for log in logs:
        print(told(log))


def told(log: Log) -> str:
    """Say in one line how many requests a log holds, over how long, and how many of them met their deadlines there."""
    ends_ns = (request.arrival_ns + logged.latency_ns for request, logged in zip(log.requests, log.outcomes, strict=True))
    met = sum(request.due_ns is not None and end_ns <= request.due_ns for request, end_ns in zip(log.requests, ends_ns, strict=True))
    ran = sum(logged.executed for logged in log.outcomes)
    over_ms = (log.requests[-1].arrival_ns - log.requests[0].arrival_ns) / NS_PER_MS
    return (
        f"{log.set} {log.qos} {log.system}: {len(log.requests)} requests of {len(log.tenants)} tenants in {over_ms:.0f} ms, "
        f"{met} met their deadlines, {ran} ran"
    )


if __name__ == "__main__":
    main()
