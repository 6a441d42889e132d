"""MoCA's logs as tenants and requests, and more of the same kind."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from benchmarks.moca import logs
from cotenant.describe.files import board
from cotenant.errors import InputError

HEADER = "qos,system,task,network,priority,arrival_cycles,target_cycles,latency_cycles,runtime_cycles,executed\n"
LINES = """\
H,static,0,yolo_lite,8,0,8000,1700,1600,1
M,static,0,yolo_lite,8,0,10000,1700,1600,1
M,moca,0,yolo_lite,8,0,10000,20,10,0
M,static,1,alexnet,11,70,30000,31000,5000,1
M,static,2,yolo_lite,0,50,10000,1800,1500,1
M,static,3,yolo_lite,8,900,10000,1900,1650,1
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tasks_a.csv").write_text(HEADER + LINES)
    return tmp_path


def test_a_log_becomes_a_tenant_for_each_network_and_priority(folder: Path) -> None:
    found = logs.read(folder, "a", "M", "static").tenants
    told = [(t.name, t.source.model, t.rank, t.deadline_ns) for t in found]
    assert told == [
        ("alexnet-p11", "board:alexnet", 0, 30000),
        ("yolo_lite-p8", "board:yolo_lite", 3, 10000),
        ("yolo_lite-p0", "board:yolo_lite", 11, 10000),
    ]


def test_requests_come_in_order_of_arrival_with_their_outcomes(folder: Path) -> None:
    log = logs.read(folder, "a", "M", "static")
    assert [(r.id, r.tenant, r.arrival_ns, r.due_ns) for r in log.requests] == [
        (0, "yolo_lite-p8", 0, 10000),
        (1, "yolo_lite-p0", 50, 10050),
        (2, "alexnet-p11", 70, 30070),
        (3, "yolo_lite-p8", 900, 10900),
    ]
    assert [(o.latency_ns, o.runtime_ns) for o in log.outcomes] == [(1700, 1600), (1800, 1500), (31000, 5000), (1900, 1650)]
    assert logs.told(log) == "a M static: 4 requests of 3 tenants in 0 ms, 3 met their deadlines, 4 ran"


def test_a_tenant_replays_its_own_requests(folder: Path) -> None:
    log = logs.read(folder, "a", "M", "static")
    for tenant in log.tenants:
        assert tenant.arrival.requests == tuple(r for r in log.requests if r.tenant == tenant.name)  # type: ignore[union-attr]


def test_what_never_ran_there_is_told_apart(folder: Path) -> None:
    assert [o.executed for o in logs.read(folder, "a", "M", "moca").outcomes] == [False]


@pytest.mark.parametrize(
    ("set", "qos", "system", "story"),
    [
        ("d", "M", "static", "set: d; "),
        ("a", "X", "static", "qos: X; "),
        ("a", "M", "mocha", "system: mocha; did you mean moca"),
        ("a", "L", "moca", "logs: .*: none of QoS L under moca; "),
        ("b", "M", "moca", "logs: .*tasks_b.csv: no such file"),
    ],
)
def test_what_is_not_logged_is_refused(folder: Path, set: str, qos: str, system: str, story: str) -> None:
    with pytest.raises(InputError, match=f"^{story}"):
        logs.read(folder, set, qos, system)


