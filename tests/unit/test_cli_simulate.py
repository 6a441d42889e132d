from __future__ import annotations

import json
from pathlib import Path

import pytest

from cotenant.cli.app import _end
from cotenant.cli.options import loads_of
from cotenant.errors import InputError
from cotenant.policy import policies, variants

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
    for at in said["policies"].values():
        assert set(at) == {"0.5", "1"}
        for cell in at.values():
            assert 0 <= cell["sla"] <= 1
            assert cell["sla_ci95"][0] <= cell["sla"] <= cell["sla_ci95"][1]
            assert set(cell) == {"sla", "sla_ci95", "stp", "antt", "fairness", "p99_ms", "miss_by_rank"}


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--load", "0"], "--load: 0; more than 0"),
        (["--load", "-1"], "--load: -1; more than 0"),
        (["--load", "nan"], "--load: nan; more than 0"),
        (["--load", "one"], "--load: one; a number"),
        (["--load", "1:2"], "--load: 1:2; a number"),
        (["--load", "0.1:1e9:0.1"], "1 to 100 loads"),
        (["--seeds", "0"], "--seeds: 0; 1 or more"),
        (["--policy", "edg"], "did you mean edf?"),
        (["--policy", "edf/last"], "--policy: edf/last"),
        (["--platform", "moca_sok"], "did you mean moca_soc?"),
        (["--seconds", "0"], "--seconds: 0"),
        (["--html", "/no/such/folder/page.html"], "--html"),
    ],
)
def test_what_cannot_be_simulated_is_refused_in_one_line(crew: str, arguments: list[str], said: str, capsys: Captured) -> None:
    assert _end(["simulate", crew, *arguments]) == 2
    told = capsys.readouterr().err.strip()
    assert said in told
    assert "\n" not in told


def test_a_network_that_the_board_does_not_have_is_refused(tmp_path: Path, capsys: Captured) -> None:
    path = tmp_path / "crew.yaml"
    path.write_text(CREW.replace("squeezenet", "squeezenot"))
    assert _end(["simulate", str(path)]) == 2
    assert "did you mean squeezenet?" in capsys.readouterr().err


def test_a_range_of_loads_has_both_ends() -> None:
    assert loads_of("0.5:1.2:0.1") == (0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2)
    assert loads_of("1,0.5,1") == (1.0, 0.5)
    with pytest.raises(InputError):
        loads_of("")


def test_every_policy_is_offered_with_the_hopeless_last() -> None:
    names = variants(policies)
    assert {name for name in names if "/" not in name} == set(policies.names())
    assert {"edf/late-last", "moca/late-last"} <= set(names)
