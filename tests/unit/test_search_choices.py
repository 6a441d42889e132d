"""What each search chooses, on menus small enough to see why."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Objective, Option, Platform, Tenant
from cotenant.search import Budget, Choice, Found, Judge, Menu, Search, menu_of, named, run, searches
from cotenant.search.all_on_one import _candidates
from cotenant.search.genetic import _near
from cotenant.search.haxconn import TIE
from cotenant.search.rankmap import _reward
from cotenant.search.tree import descend
from tests.plan_cases import closed, opened, option, platform
from tests.unit.test_search_menu import chain

TWO = (closed("a"), closed("b"))


def search(
    name: str, tenants: Sequence[Tenant], options: Sequence[Option], machine: Platform,
    objective: Objective = Objective.PROPORTIONAL, evaluations: int = 500,
) -> Found:  # fmt: skip
    offered = menu_of(tenants, options, machine)
    return run(named(searches, name), offered, Judge(offered, objective), Budget(evaluations=evaluations), seed=1)


def test_all_on_one_takes_the_processor_that_is_best_for_all() -> None:
    options = [option("a", 10.0), option("a", 20.0, "cpu1"), option("b", 90.0), option("b", 20.0, "cpu1")]
    assert search("all_on_one", TWO, options, platform(1, 1)).choice == (1, 3)


def test_all_on_one_keeps_off_other_processors_as_far_as_it_can() -> None:
    options = [option("a", 10.0), option("b", 90.0, "cpu1"), chain("b", ("cpu0", 0, 80), ("cpu1", 1, 20))]
    assert list(_candidates(menu_of(TWO, options, platform(1, 1)))) == [(0, 2), (0, 1)]
    assert search("all_on_one", TWO, options, platform(1, 1)).choice == (0, 1)


def test_whole_greedy_leaves_the_better_place_to_the_heavy_network() -> None:
    options = [option("a", 10.0), option("a", 12.0, "cpu1"), option("b", 80.0), option("b", 200.0, "cpu1")]
    assert search("whole_greedy", TWO, options, platform(1, 1)).choice == (1, 2)


def test_whole_searches_split_no_network_that_need_not_be() -> None:
    options = [option("a", 50.0), chain("a", ("cpu0", 0, 5), ("cpu1", 1, 5)), option("b", 50.0, "cpu1")]
    for name in ("whole_greedy", "whole_exact"):
        assert search(name, TWO, options, platform(1, 1)).choice == (0, 2)
    assert search("exact", TWO, options, platform(1, 1)).choice == (1, 2)


def test_mosaic_looks_at_latency_alone() -> None:
    options = [option(name, ms, cpu) for name in "ab" for ms, cpu in ((10.0, "cpu0"), (11.0, "cpu1"))]
    found = search("mosaic", TWO, options, platform(1, 1))
    assert (found.choice, found.evaluations) == ((0, 2), 0)


def test_odmdef_goes_where_nobody_waits() -> None:
    """Behind a's 10 ms, b would end at 20 on cpu0, at 11 on cpu1; c ends first behind both, in two parts."""
    options = [option(name, ms, cpu) for name in "ab" for ms, cpu in ((10.0, "cpu0"), (11.0, "cpu1"))]
    parts = [option("c", 30.0), option("c", 12.0, "cpu1"), chain("c", ("cpu0", 0, 6), ("cpu1", 1, 6))]
    assert search("odmdef", (*TWO, closed("c")), [*options, *parts], platform(1, 1)).choice == (0, 3, 6)


def test_odmdef_serves_the_first_rank_first() -> None:
    options = [option(name, ms, cpu) for name in "ab" for ms, cpu in ((10.0, "cpu0"), (15.0, "cpu1"))]
    assert search("odmdef", (closed("a", 1), closed("b", 0)), options, platform(1, 1)).choice == (1, 2)


