"""The report as a browser draws it; skipped where there is no Chromium (scripts/install-browser installs it)."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path

import pytest

from cotenant.describe import Outcome
from cotenant.trace import Ending, Span, Trace
from cotenant.trace.report import Bandwidth, Cell, Draw, Fate, Member, Run, Sweep, page
from tests.browser.chromium import DARK, NARROW, drawn, needs_chromium, said
from tests.pages import HOSTILE, Tags

TENANTS = (HOSTILE, "b")
MS = 1_000_000
TODAY = date(2026, 11, 21)

pytestmark = needs_chromium


def fates(*, idle: bool) -> tuple[Fate, ...]:
    done = Fate(tenant=HOSTILE, slowdown=1.5, latencies_ms=((0.0, 5.0), (0.5, 10.0), (0.99, 20.0), (1.0, 30.0)))
    return (done, Fate(tenant="b", slowdown=None) if idle else Fate(tenant="b", slowdown=4.0, latencies_ms=((0.5, 40.0), (0.99, 80.0))))


def cell(policy: str, load: float) -> Cell:
    return Cell(
        policy=policy, load=load, sla=0.9, stp=1.2, antt=2.0, fairness=0.5, p99_ms=20.0, miss_by_rank=((0, 0.1), (1, 0.2)),
        fates=fates(idle=load > 1), sla_ci95=(0.85, 0.95),
    )  # fmt: skip


def sweep(loads: tuple[float, ...] = (0.5, 1.25)) -> Sweep:
    cells = tuple(cell(policy, load) for policy in ("edf", HOSTILE) for load in loads)
    members = (Member(name=HOSTILE, rank=0, deadline_ms=15.0), Member(name="b", rank=1))
    return Sweep(platform=HOSTILE, crew="robot", loads=loads, seeds=5, tenants=members, cells=cells)


def run() -> Run:
    spans = tuple(
        Span(
            request=i,
            tenant=TENANTS[i % 2],
            segment=0,
            processor=("cpu", "gpu")[i % 2],
            lanes=(0, 1),
            start_ns=i * MS,
            stop_ns=(i + 1) * MS,
        )
        for i in range(200)
    )
    endings = tuple(
        Ending(
            request=s.request,
            tenant=s.tenant,
            arrival_ns=s.start_ns,
            due_ns=s.stop_ns - s.request % 3,
            finish_ns=s.stop_ns,
            outcome=Outcome.DONE,
        )
        for s in spans
    )
    draw = Draw(tenant=HOSTILE, points=tuple((i * MS, 1e9 * (i % 2)) for i in range(200)))
    trace = Trace(spans=spans, endings=endings, stop_ns=200 * MS, platform="board", policy="edf")
    return Run(policy="edf", load=0.5, trace=trace, bandwidth=(Bandwidth(memory="dram", capacity_bytes_per_s=2e9, draws=(draw,)),))


@pytest.mark.parametrize("flags", [("--window-size=1280,900",), (NARROW, DARK)], ids=["wide", "narrow and dark"])
def test_all_charts_are_drawn_and_nobody_complains(tmp_path: Path, flags: tuple[str, ...]) -> None:
    dom, console = drawn(tmp_path, page(sweep(), [run()], TODAY), *flags)
    assert (said(dom, "ready"), said(dom, "errors")) == ("3", "[]")
    assert console == []
    assert dom.count("<canvas") >= 3
    assert len(re.findall(r"<tr", dom.split('id="table"')[1].split("</table>")[0])) == 1 + 4


def test_a_tenant_that_calls_itself_markup_stays_text(tmp_path: Path) -> None:
    dom, _ = drawn(tmp_path, page(sweep(), [run()], TODAY))
    assert "img" not in {tag for tag, _ in Tags(dom).found}
    assert "&lt;img src=x onerror=alert(1)&gt;" in dom


def test_one_load_and_no_run_make_a_page_too(tmp_path: Path) -> None:
    dom, console = drawn(tmp_path, page(sweep(loads=(1.25,)), [], TODAY))
    assert (said(dom, "ready"), said(dom, "errors")) == ("2", "[]")
    assert console == []


def test_an_error_on_the_page_would_be_seen(tmp_path: Path) -> None:
    text = page(sweep(), [], TODAY)
    dom, _ = drawn(tmp_path, text.replace('"policies":["edf"', '"policies":["unknown"'))
    assert json.loads(said(dom, "errors") or "[]")
