"""What was simulated, as a tree, tables and a page; heavy to import."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from cotenant.cli.bar import progress
from cotenant.cli.measure import measure, plan_of
from cotenant.cli.options import AUTO
from cotenant.cli.screen import note, show_table
from cotenant.describe import Crew
from cotenant.describe.files import read_crew
from cotenant.errors import DecisionError, InputError
from cotenant.policy import base_of, named, policies, variants
from cotenant.sim import is_there
from cotenant.study import sweep as study
from cotenant.study.simulation import Place, on_board, on_this_machine
from cotenant.trace.bandwidth import bandwidth
from cotenant.trace.report import Cell, Interval, Member, Run, Sweep, write_report
from cotenant.units import NS_PER_MS

_MOST_RUNS = 6
"""Example runs on the page: each is some hundred kilobytes."""


def ask(crew: Crew, names: str | None, loads: tuple[float, ...], seeds: int, seconds: float | None) -> study.Ask:
    """Return what is to be compared: the crew's own policy unless others are named; wherever it is, by the crew's parameters."""
    wanted = (crew.policy,) if names is None else tuple(name.strip() for name in names.split(","))
    listed = tuple(dict.fromkeys(name for one in wanted for name in (variants(policies) if one == "all" else (one,))))
    own = base_of(crew.policy)
    found = tuple((name, named(policies, name, "--policy", crew.params if base_of(name) == own else ())) for name in listed)
    for load in loads:
        _try_load(crew, load)
    return study.Ask(policies=found, loads=loads, seeds=seeds, seconds=seconds)


def _try_load(crew: Crew, load: float) -> None:
    """Refuse a load at which the crew's arrivals cannot be."""
    try:
        crew.workload.scaled(load)
    except InputError as error:
        value = f"{load:g}" if error.path == "load" else f"{load:g} makes {error.path} {error.value}"
        raise InputError("--load", value, error.allowed) from error


def sweep(path: Path, crew: Crew, asked: study.Ask) -> study.Swept:
    """Simulate, with its progress on stderr."""
    if not is_there():
        note(["numba is not installed, so this runs as plain Python, a hundred times slower: pip install 'cotenant[sim]'"])
    place = _place(path, crew)
    with progress("simulating") as shown:
        shown.start(asked.seeds * len(asked.loads))
        return study.sweep(crew, place.platform, place.offer, asked, shown.advance)


def _place(path: Path, crew: Crew) -> Place:
    said = read_crew(path).platform
    if crew.platform != AUTO:
        try:
            return on_board(crew)
        except InputError as error:
            if error.path != "platform" or crew.platform == said:
                raise
            raise InputError("--platform", error.value, error.allowed) from error
    if said != AUTO:
        raise InputError("--platform", AUTO, f"{said}, as the crew says, or a crew that says auto")
    return on_this_machine(plan_of(measure(path, None), allow_overload=True))


def tree(swept: study.Swept, path: Path, asked: study.Ask) -> dict[str, Any]:
    """Return what `simulate --json` prints; all of it is simulated."""
    found: dict[str, dict[str, Any]] = {}
    for cell in swept.cells:
        found.setdefault(cell.policy, {})[f"{cell.load:g}"] = _cell(cell)
    per_s = swept.events / swept.cpu_s if swept.cpu_s > 0 else None
    return {
        "simulated": True,
        "crew": path.name,
        "platform": swept.platform.name,
        "seeds": asked.seeds,
        "loads": asked.loads,
        "horizon_s": {f"{load:g}": seconds for load, seconds in swept.horizon_s.items()},
        "policies": found,
        "failed": {name: str(error) for name, error in swept.failed.items()},
        "events": swept.events,
        "events_per_s": per_s,
    }


def _cell(cell: Cell) -> dict[str, Any]:
    return {
        "sla": cell.sla,
        "sla_ci95": cell.sla_ci95,
        "stp": cell.stp,
        "stp_ci95": cell.stp_ci95,
        "antt": cell.antt,
        "antt_ci95": cell.antt_ci95,
        "fairness": cell.fairness,
        "fairness_ci95": cell.fairness_ci95,
        "p99_ms": cell.p99_ms,
        "p99_ms_ci95": cell.p99_ms_ci95,
        "miss_by_rank": {str(rank): ratio for rank, ratio in cell.miss_by_rank},
        "dropped": dict(cell.dropped),
    }


