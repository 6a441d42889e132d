"""The live benchmark: its crews, what it claims, and what it shows."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.live import run
from benchmarks.live.claims import EXPECTED, Json, checks, figures, together
from benchmarks.live.crews import BURSTY_PARTS, COMPUTED, CREWS, LOAD, MODELS, crew_text, draft, nominal
from benchmarks.live.run import USUAL, Case, chosen
from benchmarks.live.solos import fastest_ns
from benchmarks.live.tables import shown
from cotenant.describe import Artifact, Bursty, Closed, Option, Periodic, Precision, Step
from cotenant.describe.files import read_crew
from cotenant.errors import InputError
from cotenant.study.report import report_json
from cotenant.trace import Usage
from cotenant.units import NS_PER_MS, NS_PER_S
from tests.unit.test_compare import Pace, prepared
from tests.unit.test_compare import report as compared

ROUNDS = 5
ROWS = {"detector": 0, "tagger": 1}
WAYS = ("naive-threads", "tuned-os", "rank-alone", "planned")
solo_times = st.fixed_dictionaries({name: st.integers(NS_PER_MS // 10, NS_PER_S) for name in MODELS})


def report() -> Json:
    """Make up a comparison in which every claim is kept, some by a hair."""
    ways = {name: way(name) for name in WAYS}
    reference = {
        "alone_per_s": dict.fromkeys(ROWS, 10.0),
        "solo_ms": {name: {"onnxruntime fp32": 17.0} for name in ROWS},
        "bound_stp": 1.5,
        "fair_stp": 1.0,
    }
    ratio = {"critical": "detector", "stp_ort": 1.1, "stp_ort_ci95": [1.0, 1.2], "critical_p99": 0.5, "critical_p99_ci95": None}
    return {
        "rounds": ROUNDS, "lanes": 2, **reference, "references": [reference] * ROUNDS, "ways": ways,
        "ratios": {name: dict(ratio) for name in WAYS[:-1]},
    }  # fmt: skip


def way(name: str) -> Json:
    late = {"naive-threads": 90, "tuned-os": 4}.get(name, 1)
    turns = [turn(index, late, 10.0 if name == "rank-alone" else 12.5) for index in range(ROUNDS)]
    rows = {
        tenant: {
            **{count: sum(one["tenants"][tenant][count] for one in turns) for count in ("asked", "missed", "lost")},
            "rank": rank, "p50_ms": 5.0, "p99_ms": None if name == "naive-threads" else 12.0,
        }
        for tenant, rank in ROWS.items()
    }  # fmt: skip
    told: Json = {"platform": "made up", "stp": 1.7, "least_p": 0.2, "stp_ort": 0.95, "used": 0.9, "disturbed": [], "repeats": 0}
    return {**told, "tenants": rows, "rounds": turns, "dispatch_us_per_segment": 19.9, "dispatch_mean_us": 20.0, "dispatch_share": 0.004}


def turn(index: int, late: int, p99_ms: float) -> Json:
    missed = {"detector": 0, "tagger": late}
    tenants = {name: {"asked": 100, "missed": missed[name], "lost": 0, "p99_ms": p99_ms} for name in ROWS}
    return {"round": index, "others": 0.0, "used": 0.92, "stp_ort": 0.92, "tenants": tenants}


def test_a_run_that_reaches_every_figure_keeps_every_claim() -> None:
    cases = {f"{crew}, {precision}": report() for crew in CREWS for precision in ("all", "fp32")}
    found = checks(cases)
    assert {name for of in json.loads(EXPECTED.read_text()).values() for name in of} == {name for one in found.values() for name in one}
    assert [(case, name) for case, one in found.items() for name, check in one.items() if not check["kept"]] == []


def broken_in(rounds: Callable[[Json], Iterator[Json]], **values: Any) -> Callable[[Json], None]:
    def change(told: Json) -> None:
        for one in rounds(told):
            one.update(values)

    return change


def turns_of(name: str, *tenants: str) -> Callable[[Json], Iterator[Json]]:
    """Walk through a way's rounds, or the rows of tenants in them."""
    return lambda told: (one["tenants"][t] if t else one for one in told["ways"][name]["rounds"] for t in (tenants or ("",)))


def whole_of(name: str, *tenants: str) -> Callable[[Json], Iterator[Json]]:
    return lambda told: (told["ways"][name]["tenants"][t] if t else told["ways"][name] for t in (tenants or ("",)))


