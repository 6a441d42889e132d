"""The comparison on MoCA's sets: what policies see, what is counted, what is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.moca import calibration, logs, run, runs, ways
from benchmarks.moca.cells import CHOSEN, GROUPS, HELD, LOADS, OTHER, Cell, drawn_cells, logged_cells, logs_of
from benchmarks.moca.claims import EXPECTED, MEASURED, checks
from benchmarks.moca.comparison import MOCAS, OVER, Json, part
from benchmarks.moca.runs import ALONE_NS, FIGURES, Values
from benchmarks.moca.tables import shown
from benchmarks.moca.ways import OURS, Way
from benchmarks.readme import END, START, filled
from cotenant.errors import InputError

HEADER = "qos,system,task,network,priority,arrival_cycles,target_cycles,latency_cycles,runtime_cycles,executed\n"
CELLS = (Cell(group=CHOSEN, set="a", qos="H", seeds=(0, 1, 2)), Cell(group=CHOSEN, set="b", qos="H", seeds=(0, 1, 2)))
WAYS = (Way(label=OURS, policy=OURS), Way(label=f"{OURS} first=1", policy=OURS), Way(label="edf", policy="edf"))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Simulate in plain Python: the same trace, and nothing to compile."""
    monkeypatch.setattr(runs, "compiler", lambda: None)
    runs._rig.cache_clear()
    yield
    runs._rig.cache_clear()


def values(*sla: float) -> Values:
    return np.array([(one, 8.0, 2.0, 0.5, 0.25, 0.1) for one in sla])


def runs_of(edf_in_b: tuple[float, ...]) -> dict[str, dict[Cell, Values]]:
    a, b = CELLS
    ours = {a: values(0.9, 0.8, 0.7), b: values(0.9, 0.8, 0.7)}
    return {OURS: ours, f"{OURS} first=1": ours, "edf": {a: values(0.6, 0.5, 0.4), b: values(*edf_in_b)}}


LEVEL, AHEAD, FAR_AHEAD = (0.9, 0.8, 0.7), (0.905, 0.805, 0.705), (0.95, 0.85, 0.75)


def found_of(**edf_in_b: tuple[float, ...]) -> Json:
    """Return what would be found if edf did so in set B of each group named."""
    groups = {group: part(WAYS, runs_of(sla), CELLS) for group, sla in edf_in_b.items()}
    return {"simulated": True, "seeds": 3, "logged": None, "calibration": {"alone": {"resnet50": -0.02}}, **groups}


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("label", [OURS, "edf/late-last", "moca as_published=1", "static_partition as_published=1", "planaria", "relmas"])
def test_no_policy_sees_a_future_arrival(label: str) -> None:
    """What starts before the seventh request comes is the same whether or not any more come."""
    (way,) = (way for way in ways.all_ways() if way.label == label)
    log = logs.drawn("a", seed=2, count=12)
    until_ns = log.requests[6].arrival_ns
    all_of_them, six = (runs.run(way, log.tenants, log.requests[:count]).spans for count in (12, 6))
    begun = [spans[spans["start_ns"] < until_ns][["request", "position", "lane", "start_ns"]] for spans in (all_of_them, six)]
    assert len(begun[0])
    assert sorted(begun[0].tolist()) == sorted(begun[1].tolist())


@pytest.mark.usefixtures("plain")
def test_a_rig_knows_names_and_deadlines_and_no_rates() -> None:
    early, late = (logs.drawn("a", seed=seed) for seed in (0, 2))
    assert [t.name for t in early.tenants] == [t.name for t in late.tenants]
    assert runs.rig_of(early.tenants) is runs.rig_of(late.tenants)
    assert {share.rate_per_s for share in runs.rig_of(early.tenants).lineup.shares} == {0.0}


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("network", ALONE_NS)
def test_alone_on_two_tiles_each_network_takes_what_was_measured(network: str) -> None:
    assert calibration.alone_ns(network) == pytest.approx(ALONE_NS[network], rel=0.1)


@pytest.mark.usefixtures("plain")
def test_slowdowns_in_the_log_are_set_beside_simulated_ones(tmp_path: Path) -> None:
    """A request by itself is not slowed down; the log says that it took twice its time."""
    twice_ns = 2 * ALONE_NS["yolo_lite"]
    lines = [f"{qos},static,0,yolo_lite,8,0,8000000,{twice_ns},{twice_ns},1\n" for qos in logs.QOS]
    (tmp_path / "tasks_a.csv").write_text(HEADER + "".join(lines))
    found = calibration.inflation(tmp_path, "a")
    assert found["networks"]["yolo_lite"] == {"simulated": pytest.approx(1, abs=1e-4), "logged": 2, "error": pytest.approx(-0.5, abs=1e-4)}
    assert found["median_error"] == pytest.approx(0.5, abs=1e-4)


def test_what_was_never_executed_was_not_in_time(tmp_path: Path) -> None:
    in_time, late, never = "10,10,1", "9000000,10,1", "10,10,0"
    lines = [f"M,moca,0,yolo_lite,8,{at},8000000,{how}\n" for at, how in enumerate((in_time, late, never, in_time))]
    (tmp_path / "tasks_a.csv").write_text(HEADER + "".join(lines))
    assert calibration.logged_sla(logs.read(tmp_path, "a", "M", "moca")) == 0.5


