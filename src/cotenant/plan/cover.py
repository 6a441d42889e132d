"""Whether leaves leave nothing out; shares no code with the solver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace

from cotenant.describe import MOST, Artifact, Leaf, Level, Side
from cotenant.plan.fits import resident_bytes
from cotenant.plan.ground import Ground

MOST_STEPS = 100_000  # from one choice of artifacts to the next: whoever needs more is refused rather than waited for
MOST_CHOSEN = 300  # artifacts at once, likewise
_EVERY = (0.0, MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tenant:
    """Say what tells a tenant's choices from another's: the number of its kind, and between what they lie in each figure."""

    kind: int
    ranges: Mapping[str, tuple[float, float]]


Choices = Mapping[str, _Tenant]
"""A part of all choices, by tenant."""

_Part = tuple[Choices, Sequence[Leaf]]
"""With the leaves that are to cover it, of which those sides and bans are left that the part does not keep to by itself."""


def covers(level: Level, ground: Ground) -> bool:
    """Say whether every choice whose artifacts fit the memories leaves out all that some leaf bans, and keeps to its sides.

    A leaf counts for all exchanges of tenants that nothing tells apart, too: what is proved of one is proved of the other.
    """
    cover = _Cover(ground=ground)
    waiting: list[_Part] = [(_everybody(ground, level), level.leaves)]
    while waiting:
        parts = cover.parts(*waiting.pop())
        if parts is None:
            return False
        waiting += parts
    return True


@dataclass(slots=True, kw_only=True)
class _Cover:
    """Follow how leaves divide a part: of each, what it asks beyond the part. `steps`: what is left of `MOST_STEPS`."""

    ground: Ground
    steps: int = MOST_STEPS

    def parts(self, choices: Choices, leaves: Sequence[Leaf]) -> list[_Part] | None:
        """Return the parts into which the leaves divide a part, none if they cover it; None if they do neither."""
        if not any(leaf.sides for leaf in leaves):
            return [] if self._without(frozenset(), [frozenset(leaf.banned) for leaf in leaves]) else None
        if any(not leaf.sides and not leaf.banned for leaf in leaves):
            return []
        return _by_figure(choices, leaves) or self._by_artifact(choices, leaves)

    def _without(self, chosen: Set[Artifact], bans: Sequence[Set[Artifact]]) -> bool:
        """Say whether whatever fits beside the chosen artifacts leaves out all of some ban."""
        self.steps -= 1
        if not self._fit(chosen):
            return True
        if self.steps <= 0 or len(chosen) >= MOST_CHOSEN:
            return False
        for index, banned in enumerate(bans):
            if not chosen & banned:
                return all(self._without(chosen | {artifact}, bans[index + 1 :]) for artifact in banned)
        return False

    def _by_artifact(self, choices: Choices, leaves: Sequence[Leaf]) -> list[_Part] | None:
        """Divide by the artifacts that the leaves ban first: if these do not fit together, every choice leaves out one of them."""
        if not all(leaf.banned for leaf in leaves):
            return None
        first = {leaf.banned[0] for leaf in leaves}
        if self._fit(first):
            return None
        return [(choices, [replace(leaf, banned=leaf.banned[1:]) for leaf in leaves if leaf.banned[0] == artifact]) for artifact in first]

    def _fit(self, chosen: Set[Artifact]) -> bool:
        return all(resident_bytes(chosen, memory.name) <= memory.capacity_bytes for memory in self.ground.platform.memories)


def _by_figure(choices: Choices, leaves: Sequence[Leaf]) -> list[_Part] | None:
    """Divide by the first sides: some leaves' first tenants have less of a figure than its middle, the others' have not.

    Of `n` tenants that the part does not tell apart some `a` have less, or some `b` have not, whenever `a + b` is at most `n + 1`.
    """
    if not all(leaf.sides for leaf in leaves):
        return None
    asked = sorted({_asked(leaf.sides[0]) for leaf in leaves})
    if len(asked) != 2 or not _are_halves(*asked):
        return None
    halves = [[leaf for leaf in leaves if _asked(leaf.sides[0]) == one] for one in asked]
    names = [_leading(half) for half in halves]
    if not all(names):
        return None
    same = [name for name, tenant in choices.items() if tenant == choices.get(names[0][0])]
    if not {*names[0], *names[1]} <= set(same) or len(names[0]) + len(names[1]) > len(same) + 1:
        return None
    return [
        (_narrowed(choices, some, half[0].sides[0]), [replace(leaf, sides=leaf.sides[len(some) :]) for leaf in half])
        for some, half in zip(names, halves, strict=True)
    ]


def _asked(side: Side) -> tuple[str, float, float]:
    return side.figure, side.least, side.below


def _are_halves(less: tuple[str, float, float], more: tuple[str, float, float]) -> bool:
    return less == (more[0], 0.0, more[1]) and more[2] == MOST


def _leading(half: Sequence[Leaf]) -> list[str]:
    """Return the tenants that all leaves of a half begin with, each of whom is asked the same."""
    names: list[str] = []
    for sides in zip(*(leaf.sides for leaf in half), strict=False):
        if len(set(sides)) > 1 or _asked(sides[0]) != _asked(half[0].sides[0]) or sides[0].tenant in names:
            break
        names.append(sides[0].tenant)
    return names


def _narrowed(choices: Choices, names: Sequence[str], side: Side) -> Choices:
    least, below = choices[names[0]].ranges.get(side.figure, _EVERY)
    within = max(least, side.least), min(below, side.below)
    return {**choices, **{name: replace(choices[name], ranges={**choices[name].ranges, side.figure: within}) for name in names}}


def _everybody(ground: Ground, level: Level) -> Choices:
    """Return all choices; of one kind are tenants alike in all that is asked of them, in what they keep, and in their options.

    A level tells those that it is about from those that it is not.
    """
    kinds: dict[object, int] = {}
    return {
        name: _Tenant(kind=kinds.setdefault((name in level.tenants, _nature(ground, name)), len(kinds)), ranges={})
        for name in ground.tenants
    }


def _nature(ground: Ground, name: str) -> object:
    t = ground.tenants[name]
    solo, held = ground.solo_per_s.get(name), ground.held_per_s.get(name)
    kept = frozenset(least for least, (level, _) in ground.least.items() if name in level.tenants)
    own = frozenset(replace(option, tenant="") for option in ground.options if option.tenant == name)
    return t.rank, t.weight, t.arrival, t.floor, t.accuracy_floor, solo, held, kept, own
