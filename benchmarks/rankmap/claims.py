"""The claims of expected.json, and which are kept."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from benchmarks.rankmap.cells import LONG_S
from benchmarks.rankmap.decisions import MIXTURES, SINGLE
from benchmarks.rankmap.promises import BACKLOG
from benchmarks.rankmap.store import Json

EXPECTED: Final = Path(__file__).parent / "expected.json"
FAST: Final = ("weighted", "maxmin", "throughput")
EVERY: Final = (*FAST, "proportional")
SMALL, LARGE = "3 to 5 networks, three processors", "10 networks"
GROUPS: Final = (("mixtures", MIXTURES, FAST), ("mixtures_proportional", MIXTURES, EVERY[3:]), ("single", SINGLE, EVERY))


def checks(found: Json) -> Json:
    """Judge every claim; what was not measured is not judged."""
    expected, told = json.loads(EXPECTED.read_text()), dict(_told(found))
    return {name: _judged(wanted, told[name]) for name, wanted in expected.items() if name in told}


def _judged(wanted: Json, value: float) -> Json:
    low, high = wanted.get("at_least", -math.inf), wanted.get("at_most", math.inf)
    return {**wanted, "found": value, "kept": low <= value <= high}


def _told(found: Json) -> Iterator[tuple[str, float]]:
    """Yield the figure of each claim."""
    yield from _times(found["decisions"])
    yield from _floors(found["floors"])
    yield from _rankmap(found["searches"])
    if any(one["tenants"] for of in found["promises"][BACKLOG].values() for one in of.values()):
        kept = [found["promises"][BACKLOG][objective][kind] for objective in EVERY for kind in (MIXTURES, SINGLE)]
        yield "promises_within_5_percent", sum(one["within"] * one["tenants"] for one in kept) / sum(one["tenants"] for one in kept)


def _times(decisions: Json) -> Iterator[tuple[str, float]]:
    """Yield the greatest over the objectives that a claim speaks of; the least where it says how many are certified."""
    small, large = decisions.get(SMALL), decisions.get(LARGE)
    if small:
        for name, kind, objectives in GROUPS:
            yield f"{name}_median_ms", max(small[objective][kind]["median_ms"] for objective in objectives)
            yield f"{name}_p99_ms", max(small[objective][kind]["p99_ms"] for objective in objectives)
            yield f"{name}_certified", min(small[objective][kind]["certified"] for objective in objectives)
    if large:
        yield "ten_networks_most_ms", max(large[objective][kind]["most_ms"] for objective in EVERY for kind in (MIXTURES, SINGLE))


def _floors(floors: Json) -> Iterator[tuple[str, float]]:
    """Yield shares over all floors asked."""
    total = {key: sum(one[key] for one in floors.values()) for key in next(iter(floors.values()), {})}
    if total.get("feasible"):
        yield from ((name, total[name] / total["feasible"]) for name in ("floors_met", "ranks_met"))
    if total.get("checked"):
        yield "proven", total["proven"] / total["checked"]
    if total.get("infeasible"):
        yield "infeasible_named", total["named"] / total["infeasible"]
        yield "infeasible_proven", total["proven_infeasible"] / total["infeasible"]


def _rankmap(searches: Json) -> Iterator[tuple[str, float]]:
    """Yield what RankMap's search reaches at its paper's own budget, where that was given."""
    own = next((of["rankmap"] for budget, of in searches.items() if float(budget) >= LONG_S), None)
    if own is None:
        return
    for how, of in (("", own["divided"]), ("_simulated", own["simulated"])):
        yield f"rankmap_nobody_starved{how}", of["nobody_starved"]
        if of["clear"]:
            yield f"rankmap_prioritised_ahead{how}", of["ahead_clear"]
