"""The page of a plan as a browser draws it; skipped where there is no Chromium (scripts/install-browser installs it)."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import date
from functools import cache
from html import escape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from cotenant.describe import Objective, Option, Provenance, Tenant
from cotenant.plan import solve
from cotenant.plan.front import front
from cotenant.plan.newcomer import newcomers
from cotenant.study.planpage import write_plan_page
from tests.plan_cases import closed, opened, option, platform

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)
HOSTILE = '<img src=x onerror=alert(1)> & "it\'s"'
DARK = "--blink-settings=preferredColorScheme=0"
MEASURE = """<script>addEventListener("load", () => setTimeout(() => {
  const piece = document.querySelector(".piece");
  for (const type of ["pointerenter", "pointermove"]) piece?.dispatchEvent(new PointerEvent(type, {clientX: 60, clientY: 300}));
  parent.document.body.dataset.measured = JSON.stringify({
    ready: document.body.dataset.ready, errors: JSON.parse(document.body.dataset.errors), drawn: document.querySelectorAll("canvas").length,
    wide: document.documentElement.scrollWidth, seen: document.documentElement.clientWidth,
    asked: performance.getEntriesByType("resource").map((one) => one.name),
    widths: [...document.querySelectorAll(".track")].map((track) =>
      [...track.querySelectorAll(".piece")].map((one) => one.getBoundingClientRect().width / track.clientWidth)),
    tip: document.querySelector(".float").textContent, lit: document.querySelectorAll(".lit").length,
  });
}, 2000));</script>"""

pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"needs one of {', '.join(NAMES)}: run scripts/install-browser")


@cache
def crew(count: int) -> tuple[tuple[Tenant, ...], tuple[Option, ...]]:
    """Return a hostile name that takes 0.3 of cpu0, and others of equal need; the last of several is left with nothing."""
    others = [closed(f"tenant {at}", 1) for at in range(1, count)]
    if others:
        others[-1] = closed("nothing", 2)
    tenants = (opened(HOSTILE, 30), *others)
    options = [o for t in others for o in (option(t.name, 20), option(t.name, 30, "cpu1"), option(t.name, 9, "cpu1", 2))]
    return tenants, (option(HOSTILE, 10), *options)


@cache
def text(count: int) -> str:
    (tenants, options), board = crew(count), platform(1, 2)
    plan = solve(tenants, options, board, Objective.PROPORTIONAL)
    return write_plan_page(
        title=f"{HOSTILE} on board", tenants=tenants, plan=plan, platform=board, options=options, source=HOSTILE, made_on=date(2026, 7, 1),
        front=front(plan, tenants, options, board), newcomers=newcomers(plan, tenants, options, board), notes=[HOSTILE],
        provenance={("cpu0", 1): Provenance.ASSUMED},
    )  # fmt: skip


def opened_page(folder: Path, html: str, *flags: str) -> tuple[str, list[str]]:
    """Return the page's elements after its scripts ran, and what the browser's console said."""
    assert BROWSER is not None
    page = folder / "page.html"
    page.write_text(html, encoding="utf-8")
    always = (
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--enable-logging=stderr",
        f"--user-data-dir={folder}",
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
    """Return what the script says of its own work, on the body: `ready`, the charts drawn, and `errors`, a JSON list."""
    return next(attributes for tag, attributes in Tags(dom).found if tag == "body").get(f"data-{what}")


def measured(folder: Path, html: str, width: int, *flags: str) -> dict[str, Any]:
    """Return what a page says of itself in a frame of so many pixels, free to load whatever it wants; no window is below 500."""
    head, _, tail = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", html).rpartition("</body>")
    inside = escape(f"{head}{MEASURE}</body>{tail}")
    frame = (
        f'<!doctype html><body style="margin:0"><iframe style="border:0" width="{width}" height="900" srcdoc="{inside}"></iframe></body>'
    )
    dom, console = opened_page(folder, frame, "--window-size=1600,1000", *flags)
    assert console == []
    found: dict[str, Any] = json.loads(said(dom, "measured") or "{}")
    return found


@pytest.mark.parametrize("flags", [("--window-size=1400,900",), ("--window-size=500,900", DARK)], ids=["wide", "narrow and dark"])
@pytest.mark.parametrize("count", [1, 4, 12])
def test_the_chart_is_drawn_and_nobody_complains(tmp_path: Path, count: int, flags: tuple[str, ...]) -> None:
    dom, console = opened_page(tmp_path, text(count), *flags)
    assert (said(dom, "ready"), said(dom, "errors"), console) == ("1", "[]", [])
    assert dom.count("<canvas") >= 1
    for table in ("tenants", "newcomers"):
        assert len(re.findall(r"<tr", dom.split(f'id="{table}"')[1].split("</table>")[0])) >= 2


@pytest.mark.parametrize("width", [400, 1400])
@pytest.mark.parametrize("flags", [(), (DARK,)], ids=["light", "dark"])
def test_nothing_is_asked_of_a_network_and_nothing_is_wider_than_the_window(tmp_path: Path, width: int, flags: tuple[str, ...]) -> None:
    found = measured(tmp_path, text(12), width, *flags)
    assert found["asked"] == []
    assert found["wide"] == found["seen"]
    assert width - 20 <= found["seen"] <= width  # less a scroll bar
    assert (found["ready"], found["errors"]) == ("1", [])
    assert found["drawn"] >= 1


def test_a_block_is_as_wide_as_its_share_and_tells_what_it_is(tmp_path: Path) -> None:
    """30/s of 10 ms take 0.3 of cpu0's one lane; borders and gaps are a few pixels of a thousand."""
    found = measured(tmp_path, text(4), 1400)
    assert found["widths"][0][0] == pytest.approx(0.3, abs=0.02)
    assert [sum(track) for track in found["widths"]] == pytest.approx([1.0, 1.0], abs=0.02)
    assert found["tip"].startswith(HOSTILE)
    assert "0.300 of 1 lane-s/s (30.0 %)" in found["tip"]
    assert found["lit"] == 1


def test_a_tenant_that_calls_itself_markup_stays_text(tmp_path: Path) -> None:
    dom, _ = opened_page(tmp_path, text(4))
    assert "img" not in {tag for tag, _ in Tags(dom).found}
    assert "&lt;img src=x onerror=alert(1)&gt;" in dom


def test_who_gets_nothing_is_named(tmp_path: Path) -> None:
    dom, _ = opened_page(tmp_path, text(4))
    assert "Nothing is left for nothing." in dom


def test_a_page_without_a_front_and_newcomers_is_drawn_too(tmp_path: Path) -> None:
    (tenants, options), board = crew(4), platform(1, 2)
    plan = solve(tenants, options, board, Objective.PROPORTIONAL)
    html = write_plan_page(title="", tenants=tenants, plan=plan, platform=board, options=options, source="", made_on=date(2026, 7, 1))
    dom, console = opened_page(tmp_path, html)
    assert (said(dom, "ready"), said(dom, "errors"), console) == ("0", "[]", [])


def test_an_error_on_the_page_would_be_seen(tmp_path: Path) -> None:
    dom, _ = opened_page(tmp_path, text(4).replace('"objective":"proportional"', '"objective":null').replace('"levels":[', '"levelled":['))
    assert json.loads(said(dom, "errors") or "[]")
