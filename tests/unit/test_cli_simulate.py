from __future__ import annotations

import json
import math
from pathlib import Path

import pytest

from cotenant.cli.app import _end
from cotenant.cli.options import loads_of, seconds_of
from cotenant.errors import InputError
from cotenant.policy import Candidate, Policy, Scene, policies, variants

CREW = """
platform: moca_soc
seconds: 0.02
tenants:
- {name: small, model: "board:squeezenet", rank: 0, arrival: {poisson: 300/s}, deadline: 10ms}
- {name: large, model: "board:kws_res26", rank: 1, arrival: {poisson: 100/s}, deadline: 33ms}
"""

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def crew(tmp_path: Path) -> str:
    path = tmp_path / "crew.yaml"
    path.write_text(CREW)
    return str(path)


def test_every_policy_at_every_load_has_its_figures(crew: str, capsys: Captured) -> None:
    assert _end(["simulate", crew, "--policy", "fifo,edf/late-last", "--load", "0.5:1:0.5", "--seeds", "3", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["simulated"] is True
    assert set(said["policies"]) == {"fifo", "edf/late-last"}
    assert said["events"] > 0
    assert (said["crew"], said["platform"], said["seeds"], said["loads"]) == ("crew.yaml", "moca_soc", 3, [0.5, 1.0])
    assert said["horizon_s"] == {"0.5": 0.02, "1": 0.02}
    for at in said["policies"].values():
        assert set(at) == {"0.5", "1"}
        for cell in at.values():
            assert 0 <= cell["sla"] <= 1
            assert cell["sla_ci95"][0] <= cell["sla"] <= cell["sla_ci95"][1]
            means = {"sla", "stp", "antt", "fairness", "p99_ms"}
            assert set(cell) == means | {f"{figure}_ci95" for figure in means} | {"miss_by_rank", "dropped"}
            assert all(cell[f"{figure}_ci95"][0] <= cell[figure] <= cell[f"{figure}_ci95"][1] for figure in means)


def test_the_same_seeds_give_the_same_figures(crew: str, capsys: Captured) -> None:
    found = []
    for _ in range(2):
        assert _end(["simulate", crew, "--seeds", "2", "--json"]) == 0
        found.append(json.loads(capsys.readouterr().out)["policies"])
    assert found[0] == found[1]


def test_a_page_is_written(crew: str, tmp_path: Path, capsys: Captured) -> None:
    page = tmp_path / "page.html"
    assert _end(["simulate", crew, "--seeds", "1", "--html", str(page)]) == 0
    assert "SLA, simulated" in capsys.readouterr().out
    assert "dram" in page.read_text()


def _no_number(candidate: Candidate, scene: Scene) -> float:
    return math.nan


def test_a_policy_that_fails_is_named_beside_the_others(crew: str, capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {"edf": Policy(order=_no_number), "fifo": policies.get("fifo")}
    monkeypatch.setattr("cotenant.cli.simulated.named", lambda _, name, *__: known[name])
    assert _end(["simulate", crew, "--policy", "fifo,edf", "--seeds", "1", "--json"]) == 1
    said = capsys.readouterr()
    assert set(json.loads(said.out)["policies"]) == {"fifo"}
    assert "policy edf at" in json.loads(said.out)["failed"]["edf"]
    assert said.err.splitlines()[-1].startswith("left out: policy edf at")
    assert _end(["simulate", crew, "--policy", "fifo,edf", "--seeds", "1"]) == 1
    assert "fifo" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--load", "0"], "--load: 0; more than 0"),
        (["--load", "-1"], "--load: -1; more than 0"),
        (["--load", "nan"], "--load: nan; more than 0"),
        (["--load", "one"], "--load: one; a number"),
        (["--load", "1:2"], "--load: 1:2; a number"),
        (["--load", "0.1:1e9:0.1"], "1 to 100 loads"),
        (["--load", "0:1:0.001"], "--load: 0:1:0.001; more than 0"),
        (["--load", "0.5,-1"], "--load: 0.5,-1; more than 0"),
        (["--load", "1.0000001,1"], "--load: 1.0000001,1; loads that differ in their first six digits"),
        (["--load", "1e-9"], "--load: 1e-09; a factor of 0.000001 to 1000000"),
        (["--load", "1,1e5"], "--load: 100000 makes tenants[0].arrival.poisson 30000000.0/s; more than 0/s, at most 1000000/s"),
        (["--seeds", "0"], "--seeds: 0; 1 to 10000"),
        (["--seeds", "10001"], "--seeds: 10001; 1 to 10000"),
        (["--policy", "edg"], "did you mean edf?"),
        (["--policy", "edf/last"], "--policy: edf/last"),
        (["--policy", "EDF"], "--policy: EDF; did you mean edf?"),
        (["--platform", "MOCA_SOK"], "--platform: MOCA_SOK; did you mean moca_soc? known: auto, "),
        (["--seconds", "0"], "--seconds: 0"),
        (["--seconds", "1e-10"], "--seconds: 1e-10; a number of seconds or a duration such as 100ms; at least 1 ns, at most 3153600000 s"),
        (["--seconds", "0.4ns"], "--seconds: 0.0; a number of seconds"),
        (["--seconds", "1e300"], "--seconds: 1e+300; a number of seconds"),
        (["--seconds", "soon"], "--seconds: soon; a duration with its unit"),
        (["--seconds", "-5ms"], "--seconds: -5ms; more than 0"),
        (["--html", "/no/such/folder/page.html"], "--html"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_line(crew: str, arguments: list[str], said: str, capsys: Captured) -> None:
    assert _end(["simulate", crew, *arguments]) == 2
    told = capsys.readouterr().err.strip()
    assert said in told
    assert "\n" not in told


def test_a_page_never_overwrites_its_crew(crew: str, capsys: Captured) -> None:
    assert _end(["simulate", crew, "--html", crew]) == 2
    assert "--html: " in (told := capsys.readouterr().err)
    assert "another file than that of the crew" in told
    assert Path(crew).read_text() == CREW


def test_a_network_that_the_board_does_not_have_is_refused(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "crew.yaml"
    path.write_text(CREW.replace("squeezenet", "squeezenot"))
    assert _end(["simulate", str(path)]) == 2
    assert "did you mean squeezenet?" in capsys.readouterr().err


def test_a_crew_that_misspells_its_board_is_told_so_at_its_own_key(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "crew.yaml"
    path.write_text(CREW.replace("moca_soc", "moca_sok"))
    assert _end(["simulate", str(path)]) == 2
    assert capsys.readouterr().err.startswith("platform: moca_sok; did you mean moca_soc?")
    assert _end(["simulate", str(path), "--platform", "moca_sock"]) == 2
    assert capsys.readouterr().err.startswith("--platform: moca_sock; did you mean moca_soc?")


@pytest.mark.parametrize(("seconds", "horizon_s"), [("20ms", 0.02), ("0.02", 0.02), ("2e-2", 0.02), ("0.5 s", 0.5)])
def test_a_horizon_is_a_number_of_seconds_or_a_duration(crew: str, seconds: str, horizon_s: float, capsys: Captured) -> None:
    assert _end(["simulate", crew, "--seeds", "1", "--seconds", seconds, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["horizon_s"] == {"1": horizon_s}


def test_no_time_given_is_none() -> None:
    assert seconds_of(None) is None


@pytest.mark.parametrize(
    ("seeds", "head", "foot"),
    [("1", "SLA, simulated: the share of requests in time", ", 1 seed"), ("2", "requests in time, with 95 % intervals", ", 2 seeds")],
)
def test_one_seed_has_no_intervals_and_promises_none(crew: str, seeds: str, head: str, foot: str, capsys: Captured) -> None:
    assert _end(["simulate", crew, "--seeds", seeds]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].endswith(head)
    assert lines[-1].endswith(foot)
    assert any("±" in line for line in lines) == (seeds != "1")


@pytest.mark.parametrize(("platform", "said"), [("moca_soc", "interrupted"), ("auto", "interrupted; what was measured is kept")])
def test_an_interruption_promises_to_keep_no_more_than_was_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, platform: str, said: str, capsys: Captured
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("cotenant.cli.simulated.sweep", interrupt)
    path = tmp_path / "crew.yaml"
    path.write_text(CREW.replace("moca_soc", platform))
    assert _end(["simulate", str(path)]) == 130
    assert capsys.readouterr().err == f"{said}\n"


def test_a_range_of_loads_ends_where_a_step_meets_its_end_or_before() -> None:
    assert loads_of("0.5:1.2:0.1") == (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
    assert loads_of("0.5:1:0.2") == (0.5, 0.7, 0.9)
    assert loads_of("1,0.5,1") == (1.0, 0.5)
    with pytest.raises(InputError):
        loads_of("")


def test_every_policy_is_offered_with_the_hopeless_last() -> None:
    names = variants(policies)
    assert {name for name in names if "/" not in name} == set(policies.names())
    assert {"edf/late-last", "moca/late-last"} <= set(names)
