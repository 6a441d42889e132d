"""What leaves cover: every choice, but for exchanges of tenants that nothing tells apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import permutations, product

from hypothesis import given, settings
from hypothesis import strategies as st

from cotenant.describe import Goal, Leaf, Level, Option, Side
from cotenant.plan.cover import covers
from cotenant.plan.ground import Ground
from tests.plan_cases import MB, closed, option, platform

FIGURES = ("cpu0", "cpu1")
AMOUNTS = ((1.0, 2.0, 3.0), (1.0, 2.0))
NAMES = ("a", "b", "c")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """Hold tenants of which the first `alike` are."""

    ground: Ground
    alike: int

    def twins(self, name: str) -> list[str]:
        first = NAMES[: self.alike]
        return list(first) if name in first else [name]

    def choices(self) -> list[tuple[Option, ...]]:
        return list(product(*([o for o in self.ground.options if o.tenant == name] for name in NAMES)))


def crowd(alike: int, capacity_bytes: int = 100 * MB, resident_bytes: int = MB) -> Crowd:
    """Return three tenants, each with an option for every pair of amounts, one model for each amount of the first figure."""
    tenants = {name: closed(name) if at < alike else replace(closed(name), weight=2.0 + at) for at, name in enumerate(NAMES)}
    options = tuple(
        replace(
            option(name, 1.0, resident_bytes=resident_bytes),
            demand=((FIGURES[0], one), (FIGURES[1], other)),
            artifact=replace(option("shared", 1.0, resident_bytes=resident_bytes).artifact, model=f"m{one:g}"),
        )
        for name in NAMES
        for one, other in product(*AMOUNTS)
    )
    ground = Ground(
        tenants=tenants, options=options, platform=platform(1, 1, memory_bytes=capacity_bytes), headroom=0.9,
        solo_per_s=dict.fromkeys(NAMES, 1.0), held_per_s={}, least={},
    )  # fmt: skip
    return Crowd(ground=ground, alike=alike)


def level_of(leaves: Sequence[Leaf]) -> Level:
    return Level(goal=Goal.MAXMIN, rank=1, tenants=NAMES, value=0.0, bound=0.0, leaves=tuple(leaves))


def keeps(leaf: Leaf, choice: Sequence[Option]) -> bool:
    by_name = {o.tenant: o for o in choice}
    inside = all(side.least <= by_name[side.tenant].figure_of(side.figure) < side.below for side in leaf.sides)
    return inside and not any(o.artifact in leaf.banned for o in choice)


def truly_covered(some: Crowd, leaves: Sequence[Leaf]) -> bool:
    """Try every choice, under every exchange of equals."""
    first, rest = NAMES[: some.alike], NAMES[some.alike :]
    orders = [dict(zip((*order, *rest), NAMES, strict=True)) for order in permutations(first)]
    exchanged = (
        [tuple(replace(o, tenant=order[o.tenant]) for o in choice) for order in orders]
        for choice in some.choices()
        if some.ground.platform.memories[0].capacity_bytes >= sum(a.resident_bytes for a in {o.artifact for o in choice})
    )
    return all(any(keeps(leaf, choice) for leaf in leaves for choice in ways) for ways in exchanged)


@st.composite
def divisions(draw: st.DrawFn, some: Crowd, sides: tuple[Side, ...] = (), depth: int = 3, *, careless: bool = False) -> list[Leaf]:
    """Draw halves of halves: some tenants that nothing tells apart have less than a middle, or others have not.

    `careless`: their sides before may tell them apart.
    """
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return [Leaf(banned=(), duals=(), sides=sides)]
    name = draw(st.sampled_from(NAMES))
    same = [one for one in some.twins(name) if careless or own(sides, one) == own(sides, name)]
    same = draw(st.permutations(same))
    count = draw(st.integers(0, len(same) - 1))
    figure, middle = draw(st.sampled_from(FIGURES)), draw(st.sampled_from((0.5, 1.5, 2.5)))
    less = (Side(tenant=one, figure=figure, below=middle) for one in same[: count + 1])
    more = (Side(tenant=one, figure=figure, least=middle) for one in same[count:])
    return [leaf for half in (less, more) for leaf in draw(divisions(some, (*sides, *half), depth - 1, careless=careless))]


def own(sides: Sequence[Side], name: str) -> frozenset[Side]:
    return frozenset(replace(side, tenant="") for side in sides if side.tenant == name)


@settings(max_examples=200, deadline=None)
@given(st.data(), st.integers(1, 3))
def test_halves_of_halves_cover_everything(data: st.DataObject, alike: int) -> None:
    some = crowd(alike)
    leaves = data.draw(divisions(some))
    assert truly_covered(some, leaves)
    assert covers(level_of(data.draw(st.permutations(leaves))), some.ground)


@settings(max_examples=500, deadline=None)
@given(st.data(), st.integers(1, 3), st.integers(0, 2))
def test_leaves_that_were_tampered_with_pass_only_if_they_still_cover_everything(data: st.DataObject, alike: int, times: int) -> None:
    some = crowd(alike)
    leaves = data.draw(divisions(some, careless=data.draw(st.booleans())))
    for _ in range(times):
        leaves = tampered(data, leaves)
    if covers(level_of(leaves), some.ground):
        assert truly_covered(some, leaves)


def tampered(data: st.DataObject, leaves: list[Leaf]) -> list[Leaf]:
    """Leave one out, or alter, exchange or forget a side."""
    at = data.draw(st.integers(0, max(len(leaves) - 1, 0)))
    if not leaves or not leaves[at].sides:
        return leaves[:at]
    sides = list(leaves[at].sides)
    which = data.draw(st.integers(0, len(sides) - 1))
    match data.draw(st.sampled_from(("leaf", "tenant", "figure", "least", "below", "more"))):
        case "leaf":
            return [*leaves[:at], *leaves[at + 1 :]]
        case "tenant":
            sides[which] = replace(sides[which], tenant=data.draw(st.sampled_from(NAMES)))
        case "figure":
            sides[which] = replace(sides[which], figure=data.draw(st.sampled_from(FIGURES)))
        case "least":
            sides[which] = replace(sides[which], least=data.draw(st.sampled_from((0.0, 0.5, 1.5, 2.5))))
        case "below":
            sides[which] = replace(sides[which], below=data.draw(st.sampled_from((0.5, 1.5, 2.5, 1e300))))
        case _:
            sides.append(replace(sides[which], tenant=data.draw(st.sampled_from(NAMES))))
    return [*leaves[:at], replace(leaves[at], sides=tuple(sides)), *leaves[at + 1 :]]


@settings(max_examples=100, deadline=None)
@given(st.data(), st.integers(1, 3))
def test_one_of_what_does_not_fit_together_is_left_out(data: st.DataObject, capacity: int) -> None:
    """Sides and bans take turns; banned is one of more models than the memory holds, or of fewer, which covers nothing."""
    some = crowd(3, capacity_bytes=capacity * MB)
    artifacts = sorted({o.artifact for o in some.ground.options}, key=lambda artifact: artifact.model)
    over = data.draw(st.lists(st.sampled_from(artifacts), min_size=1, max_size=3, unique=True))
    before = data.draw(divisions(some, depth=1))
    after = [leaf for start in before for leaf in data.draw(divisions(some, start.sides, 1))]
    leaves = [replace(leaf, banned=(one,)) for leaf in after for one in over]
    found = covers(level_of(leaves), some.ground)
    assert found == (len(over) > capacity) or (found and truly_covered(some, leaves))


def test_a_side_of_no_such_tenant_covers_nothing() -> None:
    some = crowd(3)
    less, more = Side(tenant="nobody", figure="cpu0", below=1.5), Side(tenant="nobody", figure="cpu0", least=1.5)
    assert not covers(level_of([Leaf(banned=(), duals=(), sides=(side,)) for side in (less, more)]), some.ground)
