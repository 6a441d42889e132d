"""The claims of expected.json, and where each is kept."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from benchmarks.moca.cells import GROUPS
from benchmarks.moca.comparison import Json

EXPECTED: Final = Path(__file__).parent / "expected.json"
MEAN, CELLS = "mean_highest", "no_cell_more_than_0.01_below"
MEASURED: Final = "calibration"
"""Where claims about the simulator are judged, beside the groups of cells, where those about the policies are."""


def checks(found: Json) -> Json:
    """Judge every claim in every group of cells by itself, or by what was measured; what was not simulated is not judged."""
    expected = json.loads(EXPECTED.read_text())
    places = {group: of_policies(found[group], expected) for group in GROUPS if group in found}
    places[MEASURED] = of_the_simulator(found["calibration"], expected)
    told = {name: {place: claims[name] for place, claims in places.items() if name in claims} for name in expected}
    return {
        name: {**expected[name], "where": where, "kept": all(of["kept"] for of in where.values())} for name, where in told.items() if where
    }


def of_policies(of: Json, expected: Mapping[str, Json]) -> dict[str, Json]:
    """Judge the claims about ours in these cells; of a cell, by the worse end of the interval. Variants of ours are no rivals."""
    told = {
        name: verdict(wanted, {wanted["over"]: of["over_moca"][wanted["over"]][wanted["figure"]]})
        for name, wanted in expected.items()
        if wanted.get("over") in of["over_moca"]
    }
    rivals = {label: found for label, found in of["against"].items() if not found["variant_of_ours"]}
    if rivals:
        means = {label: found["difference"] for label, found in rivals.items()}
        ends = {f"{label} {cell}": one["ci99"][0] for label, found in rivals.items() for cell, one in found["cells"].items()}
        told[MEAN] = {**verdict(expected[MEAN], means), "found": _least(means), **beside_zero(rivals)}
        told[CELLS] = {**verdict(expected[CELLS], ends), "found": _least(ends)}
    return told


def of_the_simulator(calibration: Json, expected: Mapping[str, Json]) -> dict[str, Json]:
    """Judge the claims about the simulator."""
    values = {
        "alone_within_10_percent": {name: abs(error) for name, error in calibration["alone"].items()},
        "inflation_median_error": {set: of["median_error"] for set, of in calibration.get("inflation", {}).items()},
        "static_sla_difference": {set: of["mean_difference"] for set, of in calibration.get("static_sla", {}).items()},
    }
    return {name: verdict(expected[name], found) for name, found in values.items() if found}


def verdict(wanted: Json, values: Mapping[str, float]) -> Json:
    """Return what was found, and what of it is not as wanted."""
    low, high = wanted.get("at_least", -math.inf), wanted.get("at_most", math.inf)
    lost = {what: value for what, value in values.items() if not low <= value <= high}
    return {"found": dict(values), "lost": lost, "kept": not lost}


def beside_zero(rivals: Mapping[str, Json]) -> Json:
    """Return the paired interval of the nearest rival's mean difference, whether 0 is outside, and the rivals in whose interval it is."""
    (nearest,) = _least({label: found["difference"] for label, found in rivals.items()})
    inside = [label for label, found in rivals.items() if found["ci99"][0] <= 0 <= found["ci99"][1]]
    return {"ci99": rivals[nearest]["ci99"], "zero_outside": nearest not in inside, "zero_inside": inside}


def _least(values: Mapping[str, float]) -> dict[str, float]:
    label = min(values, key=lambda name: values[name])
    return {label: values[label]}
