"""Plans in which one number is changed, against what brute force says of the change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest

from cotenant.describe import Bind, Dual, Goal, Leaf, Level, Objective, Plan
from cotenant.plan import check
from tests.oracle.drawn_crews import Kind, drawn
from tests.oracle.order import Order, order_of
from tests.oracle.parts import Part, given, homeless
from tests.oracle.test_plan_order import BOTH, planned
from tests.plan_cases import Case

BY = 0.01  # relative: by how much a number is spoiled
SEEN_P = 1e-3  # of a solo rate: less is so little that a hundredth of it is below the checker's tolerance
KINDS = (Kind(ranks=2, opened=0.3, floored=0.4), Kind(tenants=2, ranks=1, floored=0.3, tight=True), Kind(tenants=2, tight=True, options=6))


def accepted(plan: Plan, case: Case) -> bool:
    return check(plan, case.tenants, case.options, case.platform).ok


def drawn_plans(seeds: int, *, single: bool, kinds: tuple[Kind, ...] = KINDS) -> Iterator[tuple[Case, Plan]]:
    for seed in range(seeds):
        case = drawn(kinds[seed % len(kinds)], seed)
        plan = planned(case, tuple(Objective)[seed % 4], single=single)
        if plan is not None:
            yield case, plan


def other_rates(plan: Plan) -> Iterator[Plan]:
    """Change one rate, or one figure of a promise."""
    for at, share in enumerate(plan.shares):
        if share.rate_per_s > SEEN_P * plan.promise(share.option.tenant).solo_rate_per_s:
            for by in (1 - BY, 1 + BY):
                some = replace(share, rate_per_s=share.rate_per_s * by)
                yield replace(plan, shares=(*plan.shares[:at], some, *plan.shares[at + 1 :]))
    for at, promise in enumerate(plan.promises):
        others = plan.promises[:at], plan.promises[at + 1 :]
        solos = [replace(promise, solo_rate_per_s=promise.solo_rate_per_s * by) for by in (1 - BY, 1 + BY)]
        rates = [replace(promise, rate_per_s=promise.rate_per_s * by) for by in (1 - BY, 1 + BY) if promise.p > SEEN_P]
        yield from (replace(plan, promises=(*others[0], one, *others[1])) for one in solos + rates)


def other_sums(plan: Plan) -> Iterator[Plan]:
    """Change the value, lower the bound, or change a price that is shown or what it is said to price."""
    size = BY * max(1.0, abs(plan.value))
    yield from (replace(plan, value=plan.value + by) for by in (-size, size))
    yield replace(plan, bound=plan.bound - size)
    for at, price in enumerate(plan.prices):
        others = plan.prices[:at], plan.prices[at + 1 :]
        for some in (
            replace(price, price=price.price + BY * max(1.0, price.price)),
            replace(price, used=price.used + BY * price.capacity),
            replace(price, capacity=price.capacity * (1 - BY)),
        ):
            yield replace(plan, prices=(*others[0], some, *others[1]))


def other_levels(plan: Plan) -> Iterator[Plan]:
    """Leave a level out, say that it came further or can come less far, or keep more or less of it than it reached."""
    for at, level in enumerate(plan.levels):
        if not said_before(plan.levels, at):
            yield replace(plan, levels=(*plan.levels[:at], *plan.levels[at + 1 :]))
        if level.goal is not Goal.STARVED:
            yield from (replace(plan, levels=(*plan.levels[:at], one, *plan.levels[at + 1 :])) for one in spoiled(level, plan))


def with_a_price_of_nothing(plan: Plan) -> Iterator[Plan]:
    """Promise half, and let every proof price a row that is not there: its bound is then without end."""
    strange = Dual(bind=Bind.ARRIVALS, of=plan.promises[0].tenant, price=1.0), Dual(bind=Bind.CAPACITY, of="cpu0", price=1.7e308)
    for dual in strange:
        levels = (
            replace(level, leaves=tuple(replace(leaf, duals=(*leaf.duals, dual)) for leaf in level.leaves), bound=level.value)
            for level in plan.levels
        )
        yield replace(plan, levels=tuple(levels), bound=plan.value)


def said_before(levels: tuple[Level, ...], at: int) -> bool:
    """Say whether a level of max-min came no further than the one before it: without it nothing is missing."""
    before, level = levels[max(at - 1, 0)], levels[at]
    return at > 0 and before.goal is level.goal is Goal.MAXMIN and before.rank == level.rank and level.value < before.value * (1 + 1e-5)


def spoiled(level: Level, plan: Plan) -> Iterator[Level]:
    size = BY * max(1.0, abs(level.value), sum(plan.promise(name).solo_rate_per_s for name in level.tenants))
    yield replace(level, value=level.value + size)
    yield replace(level, bound=level.bound - size)
    if level.least is not None:
        yield from (replace(level, least=level.least + by) for by in (-size, size))
    for at, (name, rate) in enumerate(level.held):
        if rate > SEEN_P * plan.promise(name).solo_rate_per_s:
            yield replace(level, held=(*level.held[:at], (name, rate * (1 + BY)), *level.held[at + 1 :]))
            yield replace(level, held=(*level.held[:at], (name, rate * (1 - BY)), *level.held[at + 1 :]))


@BOTH
@pytest.mark.parametrize("spoil", [other_rates, other_sums, other_levels, with_a_price_of_nothing])
def test_a_plan_with_one_number_changed_is_refused(spoil: Callable[[Plan], Iterator[Plan]], single: bool) -> None:
    count = 0
    for case, plan in drawn_plans(45, single=single):
        for other in spoil(plan):
            count += 1
            assert not accepted(other, case)
    assert count >= 50


def without(level: Level, at: int) -> Level:
    return replace(level, leaves=(*level.leaves[:at], *level.leaves[at + 1 :]))


def leaves_it(leaf: Leaf, case: Case, part: Part) -> bool:
    """Say whether a leaf is about a choice: none of it is banned, and all of it within the sides."""
    options = [case.options[k] for k in part]
    inside = all(s.least <= o.figure_of(s.figure) < s.below for s in leaf.sides for o in options if o.tenant == s.tenant)
    return inside and not any(o.artifact in leaf.banned for o in options)


@BOTH
def test_a_proof_is_refused_without_a_leaf_that_alone_is_about_some_choice(single: bool) -> None:
    count = 0
    for case, plan in drawn_plans(60, single=single):
        parts = order_of(case, single=single).parts
        for index, level in enumerate(plan.levels):
            for at in range(len(level.leaves)):
                less = without(level, at)
                if all(any(leaves_it(leaf, case, part) for leaf in less.leaves) for part in parts):
                    continue
                count += 1
                assert not accepted(replace(plan, levels=(*plan.levels[:index], less, *plan.levels[index + 1 :])), case)
    assert count >= 100


def repriced(level: Level, resource: str, price: float) -> Level:
    duals = level.leaves[0].duals
    found = tuple(replace(d, price=price) if (d.bind, d.of) == (Bind.CAPACITY, resource) else d for d in duals)
    return replace(level, leaves=(replace(level.leaves[0], duals=found),))


def with_more(order: Order, resource: int, by: float) -> Order:
    """Return an order with `by` times more of a resource, in which no option exceeds what it could by itself before."""
    matrix, limit = order.fixed
    more = limit.copy()
    more[resource] *= 1 + by
    alone = np.diag(matrix.max(axis=0))
    return replace(order, fixed=(np.vstack([matrix, alone]), np.concatenate([more, np.ones(len(alone))])), kept=[])


@pytest.mark.parametrize("objective", [Objective.WEIGHTED, Objective.THROUGHPUT, Objective.MAXMIN])
def test_a_price_that_what_more_of_a_resource_brings_contradicts_is_refused(objective: Objective) -> None:
    """A price p bounds what more or less of a resource is worth: with d more, no more than p d is gained (a subgradient)."""
    count = 0
    for seed in range(30):
        case = drawn(Kind(), seed)
        if homeless(case) or (plan := planned(case, objective, single=False)) is None:
            continue
        order, level = order_of(case, single=False), plan.levels[0]
        assert len(order.parts) == len(level.leaves) == 1
        rung = next(order.rungs(objective))
        for dual in level.leaves[0].duals:
            if dual.bind is not Bind.CAPACITY:
                continue
            row, capacity = list(given(case.platform)).index(dual.of), given(case.platform)[dual.of]
            gained = {by: with_more(order, row, by).climb(rung).high - level.value for by in (-0.1, 0.1)}
            for price in (0.0, dual.price / 2, dual.price * 2):
                if all(gain <= price * by * capacity + 1e-3 * abs(level.value) for by, gain in gained.items()):
                    continue
                count += 1
                assert not accepted(replace(plan, levels=(repriced(level, dual.of, price), *plan.levels[1:])), case), (seed, dual)
    assert count >= 50
