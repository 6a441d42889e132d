"""The claims of expected.json, and which are kept."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from typing import Any, Final

Json = dict[str, Any]

EXPECTED: Final = Path(__file__).parent / "expected.json"
EVERY: Final = "every crew"
PLANNED, ALONE, RIVAL = "planned", "rank-alone", "tuned-os"
MOST_USED: Final = 0.92
"""A round in which the plan's processes took more of both cores was not one at the load that was meant, and is shown apart."""

SEGMENT_US: Final = 2000.0
"""The length of segment for which the share of dispatching is claimed."""


def checks(reports: Json) -> Json:
    """Judge every claim for every case, `CREW, PRECISION`: its own, its crew's and those of every crew."""
    return {case: judged(case, report) for case, report in reports.items()}


def judged(case: str, report: Json) -> Json:
    """Judge one case; a figure that could not be had keeps no claim."""
    expected = json.loads(EXPECTED.read_text())
    wanted = {figure: limits for name in (EVERY, case.partition(",")[0], case) for figure, limits in expected.get(name, {}).items()}
    found = figures(report)
    return {figure: {**limits, "found": found[figure], "kept": _kept(limits, found[figure])} for figure, limits in wanted.items()}


def _kept(limits: Json, value: float | None) -> bool:
    return value is not None and limits.get("at_least", -math.inf) <= value <= limits.get("at_most", math.inf)


def figures(report: Json) -> dict[str, float | None]:
    """Return every figure that is claimed of some crew; None where nothing was there to tell it by."""
    planned, rival, rounds = report["ways"][PLANNED], report["ways"][RIVAL], together(report)
    first = [name for name, row in planned["tenants"].items() if row["rank"] == first_rank(report)]
    over = _missed(rival, rounds, planned["tenants"])
    own = _missed(planned, rounds, planned["tenants"])
    mean_us = planned["dispatch_mean_us"]
    return {
        "rounds": len(planned["rounds"]),
        "lost": sum(row["lost"] for row in planned["tenants"].values()),
        "dispatch_us_per_segment": planned["dispatch_us_per_segment"],
        "dispatch_share_at_2ms": None if mean_us is None else mean_us / SEGMENT_US,
        "stp_of_fair": _median([one["stp_ort"] / of["fair_stp"] for one, of in zip(planned["rounds"], report["references"], strict=True)]),
        "critical_p99_of_alone": _worst([_median(list(p99_ratios(report, name))) for name in first]),
        "rounds_together": len(rounds) / max(len(planned["rounds"]), 1),
        "first_missed": _missed(planned, rounds, first) if rounds else None,
        "worst_missed": _worst([_median(list(_shares(planned, rounds, name))) for name in planned["tenants"]]),
        "missed_of_tuned_os": None if not rounds else 0.0 if own == 0 else own / over if over else None,
    }


def first_rank(report: Json) -> int:
    """Return the best rank of a crew."""
    return min(int(row["rank"]) for row in report["ways"][PLANNED]["tenants"].values())


def together(report: Json) -> tuple[int, ...]:
    """List the rounds that were at the load that was meant; the others are shown apart."""
    return tuple(one["round"] for one in report["ways"][PLANNED]["rounds"] if one["used"] is None or one["used"] <= MOST_USED)


def p99_ratios(report: Json, tenant: str) -> Iterator[float]:
    """Yield, round by round, a tenant's p99 by the plan over its p99 with nobody else asking."""
    ways = report["ways"]
    for own, alone in zip(ways[PLANNED]["rounds"], ways.get(ALONE, {"rounds": []})["rounds"], strict=False):
        p99_ms, alone_ms = own["tenants"][tenant]["p99_ms"], alone["tenants"][tenant]["p99_ms"]
        if p99_ms is not None and alone_ms:
            yield p99_ms / alone_ms


def _missed(way: Json, rounds: Sequence[int], tenants: Sequence[str]) -> int:
    return sum(one["tenants"][name]["missed"] for one in way["rounds"] if one["round"] in rounds for name in tenants)


def _shares(way: Json, rounds: Sequence[int], tenant: str) -> Iterator[float]:
    for one in way["rounds"]:
        if one["round"] in rounds and (asked := one["tenants"][tenant]["asked"]):
            yield one["tenants"][tenant]["missed"] / asked


def _median(values: Sequence[float]) -> float | None:
    return median(values) if values else None


def _worst(values: Sequence[float | None]) -> float | None:
    """Return the greatest; None if one of them is unknown, or there are none."""
    known = [value for value in values if value is not None]
    return max(known) if known and len(known) == len(values) else None
