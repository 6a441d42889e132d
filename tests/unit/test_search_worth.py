"""What a mapping is worth, by hand; who counts, remembers and stops."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from cotenant.describe import Objective, Option, Platform, Tenant
from cotenant.search import Budget, Choice, Judge, Menu, Search, Spent, Worth, menu_of, run
from cotenant.search.order import STARVED_P, Split
from cotenant.search.scale import _fed
from tests.plan_cases import MB, closed, opened, option, platform
from tests.unit.test_search_menu import chain


def judge(tenants: Sequence[Tenant], options: Sequence[Option], machine: Platform, objective: Objective = Objective.PROPORTIONAL) -> Judge:
    return Judge(menu_of(tenants, options, machine), objective)


def pair(objective: Objective, *, floor: float = 0.0, weight: float = 1.0) -> Judge:
    """Two tenants on one lane that is theirs alone at 100 and 50 per second, the second at 25 by its other option."""
    tenants = [closed("a"), closed("b", floor=floor, weight=weight)]
    return judge(tenants, [option("a", 10.0), option("b", 20.0), option("b", 40.0)], platform(1), objective)


@pytest.mark.parametrize(
    ("objective", "value", "p"),
    [
        (Objective.PROPORTIONAL, 2 * math.log(0.5), (0.5, 0.5)),
        (Objective.MAXMIN, 0.5, (0.5, 0.5)),
        (Objective.WEIGHTED, 1.0, None),
        (Objective.THROUGHPUT, 100.0, (1.0, 0.0)),
    ],
)
def test_a_lane_is_shared_as_the_objective_says(objective: Objective, value: float, p: tuple[float, ...] | None) -> None:
    worth = pair(objective).worth((0, 1))
    assert worth.value == pytest.approx(value)
    assert worth.short == 0
    assert p is None or worth.p == pytest.approx(p)


def test_p_is_counted_against_all_options_of_a_tenant() -> None:
    """By the slower option half of the lane is a quarter of b's rate alone, and the least two are equal at a third."""
    assert pair(Objective.PROPORTIONAL).worth((0, 2)).value == pytest.approx(math.log(0.5) + math.log(0.25))
    assert pair(Objective.MAXMIN).worth((0, 2)).p == pytest.approx((1 / 3, 1 / 3))


def test_a_floor_is_kept_before_anything_is_divided() -> None:
    worth = pair(Objective.THROUGHPUT, floor=0.4).worth((0, 1))
    assert worth.p == pytest.approx((0.6, 0.4))
    assert worth.value == pytest.approx(60 + 20)


def test_a_missed_floor_is_worth_less_than_all_that_hold_theirs_and_the_less_the_more_is_missed() -> None:
    """Alone a has both lanes, so its floor is 0.3 of one; b is left 0.7 there of 0.8, and by its slower option it has 0.5 at most."""
    tenants = [closed("a", floor=0.15), closed("b", floor=0.8)]
    options = [option("a", 10.0, "cpu1"), option("a", 10.0), option("b", 20.0), option("b", 40.0)]
    for objective in Objective:
        here = judge(tenants, options, platform(1, 1), objective)
        kept, crowded, slow = here.worth((0, 2)), here.worth((1, 2)), here.worth((0, 3))
        assert kept.short == 0
        assert [crowded.short, slow.short] == pytest.approx([1 / 8, 3 / 8])
        assert slow < crowded < kept
        assert slow.value < crowded.value < kept.value


def test_no_log_is_taken_of_nothing_and_who_is_starved_counts_first() -> None:
    """The first rank takes the whole lane, and leaves nothing to the second there."""
    tenants = [closed("a", 0), closed("b", 1)]
    here = judge(tenants, [option("a", 10.0), option("b", 10.0), option("b", 80.0, "cpu1")], platform(1, 1))
    starved, fed = here.worth((0, 1)), here.worth((0, 2))
    assert (starved.short, fed.short) == (1.0, 0.0)
    assert starved < fed
    assert starved.value < fed.value == pytest.approx(math.log(1 / 9))


def test_ranks_go_one_after_the_other_and_arrivals_before() -> None:
    """The open tenant's 30/s take 0.3 of a lane; of two at rank 1 one is beside it, one is not."""
    tenants = [opened("a", 30.0), closed("b", 1), closed("c", 2)]
    options = [option("a", 10.0), option("b", 10.0), option("b", 20.0, "cpu1"), option("c", 10.0)]
    here = judge(tenants, options, platform(1, 1), Objective.WEIGHTED)
    together, apart = here.worth((0, 1, 3)), here.worth((0, 2, 3))
    solo = 100 + 50
    assert together.p == pytest.approx((1.0, 70 / solo, 0.0), abs=1e-6)
    assert apart.p == pytest.approx((1.0, 50 / solo, 0.7), abs=1e-6)
    assert together > apart
    assert together.value < apart.value


