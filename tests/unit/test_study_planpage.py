"""A plan as one page."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import inf

import pytest

from cotenant.describe import Arrival, Bursty, Closed, External, Objective, Periodic, Poisson, Provenance, Replay, Tenant
from cotenant.plan import Effort, solve
from cotenant.plan.front import Point, front, point
from cotenant.plan.newcomer import newcomers
from cotenant.study.planpage import arrival_words, most_stp, write_plan_page
from tests.pages import ENDS_THE_SCRIPT, HOSTILE, Tags, embedded, outside, told
from tests.plan_cases import closed, opened, option, platform

TODAY = date(2026, 7, 1)
P = Objective.PROPORTIONAL


def page(name: str = "camera", *others: Tenant) -> str:
    """Return the page of a camera that takes 0.3 of a lane, and of a rest that has what is left of two processors."""
    tenants = [opened(name, 30), closed("rest", weight=2, floor=0.1), *others]
    options = [option(name, 10), option("rest", 20), option("rest", 30, "cpu1"), *(option(t.name, 10) for t in others)]
    board = platform(1, 2)
    plan = solve(tenants, options, board, P)
    return write_plan_page(
        title=f"{name} & co on board", tenants=tenants, plan=plan, platform=board, options=options, source=f"figures of {name}",
        made_on=TODAY, front=front(plan, tenants, options, board), newcomers=newcomers(plan, tenants, options, board),
        notes=[f"{name} is estimated"], provenance={("cpu0", 1): Provenance.SCALED},
    )  # fmt: skip


@pytest.mark.parametrize("name", [HOSTILE, ENDS_THE_SCRIPT, "$css ${told}", "&lt;", '"it\'s"'])
def test_a_name_is_never_markup(name: str) -> None:
    text = page(name)
    assert embedded(text).isascii()
    assert not set("<>&") & set(embedded(text))
    assert told(text)["tenants"][0]["name"] == name
    assert [tag for tag, _ in Tags(text).found] == [tag for tag, _ in Tags(page()).found]


def test_nothing_is_loaded_from_anywhere() -> None:
    assert outside(page()) == []


def test_a_block_is_as_wide_as_what_it_takes_and_a_row_adds_them_up() -> None:
    """30/s of 10 ms take 0.3 of a lane; the rest fills what is left of both."""
    first, second = told(page())["processors"]
    assert [b["tenant"] for b in first["blocks"]] == [0, 1]
    assert [b["load"] for b in first["blocks"]] == pytest.approx([0.3, 0.7], rel=1e-4)
    assert (first["used"], first["lanes"]) == (pytest.approx(1.0, rel=1e-4), 1)
    assert (second["used"], second["lanes"]) == (pytest.approx(2.0, rel=1e-4), 2)


def test_the_options_of_a_mixture_have_a_block_each() -> None:
    found = told(page())
    blocks = [b for processor in found["processors"] for b in processor["blocks"] if b["tenant"] == 1]
    assert sorted(b["option"] for b in blocks) == [0, 1]
    assert len(found["tenants"][1]["options"]) == 2
    assert sum(o["rate_per_s"] for o in found["tenants"][1]["options"]) == pytest.approx(found["tenants"][1]["rate_per_s"])


def test_better_ranks_stand_first_in_a_row_whatever_the_order_of_the_crew() -> None:
    tenants, options = [closed("late", 1), opened("early", 30)], [option("late", 10), option("early", 10)]
    plan = solve(tenants, options, platform(1), P)
    text = write_plan_page(title="", tenants=tenants, plan=plan, platform=platform(1), options=options, source="", made_on=TODAY)
    assert [b["tenant"] for b in told(text)["processors"][0]["blocks"]] == [1, 0]


def test_a_tenant_that_got_nothing_is_there() -> None:
    tenants, options = [closed("all", 0), closed("none", 1)], [option("all", 10), option("none", 10)]
    plan = solve(tenants, options, platform(1), P)
    text = write_plan_page(title="", tenants=tenants, plan=plan, platform=platform(1), options=options, source="", made_on=TODAY)
    none = told(text)["tenants"][1]
    assert (none["p"], none["options"], none["offered"]) == (pytest.approx(0, abs=1e-6), [], 1)


def test_a_plan_that_holds_less_than_is_due_has_no_bound_on_its_page() -> None:
    """b was put where rank 0 has all; elsewhere it would be served, and the bound of what comes after would be another."""
    tenants, board = [closed("a", 0), closed("b", 1)], platform(1, 1)
    options = [option("a", 10), option("b", 10), option("b", 10, "cpu1")]
    for chosen in (options[:2], None):
        plan = solve(tenants, options, board, P, effort=Effort(), chosen=chosen)
        text = write_plan_page(title="", tenants=tenants, plan=plan, platform=board, options=options, source="", made_on=TODAY)
        found = told(text)
        assert found["no_bound_since"] == ("a plan may serve b" if chosen else "")
        assert (found["bound"] is None, found["gap"] is None, found["tenants"][1]["starved"]) == (bool(chosen),) * 3
        assert (found["levels"][-1]["bound"] is None) == bool(chosen)
        assert found["levels"][0]["bound"] is not None


def test_everything_that_was_given_is_told() -> None:
    found = told(page())
    assert (found["made_on"], found["notes"], found["source"]) == ("2026-07-01", ["camera is estimated"], "figures of camera")
    assert found["provenance"] == [{"processor": "cpu0", "width": 1, "known": "scaled"}]
    assert [price["resource"] for price in found["prices"]] == ["cpu0", "cpu1"]
    assert found["bound"] == pytest.approx(found["value"], abs=1e-5)
    assert found["gap"] >= 0
    assert "cotenant plan --check FILE" in found["check"]
    assert found["tenants"][1]["floor"] == 0.1


def test_what_is_promised_stands_beside_the_front() -> None:
    found = told(page())
    assert found["own"]["ps"] == [tenant["p"] for tenant in found["tenants"]]
    assert found["own"]["stp"] <= found["most_stp"] + 1e-5
    assert found["first"] == ["camera"]


def test_a_newcomer_that_does_not_fit_is_told_why() -> None:
    found = told(page("camera", closed("big", floor=0.4)))
    refused = {one["like"][0]: one["refused"] for one in found["newcomers"]}
    assert "cpu0" in refused["big"]
    assert refused["camera"] is None or "cpu0" in refused["camera"]


def test_without_a_front_and_newcomers_there_is_a_page_all_the_same() -> None:
    tenants, options = [closed("a")], [option("a", 10)]
    plan = solve(tenants, options, platform(1), P)
    text = write_plan_page(title="", tenants=tenants, plan=plan, platform=platform(1), options=options, source="", made_on=TODAY)
    assert (told(text)["front"], told(text)["newcomers"], told(text)["most_stp"]) == ([], [], None)


def at(critical_p: float, stp: float) -> Point:
    tenants = [closed("a", 0), closed("b")]
    own = point(solve(tenants, [option("a", 10), option("b", 10)], platform(1), P), tenants)
    ps = (critical_p, stp - critical_p)
    promises = (replace(one, rate_per_s=p * one.solo_rate_per_s) for one, p in zip(own.promises, ps, strict=True))
    return Point(first=own.first, promises=tuple(promises))


def test_the_most_beside_a_plan_lies_straight_between_the_points_of_the_front() -> None:
    found = [at(0.2, 1.8), at(0.6, 1.4)]
    assert most_stp(found, at(0.3, 1.0)) == pytest.approx(1.7)
    assert most_stp(found, at(0.1, 1.0)) == pytest.approx(1.8)
    assert most_stp(found, at(0.6, 1.0)) == pytest.approx(1.4)
    assert most_stp(found, at(0.7, 1.0)) is None
    assert most_stp([], at(0.7, 1.0)) is None


def test_arrivals_are_told_as_a_crew_file_has_them() -> None:
    said: dict[str, Arrival] = {
        "flat-out": Closed(), "closed: 2": Closed(outstanding=2), "external": External(), "external: 30/s": External(rate_per_s=30),
        "every 33ms": Periodic(every_ns=33_000_000), "poisson: 2.5/s": Poisson(rate_per_s=2.5), "bursty: 9/s": Bursty(rate_per_s=9),
        "recorded: 2/s": Replay(path="a.csv", times_ns=(0, 500_000_000)),
    }  # fmt: skip
    assert {words: arrival_words(arrival) for words, arrival in said.items()} == {words: words for words in said}


def test_a_level_without_an_end_is_told_as_none() -> None:
    tenants, options = [closed("a")], [option("a", 10)]
    plan = solve(tenants, options, platform(1), P)
    endless = replace(plan, levels=tuple(replace(level, bound=inf) for level in plan.levels))
    text = write_plan_page(title="", tenants=tenants, plan=endless, platform=platform(1), options=options, source="", made_on=TODAY)
    assert {level["bound"] for level in told(text)["levels"]} == {None}
