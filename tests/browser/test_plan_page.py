"""The page of a plan as a browser draws it; skipped where there is no Chromium (scripts/install-browser installs it)."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import pytest

from cotenant.describe import Objective, Option, Provenance, Tenant
from cotenant.plan import solve
from cotenant.plan.front import front
from cotenant.plan.newcomer import newcomers
from cotenant.study.planpage import write_plan_page
from tests.browser.chromium import DARK, NARROW, drawn, needs_chromium, said, with_script
from tests.pages import Tags
from tests.plan_cases import closed, opened, option, platform

HOSTILE = '<img src=x onerror=alert(1)> & "it\'s"'
MEASURE = """addEventListener("load", () => setTimeout(() => {
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
}, 2000));"""

pytestmark = needs_chromium


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


def bare() -> str:
    """Return a page without a front and newcomers."""
    (tenants, options), board = crew(4), platform(1, 2)
    plan = solve(tenants, options, board, Objective.PROPORTIONAL)
    return write_plan_page(title="", tenants=tenants, plan=plan, platform=board, options=options, source="", made_on=date(2026, 7, 1))


def measured(folder: Path, html: str, width: int, *flags: str) -> dict[str, Any]:
    """Return what a page says of itself in a frame of so many pixels, free to load whatever it wants; no window is below 500."""
    inside = escape(with_script(html, MEASURE))
    frame = (
        f'<!doctype html><body style="margin:0"><iframe style="border:0" width="{width}" height="900" srcdoc="{inside}"></iframe></body>'
    )
    dom, console = drawn(folder, frame, "--window-size=1600,1000", *flags)
    assert console == []
    found: dict[str, Any] = json.loads(said(dom, "measured") or "{}")
    return found


@pytest.mark.parametrize("flags", [("--window-size=1400,900",), (NARROW, DARK)], ids=["wide", "narrow and dark"])
@pytest.mark.parametrize("count", [1, 4, 12])
def test_the_chart_is_drawn_and_nobody_complains(tmp_path: Path, count: int, flags: tuple[str, ...]) -> None:
    dom, console = drawn(tmp_path, text(count), *flags)
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
    dom, _ = drawn(tmp_path, text(4))
    assert "img" not in {tag for tag, _ in Tags(dom).found}
    assert "&lt;img src=x onerror=alert(1)&gt;" in dom


def test_who_gets_nothing_is_named(tmp_path: Path) -> None:
    dom, _ = drawn(tmp_path, text(4))
    assert "Nothing is left for nothing." in dom


def test_a_page_without_a_front_and_newcomers_is_drawn_too(tmp_path: Path) -> None:
    dom, console = drawn(tmp_path, bare())
    assert (said(dom, "ready"), said(dom, "errors"), console) == ("0", "[]", [])


def test_a_page_without_a_front_and_newcomers_is_printed_too(tmp_path: Path) -> None:
    dom, console = drawn(tmp_path, with_script(bare(), 'dispatchEvent(new Event("beforeprint"));'))
    assert (said(dom, "errors"), console) == ("[]", [])
    assert 'class="printing"' in dom


def test_an_error_on_the_page_would_be_seen(tmp_path: Path) -> None:
    dom, _ = drawn(tmp_path, text(4).replace('"objective":"proportional"', '"objective":null').replace('"levels":[', '"levelled":['))
    assert json.loads(said(dom, "errors") or "[]")
