"""Plans at a hundredth of what is possible, forged so that their proofs seem to say that no more is: each is refused."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cotenant.describe import Bind, Dual, Goal, Leaf, Level, Objective, Plan, Side
from cotenant.plan import Effort, check, solve
from cotenant.plan.cover import covers
from cotenant.plan.ground import Ground
from tests.plan_cases import MB, Case, closed, option, platform

PART = 0.01
OBJECTIVES = {
    Goal.PROPORTIONAL: 2 * math.log(PART), Goal.WEIGHTED: 2 * PART, Goal.MAXMIN: PART, Goal.THROUGHPUT: 200 * PART,
}  # fmt: skip


def case(**asked: float) -> Case:
    """Return two tenants that do not meet: each could have a processor of its own, 100 inferences a second."""
    options = option("a", 10.0, "cpu0"), option("b", 10.0, "cpu1")
    return Case(tenants=(closed("a", **asked), closed("b")), options=options, platform=platform(1, 1))  # type: ignore[arg-type]


def forged(some: Case, objective: Objective, forge: Callable[[Level], Level], *, single: bool = True) -> tuple[str, ...]:
    """Return what is complained of a plan of a hundredth of the rates, the levels of which are forged, and of nothing that those imply."""
    plan = solve(some.tenants, some.options, some.platform, objective, effort=Effort(gap=0.01) if single else None)
    kept = {"a"} if some.tenants[0].floor else set()
    shares = tuple(s if s.option.tenant in kept else replace(s, rate_per_s=s.rate_per_s * PART) for s in plan.shares)
    promises = tuple(p if p.tenant in kept else replace(p, rate_per_s=p.rate_per_s * PART) for p in plan.promises)
    used = {r.resource: sum(s.option.demand_of(r.resource) * s.rate_per_s for s in shares) for r in plan.prices}
    prices = tuple(replace(p, used=used[p.resource], price=0.0) for p in plan.prices)
    idle = Leaf(banned=(), duals=())
    levels = tuple(replace(x, value=-1e3, bound=1e3, leaves=(idle,)) if x.goal is Goal.LOAD else forge(x) for x in plan.levels)
    bad = replace(plan, levels=levels, shares=shares, promises=promises, prices=prices)
    seen = check(bad, some.tenants, some.options, some.platform)
    if math.isfinite(seen.value) and math.isfinite(seen.bound):
        bad = replace(bad, value=seen.value, bound=seen.bound)
    return tuple(one for one in check(bad, some.tenants, some.options, some.platform).complaints if not one.startswith("price"))


def proved_by(level: Level, value: float, *leaves: Leaf) -> Level:
    """State a value as a level's bound, too, by these leaves; what is held is a hundredth of it, too."""
    less = value - 2e-8 * max(1.0, abs(value))
    held = tuple((name, rate * PART * (1 - 2e-8)) for name, rate in level.held)
    return replace(level, value=less, bound=value, leaves=leaves, held=held, least=None if level.least is None else less - 1e-8)


def objective_by(*leaves: Leaf) -> Callable[[Level], Level]:
    return lambda level: proved_by(level, OBJECTIVES[level.goal], *leaves)


@pytest.mark.parametrize("objective", list(Objective))
@pytest.mark.parametrize(
    "sieve", [(), (Dual(bind=Bind.CAPACITY, of="cpu0", price=0.0),), (Dual(bind=Bind.CAPACITY, of="cpu0", price=1e-300),)]
)
def test_a_sieve_that_prices_nothing_proves_nothing(objective: Objective, sieve: tuple[Dual, ...]) -> None:
    found = forged(case(), objective, objective_by(Leaf(banned=(), duals=(), sieves=(sieve,))))
    assert any(one.startswith(f"bound of {objective.value}") for one in found)


@pytest.mark.parametrize("objective", list(Objective))
def test_a_value_stated_too_low_loosens_no_bound(objective: Objective) -> None:
    leaf = Leaf(banned=(), duals=(), sieves=((),))
    found = forged(case(), objective, lambda level: replace(objective_by(leaf)(level), value=-1e300))
    assert any(one.startswith(f"bound of {objective.value}") for one in found)


@pytest.mark.parametrize("objective", list(Objective))
@pytest.mark.parametrize("price", [1.7e308, 1e200, 1e9])
@pytest.mark.parametrize("by_sieve", [False, True])
def test_rows_that_contradict_each_other_by_a_tolerance_prove_nothing(objective: Objective, price: float, by_sieve: bool) -> None:
    """A floor held a little above what the processor gives, at a price that makes anything of it, or overflows."""
    duals = Dual(bind=Bind.HELD, of="a", price=price * 0.01), Dual(bind=Bind.CAPACITY, of="cpu0", price=price)
    leaf = Leaf(banned=(), duals=() if by_sieve else duals, sieves=(duals,) if by_sieve else ())
    reached = {Goal.PROPORTIONAL: math.log(PART), Goal.WEIGHTED: 1 + PART, Goal.MAXMIN: PART, Goal.THROUGHPUT: 100 * (1 + PART)}

    def forge(level: Level) -> Level:
        if level.goal is Goal.FLOORS:
            return replace(level, held=(("a", 100 * (1 + 5e-8)),))
        return proved_by(level, reached[level.goal], leaf)

    assert any(one.startswith((objective.value, f"bound of {objective.value}")) for one in forged(case(floor=1.0), objective, forge))


