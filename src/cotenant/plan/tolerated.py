"""What later levels have by the tolerances of those before them alone, which is nothing.

Beside a tenant that takes all, a hundred millionth of what it has is room for whatever arrives once a day.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from cotenant.describe import Bind, Dual, Level

KEEP = 1e-8  # relative: by how much later levels may undercut an earlier one
LOOSE = 3e-8  # relative: by how much more before no rates are found; with what is dust, less than what a proof calls kept


def tolerated(duals: Iterable[Dual], before: Sequence[Level]) -> float:
    """Return what a level at these prices may have of the tolerances of those before, in its own measure."""
    kept = {(Bind.LEVEL, level.name): abs(level.least) for level in before if level.least is not None}
    for level in before:
        kept |= {(Bind.HELD, name): max(rate, kept.get((Bind.HELD, name), 0.0)) for name, rate in level.held}
    return sum((2 * KEEP + LOOSE) * dual.price * max(1.0, kept[dual.bind, dual.of]) for dual in duals if (dual.bind, dual.of) in kept)


def open_of(level: Level, before: Sequence[Level]) -> float:
    """Return by how much a level's bound is above what it reaches, but for what is tolerated."""
    return max(0.0, level.bound - level.value - max((tolerated(leaf.duals, before) for leaf in level.leaves), default=0.0))
