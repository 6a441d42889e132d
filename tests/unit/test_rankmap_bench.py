"""The comparison of searches: what is drawn, what is kept, what is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby, pairwise
from pathlib import Path

import numpy as np
import pytest

from benchmarks.rankmap import figures, floors, net, run, sensitivity, store
from benchmarks.rankmap.cells import (
    DECIDED,
    FLOORED,
    FULL,
    HANDED,
    LONG_S,
    MEMORY,
    NOISY,
    PROMISED,
    QUICK,
    SEARCHED,
    Cell,
    cells,
)  # fmt: skip
from benchmarks.rankmap.claims import EXPECTED, checks
from benchmarks.rankmap.decisions import GAP, OBJECTIVES
from benchmarks.rankmap.lessons import joined, lessons_of
from benchmarks.rankmap.net import Lessons, gradient, learnt, loss
from benchmarks.rankmap.promises import OUTSTANDING
from benchmarks.rankmap.sample import ALIKE, BOARDS, FLOORS, SIZES, Mix, board_of, drawn, networks_of, options_of, tenants_of
from benchmarks.rankmap.searching import searched
from benchmarks.rankmap.segmented import LEAST_NS, in_segments
from benchmarks.rankmap.served import DEEP, flat_out, kept
from benchmarks.rankmap.store import Json
from benchmarks.rankmap.tables import shown
from benchmarks.rankmap.train import errors, spearman
from benchmarks.readme import filled
from cotenant.describe import Objective, Step
from cotenant.plan import Effort, solve
from cotenant.search import menu_of
from cotenant.search.estimator import PLACE_FEATURES, TENANT_FEATURES, WEIGHTS, forward, load
from tests.unit.test_search_estimator import some_weights

SMALL = drawn("khadas_vim3", 3, 0)


def test_the_sample_is_the_same_each_time_and_every_mix_its_own() -> None:
    mixes = [drawn(board, size, index) for board in BOARDS for size in SIZES for index in range(30)]
    assert mixes == [drawn(mix.board, mix.size, mix.index) for mix in mixes]
    assert len({mix.name for mix in mixes}) == len(BOARDS) * len(SIZES) * 30
    assert len({mix.weights for mix in mixes}) == len(mixes)
    assert {mix.floor for mix in mixes} == set(FLOORS)


def test_nothing_tells_networks_that_are_alike_apart() -> None:
    mix = drawn("rk3588s", 4, 1, ALIKE)
    tenants = tenants_of(mix)
    assert len({(tenant.source, tenant.weight, tenant.rank, tenant.floor) for tenant in tenants}) == 1
    assert len({tenant.name for tenant in tenants}) == 4


def test_every_search_gets_every_mix_at_every_budget_and_a_few_the_long_one() -> None:
    per_mix = {cell.at for cell in cells(FULL) if cell.part == SEARCHED and cell.mix == drawn("kirin970", 8, 29)}
    assert per_mix == {0.01, 0.1, 1.0}
    assert sum(cell.at == LONG_S for cell in cells(FULL)) == 10
    assert len({cell.key for cell in cells(FULL)}) == len(cells(FULL))
    assert {cell.key for cell in cells(QUICK)} < {cell.key for cell in cells(FULL)}


class Measured:
    """Counts what is measured."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def __call__(self, cell: Cell) -> Json:
        self.keys.append(cell.key)
        return {"key": cell.key}


def test_what_is_done_is_not_done_again(tmp_path: Path) -> None:
    todo = [(cell.key, cell) for cell in cells(QUICK)[:5]]
    first, again = Measured(), Measured()
    found = store.filled(todo[:3], first, tmp_path, workers=0)
    assert first.keys == [key for key, _ in todo[:3]]
    assert store.filled(todo[:3], again, tmp_path, workers=0) == found
    assert again.keys == []
    store.filled(todo, again, tmp_path, workers=0)
    assert again.keys == [key for key, _ in todo[3:]]