def without_a_round(told: Json) -> None:
    for one in told["ways"].values():
        one["rounds"].pop()
    told["references"] = told["references"][:-1]


def first_late_once(told: Json) -> None:
    told["ways"]["planned"]["rounds"][2]["tenants"]["detector"]["missed"] = 1
    told["ways"]["tuned-os"]["rounds"][2]["tenants"]["tagger"]["missed"] = 100  # not a matter of how many


@pytest.mark.parametrize(
    ("case", "change", "names"),
    [
        ("robot, fp32", broken_in(turns_of("planned"), stp_ort=0.91), {"stp_of_fair"}),
        ("robot, all", broken_in(turns_of("planned"), stp_ort=0.87), {"stp_of_fair"}),
        ("robot, all", broken_in(turns_of("planned", "detector"), p99_ms=12.6), {"critical_p99_of_alone"}),
        ("robot, all", broken_in(turns_of("rank-alone", "detector"), p99_ms=None), {"critical_p99_of_alone"}),
        ("five, all", without_a_round, {"rounds"}),
        ("five, all", broken_in(whole_of("planned", "tagger"), lost=1), {"lost"}),
        ("bursty, all", broken_in(whole_of("planned"), dispatch_us_per_segment=20.1), {"dispatch_us_per_segment"}),
        ("bursty, all", broken_in(whole_of("planned"), dispatch_us_per_segment=None), {"dispatch_us_per_segment"}),
        ("bursty, all", broken_in(whole_of("planned"), dispatch_mean_us=20.1), {"dispatch_share_at_2ms"}),
        ("deadlines, all", first_late_once, {"first_missed"}),
        ("deadlines, all", broken_in(turns_of("planned", "tagger"), missed=2, asked=150), {"worst_missed", "missed_of_tuned_os"}),
        ("deadlines, all", broken_in(turns_of("tuned-os", "tagger"), missed=3), {"missed_of_tuned_os"}),
        ("deadlines, all", broken_in(turns_of("tuned-os", "tagger"), missed=0), {"missed_of_tuned_os"}),
    ],
)
def test_a_figure_that_is_not_reached_breaks_its_claim_and_no_other(case: str, change: Callable[[Json], None], names: set[str]) -> None:
    told = copy.deepcopy(report())
    change(told)
    assert {name for name, check in checks({case: told})[case].items() if not check["kept"]} == names


def test_who_misses_nothing_keeps_the_claim_over_a_rival_that_misses_nothing() -> None:
    told = copy.deepcopy(report())
    for name in ("planned", "tuned-os"):
        broken_in(turns_of(name, "tagger"), missed=0)(told)
    assert figures(told)["missed_of_tuned_os"] == 0.0


def overloaded(rounds: int) -> Json:
    """Let the plan's processes use too much, and miss, in so many rounds."""
    told = copy.deepcopy(report())
    for one in told["ways"]["planned"]["rounds"][:rounds]:
        one["used"] = 0.93
        one["tenants"]["detector"]["missed"] = 50
    return told


def test_rounds_whose_use_was_beyond_the_load_are_shown_apart_and_not_judged() -> None:
    told = overloaded(2)
    assert together(told) == (2, 3, 4)
    assert all(check["kept"] for check in checks({"deadlines, all": told})["deadlines, all"].values())
    tables = "\n".join(shown(found({"deadlines, all": told}))).split("apart:")
    assert "50 of 100" not in tables[0]
    assert tables[1].count("50 of 100") == 2


@pytest.mark.parametrize("rounds", [3, 5])
def test_no_claim_is_kept_by_showing_most_rounds_apart(rounds: int) -> None:
    assert not checks({"deadlines, all": overloaded(rounds)})["deadlines, all"]["rounds_together"]["kept"]


