"""The tables of what was found, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from statistics import fmean
from typing import Final

from benchmarks.moca.cells import CHOSEN, GROUPS, HELD, LOADS, OTHER
from benchmarks.moca.claims import MEASURED
from benchmarks.moca.comparison import MARGIN, OVER, Json
from benchmarks.moca.runs import FIGURES
from benchmarks.moca.ways import OURS
from benchmarks.readme import table

WORDS: Final = {
    CHOSEN: "Sets A and B, seeds 0 on",
    LOADS: "Sets A and B under three loads, seeds 0 on",
    HELD: "Sets A and B, seeds 1000 on",
    OTHER: "Set C",
    MEASURED: "beside what was measured",
}


def shown(found: Json) -> Iterator[str]:
    """Yield the lines of all tables."""
    yield f"Simulated. {found['seeds']} drawn workloads in each cell; the same for every policy."
    for group in (group for group in GROUPS if group in found):
        yield from ("", f"## {WORDS[group]}", "", *figures_table(found[group]))
        yield from ("", f"SLA of {OURS} less that of another (99 %):", "", *against_table(found[group]))
        yield from ("", "Cells lost:", "", *lost_table(found[group]["lost"]), "", *over_table(found[group]["over_moca"]))
    if found["logged"]:
        yield from ("", "## The logged arrivals, one run each", "", *logged_table(found["logged"]))
    yield from ("", "## Beside what was measured", "", *calibration_lines(found["calibration"]))
    yield from ("", "## Checks", "", *check_table(found["checks"]), "", "Not kept:", "", *broken_table(found["checks"]))


def figures_table(of: Json) -> Iterator[str]:
    ranked = sorted(of["policies"].items(), key=lambda item: -float(item[1]["sla"]))
    cells = _columns(of)
    header = ["policy", *cells, "mean SLA", "STP", "ANTT", "fairness", "by priority", "priority 11 late"]
    rows = ([label, *(_of_cells(own["cells"], c, "sla", "ci95") for c in cells.values()), *_means(own)] for label, own in ranked)
    return table(header, rows)


def _columns(of: Json) -> dict[str, list[str]]:
    """Return the cells that a column is of: one, or all of a load where there are several."""
    cells = list(of["policies"][OURS]["cells"])
    loads = [cell.partition(" x")[2] or "1" for cell in cells]
    if len(set(loads)) == 1:
        return {cell: [cell] for cell in cells}
    return {f"load {load}": [cell for cell, own in zip(cells, loads, strict=True) if own == load] for load in dict.fromkeys(loads)}


def _of_cells(found: Json, cells: Sequence[str], value: str, interval: str) -> str:
    """Return what was found in a cell with its interval, or the mean of several."""
    if len(cells) == 1:
        return _pm(found[cells[0]][value], found[cells[0]][interval])
    return f"{fmean(found[cell][value] for cell in cells):.3f}"


def _means(own: Json) -> list[str]:
    plain = (f"{own[name]:.{digits}f}" for name, digits in zip(FIGURES[1:], (2, 2, 3, 3, 3), strict=True))
    return [_pm(own["sla"], own["sla_ci95"]), *plain]


def against_table(of: Json) -> Iterator[str]:
    ranked = sorted(of["against"].items(), key=lambda item: float(item[1]["difference"]))
    cells = _columns(of)
    rows = (
        [
            label,
            *(_of_cells(found["cells"], c, "difference", "ci99") for c in cells.values()),
            _pm(found["difference"], found["ci99"]),
        ]
        for label, found in ranked
    )
    return table(["policy", *cells, "mean"], rows)


def lost_table(losses: Sequence[Json]) -> Iterator[str]:
    if not losses:
        return iter(("none",))
    words = {True: "yes", False: "no"}
    rows = ([x["policy"], x["cell"], f"{x['by']:.4f}", _span(x["ci99"]), words[x["beyond_margin"]]] for x in losses)
    return table(["policy", "cell", "by", "difference, 99 %", f"more than {MARGIN} for sure"], rows)


def over_table(over: Json) -> Iterator[str]:
    return table([f"{OURS} over", *OVER], ([label, *(f"{of[name]:.3f}" for name in OVER)] for label, of in over.items()))


def logged_table(logged: Json) -> Iterator[str]:
    cells = list(logged["sla"][OURS])
    ranked = sorted(logged["sla"].items(), key=lambda item: -sum(item[1].values()))
    published = [(f"*logged: {system}*", of) for system, of in logged["published"].items()]
    yield from table(["policy", *cells], ([label, *(f"{of[cell]:.3f}" for cell in cells)] for label, of in (*published, *ranked)))
    losses = ", ".join(f"{x['policy']} {x['cell']} {x['by']:.3f}" for x in logged["lost"])
    yield from ("", f"Lost: {losses or 'none'}.")


def calibration_lines(of: Json) -> Iterator[str]:
    yield "- Alone on two tiles, error: " + ", ".join(f"{name} {error:+.1%}" for name, error in of["alone"].items())
    for set, found in of.get("inflation", {}).items():
        each = ", ".join(f"{name} {row['simulated']:.2f} for {row['logged']:.2f}" for name, row in found["networks"].items())
        yield f"- Slowdown in set {set}, simulated for logged: {each}; median error {found['median_error']:.1%}"
    for set, found in of.get("static_sla", {}).items():
        each = ", ".join(f"{qos} {row['simulated']:.3f} for {row['logged']:.3f}" for qos, row in found["qos"].items())
        yield f"- SLA of static in set {set}, simulated for logged: {each}; mean difference {found['mean_difference']:.3f}"


def check_table(checks: Json) -> Iterator[str]:
    words = {True: "kept", False: "**not kept**"}
    rows = (
        [name, WORDS[place], _found(of), _wanted(check), words[of["kept"]]]
        for name, check in checks.items()
        for place, of in check["where"].items()
    )
    return table(["check", "where", "found", "wanted", ""], rows)


def broken_table(checks: Json) -> Iterator[str]:
    """Yield a row for everything that is not as wanted: of the two claims about all rivals, each rival that breaks it."""
    rows = [
        [name, WORDS[place], what, f"{value:.4f}", _wanted(check)]
        for name, check in checks.items()
        for place, of in check["where"].items()
        for what, value in of["lost"].items()
    ]
    return table(["check", "where", "what", "found", "wanted"], rows) if rows else iter(("none",))


def _found(of: Json) -> str:
    values = ", ".join(f"{what}: {value:.4f}" for what, value in of["found"].items())
    if "ci99" not in of:
        return values
    others = [label for label in of["zero_inside"] if label not in of["found"]]
    also = f"; inside for {', '.join(others)}" if others else ""
    return f"{values} (99 %: {_span(of['ci99'])}; 0 is {'outside' if of['zero_outside'] else 'inside'}{also})"


def _wanted(check: Json) -> str:
    return f"at least {check['at_least']}" if "at_least" in check else f"at most {check['at_most']}"


def _pm(value: float, interval: Sequence[float] | None) -> str:
    return f"{value:.3f}" if interval is None else f"{value:.3f} ± {(interval[1] - interval[0]) / 2:.3f}"


def _span(interval: Sequence[float] | None) -> str:
    return "one run" if interval is None else f"{interval[0]:.4f} to {interval[1]:.4f}"
