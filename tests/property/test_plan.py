"""Laws of every plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cotenant.describe import Goal, Objective, Plan, Share, Tenant, open_rate_per_s, outstanding
from cotenant.errors import InfeasibleError
from cotenant.plan import check, solve
from tests.plan_cases import Case, cases

objectives = st.sampled_from(Objective)


def planned(case: Case, objective: Objective, *, allow_overload: bool = True) -> Plan:
    try:
        return solve(case.tenants, case.options, case.platform, objective, allow_overload=allow_overload)
    except InfeasibleError:
        assume(False)
        raise


@given(cases(), objectives)
def test_every_plan_passes_the_independent_checker(case: Case, objective: Objective) -> None:
    plan = planned(case, objective)
    assert check(plan, case.tenants, case.options, case.platform).complaints == ()


@given(cases(tight=True, most_tenants=3), objectives)
def test_every_plan_in_a_tight_memory_passes_too(case: Case, objective: Objective) -> None:
    plan = planned(case, objective)
    assert check(plan, case.tenants, case.options, case.platform).complaints == ()


@given(cases(), objectives)
def test_the_gap_is_closed(case: Case, objective: Objective) -> None:
    plan = planned(case, objective)
    size = max(p.solo_rate_per_s for p in plan.promises) if objective is Objective.THROUGHPUT else 1.0
    slack = 1e-9 * max(size, abs(plan.bound))
    assert plan.gap >= -slack
    assert plan.gap <= 1e5 * slack


@given(cases(), objectives)
def test_a_promise_is_within_what_arrives_and_the_solo_rate(case: Case, objective: Objective) -> None:
    plan = planned(case, objective)
    for tenant in case.tenants:
        promise, arriving = plan.promise(tenant.name), open_rate_per_s(tenant.arrival)
        assert arriving is None or promise.rate_per_s <= arriving
        assert 0 <= promise.p <= 1 + 1e-12
        assert promise.rate_per_s == pytest.approx(sum(s.rate_per_s for s in plan.shares_of(tenant.name)), rel=1e-9)


@given(cases(), objectives)
def test_a_plan_that_is_not_refused_serves_demands_and_floors(case: Case, objective: Objective) -> None:
    plan = planned(case, objective, allow_overload=False)
    for tenant in case.tenants:
        promise, arriving = plan.promise(tenant.name), open_rate_per_s(tenant.arrival)
        assert promise.p >= tenant.floor - 1e-6
        assert arriving is None or promise.rate_per_s >= arriving * (1 - 1e-6)


@given(cases(), objectives)
def test_rank_0_has_the_same_demand_served_with_and_without_the_others(case: Case, objective: Objective) -> None:
    first = tuple(t for t in case.tenants if t.rank == 0 and open_rate_per_s(t.arrival) is not None)
    assume(first)
    alone = solve(first, [o for o in case.options if o.tenant in {t.name for t in first}], case.platform, objective, allow_overload=True)
    together = planned(case, objective)
    assert demand(together, first) == pytest.approx(demand(alone, first), rel=1e-5)


def demand(plan: Plan, tenants: tuple[Tenant, ...]) -> float:
    return sum(t.weight * plan.promise(t.name).rate_per_s / (open_rate_per_s(t.arrival) or 1.0) for t in tenants)


@given(cases(level=True), objectives, st.integers(0, 2**32 - 1))
def test_no_random_rates_that_fit_beat_the_bound(case: Case, objective: Objective, seed: int) -> None:
    plan = planned(case, objective)
    rng = np.random.default_rng(seed)
    for _ in range(30):
        rates = fitting(case, rng.dirichlet(np.full(len(case.options), 0.5)))
        assert worth(case, plan, rates) <= plan.bound + 1e-6 * max(1.0, abs(plan.bound))


def fitting(case: Case, direction: np.ndarray[tuple[int], np.dtype[np.float64]]) -> dict[str, float]:
    """Go as far in a direction as resources and requests in flight allow; return each tenant's rate."""
    names = {t.name: t for t in case.tenants}
    parts = [(o, float(r) * 1e9 / o.latency_ns) for o, r in zip(case.options, direction, strict=True) if o.tenant in names]
    used = [(sum(r * o.demand_of(p.name) for o, r in parts), float(p.lanes)) for p in case.platform.processors]
    bandwidth = case.platform.memories[0].bandwidth_bytes_per_s
    used += [(sum(r * o.demand_of("dram") for o, r in parts), bandwidth)] if bandwidth else []
    used += [
        (sum(r * o.latency_ns / 1e9 for o, r in parts if o.tenant == name), float(outstanding(t.arrival, case.platform.lanes) or 0))
        for name, t in names.items()
    ]
    most = min((limit / amount for amount, limit in used if amount > 0), default=0.0)
    return {name: most * sum(r for o, r in parts if o.tenant == name) for name in names}


