"""Why a crew does not fit: which resource, by how much, what would."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from cotenant.describe import Artifact, Bind, Goal
from cotenant.errors import InfeasibleError
from cotenant.plan.aim import Aim
from cotenant.plan.levels import Ladder, demand, floors
from cotenant.plan.lp import Lp
from cotenant.plan.problem import Problem
from cotenant.plan.rows import Row, capacities, held_row
from cotenant.plan.tolerated import KEEP

_NOTHING = 1e-3  # of what arrives: less is as good as nothing
_UNITS = {"lane-s/s": "lane-seconds per second", "bytes/s": "bytes per second"}
_OVERLOAD = "or --allow-overload"


def refuse_homeless(problem: Problem) -> None:
    """Refuse a crew whose smallest artifacts, one for each tenant, do not fit the memories; InfeasibleError."""
    choices = [problem.columns.artifacts_of(at) for at in range(len(problem.tenants))]
    room = {m.name: m.capacity_bytes for m in problem.platform.memories}
    if _housed(_worthwhile(choices), room, frozenset()):
        return
    smallest = {min(some, key=lambda a: a.resident_bytes) for some in choices}
    by_memory = {name: sum(a.resident_bytes for a in smallest if a.memory == name) for name in room}
    short = max(room, key=lambda name: by_memory[name] - room[name])
    raise InfeasibleError(
        short, f"the smallest resident models take {by_memory[short]} bytes of {room[short]}, {by_memory[short] - room[short]} too many",
        f"smaller models, int8 allowed, or fewer tenants; {_OVERLOAD}",
    )  # fmt: skip


def _worthwhile(choices: Sequence[tuple[Artifact, ...]]) -> tuple[tuple[Artifact, ...], ...]:
    """Keep of each tenant's choices those that another tenant shares, and of the rest the smallest in each memory."""
    sharers = Counter(artifact for some in choices for artifact in some)
    kept = []
    for some in choices:
        alone = sorted((a for a in some if sharers[a] == 1), key=lambda a: -a.resident_bytes)
        kept.append((*(a for a in some if sharers[a] > 1), *{a.memory: a for a in alone}.values()))
    return tuple(kept)


def _housed(choices: Sequence[tuple[Artifact, ...]], room: dict[str, int], inside: frozenset[Artifact]) -> bool:
    """Say whether each tenant's choice of one artifact can be met, what is shared paid once."""
    for memory, capacity in room.items():
        if sum(a.resident_bytes for a in inside if a.memory == memory) > capacity:
            return False
    if not choices:
        return True
    return any(_housed(choices[1:], room, inside | {a}) for a in sorted(choices[0], key=lambda a: (a not in inside, a.resident_bytes)))


def refuse_short(ladder: Ladder, headroom: float) -> None:
    """Refuse a crew whose last level, a demand or floors, was not reached in full; InfeasibleError names the resource."""
    if not ladder.levels or ladder.levels[-1].goal not in {Goal.DEMAND, Goal.FLOORS}:
        return
    aim = ladder.aims[-1]
    if ladder.levels[-1].value >= sum(aim.weights) * (1 - 10 * KEEP):
        return
    stretch, row = _stretch(ladder, aim)
    would_fit = f"{_fitting(ladder, aim)}, {_OVERLOAD}"
    if ladder.effort is not None and (row is None or stretch <= 1 + KEEP):
        raise InfeasibleError("--single", "no one option for each tenant was found that reaches it, as mixtures do", would_fit)
    if row is None or stretch <= 1 + KEEP:
        memory = ladder.problem.platform.memories[0].name
        raise InfeasibleError(memory, "the resident models that this rate needs do not fit together", would_fit)
    unit = next(_UNITS.get(unit, unit) for name, unit, _ in capacities(ladder.problem.platform) if name == row.of)
    whole = f" (what is open may have {headroom:g} of its lanes)" if row.bind is Bind.HEADROOM else ""
    short = f"short by {(stretch - 1) * row.limit:.3g} of {row.limit:.3g} {unit}{whole}"
    raise InfeasibleError(row.of, short, would_fit)


def _fitting(ladder: Ladder, aim: Aim) -> str:
    """Say for each tenant that falls short which rate would fit."""
    rates = ladder.problem.rates(ladder.x)
    short = [(t, unit) for t, unit in zip(aim.tenants, aim.units_per_s, strict=True) if rates[t] < unit * (1 - 10 * KEEP)]
    if aim.goal is Goal.FLOORS:
        return f"{' and '.join(f'tenants[{t}].floor {_down(rates[t] / ladder.solo(t))}' for t, _ in short)} would fit"
    names = [t for t, _ in short]
    if len(ladder.levels) > 1 and _fits_as_floors(ladder, names):
        return f"{' and '.join(f'tenants[{t}].floor 1' for t in names)} would fit: floors go before what is divided"
    changes = (
        f"leaving out tenants[{t}]" if rates[t] < _NOTHING * unit else f"tenants[{t}] at {_down(rates[t])}/s instead of {unit:.3g}/s"
        for t, unit in short
    )
    return f"{' and '.join(changes)} would fit"


def _fits_as_floors(ladder: Ladder, names: Sequence[str]) -> bool:
    """Say whether all that is due could be reached if the floors of the named tenants were 1."""
    tenants = tuple(replace(t, floor=1.0) if t.name in names else t for t in ladder.problem.tenants)
    problem, ranks = replace(ladder.problem, tenants=tenants), sorted({t.rank for t in tenants})
    fresh = replace(ladder, problem=problem, rows=problem.rows, x=np.zeros(len(problem.options)), levels=(), aims=(), choice=None)
    for climbed, rank in ((demand, 0), *((floors, rank) for rank in ranks), *((demand, rank) for rank in ranks if rank > 0)):
        fresh = climbed(fresh, rank)
    return all(level.value >= sum(aim.weights) * (1 - 10 * KEEP) for level, aim in zip(fresh.levels, fresh.aims, strict=True))


def _down(number: float) -> str:
    """Write a number in three digits, not above what it is."""
    digits = 10.0 ** (2 - math.floor(math.log10(number))) if number > 0 else 1.0
    return f"{math.floor(number * digits * (1 + 5 * KEEP)) / digits:.3g}"


def _stretch(ladder: Ladder, aim: Aim) -> tuple[float, Row | None]:
    """Return by how much all resources together would have to grow, and the row that is shortest of them by price.

    The least s such that every resource row holds with s times its limit, all that was kept is kept, and the level is reached.
    """
    options = ladder.problem.options
    rates = ladder.problem.rates(ladder.x)
    asked = [held_row(t, ladder.problem.owner(t), max(unit, rates[t])) for t, unit in zip(aim.tenants, aim.units_per_s, strict=True)]
    kept = [row for row in ladder.rows if not (row.bind is Bind.HELD and row.of in aim.tenants) and row.of != ladder.levels[-1].name]
    rows = kept + asked
    grows = np.array([float(row.bind in {Bind.CAPACITY, Bind.HEADROOM}) for row in rows])
    limit = np.array([row.limit for row in rows])
    matrix = np.hstack([np.array([row.taken for row in rows]), (-grows * limit)[:, None]])
    cost = np.concatenate([np.zeros(len(options)), [-1.0]])
    optimum = Lp(cost, matrix, np.where(grows > 0, 0.0, limit), unit=np.append(ladder.problem.unit, 1.0)).solve()
    if optimum is None:
        return 1.0, None
    dearest = int(np.argmax(optimum.prices * limit * grows))
    return -optimum.value, rows[dearest]