def test_odmdef_counts_a_lane_of_two_as_half_a_processor() -> None:
    options = [option(name, ms, cpu) for name in "ab" for ms, cpu in ((10.0, "cpu0"), (14.0, "cpu1"))]
    assert search("odmdef", TWO, options, platform(1, 1)).choice == (0, 3)
    wide = [option(name, ms, cpu) for name in "ab" for ms, cpu in ((10.0, "cpu0"), (18.0, "cpu1"))]
    assert search("odmdef", TWO, wide, platform(2, 1)).choice == (0, 2)


@st.composite
def crowds(draw: st.DrawFn) -> tuple[list[Tenant], list[Option]]:
    tenants = [closed(f"t{i}") for i in range(draw(st.integers(1, 4)))]
    options = []
    for tenant in tenants:
        for _ in range(draw(st.integers(1, 5))):
            places = draw(st.permutations(range(3)))[: draw(st.sampled_from((1, 2, 2, 3)))]
            options.append(chain(tenant.name, *((f"cpu{p}", at, draw(st.integers(1, 30))) for at, p in enumerate(places))))
    return tenants, options


def round_s(menu: Menu, choice: Choice) -> float:
    busiest_s = max((menu.lane_s[:, list(choice)].sum(axis=1) / menu.lanes).tolist())
    return float(max(busiest_s, *menu.latency_s[list(choice)].tolist()) + TIE * busiest_s)


@given(crowds())
def test_haxconn_finds_the_shortest_round_with_at_most_one_switch(crowd: tuple[list[Tenant], list[Option]]) -> None:
    offered = menu_of(*crowd, platform(1, 2, 1))
    lists = [[k for k in own.tolist() if len(offered.routes[k]) <= 2] or own.tolist() for own in offered.own]
    shortest_s = min(round_s(offered, choice) for choice in itertools.product(*lists))
    found = search("haxconn", *crowd, platform(1, 2, 1), evaluations=10**6)
    assert all(k in own for k, own in zip(found.choice, lists, strict=True))
    assert round_s(offered, found.choice) == pytest.approx(shortest_s)


@pytest.mark.parametrize("seed", range(20))
def test_haxconn_is_never_nearly_right(seed: int) -> None:
    rng, tenants = np.random.default_rng(seed), [closed(f"t{i}") for i in range(4)]
    options = [option(t.name, float(rng.uniform(20, 40)), f"cpu{rng.integers(3)}") for t in tenants for _ in range(5)]
    offered = menu_of(tenants, options, platform(1, 1, 1))
    shortest_s = min(round_s(offered, choice) for choice in itertools.product(*(own.tolist() for own in offered.own)))
    assert round_s(offered, search("haxconn", tenants, options, platform(1, 1, 1), evaluations=10**6).choice) == pytest.approx(shortest_s)


def many(tenants: Sequence[Tenant]) -> list[Option]:
    """Cut each network anywhere between two processors; neither is better for it, and handing over takes a tenth."""
    cuts = [chain(t.name, ("cpu0", 0, 10 * c), ("cpu1", c, 10 * (10 - c) + 10)) for t in tenants for c in range(1, 10)]
    return [*cuts, *(option(t.name, 100.0, cpu) for t in tenants for cpu in ("cpu0", "cpu1"))]


@pytest.mark.parametrize("name", ["genetic", "omniboost/exact", "rankmap/exact", "random_mapping"])
def test_searches_that_go_on_find_the_best_of_a_hundred_and_twenty(name: str) -> None:
    exact = search("exact", TWO, many(TWO), platform(1, 1), Objective.MAXMIN, evaluations=10**6)
    assert search(name, TWO, many(TWO), platform(1, 1), Objective.MAXMIN, evaluations=1500).value == pytest.approx(exact.value)


def test_a_genetic_search_is_ahead_of_drawing_where_there_is_much_to_choose_from() -> None:
    rng, six = np.random.default_rng(0), [closed(f"t{i}") for i in range(6)]
    options = [option(t.name, float(rng.uniform(5, 100)), f"cpu{rng.integers(3)}") for t in six for _ in range(30)]
    bred, drawn = (search(name, six, options, platform(1, 1, 1), Objective.MAXMIN, 2000) for name in ("genetic", "random_mapping"))
    assert bred.value > 1.3 * drawn.value