def test_a_line_that_was_cut_off_is_measured_again_and_spoils_no_other(tmp_path: Path) -> None:
    todo = [(cell.key, cell) for cell in cells(QUICK)[:2]]
    store.filled(todo[:1], Measured(), tmp_path, workers=0)
    with (tmp_path / store.FILE).open("a") as file:
        file.write('{"key": "half')
    again = Measured()
    store.filled(todo, again, tmp_path, workers=0)
    assert again.keys == [todo[1][0]]
    assert set(store.known(tmp_path)) == {key for key, _ in todo}


def mix_of(weights: tuple[float, ...], floor: float = 0.1) -> Mix:
    return replace(SMALL, size=len(weights), weights=weights, floor=floor)


@pytest.mark.parametrize(
    ("p", "held", "ahead"),
    [((0.5, 0.2), 1.0, 1.0), ((0.2, 0.5), 1.0, 0.0), ((0.5, 0.05), 0.0, 1.0), ((0.3, 0.3), 1.0, 1.0), ((0.1, 0.0999999), 1.0, 1.0)],
)
def test_who_is_below_a_floor_and_who_is_ahead(p: tuple[float, ...], held: float, ahead: float) -> None:
    told = figures.fates([(Cell(part=SEARCHED, mix=mix_of((2.0, 1.0))), p)])
    assert (told["floors_held"], told["ahead"]) == (held, ahead)


@pytest.mark.parametrize(("least", "nobody"), [(0.021, 1.0), (0.02, 1.0), (0.019, 0.0)])
def test_starved_is_whoever_has_less_than_rankmap_lets_anybody_have(least: float, nobody: float) -> None:
    told = figures.fates([(Cell(part=SEARCHED, mix=mix_of((2.0, 1.0), floor=0.1)), (0.5, least))])
    assert (told["nobody_starved"], told["floors_held"]) == (nobody, 0.0)


def test_who_is_prioritised_has_twice_the_priority_of_everybody_else() -> None:
    mixes = {(2.0, 1.0, 0.5): (0.5, 0.2, 0.2), (2.0, 0.9, 0.5): (0.2, 0.5, 0.5), (1.9, 1.0, 0.5): (0.2, 0.5, 0.5)}
    told = figures.fates([(Cell(part=SEARCHED, mix=mix_of(weights)), p) for weights, p in mixes.items()])
    assert (told["clear"], told["ahead_clear"], told["ahead"]) == (2, 0.5, pytest.approx(1 / 3))
    assert figures.fates([(Cell(part=SEARCHED, mix=mix_of((1.0, 1.0))), (0.5, 0.5))])["ahead_clear"] is None


def test_the_starved_are_counted_where_the_mix_has_that_floor() -> None:
    told = [(Cell(part=SEARCHED, mix=mix_of((2.0, 1.0), floor)), p) for floor, p in ((0.1, (0.5, 0.05)), (0.05, (0.5, 0.05)))]
    assert figures.fates(told)["starved"] == {"0.02": None, "0.05": 0.0, "0.1": 0.5}


def decided_in(seconds: float, gap: float = 0.0) -> Json:
    one = {"cpu_s": seconds, "gap": gap, "options": 100}
    return {objective.value: dict.fromkeys(figures.KINDS, one) for objective in OBJECTIVES}


def found_of(told: dict[Cell, Json]) -> Json:
    found = figures.figures(told)
    return {"scope": "drawn", "cells": len(told), "workers": 0, "machine": "none", **found, "checks": checks(found)}


