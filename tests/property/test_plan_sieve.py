"""Sieves: what prices leave out of a plan of single options, no choice above the bound uses."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cotenant.describe import Bind, Dual, Goal, Leaf, Level, Objective, Option, Plan
from cotenant.plan import HEADROOM, Effort, check, solve
from cotenant.plan.ground import Ground
from cotenant.plan.sieved import left
from tests.plan_cases import Case, cases, closed, option, platform

GOALS = {
    Objective.PROPORTIONAL: Goal.PROPORTIONAL, Objective.WEIGHTED: Goal.WEIGHTED,
    Objective.MAXMIN: Goal.MAXMIN, Objective.THROUGHPUT: Goal.THROUGHPUT,
}  # fmt: skip


def solved(case: Case, objective: Objective, chosen: list[Option] | None = None) -> Plan:
    return solve(case.tenants, case.options, case.platform, objective, allow_overload=True, chosen=chosen)


def ground_of(case: Case, plan: Plan) -> Ground:
    return Ground(
        tenants={t.name: t for t in case.tenants}, options=case.options, platform=case.platform, headroom=HEADROOM,
        solo_per_s={p.tenant: p.solo_rate_per_s for p in plan.promises}, held_per_s={}, least={},
    )  # fmt: skip


def level_of(plan: Plan, objective: Objective) -> Level:
    return next(level for level in plan.levels if level.goal is GOALS[objective])


@settings(max_examples=150, deadline=None)
@given(cases(level=True, most_tenants=3), st.sampled_from(tuple(Objective)), st.sampled_from((1.0, 0.5, 3.0)), st.data())
def test_whatever_the_prices_no_choice_above_the_bound_loses_an_option(
    case: Case, objective: Objective, scale: float, data: st.DataObject
) -> None:
    chosen = [data.draw(st.sampled_from([o for o in case.options if o.tenant == t.name])) for t in case.tenants]
    level, best = level_of(solved(case, objective, chosen), objective), level_of(solved(case, objective), objective)
    assume(len(level.tenants) == len(case.tenants))
    duals = tuple(replace(dual, price=dual.price * scale) for dual in best.leaves[0].duals)
    slack = data.draw(st.sampled_from((1e-3, 1e-2, 0.3)))
    below = replace(level, bound=level.value - slack * max(1.0, abs(level.value)))
    assume(objective is Objective.PROPORTIONAL or below.bound > 0)
    kept = left(ground_of(case, solved(case, objective)), below, Leaf(banned=(), duals=(), sieves=(duals,)))
    assert kept is not None
    assert all(option in kept[option.tenant] for option in chosen)


def crowd(count: int = 4) -> Case:
    """Return equal tenants whose options lie along a curve: no whole choice is as good as a mixture, and many are near it."""
    ways = [(12.0 - at, "cpu0", 2.0 + 0.11 * at * at) for at in range(10)]
    options = tuple(
        replace(option(name, ms, cpu), demand=((cpu, ms / 1e3), ("cpu1", other / 1e3)), artifact=option("t0", 1.0).artifact)
        for name in (f"t{at}" for at in range(count))
        for ms, cpu, other in ways
    )
    return Case(tenants=tuple(closed(f"t{at}") for at in range(count)), options=options, platform=platform(1, 1))


def sieved(objective: Objective) -> tuple[Case, Plan, int]:
    case = crowd()
    plan = solve(case.tenants, case.options, case.platform, objective, allow_overload=True, effort=Effort(gap=0.001))
    return case, plan, next(at for at, level in enumerate(plan.levels) if any(leaf.sieves for leaf in level.leaves))


def complaints(case: Case, plan: Plan, at: int, level: Level) -> tuple[str, ...]:
    other = replace(plan, levels=(*plan.levels[:at], level, *plan.levels[at + 1 :]))
    return check(other, case.tenants, case.options, case.platform).complaints


def test_who_costs_less_than_nothing_by_rounding_keeps_nobody_from_being_left_out() -> None:
    """Of who is held above its part, the cheapest option costs nothing at the prices, or a little less."""
    case, plan, at = sieved(Objective.MAXMIN)
    level = plan.levels[at]
    ground = replace(ground_of(case, plan), held_per_s={"t0": 1e-3})
    duals = next(leaf.sieves[0] for leaf in level.leaves if leaf.sieves)
    least = min(sum(d.price * ground.taken(d.bind, d.of, o) for d in duals) for o in case.options if o.tenant == "t0")
    held = Dual(bind=Bind.HELD, of="t0", price=least * (1 + 1e-15))
    kept = left(ground, replace(level, bound=level.bound * 1.3), Leaf(banned=(), duals=(), sieves=((*duals, held),)))
    assert kept is not None
    assert sum(map(len, kept.values())) < len(case.options)


def test_a_proof_without_its_sieves_proves_less() -> None:
    case, plan, at = sieved(Objective.MAXMIN)
    level = plan.levels[at]
    assert complaints(case, plan, at, level) == ()
    bare = replace(level, leaves=tuple(replace(leaf, sieves=()) for leaf in level.leaves))
    assert any("bound of maxmin" in one for one in complaints(case, plan, at, bare))


def test_a_bound_below_that_of_the_sieves_is_refused() -> None:
    case, plan, at = sieved(Objective.MAXMIN)
    level = plan.levels[at]
    assert complaints(case, plan, at, replace(level, bound=level.value * 0.99))


def test_sieves_prove_nothing_of_mixtures() -> None:
    case, plan, _ = sieved(Objective.MAXMIN)
    found = check(replace(plan, single=False), case.tenants, case.options, case.platform).complaints
    assert any("sieves in a plan of mixtures" in one for one in found)


def test_a_price_below_nothing_sieves_nothing() -> None:
    case, plan, at = sieved(Objective.MAXMIN)
    level = plan.levels[at]
    worse = tuple(replace(dual, price=-1.0) for dual in level.leaves[0].duals)
    spoiled = replace(level, leaves=tuple(replace(leaf, sieves=(worse,)) for leaf in level.leaves))
    assert any("price -1.0" in one for one in complaints(case, plan, at, spoiled))


def test_a_sieve_of_no_such_row_is_refused() -> None:
    case, plan, at = sieved(Objective.MAXMIN)
    level = plan.levels[at]
    strange = (Dual(bind=level.leaves[0].duals[0].bind, of="nowhere", price=1.0),)
    spoiled = replace(level, leaves=tuple(replace(leaf, sieves=(strange,)) for leaf in level.leaves))
    assert any("nowhere" in one for one in complaints(case, plan, at, spoiled))
