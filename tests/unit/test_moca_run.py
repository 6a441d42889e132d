"""The comparison on MoCA's sets: what policies see, what is counted, what is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks.moca import logs, run
from benchmarks.moca.run import ALONE_NS, OURS, Cell, Values, Way
from cotenant.errors import InputError

HEADER = "qos,system,task,network,priority,arrival_cycles,target_cycles,latency_cycles,runtime_cycles,executed\n"
CELLS = (Cell(group=run.CHOSEN, set="a", qos="H", seeds=(0, 1, 2)), Cell(group=run.CHOSEN, set="b", qos="H", seeds=(0, 1, 2)))
WAYS = (Way(label=OURS, policy=OURS), Way(label=f"{OURS} first=1", policy=OURS), Way(label="edf", policy="edf"))


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Simulate in plain Python: the same trace, and nothing to compile."""
    monkeypatch.setattr(run, "compiler", lambda: None)
    run._rig.cache_clear()
    yield
    run._rig.cache_clear()


def values(*sla: float) -> Values:
    return np.array([(one, 8.0, 2.0, 0.5, 0.25, 0.1) for one in sla])


def runs(edf_in_b: tuple[float, float, float]) -> dict[str, dict[Cell, Values]]:
    a, b = CELLS
    ours = {a: values(0.9, 0.8, 0.7), b: values(0.9, 0.8, 0.7)}
    return {OURS: ours, f"{OURS} first=1": ours, "edf": {a: values(0.6, 0.5, 0.4), b: values(*edf_in_b)}}


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("label", [OURS, "edf/late-last", "moca as_published=1", "static_partition as_published=1", "planaria", "relmas"])
def test_no_policy_sees_a_future_arrival(label: str) -> None:
    """What starts before the seventh request comes is the same whether or not any more come."""
    (way,) = (way for way in run.all_ways() if way.label == label)
    log = logs.drawn("a", seed=2, count=12)
    until_ns = log.requests[6].arrival_ns
    all_of_them, six = (run.run(way, log.tenants, log.requests[:count]).spans for count in (12, 6))
    begun = [spans[spans["start_ns"] < until_ns][["request", "position", "lane", "start_ns"]] for spans in (all_of_them, six)]
    assert len(begun[0])
    assert sorted(begun[0].tolist()) == sorted(begun[1].tolist())


@pytest.mark.usefixtures("plain")
def test_a_rig_knows_names_and_deadlines_and_no_rates() -> None:
    early, late = (logs.drawn("a", seed=seed) for seed in (0, 2))
    assert [t.name for t in early.tenants] == [t.name for t in late.tenants]
    assert run.rig_of(early.tenants) is run.rig_of(late.tenants)
    assert {share.rate_per_s for share in run.rig_of(early.tenants).lineup.shares} == {0.0}


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("network", ALONE_NS)
def test_alone_on_two_tiles_each_network_takes_what_was_measured(network: str) -> None:
    assert run.alone_ns(network) == pytest.approx(ALONE_NS[network], rel=0.1)


@pytest.mark.usefixtures("plain")
def test_slowdowns_in_the_log_are_set_beside_simulated_ones(tmp_path: Path) -> None:
    """A request by itself is not slowed down; the log says that it took twice its time."""
    twice_ns = 2 * ALONE_NS["yolo_lite"]
    lines = [f"{qos},static,0,yolo_lite,8,0,8000000,{twice_ns},{twice_ns},1\n" for qos in logs.QOS]
    (tmp_path / "tasks_a.csv").write_text(HEADER + "".join(lines))
    found = run.inflation(tmp_path, "a")
    assert found["networks"]["yolo_lite"] == {"simulated": pytest.approx(1, abs=1e-4), "logged": 2, "error": pytest.approx(-0.5, abs=1e-4)}
    assert found["median_error"] == pytest.approx(0.5, abs=1e-4)


def test_what_was_never_executed_was_not_in_time(tmp_path: Path) -> None:
    in_time, late, never = "10,10,1", "9000000,10,1", "10,10,0"
    lines = [f"M,moca,0,yolo_lite,8,{at},8000000,{how}\n" for at, how in enumerate((in_time, late, never, in_time))]
    (tmp_path / "tasks_a.csv").write_text(HEADER + "".join(lines))
    assert run.logged_sla(logs.read(tmp_path, "a", "M", "moca")) == 0.5


