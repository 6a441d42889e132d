"""`cotenant plan` where segments wait for a memory that others use."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Callable
from contextlib import redirect_stdout
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from cotenant.cli.app import _end
from cotenant.plan.stalls import stalled
from tests.unit.test_cli_plan import Captured, printed, refused, saved, written

CREW = """
platform: jetson_orin
objective: maxmin
tenants:
  - {name: a, model: "board:resnet50", rank: 1, arrival: flat-out}
  - {name: b, model: "board:shufflenet", rank: 1, arrival: flat-out}
  - {name: c, model: "board:alexnet", rank: 1, arrival: flat-out, floor: 0.05}
  - {name: d, model: "board:vgg16", rank: 1, arrival: flat-out}
"""
"""Together they want more of the memory at some moments than it has, and less on the mean."""

LEFT_FREE = "of its time is left free, as it waits for dram"


@pytest.fixture(scope="module")
def crew(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(tmp_path_factory.mktemp("crew"), CREW)


@pytest.fixture(scope="module")
def made(crew: Path) -> str:
    """Return what `plan --json` prints."""
    out = io.StringIO()
    with redirect_stdout(out):
        assert _end(("plan", str(crew), "--json")) == 0
    return out.getvalue()


@pytest.mark.parametrize("more", [("--single",), ("--search", "exact"), ("--priority", "dynamic")])
def test_room_for_waiting_is_told_and_proved(capsys: Captured, crew: Path, tmp_path: Path, more: tuple[str, ...]) -> None:
    tree = printed(capsys, "plan", crew, "--json", *more)
    verdict = printed(capsys, "plan", "--check", saved(tree, tmp_path), "--json")
    assert verdict["ok"], verdict["complaints"]
    told = [line for line in verdict["notes"] if LEFT_FREE in line]
    assert len(told) == len(tree["plan"]["stalls"])
    for name, lost in tree["plan"]["stalls"]:
        (row,) = (price for price in tree["plan"]["prices"] if price["resource"] == name)
        assert row["capacity"] == pytest.approx((6 if name == "cpu" else 1) * (1 - lost))
        assert any(line.startswith(f"{name}: {lost:.1%} {LEFT_FREE}") for line in told)


def test_the_plan_says_that_its_bound_is_of_plans_that_leave_as_much_room(capsys: Captured, made: str, tmp_path: Path) -> None:
    tree = json.loads(made)
    assert tree["plan"]["stalls"]
    assert _end(("plan", "--check", str(saved(tree, tmp_path)))) == 0
    said = capsys.readouterr().out
    assert "leaving as much room for waiting" in said
    assert LEFT_FREE in said


def test_a_plan_of_the_same_crew_changes_nothing(capsys: Captured, crew: Path, made: str, tmp_path: Path) -> None:
    tree = json.loads(made)
    again = printed(capsys, "plan", crew, "--after", saved(tree, tmp_path), "--json")
    assert again["changes"] == ["nothing changes"]
    assert dict(again["plan"]["stalls"]) == pytest.approx(dict(tree["plan"]["stalls"]))


def _set(*path: str | int) -> Callable[[Any, Any], None]:
    def alter(tree: Any, value: Any) -> None:
        for key in path[:-1]:
            tree = tree[key]
        tree[path[-1]] = value

    return alter


@pytest.mark.parametrize(
    ("alter", "value"),
    [
        (_set("plan", "stalls"), []),
        (_set("plan", "stalls", 0, 1), 0.01),
        (_set("plan", "stalls", 0, 1), 0.5),
        (_set("plan", "stalls", 0, 0), "nobody"),
        (_set("plan", "stalls"), [["dla", 0.1], ["dla", 0.1]]),
        (_set("plan", "shares", 0, "rate_per_s"), math.nan),
        (_set("plan", "shares", 0, "rate_per_s"), math.inf),
        (_set("plan", "shares", 0, "option", "chain", 0, "width"), 0),
    ],
)
def test_an_altered_plan_is_refused(capsys: Captured, made: str, tmp_path: Path, alter: Callable[[Any, Any], None], value: object) -> None:
    tree = json.loads(made)
    alter(tree, value)
    code = _end(("plan", "--check", str(saved(tree, tmp_path)), "--json"))
    said = capsys.readouterr()
    assert code in {1, 2}
    assert not json.loads(said.out)["ok"] if code == 1 else said.err


def test_no_board_states_what_is_lost(capsys: Captured, crew: Path, tmp_path: Path) -> None:
    text = (files("cotenant.describe") / "boards" / "jetson_orin.yaml").read_text().replace("lanes: 6,", "lanes: 6, stalled: 0.2,", 1)
    assert "stalled: 0.2" in text
    (tmp_path / "board.yaml").write_text(text)
    assert "stalled" in refused(capsys, "plan", crew, "--platform", tmp_path / "board.yaml")


def test_a_plan_that_leaves_free_what_nobody_waits_for_is_refused(
    capsys: Captured, crew: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its own proof holds: it is of plans that leave as much free."""
    monkeypatch.setattr("cotenant.study.boardplan.settled", lambda _, at, solving: solving(stalled(at, {"gpu": 0.9})))
    tree = printed(capsys, "plan", crew, "--json")
    assert _end(("plan", "--check", str(saved(tree, tmp_path)), "--json")) == 1
    (complaint,) = json.loads(capsys.readouterr().out)["complaints"]
    assert complaint.startswith("stalls of gpu: 0.9 left free")
