"""What tenants share when each has one option, and its division by the least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from operator import mul

Numbers = Sequence[float]

EPS = 1e-12  # of a row, which is 1 as a whole: rounding
FULL = 1e-9  # of a row: when a division that should fill it has


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Pool:
    """Hold who shares what: `sum of taken z <= 1` in every row, `least <= z <= most`; z is P or any other multiple of a rate.

    `rows` has one tuple per row, one number per tenant, all 0 or more; the least fits.
    """

    rows: tuple[tuple[float, ...], ...]
    least: tuple[float, ...]
    most: tuple[float, ...]


def pool(rows: Sequence[Numbers], least: Numbers, most: Numbers, who: Sequence[int]) -> Pool:
    """Leave what others have at the least to them, and divide the rest among `who`: indices into `least`, `most` and each row.

    Rows that cannot bind are dropped; nobody grows who is at the most, or in a row that is full.
    """
    lows, tops = [least[i] for i in who], [most[i] for i in who]
    open_rows = []
    for row in rows:
        load, own = sum(map(mul, row, least)), [row[i] for i in who]
        if load >= 1 - EPS:
            tops = [low if taken > 0 else top for taken, low, top in zip(own, lows, tops, strict=True)]
        else:
            open_rows.append((own, 1 - load + sum(map(mul, own, lows))))
    tops = list(map(max, lows, tops))
    tight = tuple(tuple(taken / room for taken in own) for own, room in open_rows if sum(map(mul, own, tops)) > room)
    return Pool(rows=tight, least=tuple(lows), most=tuple(tops))


def together(shared: Pool, weights: Numbers) -> list[float]:
    """Raise the least z / w as far as it goes, then that of the others, and so on; return z.

    Progressive filling: whoever is in a row that is full stops (Bertsekas and Gallager, Data Networks, 1992, section 6.5).
    """
    z, rest = list(shared.least), list(range(len(shared.least)))
    while rest:
        level = _level(shared, weights, z, rest)
        for i in rest:
            z[i] = min(max(z[i], level * weights[i]), shared.most[i])
        full = [row for row in shared.rows if sum(map(mul, row, z)) >= 1 - FULL]
        left = [i for i in rest if z[i] < shared.most[i] * (1 - EPS) and not any(row[i] > 0 for row in full)]
        rest = left if len(left) < len(rest) else []  # the level is at somebody's most, or fills a row
    return z


def _level(shared: Pool, weights: Numbers, z: Numbers, rest: Sequence[int]) -> float:
    """Return how far z / w of the rest can be raised together, from above: every row is convex in the level (Newton)."""
    level = min(shared.most[i] / weights[i] for i in rest)
    for _ in range(len(shared.rows) * (len(rest) + 1)):
        before = level
        for row in shared.rows:
            grown = [i for i in rest if level * weights[i] > z[i]]
            slope = sum(row[i] * weights[i] for i in grown)
            fixed = sum(map(mul, row, z)) - sum(row[i] * z[i] for i in grown)
            if slope * level + fixed > 1 and slope > 0:
                level = max((1 - fixed) / slope, 0.0)
        if level >= before:
            break
    return level