def worth(case: Case, plan: Plan, rates: dict[str, float]) -> float:
    share = {t.name: rates[t.name] / plan.promise(t.name).solo_rate_per_s for t in case.tenants}
    match plan.objective:
        case Objective.PROPORTIONAL:
            return sum(t.weight * float(np.log(max(share[t.name], 1e-300))) for t in case.tenants)
        case Objective.WEIGHTED:
            return sum(t.weight * share[t.name] for t in case.tenants)
        case Objective.MAXMIN:
            return min(share[t.name] / t.weight for t in case.tenants)
        case Objective.THROUGHPUT:
            return sum(rates.values())


@given(cases(level=True))
def test_more_lanes_never_lower_the_greatest_throughput(case: Case) -> None:
    """P may fall: it is a share of a solo rate, which grows with the lanes too."""
    more = replace(case.platform, processors=tuple(replace(p, lanes=p.lanes + 1) for p in case.platform.processors))
    before, after = planned(case, Objective.THROUGHPUT), planned(replace(case, platform=more), Objective.THROUGHPUT)
    assert after.value >= before.value * (1 - 1e-6)


@given(cases(tight=True, most_tenants=3, level=True))
def test_a_tight_memory_never_raises_the_throughput(case: Case) -> None:
    roomy = replace(case.platform, memories=(replace(case.platform.memories[0], capacity_bytes=10**12),))
    tight = planned(case, Objective.THROUGHPUT)
    assert tight.value <= planned(replace(case, platform=roomy), Objective.THROUGHPUT).value * (1 + 1e-6)


@given(cases(), objectives)
def test_the_same_crew_has_the_same_plan(case: Case, objective: Objective) -> None:
    assert planned(case, objective) == planned(case, objective)


@given(cases(level=True))
def test_at_the_proportional_optimum_what_is_used_is_cheapest_and_worth_its_price(case: Case) -> None:
    """Karush, Kuhn and Tucker: a rate is the weight over the price of its cheapest option, requests in flight paid too."""
    plan = planned(case, Objective.PROPORTIONAL)
    level = plan.levels[0]
    assert level.goal is Goal.PROPORTIONAL
    paid = {(d.bind.value, d.of): d.price for d in level.leaves[0].duals}
    for tenant in case.tenants:
        flight = paid.get(("outstanding", tenant.name), 0.0)
        prices = {
            o: sum(paid.get(("capacity", name), 0.0) * amount for name, amount in o.demand) + flight * o.latency_ns / 1e9
            for o in case.options if o.tenant == tenant.name
        }  # fmt: skip
        rate = plan.promise(tenant.name).rate_per_s
        assert rate * min(prices.values()) == pytest.approx(tenant.weight, rel=1e-3)


def test_the_checker_is_not_the_solver() -> None:
    import ast
    import inspect

    from cotenant.plan import certificate, cover, fits, ground, numbers, proof, scan, sieved

    parts = (cover, fits, ground, numbers, proof, scan, sieved)
    own = {module.__name__ for module in parts}
    for module in (certificate, *parts):
        tree = ast.walk(ast.parse(inspect.getsource(module)))
        imported = {node.module or "" for node in tree if isinstance(node, ast.ImportFrom)}
        assert {name for name in imported if name.startswith("cotenant.")} <= own | {"cotenant.describe"}