@pytest.mark.parametrize(
    ("text", "story"),
    [
        ("", "1: empty; a column qos"),
        (HEADER.replace("priority", "rank") + LINES, "1: qos,.*; a column priority"),
        (HEADER + "M,static,0,alexnet,12,0,1,1,1,1", "2: 12; priority: 0 to 11"),
        (HEADER + "M,static,0,alexnet,1,-5,1,1,1,1", "2: -5; arrival_cycles: 0 to "),
        (HEADER + "M,static,0,alexnet,1,0,0,1,1,1", "2: 0; target_cycles: 1 to "),
        (HEADER + "M,static,0,alexnet,1,0,1,1.5,1,1", "2: 1.5; latency_cycles: a whole number"),
        (HEADER + "M,static,0,alexnet,1,0,1,1,soon,1", "2: soon; a number"),
        (HEADER + "M,static,0,alexnet,1,0,1,1,1,2", "2: 2; executed: 0 to 1"),
        (HEADER + "M,static,0,alexnet,1,0,1,1,1", "2: M,.*; 10 cells, one for each column"),
    ],
)
def test_a_damaged_log_is_refused_by_file_and_line(folder: Path, text: str, story: str) -> None:
    (folder / "tasks_a.csv").write_text(text)
    with pytest.raises(InputError, match=f"^logs: .*tasks_a.csv:{story}"):
        logs.read(folder, "a", "M", "static")


def test_logs_that_are_not_there_are_told_in_one_line(tmp_path: Path, folder: Path) -> None:
    assert logs.find(folder) == folder
    with pytest.raises(InputError) as refused:
        logs.find(tmp_path / "elsewhere")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("set", logs.PARTS)
def test_the_same_seed_draws_the_same_workload_and_a_qos_moves_deadlines_alone(set: str) -> None:
    one, again, other = (logs.drawn(set, seed=seed) for seed in (1, 1, 2))
    assert one == again
    assert one.requests != other.requests
    high = logs.drawn(set, "H", seed=1)
    assert [(r.tenant, r.arrival_ns) for r in high.requests] == [(r.tenant, r.arrival_ns) for r in one.requests]
    assert {t.name: t.deadline_ns for t in high.tenants} == {t.name: round((t.deadline_ns or 0) * 0.8) for t in one.tenants}


def test_drawn_networks_and_priorities_come_as_often_as_their_parts_of_a_byte() -> None:
    """Modulo 108, the bytes 0 to 39 come three times, the others twice: 45 of 256 for 0 (15 parts of 3), 20 for 11 (10 of 2)."""
    requests = logs.drawn("a", seed=0, count=20_000).requests
    priorities = Counter(int(r.tenant.rpartition("-p")[2]) for r in requests)
    assert priorities.keys() == logs.PRIORITY_PARTS.keys()
    assert priorities[0] / len(requests) == pytest.approx(45 / 256, abs=0.01)
    assert priorities[11] / len(requests) == pytest.approx(20 / 256, abs=0.01)
    networks = Counter(r.tenant.rpartition("-p")[0] for r in requests)
    assert networks["squeezenet"] / len(requests) == pytest.approx(118 / 256, abs=0.05), "28 parts of 4 bytes and 2 of 3, but it waits less"


@pytest.mark.parametrize(("set", "load"), [("a", 0.838), ("b", 0.757)])
def test_a_drawn_workload_is_about_as_heavy_as_the_logged_one(set: str, load: float) -> None:
    """The logs' load is work alone on two tiles over four servers' time until the last arrival; see shared/data/moca_soc."""
    moca = board("moca_soc")
    alone_ns = {network.name: network.duration_ns(moca.planned(network)) for network in moca.networks}
    loads = []
    for seed in range(5):
        requests = logs.drawn(set, seed=seed).requests
        work_ns = sum(alone_ns[r.tenant.rpartition("-p")[0]] for r in requests)
        loads.append(work_ns / 4 / requests[-1].arrival_ns)
    assert sum(loads) / len(loads) == pytest.approx(load, abs=0.08)


def test_a_greater_factor_spreads_arrivals() -> None:
    near, far = (logs.drawn("b", seed=3, factor=factor).requests[-1].arrival_ns for factor in (1.0, 2.0))
    assert far > 1.5 * near


def test_a_workload_of_nothing_or_of_no_set_is_refused() -> None:
    with pytest.raises(InputError, match=r"^count: 0; 1 or more"):
        logs.drawn("a", seed=0, count=0)
    with pytest.raises(InputError, match=r"^set: d; "):
        logs.drawn("d", seed=0)