def test_next_to_an_option_are_the_next_cut_and_the_same_cut_elsewhere() -> None:
    places = [("cpu0", "cpu1"), ("cpu1", "cpu0")]
    options = [chain("a", (p, 0, 10), (q, cut, 10 + cut)) for p, q in places for cut in (1, 2, 4)]
    offered = menu_of([closed("a")], options, platform(1, 1))
    near = _near(offered, offered.own[0].tolist())
    assert near == {0: (1, 3), 1: (0, 2, 4), 2: (1, 5), 3: (0, 4), 4: (1, 3, 5), 5: (2, 4)}


def test_what_has_nothing_next_to_it_may_become_anything() -> None:
    offered = menu_of([closed("a")], [option("a", 10.0), chain("a", ("cpu0", 0, 4), ("cpu1", 1, 4))], platform(1, 1))
    assert _near(offered, [0, 1]) == {0: (0, 1), 1: (0, 1)}


def test_a_tree_search_comes_back_to_what_is_good() -> None:
    """One of 22 options is rewarded: it is found, and asked for far more often than by chance."""
    offered = menu_of([closed("a")], many([closed("a")]), platform(1, 1))
    asked: list[int] = []

    def reward(mapping: Sequence[int]) -> float:
        asked.append(mapping[0])
        if len(asked) == 600:
            raise StopIteration
        return float(mapping[0] == 3)

    with pytest.raises(StopIteration):
        descend(offered, reward, np.random.default_rng(0))
    assert asked.count(3) > 4 * len(asked) / len(offered.own[0])
    assert set(asked) == set(offered.own[0].tolist())


def test_a_tree_search_makes_no_decision_twice_before_all_are_made_once() -> None:
    offered = menu_of([closed("a")], [option("a", 1.0, f"cpu{i}") for i in range(9)], platform(*[1] * 9))
    asked: list[int] = []

    def reward(mapping: Sequence[int]) -> float:
        asked.append(mapping[0])
        if len(asked) == 9:
            raise StopIteration
        return 1.0

    with pytest.raises(StopIteration):
        descend(offered, reward, np.random.default_rng(0))
    assert sorted(asked) == list(range(9))


def test_rankmap_weighs_p_and_punishes_whoever_is_below_its_floor() -> None:
    weights, floors = (0.75, 0.25), (0.02, 0.4)
    assert _reward((0.4, 0.6), weights, floors) == pytest.approx(0.45)
    assert _reward((0.4, 0.3), weights, floors) == -0.25
    assert _reward((0.0, 0.3), weights, floors) == -1.0


def test_exact_finds_its_way_where_arrivals_go_before() -> None:
    options = [option("a", 10.0), option("a", 12.0, "cpu1"), *many([closed("b")])]
    found = search("exact", (opened("a", 60.0), closed("b", 1)), options, platform(1, 1), evaluations=10**6)
    assert found.worth.short == 0
    assert found.worth.p[0] == pytest.approx(1.0)


@pytest.mark.parametrize("name", ["exact", "whole_exact"])
def test_what_must_be_short_stops_no_search_for_the_rest(name: str) -> None:
    """However b is served, a's arrivals are too many; b is better off beside it than behind it."""
    options = [option("a", 10.0), option("b", 10.0), option("b", 11.0, "cpu1")]
    found = search(name, (opened("a", 200.0), closed("b", 1)), options, platform(1, 1), evaluations=10**6)
    assert found.worth.short > 0
    assert found.choice == (0, 2)


def test_a_search_that_is_not_of_the_house_is_run_alike() -> None:
    offered = menu_of(TWO, [option("a", 1.0), option("b", 1.0)], platform(1))
    mine = Search(choose=lambda menu, judge, rng: [own[0] for own in menu.own], about="the first of each")
    assert run(mine, offered, Judge(offered, Objective.MAXMIN), Budget(seconds=1), seed=0).choice == (0, 1)