def drawn_results(seconds: float = 0.01, gap: float = 0.0, kept: float = 1.0) -> dict[Cell, Json]:
    held = {"feasible": True, "least_of_floor": 1.0, "ranks_met": True, "proven": True}
    short = {"feasible": False, "resource": "gpu", "shortfall": "by 1", "would_fit": "", "named": True, "proven": True}
    search = {"share": 0.9, "missed": False, "p": [0.5, 0.2, 0.3], "simulated": [0.3, 0.4, 0.2], "cpu_s": 0.1}
    plan = {"share": 1.0, "missed": False, "p": [0.5, 0.2, 0.3], "cpu_s": 0.01}
    noisy = {kind: {"share": 0.9, "overload": 0.1} for kind in figures.KINDS}
    reached = {kind: {name: [kept, 1.0] for name in OUTSTANDING} for kind in figures.KINDS}
    by_part: dict[str, list[Json]] = {
        DECIDED: [decided_in(seconds, gap)],
        FLOORED: [held, short],
        SEARCHED: [{"plan, mixtures": plan, "mosaic": search, "rankmap": search}],
        NOISY: [noisy],
        HANDED: [{"value": 2.0, "cut": 0.5, "whole_exact": 0.8, "rankmap": 0.7}],
        MEMORY: [{kind: {"value": 1.0, "memory": 0.5, "least_kept": 1.0} for kind in ("with", "without", "settled")}],
        PROMISED: [{objective.value: reached for objective in OBJECTIVES}],
    }
    mix = replace(drawn("rk3588s", 3, 0), weights=(1.0, 0.5, 0.4), floor=0.1)
    told = {Cell(part=part, mix=replace(mix, index=at), at=1.0): one for part, some in by_part.items() for at, one in enumerate(some)}
    return told | {replace(cell, at=LONG_S): one for cell, one in told.items() if cell.part == SEARCHED}


def test_a_claim_is_kept_at_its_limit_and_not_beyond() -> None:
    kept = found_of(drawn_results(seconds=0.02, gap=0.01))["checks"]
    assert kept["mixtures_median_ms"]["found"] == pytest.approx(20.0)
    assert kept["mixtures_median_ms"]["kept"]
    assert kept["single_certified"]["kept"]
    broken = found_of(drawn_results(seconds=0.021, gap=0.02, kept=0.94))["checks"]
    assert {name for name, told in broken.items() if not told["kept"]} == {
        "mixtures_median_ms", "mixtures_certified", "mixtures_proportional_certified", "single_certified", "promises_within_5_percent",
        "rankmap_prioritised_ahead_simulated",
    }  # fmt: skip
    assert broken["promises_within_5_percent"]["found"] == pytest.approx(0.5)


def test_what_rankmap_reaches_is_judged_by_its_own_budget_alone() -> None:
    short = {cell: told for cell, told in drawn_results().items() if cell.at < LONG_S}
    assert {name for name in found_of(drawn_results())["checks"] if "rankmap" in name} == {
        f"rankmap_{what}{how}" for what in ("nobody_starved", "prioritised_ahead") for how in ("", "_simulated")
    }
    assert not [name for name in found_of(short)["checks"] if "rankmap" in name]


def test_a_floor_that_is_missed_or_not_named_breaks_its_claim() -> None:
    told = drawn_results()
    for cell, one in told.items():
        if cell.part == FLOORED:
            one.update({"named": False} if not one["feasible"] else {"least_of_floor": 0.9})
    broken = found_of(told)["checks"]
    assert not broken["floors_met"]["kept"]
    assert not broken["infeasible_named"]["kept"]
    assert broken["infeasible_proven"]["kept"]


def test_every_claim_is_judged_and_every_figure_shown() -> None:
    told = drawn_results()
    large = Cell(part=DECIDED, mix=drawn("rk3588s", 10, 0))
    found = found_of({**told, large: decided_in(1.0)})
    assert set(found["checks"]) == set(json.loads(EXPECTED.read_text()))
    lines = list(shown(found))
    assert "| mosaic | 90.0 | 90.0 | 90.0 | 0.0 % | 0.200 | - | - | 0.0 % | 100.0 | 100.0 |" in lines
    assert all(line.count("|") == header.count("|") for header, line in pairwise(lines) if line.startswith("|---"))


def test_what_was_not_measured_is_not_judged() -> None:
    assert found_of({})["checks"] == {}


