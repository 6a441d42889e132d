"""What `plan --search` and `--single` say of a mapping that holds less than a plan could."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cotenant.cli.app import _end
from cotenant.cli.offered import notes, plan_tree
from cotenant.describe import Goal, Level, Plan
from cotenant.describe.files import read_crew
from cotenant.plan import ALL, HEADROOM, solve
from cotenant.plan.levels import STARVED_P
from cotenant.search import searches, variants
from cotenant.study import boardplan
from cotenant.study.boardplan import GAP, Ask, Boarded, offered, planned

Captured = pytest.CaptureFixture[str]

MISSING = """
platform: rk3588s
tenants:
  - {name: cam, model: "board:resnet50", rank: 0, arrival: {every: 100ms}, deadline: 100ms}
  - {name: seg, model: "board:googlenet", rank: 1, arrival: flat-out, floor: 0.35}
  - {name: txt, model: "board:alexnet", rank: 1, arrival: flat-out, floor: 0.35}
"""
UNFIT = """
platform: rk3588s
tenants:
  - {name: seg, model: "board:resnet50", rank: 0, arrival: flat-out, floor: 0.7}
  - {name: txt, model: "board:alexnet", rank: 0, arrival: flat-out, floor: 0.7}
"""
BUSY = """
platform: rk3588s
tenants:
  - {name: cam, model: "board:resnet50", rank: 0, arrival: {every: 5ms}}
"""
EASY = """
platform: rk3588s
tenants:
  - {name: a, model: "board:resnet50", arrival: flat-out, weight: 10}
  - {name: b, model: "board:alexnet", arrival: flat-out, weight: 10}
