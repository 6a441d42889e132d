"""Simulation results as one page."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from math import inf, nan
from pathlib import Path
from typing import Any

import pytest

from cotenant.describe import Outcome
from cotenant.trace import Ending, Span, Trace
from cotenant.trace.report import Bandwidth, Cell, Draw, Fate, Member, Run, Sweep, page, write_report
from cotenant.trace.report.document import MOST_EVENTS, document
from tests.pages import ENDS_THE_SCRIPT, HOSTILE, Tags, embedded, outside, told

TODAY = date(2026, 11, 21)


def cell(policy: str, load: float, tenant: str = "a") -> Cell:
    fate = Fate(tenant=tenant, slowdown=1.5, latencies_ms=((0.5, 10.0), (0.99, 20.0), (1.0, 30.0)))
    return Cell(
        policy=policy, load=load, sla=0.9, stp=1.2, antt=inf, fairness=0.5, p99_ms=20.0, miss_by_rank=((0, 0.1),), fates=(fate,),
        sla_ci95=(0.85, 0.95),
    )  # fmt: skip


def sweep(tenant: str = "a") -> Sweep:
    cells = tuple(cell(policy, load, tenant) for policy in ("edf", "rank") for load in (0.5, 1.25))
    member = Member(name=tenant, rank=0, deadline_ms=33.0)
    return Sweep(platform="board", crew="robot", loads=(0.5, 1.25), seeds=5, tenants=(member,), cells=cells)


def span(request: int, start_ns: int, stop_ns: int, lanes: tuple[int, ...] = (0,), tenant: str = "a") -> Span:
    return Span(request=request, tenant=tenant, segment=0, processor="cpu", lanes=lanes, start_ns=start_ns, stop_ns=stop_ns)


def ending(request: int, arrival_ns: int, finish_ns: int | None, due_ns: int | None, tenant: str = "a") -> Ending:
    outcome = Outcome.DROPPED if finish_ns is None else Outcome.DONE
    return Ending(request=request, tenant=tenant, arrival_ns=arrival_ns, due_ns=due_ns, finish_ns=finish_ns, outcome=outcome)


def run(spans: tuple[Span, ...], endings: tuple[Ending, ...] = (), *, stop_ns: int = 100, bandwidth: tuple[Bandwidth, ...] = ()) -> Run:
    trace = Trace(spans=spans, endings=endings, stop_ns=stop_ns, platform="board", policy="edf")
    return Run(policy="edf", load=0.5, trace=trace, bandwidth=bandwidth)


def shown(one: Run) -> dict[str, Any]:
    first: dict[str, Any] = document(sweep(), [one], TODAY)["runs"][0]
    return first


def test_the_page_holds_the_results_as_they_were_given() -> None:
    runs = [run((span(0, 0, 10),), (ending(0, 0, 10, 5),))]
    assert told(page(sweep(), runs, TODAY)) == document(sweep(), runs, TODAY)


def test_every_policy_is_there_at_every_load_and_said_to_be_simulated() -> None:
    found = told(page(sweep(), [], TODAY))
    assert {(c["policy"], c["load"]) for c in found["cells"]} == {(p, load) for p in ("edf", "rank") for load in (0.5, 1.25)}
    assert (found["policies"], found["simulated"], found["made_on"]) == (["edf", "rank"], True, "2026-11-21")


@pytest.mark.parametrize("name", [HOSTILE, f"{ENDS_THE_SCRIPT}\u2028\u2029", "$css ${told}", "&lt;", "\ud800"])
def test_a_name_is_never_markup(name: str, tmp_path: Path) -> None:
    write_report(tmp_path / "out.html", sweep(name), [run((span(0, 0, 10, tenant=name),))], TODAY)
    text = (tmp_path / "out.html").read_text()
    assert embedded(text).isascii()
    assert not set("<>&") & set(embedded(text))
    assert told(text)["tenants"][0]["name"] == name
    assert [tag for tag, _ in Tags(text).found] == [tag for tag, _ in Tags(page(sweep(), [], TODAY)).found]


def test_nothing_is_loaded_from_anywhere() -> None:
    assert outside(page(sweep(), [], TODAY)) == []


def test_an_infinite_number_is_told_as_none_and_a_nan_is_refused() -> None:
    assert document(sweep(), [], TODAY)["cells"][0]["antt"] is None
    broken = replace(sweep(), cells=tuple(replace(c, stp=nan) for c in sweep().cells))
    with pytest.raises(ValueError, match="not JSON compliant"):
        page(broken, [], TODAY)


def test_a_sweep_with_a_cell_missing_or_twice_is_refused() -> None:
    with pytest.raises(ValueError, match=r"rank.*1\.25"):
        replace(sweep(), cells=sweep().cells[:-1])
    with pytest.raises(ValueError, match=r"edf.*0\.5"):
        replace(sweep(), cells=(*sweep().cells, sweep().cells[0]))


def test_a_tenant_that_is_not_of_the_crew_is_refused() -> None:
    with pytest.raises(ValueError, match="stranger"):
        replace(sweep(), cells=tuple(cell(c.policy, c.load, "stranger") for c in sweep().cells))
    with pytest.raises(ValueError, match=r"edf at load 0\.5.*stranger"):
        page(sweep(), [run((span(0, 0, 1, tenant="stranger"),))], TODAY)


def test_lanes_side_by_side_are_one_block() -> None:
    found = shown(run((span(0, 0, 10, lanes=(3, 0, 1)),)))["processors"][0]
    assert [(s[1], s[2]) for s in found["slices"]] == [(0, 1), (3, 3)]
    assert found["lanes"] == 4


def test_what_missed_its_deadline_is_marked_on_its_spans_and_its_request() -> None:
    endings = (ending(0, 0, 10, 10), ending(1, 0, 11, 10), ending(2, 0, None, 10), ending(3, 0, 99, None))
    found = shown(run((span(0, 0, 10), span(1, 5, 11), span(3, 20, 99)), endings))
    assert [r[6] for r in found["requests"]] == [0, 1, 1, 0]
    assert [s[8] for s in found["processors"][0]["slices"]] == [0, 1, 0]


def test_a_short_run_is_shown_whole() -> None:
    found = shown(run((span(0, 0, 10), span(1, 10, 20)), (ending(0, 0, 10, None), ending(1, 5, 20, None))))
    assert (found["window_ns"], found["stop_ns"], found["spans_shown"], found["spans"]) == (100, 100, 2, 2)


def test_a_long_run_is_cut_by_time_and_says_so() -> None:
    many = 2 * MOST_EVENTS
    spans = tuple(span(i, 10 * i, 10 * i + 10) for i in range(many))
    draw = Draw(tenant="a", points=tuple((10 * i, 1e9) for i in range(many)))
    memory = Bandwidth(memory="dram", capacity_bytes_per_s=2e9, draws=(draw,))
    endings = tuple(ending(i, 10 * i, 10 * i + 10, None) for i in range(many))
    found = shown(run(spans, endings, stop_ns=10 * many, bandwidth=(memory,)))
    assert (found["window_ns"], found["stop_ns"]) == (10 * MOST_EVENTS, 10 * many)
    assert (found["spans_shown"], found["spans"]) == (MOST_EVENTS, many)
    events = [found["processors"][0]["slices"], found["requests"], found["bandwidth"][0]["draws"][0]["points"]]
    assert [len(kind) for kind in events] == [MOST_EVENTS] * 3


def test_steps_that_go_back_in_time_are_refused() -> None:
    with pytest.raises(ValueError, match="back in time"):
        Draw(tenant=None, points=((5, 1.0), (4, 1.0)))


def test_a_page_that_cannot_be_made_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    (tmp_path / "out.html").write_text("mine")
    with pytest.raises(ValueError, match="stranger"):
        write_report(tmp_path / "out.html", sweep(), [run((span(0, 0, 1, tenant="stranger"),))], TODAY)
    assert (tmp_path / "out.html").read_text() == "mine"
