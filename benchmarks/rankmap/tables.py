"""The tables of what was found, in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from benchmarks.rankmap.decisions import OBJECTIVES
from benchmarks.rankmap.figures import KINDS
from benchmarks.rankmap.promises import BACKLOG, PLANNED
from benchmarks.rankmap.sample import FLOORS
from benchmarks.rankmap.searching import PLAN_SINGLE
from benchmarks.rankmap.sensitivity import LOOKED_AT
from benchmarks.rankmap.store import Json
from benchmarks.readme import table

FATES: Final = {
    "nobody_starved": "nobody starved",
    "floors_held": "floors held",
    "ahead": "first ahead",
    "ahead_clear": "prioritised ahead",
}
NEAR_RANKMAP: Final = ("rankmap", "rankmap/exact", "omniboost", "whole_exact", "exact")


def shown(found: Json) -> Iterator[str]:
    """Yield the lines of all tables."""
    yield (
        f"Scope: {found['scope']}, {found['cells']} cells, {found['workers']} at once, on {found['machine']}. "
        "Times are CPU times; what tenants get is simulated."
    )
    parts = {
        "Decisions": decision_table(found["decisions"]),
        "Floors and ranks": floor_table(found["floors"]),
        **{f"Searches, {float(at):g} s": search_table(of) for at, of in found["searches"].items()},
        "RankMap's method": rankmap_table(found["searches"]),
        "By the number of networks": size_table(found["searches"]),
        "Estimates that are wrong": noise_table(found["noise"]),
        "Handovers": handover_table(found["handovers"]),
        "The memory's row": memory_lines(found["memory"]),
        "Promises in the simulator": promise_table(found["promises"]),
        "Checks": check_table(found["checks"]),
    }
    for title, lines in parts.items():
        yield from ("", f"### {title}", "", *lines)


def decision_table(of: Json) -> Iterator[str]:
    header = ["mixes", "objective", "plan", "median ms", "p99 ms", "most ms", "within 1 %", "widest gap"]
    rows = (
        [
            f"{group} ({told['mixes'] - told['infeasible']})", objective.value, kind,
            *(f"{one[key]:.1f}" for key in ("median_ms", "p99_ms", "most_ms")), percent(one["certified"]),
            f"{one['most_gap']:.2%}",
        ]
        for group, told in of.items() for objective in OBJECTIVES for kind in KINDS for one in [told[objective.value][kind]]
    )  # fmt: skip
    return table(header, rows)


def floor_table(of: Json) -> Iterator[str]:
    header = [
        "floor",
        "mixes",
        "feasible",
        "floors met",
        "ranks met",
        "checked again",
        "right",
        "infeasible",
        "named with shortfall",
        "proved",
    ]
    keys = ("mixes", "feasible", "floors_met", "ranks_met", "checked", "proven", "infeasible", "named", "proven_infeasible")
    return table(header, ([floor, *(str(told[key]) for key in keys)] for floor, told in of.items()))


def search_table(of: Json) -> Iterator[str]:
    floors = [f"{floor:g}" for floor in FLOORS]
    starved = [f"starved at {floor}" for floor in floors]
    header = ["search", "mean % of bound", "p5", "least", "floors missed", "least P", *starved, "ms, median", "p99"]
    ranked = sorted(of.items(), key=lambda pair: -float(pair[1]["mean"]))
    rows = (
        [
            name, *(f"{100 * told[key]:.1f}" for key in ("mean", "p5", "least")), percent(told["missed"]), f"{told['least_p']:.3f}",
            *(percent(told["divided"]["starved"][floor]) for floor in floors), f"{told['median_ms']:.1f}", f"{told['p99_ms']:.1f}",
        ]
        for name, told in ranked
    )  # fmt: skip
    yield from table(header, rows)
    if PLAN_SINGLE in of:
        most = 100 * of[PLAN_SINGLE]["ceiling"]
        yield from ("", f"One option for each tenant, which is what a search returns, is proved to reach {most:.1f} % on the mean at most.")


def rankmap_table(of: Json) -> Iterator[str]:
    header = ["search", "budget", "mean % of bound", *(f"{how}: {what}" for how in ("divided", "simulated") for what in FATES.values())]
    rows = (
        [
            name, f"{float(at):g} s", f"{100 * told[name]['mean']:.1f}",
            *(percent(told[name][how][key]) for how in ("divided", "simulated") for key in FATES),
        ]
        for name in NEAR_RANKMAP for at, told in of.items() if name in told
    )  # fmt: skip
    return table(header, rows)


def size_table(of: Json) -> Iterator[str]:
    """Show the means at the greatest budget that every search had."""
    at = max((at for at, told in of.items() if "mosaic" in told), key=float, default=None)
    if at is None:
        return iter(())
    sizes = list(next(iter(of[at].values()))["by_size"])
    ranked = sorted(of[at].items(), key=lambda pair: -float(pair[1]["mean"]))
    header = [f"search, {float(at):g} s", *(f"{size} networks" for size in sizes)]
    return table(header, ([name, *(f"{100 * told['by_size'][size]['mean']:.1f}" for size in sizes)] for name, told in ranked))


def noise_table(of: Mapping[str, Json]) -> Iterator[str]:
    header = ["times wrong by up to", "plan", "mixes", "mean % of bound", "least", "promised too much: mean", "most"]
    rows = (
        [
            f"{float(at):.0%}", kind, str(told[kind]["mixes"]), f"{100 * told[kind]['mean']:.1f}", f"{100 * told[kind]['least']:.1f}",
            *(f"{told[kind][key]:.1%}" for key in ("overload_mean", "overload_most")),
        ]
        for at, told in of.items() for kind in KINDS
    )  # fmt: skip
    return table(header, rows)


def handover_table(of: Mapping[str, Json]) -> Iterator[str]:
    header = ["handovers times", "mixes", "plan, over that at 1", "tenants cut", *(f"{name}, % of bound" for name in LOOKED_AT)]
    rows = (
        [at, str(told["mixes"]), f"{told['value']:.3f}", percent(told["cut"]), *(f"{100 * told[name]:.1f}" for name in LOOKED_AT)]
        for at, told in of.items()
    )
    return table(header, rows)


def memory_lines(of: Json) -> Iterator[str]:
    yield (
        f"Of {of['mixes']} mixes, planned without the memory's row, {of['over_without']} take more bandwidth than there is (the most: "
        f"{of['busy_without']:.0%}; with the row {of['busy_with']:.0%}). Without it a plan claims {of['value_without']:.4f} times as much. "
        f"Every rate is within 5 % of promised, simulated with a backlog, in {percent(of['kept_with'])} of mixes with the row and "
        f"{percent(of['kept_without'])} without. Room for waiting is left in {of['left_free']} mixes, at {1 - of['value_settled']:.2%} of "
        f"what plans claim; then every rate is within 5 % of promised in {percent(of['kept_settled'])}."
    )


def promise_table(of: Json) -> Iterator[str]:
    words = {PLANNED: "one for each lane", BACKLOG: "eight for each lane"}
    header = ["outstanding", "objective", "plan", "tenants", "within 5 %", "mixes with all within", "p5", "least"]
    rows = (
        [
            words[name], objective.value, kind, str(one["tenants"]), percent(one["within"]), percent(one["mixes_within"]),
            f"{one['p5']:.3f}", f"{one['least']:.3f}",
        ]
        for name in words for objective in OBJECTIVES for kind in KINDS for one in [of[name][objective.value][kind]]
    )  # fmt: skip
    return table(header, rows)


def check_table(of: Mapping[str, Json]) -> Iterator[str]:
    rows = ([name, _wanted(one), f"{one['found']:.4g}", "yes" if one["kept"] else "**no**"] for name, one in of.items())
    return table(["claim", "to reach", "found", "kept"], rows)


def _wanted(one: Json) -> str:
    return f"at most {one['at_most']:g}" if "at_most" in one else f"at least {one['at_least']:g}"


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