def show(swept: study.Swept, asked: study.Ask) -> None:
    """Print SLA by policy and load, the best on average first; then the other figures at the load nearest to 1."""
    by_policy = {name: [c for c in swept.cells if c.policy == name] for name, _ in asked.policies if name not in swept.failed}
    ordered = sorted(by_policy.items(), key=lambda item: -sum(c.sla for c in item[1]))
    print("SLA, simulated: the share of requests in time" + (", with 95 % intervals" if asked.seeds > 1 else ""))
    show_table(("policy", *(f"load {load:g}" for load in asked.loads)), ((name, *map(_sla, cells)) for name, cells in ordered))
    near = min(asked.loads, key=lambda load: abs(load - 1))
    print(f"\nat load {near:g}")
    cells = [next(c for c in own if c.load == near) for _, own in ordered]
    columns = ("policy", "STP", "ANTT", "fairness", "p99 ms", "missed by rank", "dropped a run")
    show_table(columns, ((c.policy, c.stp, c.antt, c.fairness, c.p99_ms, _misses(c), _drops(c)) for c in cells))
    print(f"{swept.events:,} segments in {swept.cpu_s:.1f} s of CPU, {asked.seeds} {'seeds' if asked.seeds > 1 else 'seed'}")
    if asked.seeds > 1 and not any(c.sla_ci95 for c in swept.cells):
        note(["nothing is drawn in this crew: every seed brings the same requests, so there are no intervals"])


def show_failed(swept: study.Swept) -> bool:
    """Say on stderr which policies failed, if any did."""
    for error in swept.failed.values():
        print(f"left out: {_said(error)}", file=sys.stderr)
    return bool(swept.failed)


def _said(error: DecisionError) -> str:
    return " ".join(str(error).split())


def _sla(cell: Cell) -> str:
    return f"{cell.sla:.3f}" + (f" ±{_half(cell.sla_ci95):.3f}" if cell.sla_ci95 else "")


def _half(interval: Interval) -> float:
    return (interval[1] - interval[0]) / 2


def _misses(cell: Cell) -> str:
    return " ".join(f"{rank}: {ratio:.0%}" for rank, ratio in cell.miss_by_rank)


def _drops(cell: Cell) -> str:
    return ", ".join(f"{count:.4g} {reason}" for reason, count in cell.dropped) or "none"


def save_page(page: Path, path: Path, crew: Crew, asked: study.Ask, swept: study.Swept) -> None:
    """Write the page, with the first seed of the best policies at the greatest load as examples."""
    members = tuple(
        Member(name=t.name, rank=t.rank, deadline_ms=None if t.deadline_ns is None else t.deadline_ns / NS_PER_MS)
        for t in crew.workload.tenants
    )
    shown = Sweep(
        platform=swept.platform.name,
        crew=path.name,
        loads=asked.loads,
        seeds=asked.seeds,
        tenants=members,
        cells=swept.cells,
        about=(
            ("arrivals until", ", ".join(f"{s:.3g} s at load {load:g}" for load, s in swept.horizon_s.items())),
            *(("left out", _said(error)) for error in swept.failed.values()),
        ),
    )
    write_report(page, shown, tuple(_runs(swept, asked)), datetime.now().astimezone().date())
    print(f"wrote {page}", file=sys.stderr)


def _runs(swept: study.Swept, asked: study.Ask) -> Sequence[Run]:
    last = max(asked.loads)
    best = sorted((c for c in swept.cells if c.load == last), key=lambda c: -c.sla)[:_MOST_RUNS]
    found = [(c.policy, swept.examples[c.policy, last]) for c in best]
    return [Run(policy=name, load=last, trace=run.trace(), bandwidth=bandwidth(run, swept.platform)) for name, run in found]
