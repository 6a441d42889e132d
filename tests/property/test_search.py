"""Laws of every search, and of the worth that it is judged by."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cotenant.describe import Artifact, Objective, Option, Plan, Precision, Step, Tenant, open_rate_per_s
from cotenant.errors import InfeasibleError, InputError
from cotenant.plan import solve
from cotenant.search import Budget, Found, Judge, Menu, Worth, menu_of, named, run, searches, variants
from cotenant.search import estimator as estimating
from cotenant.search.estimator import LAYERS, PLACE_FEATURES, TENANT_FEATURES
from tests.plan_cases import Case, cases, closed, opened, platform

NAMES = variants(searches)
ANYTIME = tuple(name for name in NAMES if named(searches, name).anytime and named(searches, name).evaluator is None)
objectives = st.sampled_from(Objective)
seeds = st.integers(0, 2**32 - 1)
weights = st.sampled_from((1.0, 0.5, 2.0))


@pytest.fixture(scope="module", autouse=True)
def some_weights(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Guide searches by an estimator that knows nothing, whether or not one is shipped."""
    rng, wide = np.random.default_rng(0), 8
    inputs = dict(zip(LAYERS, (PLACE_FEATURES, wide, 2 * wide + TENANT_FEATURES, wide), strict=True))
    outputs = dict(zip(LAYERS, (wide, wide, wide, 1), strict=True))
    path = tmp_path_factory.mktemp("search") / "weights.npz"
    values = {f"{layer}.w": rng.normal(size=(inputs[layer], outputs[layer])) for layer in LAYERS}
    np.savez(path, **values, **{f"{layer}.b": rng.normal(size=outputs[layer]) for layer in LAYERS})  # type: ignore[arg-type]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(estimating, "WEIGHTS", path)
        yield


@st.composite
def crews(draw: st.DrawFn, *, most_tenants: int = 3, most_options: int = 4, ranks: int = 1, is_open: bool = False) -> Case:
    """Draw tenants whose options are chains over one to three processors; all of what they take is of about one size."""
    lanes = draw(st.lists(st.integers(1, 3), min_size=1, max_size=3))
    names = [f"t{i}" for i in range(draw(st.integers(1, most_tenants)))]
    tenants = tuple(_tenant(draw, name, ranks, is_open=is_open) for name in names)
    options = tuple(_chain(draw, name, lanes) for name in names for _ in range(draw(st.integers(1, most_options))))
    return Case(tenants=tenants, options=options, platform=platform(*lanes))


def _tenant(draw: st.DrawFn, name: str, ranks: int, *, is_open: bool) -> Tenant:
    rank, weight, floor = draw(st.integers(0, ranks - 1)), draw(weights), draw(st.sampled_from((0.0, 0.0, 0.1, 0.3)))
    if is_open and draw(st.booleans()):
        return opened(name, draw(st.sampled_from((5.0, 20.0))), rank, weight=weight, floor=floor)
    return closed(name, rank, weight=weight, floor=floor, outstanding=draw(st.sampled_from((None, 2))))


def _chain(draw: st.DrawFn, tenant: str, lanes: list[int]) -> Option:
    places = draw(st.permutations(range(len(lanes))))[: draw(st.integers(1, len(lanes)))]
    steps = [
        Step(segment=2 * at, processor=f"cpu{p}", width=draw(st.integers(1, lanes[p])), duration_ns=draw(st.integers(5, 50)) * 10**6)
        for at, p in enumerate(places)
    ]
    artifact = Artifact(model=tenant, precision=Precision.FP32, engine="engine", memory="dram", resident_bytes=1)
    demand = tuple((step.processor, step.width * step.duration_ns / 1e9) for step in steps)
    return Option(tenant=tenant, artifact=artifact, chain=tuple(steps), demand=demand, latency_ns=sum(step.duration_ns for step in steps))


def menu(case: Case) -> Menu:
    try:
        return menu_of(case.tenants, case.options, case.platform)
    except InfeasibleError:
        assume(False)
        raise


def found(name: str, case: Case, objective: Objective, seed: int, evaluations: int = 60) -> Found:
    offered = menu(case)
    return run(named(searches, name), offered, Judge(offered, objective), Budget(evaluations=evaluations), seed)


def mappings(offered: Menu) -> list[tuple[int, ...]]:
    return list(itertools.product(*(own.tolist() for own in offered.own)))


