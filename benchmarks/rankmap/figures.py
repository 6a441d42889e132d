"""The figures: what the cells of a comparison come to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import numpy as np

from benchmarks.rankmap.cells import DECIDED, FLOORED, HANDED, MEMORY, NOISY, PROMISED, SEARCHED, Cell
from benchmarks.rankmap.decisions import GAP, MIXTURES, OBJECTIVES, SINGLE
from benchmarks.rankmap.promises import OUTSTANDING
from benchmarks.rankmap.sample import ALIKE, FLOORS, THREE, Mix
from benchmarks.rankmap.sensitivity import LOOKED_AT
from benchmarks.rankmap.store import Json
from cotenant.search.rankmap import LEAST_P

Found = Mapping[Cell, Json]

KINDS: Final = (MIXTURES, SINGLE)
NEAR: Final = 1e-3
"""Relative: who is so little below a floor is at it."""

CLEAR: Final = 2.0
"""How many times every other priority one must be for its tenant to be prioritised."""

KEPT: Final = 0.95
FEW: Final = 5


def figures(found: Found) -> Json:
    """Return every figure of the comparison."""
    return {
        "decisions": decisions(_part(found, DECIDED)),
        "floors": floors(_part(found, FLOORED)),
        "searches": searches(_part(found, SEARCHED)),
        "noise": {f"{at:g}": noise(cells) for at, cells in _by_at(_part(found, NOISY)).items()},
        "handovers": handovers(_part(found, HANDED)),
        "memory": memory(_part(found, MEMORY)),
        "promises": promises(_part(found, PROMISED)),
    }


def _part(found: Found, part: str) -> dict[Cell, Json]:
    return {cell: told for cell, told in found.items() if cell.part == part}


def _by_at(found: Found) -> dict[float, list[Json]]:
    by: dict[float, list[Json]] = {}
    for cell, told in sorted(found.items(), key=lambda pair: pair[0].at):
        by.setdefault(cell.at, []).append(told)
    return by


def decisions(found: Found) -> Json:
    """Return CPU times and gaps, for the mixes that the figures to reach speak of, and for larger ones."""
    split: dict[str, list[Json]] = {}
    for cell, told in found.items():
        for name in _groups(cell.mix):
            split.setdefault(name, []).append(told)
    return {name: {"mixes": len(some), **_decisions(some)} for name, some in split.items()}


def _groups(mix: Mix) -> tuple[str, ...]:
    if mix.size > FEW:
        return (f"{mix.size} networks",)
    if mix.board not in THREE:
        return (f"3 to {FEW} networks, four processors",)
    return f"3 to {FEW} networks, three processors", f"of these {'identical' if mix.kind == ALIKE else 'drawn'}"


def _decisions(told: Sequence[Json]) -> Json:
    planned = [one for one in told if "infeasible" not in one]
    return {"infeasible": len(told) - len(planned)} | {
        objective.value: {kind: _times([one[objective.value][kind] for one in planned]) for kind in KINDS} for objective in OBJECTIVES
    }


def _times(told: Sequence[Json]) -> Json:
    times, gaps = [one["cpu_s"] for one in told], [one["gap"] for one in told]
    near = _mean(one <= GAP * (1 + NEAR) for one in gaps)
    return {**cpu(times), "most_ms": 1e3 * max(times, default=0.0), "certified": near, "most_gap": max(gaps, default=0.0)}


def cpu(times_s: Sequence[float]) -> Json:
    """Return the median and the 99th percentile; 0 of nothing."""
    return {f"{name}_ms": 1e3 * float(np.quantile(times_s, q)) if times_s else 0.0 for name, q in (("median", 0.5), ("p99", 0.99))}


def floors(found: Found) -> Json:
    """Count, floor by floor, what is feasible, held, named and proved."""
    return {f"{at:g}": _floors(told) for at, told in _by_at(found).items()}


def _floors(told: Sequence[Json]) -> Json:
    held, refused = [one for one in told if one["feasible"]], [one for one in told if not one["feasible"]]
    return {
        "mixes": len(told),
        "feasible": len(held),
        "least_of_floor": min((one["least_of_floor"] for one in held), default=1.0),
        "floors_met": sum(one["least_of_floor"] >= 1 - NEAR for one in held),
        "ranks_met": sum(one["ranks_met"] for one in held),
        "checked": sum(one["proven"] is not None for one in held),
        "proven": sum(one["proven"] is True for one in held),
        "infeasible": len(refused),
        "named": sum(one["named"] for one in refused),
        "proven_infeasible": sum(one["proven"] for one in refused),
    }


def searches(found: Found) -> Json:
    """Return for each budget what each search reaches, over all mixes, and for each size."""
    return {f"{at:g}": _searches({cell: told for cell, told in found.items() if cell.at == at}) for at in sorted({c.at for c in found})}


def _searches(found: Found) -> Json:
    names = list(dict.fromkeys(name for told in found.values() for name in told))
    return {
        name: _search([(cell, told[name]) for cell, told in found.items() if name in told])
        | {"by_size": {str(size): _search([(c, t[name]) for c, t in found.items() if c.mix.size == size]) for size in _sizes(found)}}
        for name in names
    }


def _sizes(found: Found) -> list[int]:
    return sorted({cell.mix.size for cell in found})


def _search(told: Sequence[tuple[Cell, Json]]) -> Json:
    shares = [one["share"] for _, one in told]
    return {
        "mixes": len(told),
        "mean": float(np.mean(shares)),
        "p5": float(np.quantile(shares, 0.05)),
        "least": min(shares),
        "missed": _mean(one["missed"] for _, one in told),
        "least_p": min(min(one["p"]) for _, one in told),
        "divided": fates([(cell, one["p"]) for cell, one in told]),
        "simulated": fates([(cell, one["simulated"]) for cell, one in told if "simulated" in one]),
        **cpu([one["cpu_s"] for _, one in told]),
        "ceiling": float(np.mean([one.get("ceiling", 1.0) for _, one in told])),
    }


def fates(told: Sequence[tuple[Cell, Sequence[float]]]) -> Json:
    """Say who is starved and who is ahead, given each tenant's P; `starved` tenants are of the mixes with that floor, None without any."""
    starved: Json = {}
    for floor in FLOORS:
        below = [share < floor * (1 - NEAR) for cell, p in told if cell.mix.floor == floor for share in p]
        starved[f"{floor:g}"] = _mean(below) if below else None
    ahead = [_ahead(cell, p) for cell, p in told]
    clear = [one for one, (cell, _) in zip(ahead, told, strict=True) if _is_clear(cell)]
    return {
        "starved": starved, "nobody_starved": _mean(min(p) >= LEAST_P * (1 - NEAR) for _, p in told),
        "floors_held": _mean(min(p) >= cell.mix.floor * (1 - NEAR) for cell, p in told), "ahead": _mean(ahead),
        "clear": len(clear), "ahead_clear": _mean(clear) if clear else None,
    }  # fmt: skip