@given(solo_times, st.integers(1, 4))
def test_the_deadline_crew_asks_for_the_load_in_equal_parts(tmp_path_factory: pytest.TempPathFactory, solo_ns: Json, lanes: int) -> None:
    path = tmp_path_factory.mktemp("crew") / "deadlines.yaml"
    path.write_text(crew_text("deadlines", solo_ns, lanes))
    tenants = read_crew(path).workload.tenants
    assert nominal(path, solo_ns, lanes) == pytest.approx(LOAD, rel=1e-2)
    assert [tenant.rank for tenant in tenants] == [0, 1, 1, 1, 1]
    for tenant in tenants:
        assert isinstance(tenant.arrival, Periodic)
        assert tenant.deadline_ns == tenant.arrival.every_ns
        assert tenant.arrival.every_ns > solo_ns[tenant.name]
        assert solo_ns[tenant.name] / tenant.arrival.every_ns == pytest.approx(LOAD * lanes / len(MODELS), rel=1e-2)


@given(solo_times, st.integers(1, 4))
def test_the_bursty_crew_asks_for_its_parts_in_the_mean(tmp_path_factory: pytest.TempPathFactory, solo_ns: Json, lanes: int) -> None:
    path = tmp_path_factory.mktemp("crew") / "bursty.yaml"
    path.write_text(crew_text("bursty", solo_ns, lanes))
    tenants = {tenant.name: tenant for tenant in read_crew(path).workload.tenants}
    assert nominal(path, solo_ns, lanes) == pytest.approx(sum(BURSTY_PARTS.values()), rel=1e-2)
    assert [name for name, tenant in tenants.items() if isinstance(tenant.arrival, Bursty)] == ["classifier", "text"]
    assert isinstance(tenants["tagger"].arrival, Closed)
    assert [name for name, tenant in tenants.items() if tenant.deadline_ns is None] == ["tagger"]


@pytest.mark.parametrize("crew", ["robot", "five"])
def test_crews_that_need_no_times_are_read(tmp_path: Path, crew: str) -> None:
    path = tmp_path / "crew.yaml"
    path.write_text(crew_text(crew, {}, 2))
    tenants = read_crew(path).workload.tenants
    assert tenants[0].rank == 0
    assert isinstance(tenants[0].arrival, Periodic)
    assert all(isinstance(tenant.arrival, Closed) and tenant.floor > 0 for tenant in tenants[1:])


def test_the_five_have_three_ranks(tmp_path: Path) -> None:
    (tmp_path / "crew.yaml").write_text(crew_text("five", {}, 2))
    assert [tenant.rank for tenant in read_crew(tmp_path / "crew.yaml").workload.tenants] == [0, 1, 1, 2, 2]


@pytest.mark.parametrize("crew", COMPUTED)
def test_a_draft_names_whoever_the_crew_will_have(tmp_path: Path, crew: str) -> None:
    path = tmp_path / "crew.yaml"
    named = []
    for text in (draft(crew), crew_text(crew, dict.fromkeys(MODELS, NS_PER_MS), 2)):
        path.write_text(text)
        named.append([(tenant.name, tenant.source) for tenant in read_crew(path).workload.tenants])
    assert named[0] == named[1]


@pytest.mark.parametrize("crew", COMPUTED)
def test_more_lanes_than_so_few_tenants_can_fill_are_refused(crew: str) -> None:
    with pytest.raises(InputError, match="taskset"):
        crew_text(crew, dict.fromkeys(MODELS, NS_PER_MS), 5)


def option(tenant: str, latency_ns: int, width: int = 1) -> Option:
    artifact = Artifact(model=tenant, precision=Precision.FP32, engine="fake", memory="ram", resident_bytes=1)
    step = Step(segment=0, processor="cpu", width=width, duration_ns=latency_ns)
    return Option(tenant=tenant, artifact=artifact, chain=(step,), demand=(), latency_ns=latency_ns)


def test_periods_are_first_guessed_by_the_fastest_on_one_core() -> None:
    assert fastest_ns([option("a", 5), option("a", 3), option("a", 2, width=2), option("b", 7)]) == {"a": 3, "b": 7}


def found(reports: Json) -> Json:
    cases = {case: {"day": "a day", "crew": "", "periodic": True, "nominal": 0.85, "report": one} for case, one in reports.items()}
    return {
        "simulated": False, "machine": "made up", "lanes": 2, "versions": ["onnxruntime 1"], "rounds": ROUNDS, "seconds": 20.0,
        "cases": cases, "checks": checks(reports),
    }  # fmt: skip