PRICES = st.one_of(st.just(0.0), st.sampled_from([1.7e308, 1e30]), st.floats(-12, 12).map(lambda digits: 10.0**digits))
OF = {bind: ("cpu0", "cpu1") if bind in {Bind.CAPACITY, Bind.HEADROOM} else ("a", "b") for bind in Bind if bind is not Bind.LEVEL}
DUALS = st.sampled_from([(bind, of) for bind, names in OF.items() for of in names]).flatmap(
    lambda row: PRICES.map(lambda price: Dual(bind=row[0], of=row[1], price=price))
)
PAID = st.lists(DUALS, max_size=4, unique_by=lambda dual: (dual.bind, dual.of)).map(tuple)


@st.composite
def halved(draw: st.DrawFn) -> tuple[Leaf, ...]:
    """Draw leaves that together leave every choice, by any prices and sieves."""
    figure, at = draw(st.sampled_from(["cpu0", "cpu1", "latency"])), draw(st.floats(0.001, 0.02))
    parts = draw(st.sampled_from([((),), ((Side(tenant="a", figure=figure, below=at),), (Side(tenant="a", figure=figure, least=at),))]))
    return tuple(Leaf(banned=(), duals=draw(PAID), sides=sides, sieves=tuple(draw(st.lists(PAID, max_size=3)))) for sides in parts)


@pytest.mark.parametrize("objective", list(Objective))
@given(leaves=halved())
@settings(deadline=None)
def test_no_prices_and_no_sieves_prove_that_a_hundredth_is_all(objective: Objective, leaves: tuple[Leaf, ...]) -> None:
    found = forged(case(), objective, objective_by(*leaves))
    assert any(one.startswith((objective.value, f"bound of {objective.value}")) for one in found), found


def test_who_a_level_is_about_is_named_once_and_no_later_level_brings_others() -> None:
    some = case()
    plan = solve(some.tenants, some.options, some.platform, Objective.MAXMIN)
    first = next(at for at, level in enumerate(plan.levels) if level.goal is Goal.MAXMIN)

    def told(*levels: Level) -> tuple[str, ...]:
        others = [level for level in plan.levels if level.goal is not Goal.MAXMIN]
        other: Plan = replace(plan, levels=(*others[:first], *levels, *others[first:]))
        return check(other, some.tenants, some.options, some.platform).complaints

    level = replace(plan.levels[first], tenants=("a", "b"))
    assert any("a+b+a+b" in one for one in told(replace(level, tenants=("a", "b", "a", "b"))))
    assert any("tenants none" in one for one in told(level, replace(level, tenants=())))
    assert any("b after a" in one for one in told(replace(level, tenants=("a",)), replace(level, tenants=("b",))))
    assert any("a+b after a+b" in one for one in told(level, level))


def ground() -> Ground:
    some = case()
    return Ground(
        tenants={t.name: t for t in some.tenants}, options=some.options, platform=platform(1, 1, memory_bytes=10 * MB),
        headroom=0.9, solo_per_s={"a": 100.0, "b": 100.0}, held_per_s={}, least={},
    )  # fmt: skip


def level_of(*leaves: Leaf) -> Level:
    return Level(goal=Goal.MAXMIN, rank=1, tenants=("a", "b"), value=0.0, bound=0.0, leaves=leaves)


def nested(count: int, bans: int = 0, *, whole: bool = True) -> list[Leaf]:
    """Return leaves that halve what is left by one figure after the other."""
    huge = replace(case().options[0].artifact, model="huge", resident_bytes=10**15)
    sides = [Side(tenant="a", figure=f"f{at}", least=1.0) for at in range(count)]
    leaves = [Leaf(banned=(huge,) * bans, duals=(), sides=(*sides[:at], replace(sides[at], least=0.0, below=1.0))) for at in range(count)]
    return [*leaves, Leaf(banned=(huge,) * bans, duals=(), sides=tuple(sides))] if whole else leaves


def test_leaves_are_followed_however_deep_they_lie() -> None:
    assert covers(level_of(*nested(500)), ground())
    assert not covers(level_of(*nested(500, whole=False)), ground())


def test_leaves_that_could_be_told_apart_in_very_many_ways_are_refused_at_once() -> None:
    assert not covers(level_of(*nested(20, 20, whole=False)), ground())
    small = [replace(case().options[0].artifact, model=f"{name}{at}", resident_bytes=10 * MB // 39) for at in range(40) for name in "xy"]
    pairs = (Leaf(banned=(small[at], small[at + 1]), duals=()) for at in range(0, 80, 2))
    assert not covers(level_of(*pairs), ground())
    alone = (Leaf(banned=(replace(small[0], model=f"z{at}", resident_bytes=0),), duals=()) for at in range(1_200))
    assert not covers(level_of(*alone), ground())
