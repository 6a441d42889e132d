"""The comparison: every policy's figures, and ours against each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np

from benchmarks.moca.cells import Cell
from benchmarks.moca.runs import FIGURES, Runs, Values
from benchmarks.moca.ways import OURS, Way
from cotenant.study.bootstrap import bounded_mean

MOCAS: Final = ("moca", "moca as_published=1", "moca/late-last")
"""MoCA in all its ways: ours is set over each by itself."""
OVER: Final = ("sla", "stp", "fairness", "fairness_by_priority")
MARGIN: Final = 0.01
"""How far below the best ours may be in a cell."""
Json = dict[str, Any]


def part(ways: Sequence[Way], runs: Runs, cells: Sequence[Cell]) -> Json:
    """Return every policy's figures in these cells, ours against each, and every cell that ours loses."""
    others = [way for way in ways if way.label != OURS]
    against = {way.label: difference(runs[OURS], runs[way.label], cells) | {"variant_of_ours": way.is_ours} for way in others}
    return {
        "policies": {way.label: summed(runs[way.label], cells) for way in ways},
        "against": against,
        "lost": sorted(lost(against), key=lambda loss: -float(loss["by"])),
        "over_moca": {label: over(runs[OURS], runs[label], cells) for label in MOCAS if label in runs},
    }


def summed(own: Mapping[Cell, Values], cells: Sequence[Cell]) -> Json:
    """Return the SLA in each cell, and the means of all figures over cells."""
    sla = {cell.name: {"sla": mean(own[cell][:, 0]), "ci95": _bounds(own[cell][:, 0], 0.95)} for cell in cells}
    over_cells = np.mean([own[cell] for cell in cells], axis=0)  # by seed: the cells of a seed share their arrivals
    means = {name: mean(over_cells[:, index][~np.isnan(over_cells[:, index])]) for index, name in enumerate(FIGURES)}
    return {**means, "sla_ci95": _bounds(over_cells[:, 0], 0.95), "cells": sla}


def difference(ours: Mapping[Cell, Values], other: Mapping[Cell, Values], cells: Sequence[Cell]) -> Json:
    """Return by how much the SLA of ours is above another's, seed by seed: in each cell, and over all."""
    by_cell = {cell.name: ours[cell][:, 0] - other[cell][:, 0] for cell in cells}
    told = {name: {"difference": mean(found), "ci99": _bounds(found, 0.99)} for name, found in by_cell.items()}
    by_seed = np.mean(list(by_cell.values()), axis=0)
    return {"difference": mean(by_seed), "ci99": _bounds(by_seed, 0.99), "cells": told}


def lost(against: Mapping[str, Json]) -> Iterator[Json]:
    """List the cells in which another's mean is higher; `beyond_margin` where even the interval's better end is below -MARGIN."""
    for label, found in against.items():
        for cell, of in found["cells"].items():
            if of["difference"] < 0:
                beyond = of["ci99"] is not None and of["ci99"][1] < -MARGIN
                told = {"by": -of["difference"], "ci99": of["ci99"], "beyond_margin": beyond, "variant_of_ours": found["variant_of_ours"]}
                yield {"policy": label, "cell": cell, **told}


def over(ours: Mapping[Cell, Values], other: Mapping[Cell, Values], cells: Sequence[Cell]) -> Json:
    """Return ours over another's, each the mean over cells and seeds."""
    index = [FIGURES.index(name) for name in OVER]
    above, below = (np.mean([of[cell][:, index] for cell in cells], axis=(0, 1)) for of in (ours, other))
    return {name: round(float(a / b), 4) for name, a, b in zip(OVER, above, below, strict=True)}


def mean(values: Values) -> float:
    return round(float(np.mean(values)), 5)


def _bounds(values: Values, level: float) -> list[float] | None:
    interval = bounded_mean(values, level)
    return None if interval is None else [round(end, 5) for end in interval]
