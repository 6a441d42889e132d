"""The tables of what was found, in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from benchmarks.live.claims import ALONE, MOST_USED, PLANNED, RIVAL, Json, first_rank, together
from benchmarks.readme import table

NONE: Final = "-"


def shown(found: Json) -> Iterator[str]:
    """Yield the lines of all tables."""
    yield (
        f"Measured, not simulated: {found['machine']}, {found['lanes']} lanes, {', '.join(found['versions'])}; "
        f"{found['rounds']} rounds of {found['seconds']:g} s."
    )
    for case, one in found["cases"].items():
        yield from ("", f"### {case}", "", *case_lines(one))
    yield from ("", "### Claims", "", *check_table(found["checks"]))


def case_lines(one: Json) -> Iterator[str]:
    """Yield what is told of one crew in one choice of precisions."""
    report = one["report"]
    yield f"{one['day']}. {_load(one)}{_reference(report)}"
    yield from ("", *way_table(report), "", *ratio_table(report))
    if sum(row["missed"] for way in (PLANNED, RIVAL) for row in report["ways"][way]["tenants"].values()) or one["periodic"]:
        rounds = [index for index in range(report["rounds"]) if index in together(report)]
        yield from ("", "Missed, round by round:", "", *miss_table(report, rounds))
        if apart := [index for index in range(report["rounds"]) if index not in rounds]:
            yield from ("", f"Rounds whose real use exceeded {MOST_USED:g} of the lanes, apart:", "", *miss_table(report, apart))


def _load(one: Json) -> str:
    return "" if one["nominal"] is None else f"Nominal load, by solo times of the same rounds: {one['nominal']:.3f} of the lanes. "


def _reference(report: Json) -> str:
    solos = "; ".join(
        f"{tenant} " + ", ".join(f"{ms:.3g} ms ({variant})" for variant, ms in own.items()) for tenant, own in report["solo_ms"].items()
    )
    return f"Alone on one core: {solos}. stp_ort at most {report['bound_stp']:.2f}, at the fair optimum {report['fair_stp']:.2f}."


def way_table(report: Json) -> Iterator[str]:
    sums, counts = ("stp_ort", "sum of P", "least P"), ("missed", "of asked by the worst", "lost", "used", "disturbed rounds")
    header = ("way", *sums, "critical p50 / p99 ms", *counts)
    return table(header, (_way(name, way, report) for name, way in report["ways"].items()))


def _way(name: str, way: Json, report: Json) -> list[str]:
    rows = way["tenants"].values()
    sums = [NONE] * 3 if name == ALONE else [f"{way['stp_ort']:.2f}", f"{way['stp']:.2f}", f"{way['least_p']:.3f}"]
    first = [row for row in rows if row["rank"] == first_rank(report)]
    worst = max(first, key=lambda row: float("inf") if row["p99_ms"] is None else row["p99_ms"])
    shares = [row["missed"] / row["asked"] for row in rows if row["asked"]]
    return [
        name, *sums, f"{_ms(worst['p50_ms'])} / {_ms(worst['p99_ms'])}", str(sum(row["missed"] for row in rows)),
        percent(max(shares, default=None)), str(sum(row["lost"] for row in rows)), percent(way["used"]), str(len(way["disturbed"])),
    ]  # fmt: skip


def ratio_table(report: Json) -> Iterator[str]:
    """Show planned over each way, with the least P of that way: a ratio over one that starves somebody says little."""
    header = ("planned over", "stp_ort (95 %)", "critical p99 (95 %)", "its least P")
    rows = (
        [
            name,
            NONE if name == ALONE else _times(ratio["stp_ort"], ratio["stp_ort_ci95"]),
            _times(ratio["critical_p99"], ratio["critical_p99_ci95"]),
            NONE if name == ALONE else f"{report['ways'][name]['least_p']:.3f}",
        ]
        for name, ratio in report["ratios"].items()
    )
    return table(header, rows)


def miss_table(report: Json, rounds: Sequence[int]) -> Iterator[str]:
    """Show how many requests of each tenant were missed, by the plan and by the operating system's classes."""
    tenants = list(report["ways"][PLANNED]["tenants"])
    turns = ((index, way, one) for index in rounds for way in (PLANNED, RIVAL) for one in _of(report["ways"][way]["rounds"], index))
    rows = (
        [str(index + 1), way, percent(one["used"]), *(f"{row['missed']} of {row['asked']}" for row in map(one["tenants"].get, tenants))]
        for index, way, one in turns
    )
    return table(["round", "way", "used", *tenants], rows)


def _of(turns: Iterable[Json], index: int) -> list[Json]:
    return [turn for turn in turns if turn["round"] == index]


def check_table(of: Json) -> Iterator[str]:
    rows = (
        [case, figure, _wanted(one), NONE if one["found"] is None else f"{one['found']:.4g}", "yes" if one["kept"] else "**no**"]
        for case, checks in of.items() for figure, one in checks.items()
    )  # fmt: skip
    return table(["crew", "figure", "to reach", "found", "kept"], rows)


def _wanted(one: Json) -> str:
    return f"at most {one['at_most']:g}" if "at_most" in one else f"at least {one['at_least']:g}"


def _times(value: float | None, interval: Sequence[float] | None) -> str:
    between = "" if interval is None else f" ({interval[0]:.2f} to {interval[1]:.2f})"
    return NONE if value is None else f"{value:.2f}x{between}"


def _ms(value: float | None) -> str:
    return NONE if value is None else f"{value:.1f}"


def percent(share: float | None) -> str:
    return NONE if share is None else f"{100 * share:.1f} %"