def test_the_page_has_one_place_for_figures() -> None:
    assert filled(run.PAGE.read_text(), ["here"]).count("here") >= 1


def test_a_second_run_measures_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = drawn_results()
    monkeypatch.setattr(run, "cells", lambda scope: tuple(told))
    measured = []

    def measure(cell: Cell) -> Json:
        measured.append(cell)
        return told[cell]

    first = run.compared(QUICK, tmp_path, 0, measure)
    assert len(measured) == len(told)
    assert run.compared(QUICK, tmp_path, 0, measure) == first
    assert len(measured) == len(told)


def test_no_search_is_above_the_bound() -> None:
    found = searched(SMALL, 0.002)
    assert all(0 <= told["share"] <= 1 + 1e-6 for told in found.values())
    assert found["plan, mixtures"]["share"] == pytest.approx(1.0, abs=1e-4)
    assert all(
        told["share"] <= found["plan, one option each"]["ceiling"] + 1e-6 for name, told in found.items() if name != "plan, mixtures"
    )


def test_a_floor_that_cannot_be_is_named_and_proved() -> None:
    told = floors.floored(SMALL, 0.9)
    assert not told["feasible"]
    assert told["named"]
    assert told["proven"]
    held = floors.floored(SMALL, 0.02)
    assert held["least_of_floor"] >= 1 - 1e-6
    assert held["ranks_met"]
    assert held["proven"]


def test_right_estimates_lose_nothing() -> None:
    """Options that are told anew by the board's own table are those that they were."""
    tenants = tenants_of(SMALL)
    some = options_of(SMALL, tenants)[:50]
    assert tuple(sensitivity._retold(SMALL, option, tenants) for option in some) == some
    told = sensitivity.noisy(SMALL, 0.0)
    assert told["mixtures"]["share"] == pytest.approx(1.0, abs=1e-5)
    assert told["mixtures"]["overload"] == pytest.approx(0.0, abs=1e-6)


def test_who_shares_a_processor_with_a_like_one_gets_half_of_what_it_gets_alone() -> None:
    mix = drawn("khadas_vim3", 2, 0, ALIKE)
    tenants = tenants_of(mix)
    menu = menu_of(tenants, options_of(mix, tenants), board_of(mix.board).platform)
    one, other = menu.whole(0)[0], menu.whole(1)[0]
    assert flat_out(menu, (one, other), rounds=40) == pytest.approx(menu.most[[one, other]] / 2, rel=0.05)


def some_lessons(seed: int = 0, count: int = 40) -> Lessons:
    rng = np.random.default_rng(seed)
    most = rng.uniform(0.2, 1.0, count)
    places, tenants = rng.uniform(size=(count, 3, PLACE_FEATURES)), rng.normal(size=(count, TENANT_FEATURES))
    return Lessons(places=places, tenants=tenants, most=most, p=most / (1 + np.exp(-tenants[:, 0] - places[:, :, 0].max(axis=1))))