def alone_per_s(case: Case, tenant: Tenant, options: tuple[Option, ...]) -> float:
    free = replace(tenant, floor=0.0)
    return solve([free], options, case.platform, Objective.THROUGHPUT, allow_overload=True).promise(tenant.name).solo_rate_per_s


def planned(case: Case, choice: tuple[Option, ...], objective: Objective, *, allow_overload: bool) -> tuple[Plan, float]:
    """Plan just these options, and return the plan with its value, P being counted against all options of a tenant.

    A plan counts P against what it was given, S' alone in place of S: floor S = (floor S / S') S', and so on.
    """
    tenants, shift = [], 0.0
    for tenant, option in zip(case.tenants, choice, strict=True):
        whole = tuple(o for o in case.options if o.tenant == tenant.name)
        part = alone_per_s(case, tenant, (option,)) / alone_per_s(case, tenant, whole)
        floor, weight = tenant.floor / part, tenant.weight
        if floor > 1 + 1e-9:
            raise InfeasibleError(tenant.name, "its floor is beyond this option", "another option")
        if open_rate_per_s(tenant.arrival) is None:
            shift += weight * math.log(part) if objective is Objective.PROPORTIONAL else 0.0
            weight *= {Objective.WEIGHTED: part, Objective.MAXMIN: 1 / part}.get(objective, 1.0)
        tenants.append(replace(tenant, floor=min(floor, 1.0), weight=weight))
    plan = solve(tenants, choice, case.platform, objective, allow_overload=allow_overload)
    return plan, plan.value + shift


def near(value: float, other: float, tolerance: float = 1e-6) -> bool:
    return abs(value - other) <= tolerance * max(1.0, abs(other))


@given(crews(most_tenants=4), objectives, st.data())
def test_the_worth_of_a_mapping_is_the_value_of_a_plan_of_just_its_options(case: Case, objective: Objective, data: st.DataObject) -> None:
    offered = menu(case)
    choice = tuple(int(data.draw(st.sampled_from(own.tolist()))) for own in offered.own)
    worth = Judge(offered, objective).worth(choice)
    try:
        _, value = planned(case, offered.options(choice), objective, allow_overload=False)
    except InfeasibleError:
        assert worth.short > 0
    else:
        assert worth.short == 0
        assert near(worth.value, value)


@given(crews(most_tenants=4, ranks=3, is_open=True), objectives, st.data())
def test_so_is_it_where_ranks_and_arrivals_go_before(case: Case, objective: Objective, data: st.DataObject) -> None:
    offered = menu(case)
    choice = tuple(int(data.draw(st.sampled_from(own.tolist()))) for own in offered.own)
    worth = Judge(offered, objective).worth(choice)
    try:
        plan, value = planned(case, offered.options(choice), objective, allow_overload=False)
    except InfeasibleError:
        assert worth.short > 0
        return
    starved = any(open_rate_per_s(t.arrival) is None and plan.promise(t.name).p < 1e-4 for t in case.tenants)
    assume(not starved or objective is not Objective.PROPORTIONAL)
    assert worth.short == 0
    assert near(worth.value, value, 1e-4)


@given(cases(level=True, tight=True, most_tenants=3), objectives, st.data())
def test_so_is_it_where_a_memory_does_not_hold_the_models(case: Case, objective: Objective, data: st.DataObject) -> None:
    offered = menu(case)
    choice = tuple(int(data.draw(st.sampled_from(own.tolist()))) for own in offered.own)
    worth = Judge(offered, objective).worth(choice)
    plan, value = planned(case, offered.options(choice), objective, allow_overload=True)
    if worth.short == 0:
        assert near(worth.value, value)
    else:
        assert objective is Objective.PROPORTIONAL
        assert min(promise.p for promise in plan.promises) < 1e-4


@given(crews(ranks=2, is_open=True), objectives, st.data())
def test_no_division_serves_more_than_each_row_holds(case: Case, objective: Objective, data: st.DataObject) -> None:
    offered = menu(case)
    choice = [int(data.draw(st.sampled_from(own.tolist()))) for own in offered.own]
    rates = np.array(Judge(offered, objective).worth(choice).p) * offered.solo_per_s
    assert (rates >= 0).all()
    assert (offered.taken[:, choice] @ rates <= offered.limit * (1 + 1e-6)).all()