def test_of_sums_that_are_equal_the_next_rank_decides() -> None:
    """A lane for a is worth as much as one for b, but a would be in c's way."""
    options = [chain("a", ("cpu0", 0, 10), ("cpu1", 1, 10)), option("b", 10.0), option("c", 10.0, "cpu1")]
    here = judge([closed("a", 0), closed("b", 0), closed("c", 1)], options, platform(1, 1), Objective.WEIGHTED)
    assert here.worth((0, 1, 2)).p == pytest.approx((0.0, 1.0, 1.0), abs=1e-6)
    assert here.worth((0, 1, 2)).value == pytest.approx(2.0)


@pytest.mark.parametrize("objective", Objective)
def test_of_arrivals_that_are_equally_short_the_rest_decides(objective: Objective) -> None:
    """0.9 of a lane serves 90 of 120 arrivals per second: b's first, since a would be in the way of c and d.

    They share 0.7 of a lane, so 70 per second; alone c has 100 + 50 per second and d has 100 + 25.
    """
    tenants = [opened("a", 60.0), opened("b", 60.0), closed("c", 1, floor=0.1), closed("d", 1, weight=0.5)]
    options = [
        chain("a", ("cpu0", 0, 10), ("cpu1", 1, 10)), option("b", 10.0),
        option("c", 10.0, "cpu1"), option("c", 20.0), option("d", 10.0, "cpu1"), option("d", 40.0),
    ]  # fmt: skip
    worth = judge(tenants, options, platform(1, 1), objective).worth((0, 1, 2, 4))
    rates = (worth.p[2] * 150, worth.p[3] * 125)
    assert worth.p[:2] == pytest.approx((0.5, 1.0), abs=1e-5)
    assert sum(rates) == pytest.approx(70, abs=1e-3)
    most = {Objective.PROPORTIONAL: 70 * 2 / 3, Objective.MAXMIN: 70 * 150 / (150 + 125 / 2), Objective.WEIGHTED: 70}
    assert objective is Objective.THROUGHPUT or rates[0] == pytest.approx(most[objective], abs=1e-3)
    assert rates[0] >= 15 - 1e-3


def test_arrivals_that_are_not_served_go_before_every_floor() -> None:
    tenants = [opened("a", 60.0), closed("b", 0, floor=0.9)]
    options = [option("a", 10.0), option("a", 20.0), option("b", 10.0), option("b", 20.0, "cpu1")]
    here = judge(tenants, options, platform(1, 1))
    assert here.worth((1, 3)) < here.worth((0, 2))


def test_models_that_do_not_fit_together_leave_somebody_out() -> None:
    tenants = [closed("a"), closed("b")]
    options = [option("a", 10.0, resident_bytes=2 * MB), option("b", 10.0, resident_bytes=2 * MB), option("b", 40.0, resident_bytes=MB)]
    here = judge(tenants, options, platform(2, memory_bytes=3 * MB), Objective.MAXMIN)
    assert here.worth((0, 1)).value == 0.0
    assert here.worth((0, 2)).value == pytest.approx(1 / (1 + 4))


def test_who_is_left_out_is_whoever_is_worth_less_there() -> None:
    """By the option at hand a reaches half of its rate alone, so b, whose weight is a little less, is worth more."""
    tenants = [closed("a", weight=1.1), closed("b", weight=1.0)]
    options = [
        option("a", 10.0, resident_bytes=MB),
        option("a", 20.0, resident_bytes=2 * MB),
        option("b", 10.0, "cpu1", resident_bytes=2 * MB),
    ]
    options[0] = replace(options[0], artifact=replace(options[0].artifact, model="small"))
    worth = judge(tenants, options, platform(1, 1, memory_bytes=3 * MB), Objective.WEIGHTED).worth((1, 2))
    assert worth.p == pytest.approx((0.0, 1.0))


def test_models_are_counted_once_where_they_are_the_same() -> None:
    shared = option("a", 10.0, resident_bytes=2 * MB).artifact
    options = [replace(option(name, 10.0), artifact=shared) for name in "ab"]
    here = judge([closed("a"), closed("b")], options, platform(2, memory_bytes=3 * MB), Objective.MAXMIN)
    assert here.worth((0, 1)).value == pytest.approx(0.5)