"""


def crew_of(folder: Path, text: str) -> Path:
    file = folder / "crew.yaml"
    file.write_text(text)
    return file


def said(capsys: Captured, *arguments: object, ends: int = 0) -> tuple[list[str], list[str]]:
    """Return the lines of what a command prints, and of its notes."""
    capsys.readouterr()
    assert _end(tuple(str(one) for one in arguments)) == ends
    found = capsys.readouterr()
    return found.out.splitlines(), found.err.splitlines()


def tree_of(capsys: Captured, *arguments: object) -> Any:
    return json.loads("\n".join(said(capsys, *arguments, "--json")[0]))


def boarded(folder: Path, text: str, ask: Ask) -> Boarded:
    return planned(offered(read_crew(crew_of(folder, text)), ask), ask)


@pytest.mark.parametrize("text", [UNFIT, BUSY])
def test_a_search_is_refused_the_crew_that_no_plan_serves(capsys: Captured, tmp_path: Path, text: str) -> None:
    crew = crew_of(tmp_path, text)
    table, refusal = said(capsys, "plan", crew, ends=2)
    assert said(capsys, "plan", crew, "--search", "exact", ends=2) == (table, refusal)


def test_what_a_mapping_misses_of_arrivals_is_noted_where_overload_is_allowed(capsys: Captured, tmp_path: Path) -> None:
    """Every 5 ms is 200/s."""
    found = boarded(tmp_path, BUSY, Ask(search="exact", allow_overload=True))
    rate_per_s = found.plan.promise("cam").rate_per_s
    assert f"cam gets {rate_per_s:.3g}/s of 200/s that arrive" in notes(found)
    told, _ = said(capsys, "plan", tmp_path / "crew.yaml", "--search", "exact", "--allow-overload", "--explain")
    assert any(line.startswith("cam (rank 0)") and line.endswith(", 200/s arrive") for line in told)


def test_what_fits_all_lanes_alone_is_planned_so_proved_so_and_noted(capsys: Captured, tmp_path: Path) -> None:
    most_per_s = boarded(tmp_path, BUSY, Ask(allow_overload=True)).plan.promise("cam").rate_per_s / HEADROOM
    crew = crew_of(tmp_path, BUSY.replace("5ms", f"{1e6 / (0.96 * most_per_s):.0f}us"))
    said(capsys, "plan", crew, ends=2)
    told, (note,) = said(capsys, "plan", crew, "--allow-overload", "--json")
    assert note.startswith("note: what arrives takes more than 0.9 of the lanes")
    file = tmp_path / "plan.json"
    file.write_text("\n".join(told))
    assert json.loads(file.read_text())["plan"]["headroom"] == ALL
    verdict = tree_of(capsys, "plan", "--check", file)
    assert verdict["ok"]
    assert [f"note: {one}" for one in verdict["notes"]] == [note]
    assert tree_of(capsys, "plan", crew, "--allow-overload", "--after", file)["changes"] == ["nothing changes"]


def test_missed_floors_are_noted_and_no_bound_is_shown_beside_them(capsys: Captured, tmp_path: Path) -> None:
    crew = crew_of(tmp_path, MISSING)
    table, notes = said(capsys, "plan", crew, "--search", "all_on_one")
    assert sum(note.startswith("note: the floor of seg is missed: P 0.3") and note.endswith(" of 0.35") for note in notes) == 1
    assert "note: the floor of txt is missed: P 0 of 0.35" in notes
    objective = table[-1].partition(";")[0]
    assert objective.startswith("objective proportional of rank 1, without txt: -1.")
    assert objective.endswith(", no bound since a plan may hold more of the floors")
    told, _ = said(capsys, "plan", crew, "--search", "all_on_one", "--explain")
    assert any(line.startswith("seg (rank 1)") and line.endswith("below its floor 0.35") for line in told)


def test_the_tree_says_what_is_missed_and_is_proved_again(capsys: Captured, tmp_path: Path) -> None:
    crew, file = crew_of(tmp_path, MISSING), tmp_path / "plan.json"
    tree = tree_of(capsys, "plan", crew, "--search", "all_on_one")
    assert tree["bound"] is None
    assert tree["gap"] is None
    seg, txt, objective = tree["explanation"].splitlines()
    assert seg.startswith("the floor of seg is missed: P 0.3")
    assert txt == "the floor of txt is missed: P 0 of 0.35"
    assert objective.startswith("objective proportional of rank 1, without txt: ")
    assert objective.endswith(", no bound since a plan may hold more of the floors")
    more = tree_of(capsys, "plan", crew, "--search", "all_on_one", "--explain")["explanation"]
    assert more.startswith(f"{seg}\n{txt}\n{objective}\nprices are those of ")
    file.write_text(json.dumps(tree))
    (verdict, undecided), _ = said(capsys, "plan", "--check", file)
    assert "no bound is to be held against it, since a plan may hold more of the floors" in verdict
    assert "it is not ruled out that txt could have " in undecided
    assert tree_of(capsys, "plan", "--check", file)["ok"]


def test_a_mapping_that_holds_what_is_due_keeps_its_bound(capsys: Captured, tmp_path: Path) -> None:
    crew = crew_of(tmp_path, MISSING.replace("0.35", "0.05"))
    best, found = tree_of(capsys, "plan", crew), tree_of(capsys, "plan", crew, "--search", "exact")
    assert found["bound"] == pytest.approx(best["bound"], abs=1e-6)
    assert "explanation" not in found


def test_whom_a_mapping_starves_the_objective_leaves_out(capsys: Captured, tmp_path: Path) -> None:
    """Alone on one processor, cam's arrivals and seg leave txt nothing, though no floor is asked for."""
    found = boarded(tmp_path, MISSING.replace(", floor: 0.35", ""), Ask(search="all_on_one"))
    starved = replace(found, plan=starving(found.plan, "seg", "txt"))
    assert plan_tree(starved)["bound"] is None
    assert plan_tree(found)["bound"] == found.plan.bound


def starving(plan: Plan, *tenants: str) -> Plan:
    """Let a plan leave the last of these tenants nothing, without proof that it must."""
    level = Level(goal=Goal.STARVED, rank=1, tenants=tenants, value=0.0, bound=2 * STARVED_P, leaves=plan.levels[0].leaves)
    at = next(index for index, level in enumerate(plan.levels) if level.goal is Goal.PROPORTIONAL)
    return replace(plan, levels=(*plan.levels[:at], level, *plan.levels[at:]))