def test_differences_are_paired_by_seed() -> None:
    """Ours is 0.1 above at every seed, however much the seeds differ: the interval has no width."""
    found = part(WAYS, runs_of((0.8, 0.7, 0.6)), CELLS)["against"]["edf"]
    assert found["cells"]["B/H"] == {"difference": pytest.approx(0.1), "ci99": pytest.approx([0.1, 0.1])}
    assert found["difference"] == pytest.approx((0.3 + 0.1) / 2)


def test_every_cell_lost_is_told_with_whether_it_is_beyond_the_margin_for_sure() -> None:
    near, far = (part(WAYS, runs_of(edf), CELLS)["lost"] for edf in (AHEAD, FAR_AHEAD))
    assert [(x["policy"], x["cell"], x["by"], x["beyond_margin"]) for x in near] == [("edf", "B/H", pytest.approx(0.005), False)]
    assert [(x["policy"], x["cell"], x["by"], x["beyond_margin"]) for x in far] == [("edf", "B/H", pytest.approx(0.05), True)]


@pytest.mark.parametrize(("edf", "kept"), [(LEVEL, True), (FAR_AHEAD, False)])
def test_a_cell_lost_by_more_than_the_margin_is_not_kept(edf: tuple[float, ...], kept: bool) -> None:
    found = checks(found_of(chosen=edf))
    assert found["no_cell_more_than_0.01_below"]["kept"] is kept
    assert found["mean_highest"]["where"][CHOSEN]["found"].keys() == {"edf"}, "a variant of ours is no rival"
    assert found["alone_within_10_percent"]["where"] == {MEASURED: {"found": {"resnet50": 0.02}, "lost": {}, "kept": True}}
    assert not found.keys() & {"stp_at_least_moca", "static_sla_difference"}, "not simulated, so not judged"


@pytest.mark.parametrize("lost", GROUPS)
def test_each_group_of_cells_is_judged_by_itself_and_one_that_is_lost_loses_the_claim(lost: str) -> None:
    check = checks(found_of(**(dict.fromkeys(GROUPS, LEVEL) | {lost: FAR_AHEAD})))["no_cell_more_than_0.01_below"]
    assert {place: of["kept"] for place, of in check["where"].items()} == {group: group != lost for group in GROUPS}
    assert check["where"][lost]["lost"] == {"edf B/H": pytest.approx(-0.05)}
    assert not check["kept"]