def test_only_those_are_fed_who_can_be_at_once_the_greatest_weight_first() -> None:
    split = Split(who=(0, 1, 2), weights=(1.0, 2.0, 1.0), gains=(1.0, 2.0, 1.0))
    assert _fed(split, [(0.6 / STARVED_P, 0.6 / STARVED_P, 0.0)], [0.0] * 3, [1.0] * 3) == (1, 2)
    assert _fed(split, [(0.4 / STARVED_P, 0.4 / STARVED_P, 0.0)], [0.0] * 3, [1.0] * 3) == (0, 1, 2)


def test_the_starved_do_not_keep_the_others_from_their_shares() -> None:
    """The first rank fills cpu0, where b is; c and d share cpu1."""
    tenants = [closed("a", 0), *(closed(name, 1) for name in "bcd")]
    options = [option("a", 10.0), option("b", 10.0), option("c", 10.0, "cpu1"), option("d", 10.0, "cpu1")]
    worth = judge(tenants, options, platform(1, 1)).worth((0, 1, 2, 3))
    assert worth.p == pytest.approx((1.0, 0.0, 0.5, 0.5), abs=1e-6)
    assert worth.short == 1.0


def test_every_look_counts_and_the_best_is_remembered() -> None:
    here = pair(Objective.PROPORTIONAL)
    worths = here.worths([(0, 2), (0, 1), (0, 2)])
    assert here.evaluations == 3
    assert here.best == (0, 1)
    assert here.best_worth == worths[1] > worths[0] == worths[2]


def test_the_same_mapping_is_not_reckoned_again(monkeypatch: pytest.MonkeyPatch) -> None:
    here = pair(Objective.PROPORTIONAL)
    first = here.worth((0, 1))
    monkeypatch.setattr(here, "scale", None)
    assert here.worth(np.array([0, 1]).tolist()) is first


def test_a_spent_budget_stops_a_search_that_has_an_answer() -> None:
    here = pair(Objective.MAXMIN).begin(Budget(evaluations=2))
    for _ in range(5):
        here.step()
    here.worth((0, 1))
    with pytest.raises(Spent):
        here.worth((0, 2))
    assert here.best == (0, 1)


def test_cpu_seconds_end_a_search_that_never_would(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = iter(range(1000))
    monkeypatch.setattr(time, "process_time", lambda: float(next(now_s)))
    here = pair(Objective.MAXMIN)

    def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
        while True:
            judge.worth((0, 2))

    found = run(Search(choose=choose, about="for ever"), here.menu, here, Budget(seconds=20), seed=0)
    assert found.choice == (0, 2)
    assert 5 < found.evaluations < 20


def test_an_own_score_decides_what_is_remembered_whatever_it_is_worth() -> None:
    here = pair(Objective.MAXMIN).begin(Budget(evaluations=10))
    here.note((0, 2), 5.0)
    here.note((0, 1), 4.0)
    assert here.best == (0, 2)


class Backwards:
    """Foresees the worse mapping to be the better."""

    def predict(self, menu: Menu, choice: Choice) -> list[float]:
        return [float(choice[1])] * 2


def test_what_guides_a_search_is_not_what_judges_it() -> None:
    here = pair(Objective.MAXMIN)

    def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
        for k in menu.own[1].tolist():
            judge.foresee((0, k), sum)
        assert judge.best is not None
        return judge.best

    guided = run(Search(choose=choose, about="", evaluator=Backwards), here.menu, here, Budget(evaluations=9), seed=0)
    exact = run(Search(choose=choose, about=""), here.menu, here, Budget(evaluations=9), seed=0)
    assert (guided.choice, exact.choice) == ((0, 2), (0, 1))
    assert [guided.value, exact.value] == pytest.approx([1 / 3, 1 / 2])
    assert guided.evaluations == exact.evaluations == 2


def test_an_answer_is_judged_by_itself_not_by_the_best_that_was_seen() -> None:
    here = pair(Objective.MAXMIN)

    def choose(menu: Menu, judge: Judge, rng: np.random.Generator) -> Choice:
        judge.worth((0, 1))
        return (0, 2)

    found = run(Search(choose=choose, about=""), here.menu, here, Budget(evaluations=9), seed=0)
    assert (found.choice, found.value) == ((0, 2), found.worth.value)
    assert found.value == pytest.approx(1 / 3)


def test_a_greater_worth_is_the_better_whatever_its_value() -> None:
    served, starving = Worth(order=(0.0, 1.0), value=-5.0, short=0.0, p=()), Worth(order=(-0.5, 9.0), value=9.0, short=0.5, p=())
    assert served > starving