def _ahead(cell: Cell, p: Sequence[float]) -> bool:
    """Say whether nobody has a greater P than the tenant of the highest priority."""
    return p[int(np.argmax(cell.mix.weights))] >= max(p) * (1 - NEAR)


def _is_clear(cell: Cell) -> bool:
    """Say whether one tenant is prioritised: its priority is at least twice that of every other."""
    second, first = sorted(cell.mix.weights)[-2:]
    return first >= CLEAR * second


def noise(told: Sequence[Json]) -> Json:
    """Return what plans by wrong estimates reach, and how much too much they promise."""
    return {
        kind: {
            "mixes": len(told),
            "mean": float(np.mean([one[kind]["share"] for one in told])),
            "least": min(one[kind]["share"] for one in told),
            "overload_mean": float(np.mean([one[kind]["overload"] for one in told])),
            "overload_most": max(one[kind]["overload"] for one in told),
        }
        for kind in KINDS
    }


def handovers(found: Found) -> Json:
    """Return what a plan is worth over what it is with the board's handovers, mix by mix, and what others reach of it."""
    usual = {cell.mix: told["value"] for cell, told in found.items() if cell.at == 1.0}
    return {
        f"{at:g}": {
            "mixes": len(some),
            "value": float(np.mean([told["value"] / usual[cell.mix] for cell, told in some])),
            "cut": float(np.mean([told["cut"] for _, told in some])),
            **{name: float(np.mean([told[name] for _, told in some])) for name in LOOKED_AT},
        }
        for at in sorted({cell.at for cell in found})
        for some in [[(cell, told) for cell, told in found.items() if cell.at == at]]
    }


def memory(found: Found) -> Json:
    """Return what the memory's row and room for waiting cost, and what the simulator keeps of plans with and without either."""
    told = list(found.values())
    over = [one for one in told if one["without"]["memory"] > 1 + NEAR]
    return {
        "mixes": len(told),
        "over_without": len(over),
        "value_without": float(np.mean([one["without"]["value"] / one["with"]["value"] for one in told] or [1.0])),
        "value_settled": float(np.mean([one["settled"]["value"] / one["with"]["value"] for one in told] or [1.0])),
        "left_free": sum(one["settled"]["value"] != one["with"]["value"] for one in told),
        **{f"busy_{kind}": max((one[kind]["memory"] for one in told), default=0.0) for kind in ("with", "without")},
        **{f"kept_{kind}": _mean(one[kind]["least_kept"] >= KEPT for one in told) for kind in ("with", "without", "settled")},
    }  # fmt: skip


def promises(found: Found) -> Json:
    """Return how often the promised rates are reached, objective by objective."""
    return {
        name: {
            objective.value: {kind: _kept([told[objective.value][kind][name] for told in found.values()]) for kind in KINDS}
            for objective in OBJECTIVES
        }
        for name in OUTSTANDING
    }


def _kept(reached: Sequence[Sequence[float]]) -> Json:
    each = [part for parts in reached for part in parts]
    return {
        "tenants": len(each),
        "within": _mean(part >= KEPT for part in each),
        "mixes_within": _mean(min(parts) >= KEPT for parts in reached),
        "p5": float(np.quantile(each, 0.05)) if each else 1.0,
        "least": min(each, default=1.0),
    }


def _mean(values: Iterable[bool]) -> float:
    """Return the share of what holds; 1 of nothing is 0."""
    told = list(values)
    return sum(told) / len(told) if told else 0.0