def broken(plan: Plan) -> list[tuple[str, Plan]]:
    """Perturb a plan in each way that a checker must not let pass."""
    share, promise, price = max(plan.shares, key=lambda s: s.rate_per_s), plan.promises[0], plan.prices[0]
    others = tuple(s for s in plan.shares if s is not share)
    level = next(lv for lv in plan.levels if lv.goal is Goal.PROPORTIONAL)
    index, leaf = plan.levels.index(level), level.leaves[0]
    cheap = replace(level, leaves=(replace(leaf, duals=tuple(replace(d, price=d.price * 0.9) for d in leaf.duals)),))
    dear = replace(level, leaves=(replace(leaf, duals=tuple(replace(d, price=d.price * 1.1) for d in leaf.duals)),))
    negative = replace(level, leaves=(replace(leaf, duals=tuple(replace(d, price=-d.price) for d in leaf.duals)),))

    def promised(rate: float, solo: float) -> Plan:
        new = replace(promise, rate_per_s=promise.rate_per_s * rate, solo_rate_per_s=promise.solo_rate_per_s * solo)
        return replace(plan, promises=(new, *plan.promises[1:]))

    def shared(new: Share) -> Plan:
        return replace(plan, shares=(new, *others))

    def with_level(new: object) -> Plan:
        return replace(plan, levels=(*plan.levels[:index], *([new] if new else []), *plan.levels[index + 1 :]))  # type: ignore[arg-type]

    return [
        ("a rate beyond capacity", shared(replace(share, rate_per_s=share.rate_per_s * 1.01))),
        ("a rate forgotten", replace(plan, shares=others)),
        ("a negative rate", shared(replace(share, rate_per_s=-share.rate_per_s))),
        ("a promise that is not the sum", promised(0.99, 1.0)),
        ("a solo rate too low", promised(1.0, 0.9)),
        ("a solo rate too high", promised(1.0, 1.1)),
        ("a bound understated", replace(plan, bound=plan.bound - 1e-3)),
        ("a value overstated", replace(plan, value=plan.value + 1e-3)),
        ("a price altered", replace(plan, prices=(replace(price, price=price.price * 1.1 + 0.1), *plan.prices[1:]))),
        ("a use altered", replace(plan, prices=(replace(price, used=price.used * 0.9), *plan.prices[1:]))),
        ("a level's bound understated", with_level(replace(level, bound=level.bound - 1e-3))),
        ("a level's value overstated", with_level(replace(level, value=level.value + 1e-3, bound=level.bound + 1e-3))),
        ("duals too cheap", with_level(cheap)),
        ("duals too dear", with_level(dear)),
        ("duals below nothing", with_level(negative)),
        ("a level left out", with_level(None)),
        ("a level that keeps nothing", with_level(replace(level, held=()))),
        ("a level without a proof", with_level(replace(level, leaves=(replace(leaf, duals=()),)))),
        ("a leaf that bans what fits", with_level(replace(level, leaves=(replace(leaf, banned=(share.option.artifact,)),)))),
        ("a stranger's option", shared(replace(share, option=replace(share.option, batch=2)))),
    ]  # fmt: skip


@given(cases(level=True, most_tenants=3))
def test_the_checker_refuses_a_perturbed_plan(case: Case) -> None:
    plan = planned(case, Objective.PROPORTIONAL)
    assume(all(price.price > 1e-3 for price in plan.prices[:1]))
    for what, other in broken(plan):
        assert not check(other, case.tenants, case.options, case.platform).ok, what


@given(cases(tight=True, most_tenants=3))
def test_the_checker_refuses_a_plan_that_overflows_a_memory(case: Case) -> None:
    plan = planned(case, Objective.PROPORTIONAL)
    assume(plan.shares)
    resident = sum(a.resident_bytes for a in {s.option.artifact for s in plan.shares})
    small = replace(case.platform, memories=(replace(case.platform.memories[0], capacity_bytes=resident - 1),))
    assert not check(plan, case.tenants, case.options, small).ok