def test_what_compare_tells_is_what_is_judged_and_shown(tmp_path: Path) -> None:
    usage = Usage(cpu_ns=NS_PER_S, segments=9, dispatch_ns=1000, dispatch_mean_ns=9000.0, dispatch_median_ns=8000)
    paces = {name: Pace(20, 500 if name == "planned" else 400) for name in WAYS}
    told = json.loads(json.dumps(report_json(compared(prepared(tmp_path), paces, usage=usage))))
    judged = figures(told)
    assert (judged["rounds"], judged["lost"], judged["first_missed"], judged["rounds_together"]) == (5, 0, 0, 1.0)
    assert (judged["dispatch_us_per_segment"], judged["dispatch_share_at_2ms"]) == (8.0, 9 / 2000)
    assert judged["critical_p99_of_alone"] == 500 / 400
    assert judged["stp_of_fair"] == pytest.approx(2 * 20 / 10 / told["fair_stp"])
    assert any("planned" in line and "50.0 %" in line for line in shown(found({"robot, all": told})))


def test_every_table_has_as_many_cells_in_each_of_its_rows() -> None:
    lines = list(shown(found({"robot, all": report(), "deadlines, fp32": overloaded(1)})))
    tables = [list(rows) for is_row, rows in groupby(lines, key=lambda line: line.startswith("|")) if is_row]
    assert len(tables) == 2 + 2 + 2 + 1 + 1
    for table in tables:
        assert all(above.count("|") == below.count("|") for above, below in pairwise(table))
        assert len(table) > 2


def test_what_is_there_of_a_run_is_not_measured_again_and_the_rest_is_kept(tmp_path: Path) -> None:
    measured: list[str] = []

    def measure(case: Case, folder: Path) -> Json:
        if case.crew in measured:
            raise InputError("measured", case.crew, "once")
        measured.append(case.crew)
        return {"day": "", "crew": "", "periodic": False, "nominal": None, "report": report()}

    cases = chosen("robot,five", "all", ROUNDS, 20.0)
    first = run.served(cases, tmp_path, measure)
    assert run.served(cases, tmp_path, measure) == first
    assert measured == ["robot", "five"]
    with pytest.raises(InputError):
        run.served(chosen("robot", "all", ROUNDS, 10.0), tmp_path, measure)  # another length is another measurement
    assert sorted(path.name for path in tmp_path.iterdir()) == ["five-all-5x20s.json", "robot-all-5x20s.json"]


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("--crew", "robto"), "robot"),
        (("--precision", "fp23"), "fp32"),
        (("--rounds", "0"), "--rounds: 0"),
        (("--seconds", "nan"), "--seconds: nan"),
        (("--readme", "--crew", "five"), "--readme"),
        (("--folder", "/dev/null/nowhere"), "--folder"),
    ],
)
def test_what_there_is_not_is_refused_before_anything_is_measured(arguments: tuple[str, ...], named: str) -> None:
    with pytest.raises(SystemExit, match=named):
        run.main(arguments)


def test_crews_with_figures_of_their_own_are_run_in_all_precisions_and_in_fp32() -> None:
    assert [(case.crew, case.precision) for case in chosen(None, None, 5, 20.0)] == list(USUAL)
    assert [(case.crew, case.precision) for case in chosen("five,bursty", "fp32,int8", 5, 20.0)] == [
        ("five", "fp32"), ("five", "int8"), ("bursty", "fp32"), ("bursty", "int8"),
    ]  # fmt: skip


@pytest.mark.parametrize(("p99_ms", "code"), [(12.5, 0), (13.0, 1)])
def test_a_run_ends_with_1_if_a_claim_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], p99_ms: float, code: int
) -> None:
    told = copy.deepcopy(report())
    broken_in(turns_of("planned", "detector"), p99_ms=p99_ms)(told)
    monkeypatch.setattr(run, "measured", lambda *_: {"day": "", "crew": "", "periodic": False, "nominal": None, "report": told})
    assert run.main(["--crew", "robot", "--precision", "all", "--json", "--folder", str(tmp_path)]) == code
    assert json.loads(capsys.readouterr().out)["simulated"] is False


def test_what_a_failed_run_has_measured_is_kept_and_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(case: Case, folder: Path) -> Json:
        raise InputError("model", "x", str(folder))

    monkeypatch.setattr(run, "measured", fail)
    with pytest.raises(SystemExit):
        run.main(["--crew", "robot"])
    kept = Path(capsys.readouterr().err.split("--folder ")[1].split()[0])
    assert kept.is_dir()
    kept.rmdir()