def test_the_gradient_is_that_of_the_loss() -> None:
    weights, of, step = some_weights(), some_lessons(), 1e-6
    slopes = gradient(weights, of)
    for name, slope in slopes.items():
        at = tuple(size // 2 for size in slope.shape)
        ups, downs = ({**weights, name: weights[name].copy()} for _ in range(2))
        ups[name][at] += step
        downs[name][at] -= step
        assert slope[at] == pytest.approx((loss(ups, of) - loss(downs, of)) / (2 * step), rel=1e-4, abs=1e-8)


def test_what_is_learnt_depends_on_the_seed_alone_and_foresees_what_was_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, small in (("PLACE_WIDTH", 8), ("TENANT_WIDTH", 12), ("BATCH", 32)):
        monkeypatch.setattr(net, name, small)
    shown_ones, new = some_lessons(1, 600), some_lessons(2, 200)
    weights = learnt([shown_ones], np.random.default_rng(0), epochs=40)
    again = learnt([shown_ones], np.random.default_rng(0), epochs=40)
    assert all(np.array_equal(weights[name], again[name]) for name in weights)
    guess = forward(weights, new.places, new.tenants, new.most)
    assert np.abs(guess - new.p).mean() < 0.2 * np.abs(new.p - new.p.mean()).mean()


def test_ranks_correlate_as_spearman_has_it() -> None:
    """By hand: 1 - 6 (1 + 1) / (4 x 15) with the last two exchanged."""
    assert spearman(np.array([1.0, 2.0, 3.0, 4.0]), np.array([10.0, 20.0, 40.0, 30.0])) == pytest.approx(0.8)
    assert spearman(np.ones(3), np.arange(3.0)) == 0.0


def test_the_shipped_weights_foresee_mixes_never_seen_better_than_the_mean() -> None:
    estimator = load(WEIGHTS)
    told = errors(estimator.weights, [lesson for index in (100_000, 100_001) for lesson in lessons_of("khadas_vim3", index)])
    assert told["mean_absolute_error"] < 0.6 * told["mean_absolute_error_of_the_mean"]
    assert told["spearman_tenants"] > 0.5


def test_lessons_of_equally_many_processors_are_joined() -> None:
    lessons = lessons_of("khadas_vim3", 7)
    (group,) = joined(lessons)
    assert len(group) == sum(len(lesson.p) for lesson in lessons)


def test_fewer_mixes_are_the_first_of_all() -> None:
    some, every = ({cell.key for cell in cells(run.scope_of(mixes))} for mixes in (1, FULL.mixes))
    assert some < every
    assert run.scope_of(FULL.mixes) is FULL


@pytest.mark.parametrize("arguments", [("--mixes", "3"), ("--full", "--mixes", "0"), ("--full", "--mixes", "31"), ("--quick", "--full")])
def test_a_scope_that_is_none_is_refused(arguments: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        run.main(arguments)
    assert ended.value.code == 2


@pytest.mark.parametrize(
    ("board", "size", "index", "objective"),
    [("kirin970", 5, 0, Objective.MAXMIN), ("kirin970", 4, 0, Objective.MAXMIN), ("rk3588s", 4, 1, Objective.WEIGHTED)],
)
def test_promises_are_kept_where_steps_of_all_lanes_run_beside_long_ones_of_one(
    board: str, size: int, index: int, objective: Objective
) -> None:
    """What has begun is not overtaken for good, and lanes that were gathered are not let go for each step anew."""
    mix = drawn(board, size, index)
    tenants, platform = tenants_of(mix), board_of(board).platform
    plan = solve(tenants, options_of(mix, tenants), platform, objective, allow_overload=True, effort=Effort(gap=GAP))
    assert max(step.width for share in plan.shares for step in share.option.chain) == 4
    assert kept(plan, mix, tenants, outstanding=DEEP).min() > 0.95


def test_a_chain_in_segments_takes_what_it_took() -> None:
    mix = drawn("rk3399pro", 4, 2)
    tenants = tenants_of(mix)
    networks = networks_of(mix, tenants)
    for option in options_of(mix, tenants)[::17]:
        spelled = in_segments(option, networks[option.tenant])
        assert sum(step.duration_ns for step in spelled.chain) == option.latency_ns
        assert sum(step.segments for step in spelled.chain) == len(networks[option.tenant].segments)
        places = [(step.processor, step.width) for step in spelled.chain]
        assert [place for place, _ in groupby(places)] == [(step.processor, step.width) for step in option.chain]
        assert all(step.duration_ns >= LEAST_NS or ended for step, ended in _with_ends(spelled.chain))


def _with_ends(chain: tuple[Step, ...]) -> Iterator[tuple[Step, bool]]:
    """Yield each step with whether the next is elsewhere."""
    for step, after in zip(chain, [*chain[1:], None], strict=True):
        yield step, after is None or (after.processor, after.width) != (step.processor, step.width)