def test_the_prices_of_a_mapping_are_said_to_be_those_of_the_best_plan(capsys: Captured, tmp_path: Path) -> None:
    """Nothing runs on big and little, which the best plan needs; of gpu nothing is left."""
    told, _ = said(capsys, "plan", crew_of(tmp_path, MISSING), "--search", "all_on_one", "--explain")
    assert [line for line in told if line.startswith("prices are those of the best plan")] == told[:1]
    bottlenecks = {line.partition(":")[0] for line in told if "a bottleneck" in line}
    assert bottlenecks == {"gpu"}
    assert not any("no better here" in line or line.startswith("one more ") for line in told)
    assert any(line.startswith("  not ") and line.endswith(" % cheaper at these prices, though not chosen") for line in told)
    plain, _ = said(capsys, "plan", tmp_path / "crew.yaml", "--explain")
    assert not any(line.startswith("prices are those") for line in plain)
    assert {line.partition(":")[0] for line in plain if "a bottleneck" in line} == {"big", "little", "gpu"}


@pytest.mark.parametrize(("part", "is_told"), [(0.5, False), (2.0, True)])
def test_a_plan_of_single_options_may_miss_its_bound_by_weights(tmp_path: Path, part: float, is_told: bool) -> None:
    """Two tenants of weight 10 may miss 0.2 at a gap of 0.01."""
    found = boarded(tmp_path, EASY, Ask(single=True))
    levels = tuple(
        replace(level, bound=level.value + part * GAP * 20) if level.goal is Goal.PROPORTIONAL else level for level in found.plan.levels
    )
    remarks = boardplan._unproved(replace(found.plan, levels=levels), found.tenants)
    assert any("more --budget" in remark for remark in remarks) == is_told


def test_what_the_choice_of_the_level_before_bars_is_no_lack_of_time(tmp_path: Path) -> None:
    """Max-min goes on with whoever can have more, by the options that are chosen."""
    found = boarded(tmp_path, EASY, Ask(single=True))
    first = next(level for level in found.plan.levels if level.goal is Goal.PROPORTIONAL)
    later = replace(found.plan, levels=(*found.plan.levels, replace(first, bound=first.value + 20)))
    assert not any("more --budget" in remark for remark in boardplan._unproved(later, found.tenants))


def test_who_is_starved_for_lack_of_time_is_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def hasty(*given: Any, **more: Any) -> Plan:
        return starving(solve(*given, **more), "a", "b")

    assert not any("gets nothing" in note for note in boarded(tmp_path, EASY, Ask(single=True)).notes)
    monkeypatch.setattr("cotenant.study.boardplan.solve", hasty)
    assert "b gets nothing in the time that there was; more --budget may feed it" in boarded(tmp_path, EASY, Ask(single=True)).notes


def test_a_starved_tenant_is_shown_no_rate(tmp_path: Path) -> None:
    found = boarded(tmp_path, EASY, Ask())
    a, b = found.plan.promises
    dust = replace(b, rate_per_s=STARVED_P * b.solo_rate_per_s / 10)
    shown = plan_tree(replace(found, plan=replace(found.plan, promises=(a, dust))))["tenants"]["b"]
    assert (shown["rate_per_s"], shown["p"]) == (0.0, 0.0)


def test_an_unknown_search_is_told_the_variants_too(capsys: Captured, tmp_path: Path) -> None:
    _, (line,) = said(capsys, "plan", crew_of(tmp_path, EASY), "--search", "nope", ends=2)
    assert line.endswith(f"known: {', '.join(variants(searches))}")


def test_a_flag_beside_a_check_is_refused_as_a_flag(capsys: Captured, tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    file.write_text(json.dumps(tree_of(capsys, "plan", crew_of(tmp_path, EASY))))
    for flag in ("--explain", "--single"):
        assert said(capsys, "plan", "--check", file, flag, ends=2)[1][0].startswith(f"{flag}: given; left out with --check")