@pytest.mark.parametrize(
    ("level", "freedom", "t"),
    [(0.95, 1, 12.706), (0.99, 1, 63.657), (0.99, 2, 9.925), (0.95, 5, 2.571), (0.99, 29, 2.756), (0.95, 30, 2.042)],
)
def test_students_t_is_that_of_the_tables(level: float, freedom: int, t: float) -> None:
    assert run.student(level, freedom) == pytest.approx(t, abs=6e-4)


def test_an_interval_is_of_the_mean_and_needs_two_values() -> None:
    """1 and 3: mean 2, standard deviation sqrt 2, over sqrt 2 values: one; times 12.706."""
    assert run.bounded(np.array([1.0, 3.0]), 0.95) == pytest.approx((2 - 12.706, 2 + 12.706), abs=1e-3)
    assert run.bounded(np.array([1.0]), 0.95) is None


def test_differences_are_paired_by_seed() -> None:
    """Ours is 0.1 above at every seed, however much the seeds differ: the interval has no width."""
    found = run.part(WAYS, runs((0.8, 0.7, 0.6)), CELLS)["against"]["edf"]
    assert found["cells"]["B/H"] == {"difference": pytest.approx(0.1), "ci99": pytest.approx([0.1, 0.1])}
    assert found["difference"] == pytest.approx((0.3 + 0.1) / 2)


def test_every_cell_lost_is_told_with_whether_it_is_beyond_the_margin_for_sure() -> None:
    near, far = (run.part(WAYS, runs(edf), CELLS)["lost"] for edf in ((0.905, 0.805, 0.705), (0.95, 0.85, 0.75)))
    assert [(x["policy"], x["cell"], x["by"], x["beyond_margin"]) for x in near] == [("edf", "B/H", pytest.approx(0.005), False)]
    assert [(x["policy"], x["cell"], x["by"], x["beyond_margin"]) for x in far] == [("edf", "B/H", pytest.approx(0.05), True)]


@pytest.mark.parametrize(("edf", "kept"), [((0.9, 0.8, 0.7), True), ((0.95, 0.85, 0.75), False)])
def test_a_cell_lost_by_more_than_the_margin_is_not_kept(edf: tuple[float, float, float], kept: bool) -> None:
    calibration = {"alone": {"resnet50": -0.02}}
    found = run.checks({run.CHOSEN: run.part(WAYS, runs(edf), CELLS), "calibration": calibration})
    assert found["no_cell_more_than_0.01_below"]["kept"] is kept
    assert found["mean_highest"]["found"].keys() == {"edf"}, "a variant of ours is no rival"
    assert found["alone_within_10_percent"] == {"found": {"resnet50": 0.02}, "at_most": 0.1, "kept": True}
    assert not found.keys() & {"stp_at_least_moca", "static_sla_difference"}, "not simulated, so not judged"


def test_the_tables_hold_every_policy_and_every_loss() -> None:
    of = run.part(WAYS, runs((0.95, 0.85, 0.75)), CELLS)
    found = {"simulated": True, "seeds": 3, run.CHOSEN: of, "logged": None, "calibration": {"alone": {"resnet50": -0.02}}}
    lines = list(run.shown(found | {"checks": run.checks(found)}))
    assert f"| {OURS} | 0.800 ± 0.248 | 0.800 ± 0.248 | 0.800 ± 0.248 | 8.00 | 2.00 | 0.500 | 0.250 | 0.100 |" in lines
    assert "| edf | B/H | 0.0500 | -0.0500 to -0.0500 | yes |" in lines
    assert "Alone on two tiles, error: resnet50 -2.0%" in lines


def test_every_policy_is_there_with_its_variant_and_ours_always() -> None:
    labels = [way.label for way in run.all_ways()]
    assert {"edf", "edf/late-last", "moca as_published=1", "static_partition as_published=1", f"{OURS} first=1"} <= set(labels)
    assert len(labels) == len(set(labels))
    assert [way.label for way in run.chosen("edf, moca")] == [OURS, "edf", "moca"]


def test_an_unknown_policy_and_a_single_seed_are_refused() -> None:
    with pytest.raises(InputError, match=r"^--policies: mocha; did you mean moca"):
        run.chosen("mocha")
    with pytest.raises(InputError, match=r"^--seeds: 1; 2 or more"):
        run.measured(WAYS, 1)