@pytest.mark.parametrize("lost", GROUPS)
def test_the_script_fails_where_any_group_is_lost(lost: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def exits(found: Json) -> int:
        monkeypatch.setattr(run, "measured", lambda *_, **__: found | {"checks": checks(found)})
        return run.main([])

    all_kept = dict.fromkeys(GROUPS, LEVEL)
    assert exits(found_of(**all_kept)) == 0
    assert exits(found_of(**(all_kept | {lost: FAR_AHEAD}))) == 1


def test_the_highest_mean_is_told_with_its_interval_and_whether_nought_is_outside() -> None:
    """In set A ours is 0.3 above, seed by seed. In B it is 0.1 above each time, or 0.4 above, below and above."""
    sure, unsure = (checks(found_of(chosen=edf))["mean_highest"]["where"][CHOSEN] for edf in ((0.8, 0.7, 0.6), (0.5, 1.2, 0.3)))
    assert (sure["found"], sure["zero_outside"], sure["zero_inside"]) == ({"edf": pytest.approx(0.2)}, True, [])
    assert sure["ci99"] == pytest.approx([0.2, 0.2])
    assert unsure["found"] == {"edf": pytest.approx((0.3 + 0.4 / 3) / 2, abs=1e-5)}
    assert unsure["ci99"][0] < 0 < unsure["ci99"][1]
    assert (unsure["kept"], unsure["zero_outside"], unsure["zero_inside"]) == (True, False, ["edf"])


def test_ours_is_set_over_each_of_mocas_ways_by_itself() -> None:
    """Late-last has a higher STP than ours, plain MoCA a lower one: only the claim that names late-last is lost."""
    stp = {"moca": 4.0, "moca as_published=1": 8.0, "moca/late-last": 10.0}
    mocas = {label: {cell: values(0.5, 0.5, 0.5) for cell in CELLS} for label in stp}
    for label, own in mocas.items():
        for rows in own.values():
            rows[:, FIGURES.index("stp")] = stp[label]
    compared = part((*WAYS, *(Way(label=label, policy="moca") for label in stp)), runs_of(LEVEL) | mocas, CELLS)
    assert {label: of["stp"] for label, of in compared["over_moca"].items()} == {
        "moca": 2.0,
        "moca as_published=1": 1.0,
        "moca/late-last": 0.8,
    }
    found = checks(found_of() | {HELD: compared})
    kept = {name: check["kept"] for name, check in found.items() if name.startswith("stp")}
    assert kept == {"stp_at_least_moca": True, "stp_at_least_moca_as_published": True, "stp_at_least_moca_late_last": False}
    assert found["stp_at_least_moca_late_last"]["where"] == {
        HELD: {"found": {"moca/late-last": 0.8}, "lost": {"moca/late-last": 0.8}, "kept": False}
    }


def test_every_claim_about_moca_names_a_way_and_a_figure_and_all_are_claimed() -> None:
    claims = json.loads(EXPECTED.read_text()).values()
    named = [(claim["figure"], claim["over"]) for claim in claims if "over" in claim]
    assert sorted(named) == sorted((figure, label) for figure in OVER if figure != "sla" for label in MOCAS)
    assert set(MOCAS) <= {way.label for way in ways.all_ways()}


def test_the_tables_hold_every_policy_and_every_loss() -> None:
    found = found_of(chosen=FAR_AHEAD, set_c=LEVEL)
    lines = list(shown(found | {"checks": checks(found)}))
    assert f"| {OURS} | 0.800 ± 0.248 | 0.800 ± 0.248 | 0.800 ± 0.248 | 8.00 | 2.00 | 0.500 | 0.250 | 0.100 |" in lines
    assert "| edf | B/H | 0.0500 | -0.0500 to -0.0500 | yes |" in lines
    assert "- Alone on two tiles, error: resnet50 -2.0%" in lines


def test_the_tables_hold_every_claim_that_is_not_kept() -> None:
    """On the mean of sets, ours is 0.15 above where edf is level in B, and (0.3 - 0.05) / 2 where it is ahead."""
    found = found_of(chosen=FAR_AHEAD, set_c=LEVEL)
    lines = list(shown(found | {"checks": checks(found)}))
    below = lines[lines.index("Not kept:") :]
    assert "| mean_highest | Set C | edf: 0.1500 (99 %: 0.1500 to 0.1500; 0 is outside) | at least 0.0 | kept |" in lines
    assert below[4:] == ["| no_cell_more_than_0.01_below | Sets A and B, seeds 0 on | edf B/H | -0.0500 | at least -0.01 |"]
    assert list(shown(found_of(chosen=LEVEL) | {"checks": checks(found_of(chosen=LEVEL))}))[-1] == "none"


def test_the_cells_of_a_group_are_its_sets_at_every_qos_and_load_with_its_seeds() -> None:
    held = drawn_cells([HELD], 2)
    names = ("A/H", "A/M", "A/L", "B/H", "B/M", "B/L")
    assert [(cell.name, cell.seeds) for cell in held] == [(name, (1000, 1001)) for name in names]
    assert [cell.name for cell in drawn_cells([LOADS], 2)] == [f"{name}{load}" for load in (" x0.8", "", " x1.2") for name in names]
    assert [cell.name for cell in drawn_cells([OTHER], 2)] == ["C/H", "C/M", "C/L"]
    assert {cell.seeds for cell in logged_cells()} == {()}


def test_at_a_load_the_same_requests_come_so_much_sooner() -> None:
    """But for the first of each chain, and the chance that each comes a little early."""
    at_one, above = (logs_of(cell, None)[0] for cell in drawn_cells([LOADS], 1) if cell.name in {"B/M", "B/M x1.2"})
    spans = [log.requests[-1].arrival_ns - log.requests[0].arrival_ns for log in (at_one, above)]
    assert spans[0] / spans[1] == pytest.approx(1.2, rel=0.1)


def test_the_page_has_its_markers() -> None:
    assert filled(run.PAGE.read_text(), ["new"])


def test_a_run_puts_its_tables_into_the_page_whether_or_not_all_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    found = found_of(chosen=FAR_AHEAD)
    copy = tmp_path / "README.md"
    copy.write_text(f"text\n{START}\nold\n{END}\n")
    monkeypatch.setattr(run, "PAGE", copy)
    monkeypatch.setattr(logs, "find", lambda: tmp_path)
    monkeypatch.setattr(run, "measured", lambda *_, **__: found | {"checks": checks(found)})
    assert run.main(["--readme"]) == 1
    lines = copy.read_text().splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("text", START, END)
    assert set(shown(found | {"checks": checks(found)})) <= set(lines)
    assert "old" not in lines


@pytest.mark.parametrize("partly", [["--quick"], ["--policies", "edf"]])
def test_a_part_of_the_comparison_does_not_go_into_the_page(partly: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"^--readme: a part of the comparison"):
        run.main(["--readme", *partly])


def test_every_policy_is_there_with_its_variant_and_ours_always() -> None:
    labels = [way.label for way in ways.all_ways()]
    assert {"edf", "edf/late-last", "moca as_published=1", "static_partition as_published=1", f"{OURS} first=1"} <= set(labels)
    assert len(labels) == len(set(labels))
    assert [way.label for way in ways.chosen("edf, moca")] == [OURS, "edf", "moca"]


def test_an_unknown_policy_and_a_single_seed_are_refused() -> None:
    with pytest.raises(InputError, match=r"^--policies: mocha; did you mean moca"):
        ways.chosen("mocha")
    with pytest.raises(InputError, match=r"^--seeds: 1; 2 or more"):
        run.measured(WAYS, 1)
