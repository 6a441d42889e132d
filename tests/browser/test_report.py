"""The report as a browser draws it; skipped where there is no Chromium (scripts/install-browser installs it)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from cotenant.describe import Outcome
from cotenant.trace import Ending, Span, Trace
from cotenant.trace.report import Bandwidth, Cell, Draw, Fate, Member, Run, Sweep, write_report

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)
HOSTILE = "<img src=x onerror=alert(1)>"
TENANTS = (HOSTILE, "b")
MS = 1_000_000

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"needs one of {', '.join(NAMES)}: run scripts/install-browser")


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


def opened(page: Path, *flags: str) -> tuple[str, list[str]]:
    """Return the page's elements after its scripts ran, and what the browser's console said."""
    assert BROWSER is not None
    always = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--enable-logging=stderr",
        f"--user-data-dir={page.parent}",
    )
    command = [BROWSER, *always, "--virtual-time-budget=20000", *flags, "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


class Tags(HTMLParser):
    """Collect every tag with its attributes."""

    def __init__(self, dom: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(dom)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def said(dom: str, what: str) -> str | None:
    """Return what page.js says of its own work, on the body: `ready`, the charts drawn, and `errors`, a JSON list."""
    return next(attributes for tag, attributes in Tags(dom).found if tag == "body").get(f"data-{what}")


@pytest.mark.parametrize(
    "flags",
    [("--window-size=1280,900",), ("--window-size=500,900", "--blink-settings=preferredColorScheme=0")],
    ids=["wide", "narrow and dark"],
)
def test_all_charts_are_drawn_and_nobody_complains(tmp_path: Path, flags: tuple[str, ...]) -> None:
    write_report(tmp_path / "out.html", sweep(), [run()], date(2026, 11, 21))
    dom, console = opened(tmp_path / "out.html", *flags)
    assert (said(dom, "ready"), said(dom, "errors")) == ("3", "[]")
    assert console == []
    assert dom.count("<canvas") >= 3
    assert len(re.findall(r"<tr", dom.split('id="table"')[1].split("</table>")[0])) == 1 + 4


def test_a_tenant_that_calls_itself_markup_stays_text(tmp_path: Path) -> None:
    write_report(tmp_path / "out.html", sweep(), [run()], date(2026, 11, 21))
    dom, _ = opened(tmp_path / "out.html")
    assert "img" not in {tag for tag, _ in Tags(dom).found}
    assert "&lt;img src=x onerror=alert(1)&gt;" in dom


def test_one_load_and_no_run_make_a_page_too(tmp_path: Path) -> None:
    write_report(tmp_path / "out.html", sweep(loads=(1.25,)), [], date(2026, 11, 21))
    dom, console = opened(tmp_path / "out.html")
    assert (said(dom, "ready"), said(dom, "errors")) == ("2", "[]")
    assert console == []


def test_an_error_on_the_page_would_be_seen(tmp_path: Path) -> None:
    write_report(tmp_path / "out.html", sweep(), [], date(2026, 11, 21))
    text = (tmp_path / "out.html").read_text()
    (tmp_path / "out.html").write_text(text.replace('"policies":["edf"', '"policies":["unknown"'))
    dom, _ = opened(tmp_path / "out.html")
    assert json.loads(said(dom, "errors") or "[]")