@pytest.mark.parametrize("name", NAMES)
@given(case=crews(ranks=2, is_open=True), objective=objectives, seed=seeds)
def test_an_answer_is_one_option_of_each_tenant_judged_exactly(name: str, case: Case, objective: Objective, seed: int) -> None:
    answer, offered = found(name, case, objective, seed), menu(case)
    assert [option.tenant for option in offered.options(answer.choice)] == [tenant.name for tenant in case.tenants]
    assert all(k in own for k, own in zip(answer.choice, offered.own, strict=True))
    assert answer.worth == Judge(offered, objective).worth(answer.choice)
    assert answer.value == answer.worth.value


@pytest.mark.parametrize("name", NAMES)
@given(case=crews(), objective=objectives, seed=seeds)
def test_no_answer_beats_the_bound_of_a_plan_that_may_mix(name: str, case: Case, objective: Objective, seed: int) -> None:
    plan = solve(case.tenants, case.options, case.platform, objective, allow_overload=True)
    value = found(name, case, objective, seed).value
    assert value <= plan.bound + 1e-6 * max(1.0, abs(plan.bound))


@pytest.mark.parametrize("name", NAMES)
@given(case=crews(), objective=objectives, seed=seeds)
def test_the_same_seed_and_evaluations_give_the_same_answer(name: str, case: Case, objective: Objective, seed: int) -> None:
    one, other = (found(name, case, objective, seed, evaluations=25) for _ in range(2))
    assert (one.choice, one.worth, one.evaluations) == (other.choice, other.worth, other.evaluations)


@pytest.mark.parametrize("name", ANYTIME)
@settings(max_examples=10)
@given(case=crews(ranks=2), objective=objectives, seed=seeds)
def test_more_evaluations_never_end_worse(name: str, case: Case, objective: Objective, seed: int) -> None:
    worths = [found(name, case, objective, seed, evaluations=n).worth for n in (1, 4, 16, 64)]
    assert worths == sorted(worths)


@pytest.mark.parametrize("name", NAMES)
@given(case=crews(), objective=objectives, evaluations=st.integers(1, 40))
def test_a_search_stops_at_its_budget_once_it_has_an_answer(name: str, case: Case, objective: Objective, evaluations: int) -> None:
    first = 6 * len(case.options)  # what the first descent of a branch and bound may look at
    assert found(name, case, objective, 0, evaluations).evaluations <= max(evaluations, first)


def best(offered: Menu, objective: Objective, choices: list[tuple[int, ...]]) -> Worth:
    judge = Judge(offered, objective)
    return max(judge.worth(choice) for choice in choices)


@given(crews(), objectives)
def test_exact_equals_brute_force(case: Case, objective: Objective) -> None:
    offered = menu(case)
    value = found("exact", case, objective, 0, evaluations=10**6).worth
    assert near(value.value, best(offered, objective, mappings(offered)).value)


@given(crews(ranks=2, is_open=True), objectives)
def test_exact_equals_brute_force_where_ranks_and_arrivals_go_before(case: Case, objective: Objective) -> None:
    offered = menu(case)
    order = found("exact", case, objective, 0, evaluations=10**6).worth.order
    assert order == pytest.approx(best(offered, objective, mappings(offered)).order, rel=1e-6, abs=1e-6)


@given(crews(ranks=2, is_open=True), objectives)
def test_whole_exact_equals_brute_force_over_whole_networks(case: Case, objective: Objective) -> None:
    offered = menu(case)
    whole = list(itertools.product(*(offered.whole(i) for i in range(len(case.tenants)))))
    order = found("whole_exact", case, objective, 0, evaluations=10**6).worth.order
    assert order == pytest.approx(best(offered, objective, whole).order, rel=1e-6, abs=1e-6)


@given(crews(), objectives, seeds)
def test_whole_exact_is_never_behind_the_greedy_one(case: Case, objective: Objective, seed: int) -> None:
    greedy, exact = (found(name, case, objective, seed, evaluations=10**6).worth for name in ("whole_greedy", "whole_exact"))
    assert near(greedy.value, exact.value, 1e-8) or greedy < exact


@pytest.mark.parametrize(
    ("seconds", "evaluations"), [(0, None), (-1.0, None), (math.nan, None), (None, 0), (None, -3), (1.0, 0), (None, None)]
)
def test_a_budget_that_leaves_no_room_is_refused(seconds: float | None, evaluations: int | None) -> None:
    with pytest.raises(InputError, match="budget"):
        Budget(seconds=seconds, evaluations=evaluations)
