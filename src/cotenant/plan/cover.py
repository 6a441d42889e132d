"""Whether leaves leave nothing out; shares no code with the solver."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice, product

from cotenant.describe import MOST, Artifact, Leaf, Level, Option, Side
from cotenant.plan.fits import resident_bytes
from cotenant.plan.ground import Ground

Range = tuple[float, float]
Ranges = Mapping[tuple[str, str], Range]
"""By tenant and figure: at least, and less than, what an option has of it."""

Kind = tuple[tuple[str, float, float], ...]
"""The sides of a tenant, whichever it is: figure, least, below."""

MOST_EXCHANGES = 5_000  # of a leaf: whoever needs more is refused rather than waited for
_EVERY: Range = (0.0, MOST)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Hold a part of all choices: those that use all of `chosen`, and options within `ranges`."""

    chosen: frozenset[Artifact]
    ranges: Ranges


def covers(level: Level, ground: Ground) -> bool:
    """Say whether every choice whose artifacts fit the memories leaves out all that some leaf bans, and keeps to its sides.

    A leaf counts for all exchanges of tenants that nothing tells apart, too: what is proved of one is proved of the other.
    """
    alike = _alike(ground, level) if any(leaf.sides for leaf in level.leaves) else []
    every = [leaf for one in level.leaves for leaf in islice(_exchanged(one, alike), MOST_EXCHANGES)]
    return _covered(_Part(chosen=frozenset(), ranges={}), every, ground)


def _covered(part: _Part, leaves: Sequence[Leaf], ground: Ground) -> bool:
    if not _possible(part, ground):
        return True
    for index, leaf in enumerate(leaves):
        if not part.chosen.intersection(leaf.banned) and _meets(part, leaf):
            return all(_covered(rest, leaves[index + 1 :], ground) for rest in _outside(part, leaf))
    return False


def _possible(part: _Part, ground: Ground) -> bool:
    """Say whether the artifacts fit, and each tenant has an option within its ranges."""
    if any(resident_bytes(part.chosen, memory.name) > memory.capacity_bytes for memory in ground.platform.memories):
        return False
    limited = {tenant for tenant, _ in part.ranges}
    return all(any(_within(option, part.ranges) for option in ground.options if option.tenant == tenant) for tenant in limited)


def _within(option: Option, ranges: Ranges) -> bool:
    own = ((figure, given) for (tenant, figure), given in ranges.items() if tenant == option.tenant)
    return all(least <= option.figure_of(figure) < below for figure, (least, below) in own)


def _meets(part: _Part, leaf: Leaf) -> bool:
    """Say whether some choice of the part may keep to the leaf's sides."""
    for side in leaf.sides:
        least, below = part.ranges.get((side.tenant, side.figure), _EVERY)
        if max(least, side.least) >= min(below, side.below):
            return False
    return True


def _outside(part: _Part, leaf: Leaf) -> Iterator[_Part]:
    """Divide what of a part is not in a leaf: what uses something banned, and what lies beyond one of its sides."""
    for artifact in leaf.banned:
        yield replace(part, chosen=part.chosen | {artifact})
    inside = dict(part.ranges)
    for side in leaf.sides:
        key = side.tenant, side.figure
        least, below = inside.get(key, _EVERY)
        if least < side.least:
            yield replace(part, ranges={**inside, key: (least, side.least)})
        if side.below < below:
            yield replace(part, ranges={**inside, key: (side.below, below)})
        inside[key] = max(least, side.least), min(below, side.below)


def _exchanged(leaf: Leaf, alike: Sequence[Sequence[str]]) -> Iterator[Leaf]:
    """Yield a leaf with the names of equal tenants exchanged in every way that makes a difference."""
    bundles = {name: tuple(side for side in leaf.sides if side.tenant == name) for same in alike for name in same}
    for way in product(*(list(_placed(same, bundles)) for same in alike)):
        yield replace(leaf, sides=tuple(side for placed in way for side in placed))


def _placed(same: Sequence[str], bundles: Mapping[str, tuple[Side, ...]]) -> Iterator[tuple[Side, ...]]:
    """Yield every way to give the sides of some equal tenants to others of them; those with the same sides need no exchange."""
    asked = Counter(tuple((side.figure, side.least, side.below) for side in bundles[name]) for name in same)
    yield from islice(_given(tuple(same), [(kind, count) for kind, count in asked.items() if kind]), MOST_EXCHANGES)


def _given(names: tuple[str, ...], kinds: Sequence[tuple[Kind, int]]) -> Iterator[tuple[Side, ...]]:
    if not kinds:
        yield ()
        return
    (kind, count), *rest = kinds
    for some in combinations(names, count):
        sides = tuple(Side(tenant=name, figure=figure, least=least, below=below) for name in some for figure, least, below in kind)
        yield from (sides + more for more in _given(tuple(name for name in names if name not in some), rest))


def _alike(ground: Ground, level: Level) -> list[list[str]]:
    """Group tenants that may be exchanged: alike in all that is asked of them, in what they keep, and in their options.

    A level tells those that it is about from those that it is not.
    """
    groups: dict[object, list[str]] = {}
    for name in ground.tenants:
        groups.setdefault((name in level.tenants, _nature(ground, name)), []).append(name)
    return list(groups.values())


def _nature(ground: Ground, name: str) -> object:
    t = ground.tenants[name]
    solo, held = ground.solo_per_s.get(name), ground.held_per_s.get(name)
    kept = frozenset(least for least, (level, _) in ground.least.items() if name in level.tenants)
    own = frozenset(replace(option, tenant="") for option in ground.options if option.tenant == name)
    return t.rank, t.weight, t.arrival, t.floor, t.accuracy_floor, solo, held, kept, own
