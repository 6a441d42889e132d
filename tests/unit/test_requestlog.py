"""Logs of requests: what is read, and what is refused with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from cotenant.describe import Closed, External, Replay, Request, Source, Tenant, Work, Workload
from cotenant.describe.files import read_requests
from cotenant.describe.requestlog import logged
from cotenant.errors import InputError

MS = 1_000_000
SOURCE = Source(model="zoo:x")
TENANTS = (
    Tenant(name="a", source=SOURCE, arrival=External()),
    Tenant(name="b, c", source=SOURCE, arrival=External(), rank=2, deadline_ns=5 * MS),
)


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log.csv"


def read(log: Path, text: str) -> tuple[Request, ...]:
    log.write_text(text)
    return read_requests(log, TENANTS)


def refusal(log: Path, content: str | bytes) -> str:
    log.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InputError) as refused:
        read_requests(log, TENANTS)
    line = str(refused.value)
    assert line.isprintable()
    assert line.startswith(f"requests: {log}")
    return line.removeprefix(f"requests: {log}")


def test_every_column_is_read_in_any_order(log: Path) -> None:
    text = 'exit_stage,rank,work_scale,tenant,deadline_us,arrival_ms\n3,2,1.5,"b, c",250,0.5\n,,,a,,0.25\n'
    assert read(log, text) == (
        Request(id=0, tenant="a", arrival_ns=MS // 4),
        Request(id=1, tenant="b, c", arrival_ns=MS // 2, due_ns=MS * 3 // 4, work_scale=1.5, exit_stage=3),
    )


@pytest.mark.parametrize(("column", "unit_ns"), [("", 1), ("_ns", 1), ("_us", 10**3), ("_ms", MS), ("_s", 10**9)])
def test_every_time_may_be_in_any_unit(log: Path, column: str, unit_ns: int) -> None:
    for kind, due in (("due", 7), ("deadline", 9)):
        (one,) = read(log, f"tenant,arrival{column},{kind}{column}\na,2,7\n")
        assert (one.arrival_ns, one.due_ns) == (2 * unit_ns, due * unit_ns)


def test_without_a_due_time_the_deadline_of_the_tenant_holds(log: Path) -> None:
    for text in ('tenant,arrival_ms\na,1\n"b, c",1\n', 'tenant,arrival_ms,due_ms\na,1,\n"b, c",1,\n'):
        assert [request.due_ns for request in read(log, text)] == [None, 6 * MS]


def test_requests_come_in_the_order_in_which_a_workload_lists_them(log: Path) -> None:
    requests = read(log, 'tenant,arrival,work_scale\n"b, c",2,1\na,2,2\n"b, c",0,3\na,2,4\n')
    assert [(r.id, r.tenant, r.arrival_ns, r.work_scale) for r in requests] == [
        (0, "b, c", 0, 3.0), (1, "a", 2, 2.0), (2, "a", 2, 4.0), (3, "b, c", 2, 1.0),
    ]  # fmt: skip
    made = Workload(tenants=logged(TENANTS, log))
    assert made.requests(3) == tuple(made.stream()) == requests
    assert made.requests(2) == requests[:1]


def test_a_load_moves_a_log_and_keeps_its_deadlines(log: Path) -> None:
    log.write_text('tenant,arrival_ms,due_ms\na,4,5\n"b, c",8,\n')
    loaded = Workload(tenants=logged(TENANTS, log)).scaled(2.0).requests(10**9)
    assert [(r.arrival_ns, r.due_ns) for r in loaded] == [(2 * MS, 3 * MS), (4 * MS, 9 * MS)]


def test_what_a_tenant_draws_comes_on_top_of_its_log(log: Path) -> None:
    log.write_text("tenant,arrival_ms,work_scale,exit_stage\na,1,,\na,2,10,\na,3,,7\n")
    (tenant, _) = logged(TENANTS, log)
    varied = Tenant(name="a", source=SOURCE, arrival=tenant.arrival, work=Work(spread=0.01, exits=((1, 1.0),)))
    requests = Workload(tenants=(varied,)).requests(10**9)
    assert [request.work_scale for request in requests] == pytest.approx([1, 10, 1], rel=0.1)
    assert all(request.work_scale not in (1, 10) for request in requests)
    assert [request.exit_stage for request in requests] == [1, 1, 7]


def test_a_tenant_that_a_log_does_not_name_stays_as_it_is(log: Path) -> None:
    log.write_text("tenant,arrival_ms\na,1\n")
    idle = Tenant(name="c", source=SOURCE, arrival=Closed())
    first, *others = logged((*TENANTS, idle), log)
    assert isinstance(first.arrival, Replay)
    assert others == [TENANTS[1], idle]


@pytest.mark.parametrize(
    ("content", "story"),
    [
        ("", ":1: empty; a column tenant"),
        ("\n\n", ":1: empty; a column tenant"),
        ("arrival_ms\n1", ":1: arrival_ms; a column tenant"),
        ("tenant\na", ":1: tenant; a column arrival_ms"),
        ("tenant,arival_ms\na,1", ":1: tenant,arival_ms; a column arrival_ms"),
        ("tenant,time_ms\na,1", ":1: tenant,time_ms; a column arrival_ms"),
        ("tenant;arrival_ms\na;1", ":1: tenant;arrival_ms; commas between columns"),
        ("tenant,arrival_ms,due_ns;rank\na,1,", ":1: tenant,arrival_ms,due_ns;rank; commas between columns"),
        ("tenant,arrival_ms,do_ms\na,1,2", ":1: do_ms; did you mean due_ms? known: arrival, arrival_ns, "),
        ("tenant,arrival_ms,\na,1,", ":1: a column without a name; "),
        ("tenant,arrival_ms,prio\na,1,0", ":1: prio; did you mean priority? known: "),
        ("tenant,arrival_ms,arrival_s\na,1,1", ":1: arrival_s; one column that says it; another does already"),
        ("tenant,arrival_ms,due_ms,deadline_ms\na,1,2,1", ":1: deadline_ms; one column that says it; another does already"),
        ("tenant,arrival_ms,rank,priority\na,1,0,0", ":1: priority; one column that says it; another does already"),
        ("tenant,arrival_ms\n", ":1: tenant,arrival_ms; at least one request below it"),
        ("tenant,arrival_ms\n\na\n", ":3: a; 2 cells, one for each column"),
        ("tenant,arrival_ms\na,1,2\n", ":2: a,1,2; 2 cells, one for each column"),
        ("tenant,arrival_ms\nb,1\n", ":2: b; tenant: known: a, b, c"),
        ("tenant,arrival_ms\n,1\n", ":2: empty; tenant: known: a, b, c"),
        ("tenant,arrival_ms\na,\n", ":2: empty; arrival_ms: the instant at which it arrives"),
        ("tenant,arrival_ms\na,1\na,-1\n", ":3: -1; arrival_ms: an instant of 0 or more, at most 100 years"),
        ("tenant,arrival_ms\na,soon\n", ":2: soon; arrival_ms: a number"),
        ("tenant,arrival_ms\na,nan\n", ":2: nan; arrival_ms: an instant of 0 or more"),
        ("tenant,arrival_s\na,1e999999999999\n", ":2: 1e999999999999; arrival_s: an instant of 0 or more"),
        ("tenant,arrival_ms,due_s\na,1,0.001\n", ":2: 0.001; due_s: an instant after the arrival"),
        ("tenant,arrival_ms,deadline_s\na,1,0\n", ":2: 0; deadline_s: longer than 0"),
        ("tenant,arrival_ms,deadline_ms\na,1,-2\n", ":2: -2; deadline_ms: longer than 0, at most 100 years"),
        ("tenant,arrival_ms,due_ms\na,1,-2\n", ":2: -2; due_ms: an instant of 0 or more"),
        ("tenant,arrival_ms,rank\na,1,1\n", ":2: 1; rank: 0, the rank of a: all requests of a tenant have its rank"),
        ("tenant,arrival_ms,priority\na,1,high\n", ":2: high; priority: a number"),
        ("tenant,arrival_ms,work_scale\na,1,0\n", ":2: 0; work_scale: 0.000001 to 1000000"),
        ("tenant,arrival_ms,work_scale\na,1,inf\n", ":2: inf; work_scale: 0.000001 to 1000000"),
        ("tenant,arrival_ms,exit_stage\na,1,1.5\n", ":2: 1.5; exit_stage: a whole number"),
        ("tenant,arrival_ms,exit_stage\na,1,-1\n", ":2: -1; exit_stage: 0 to 1000000"),
        (b"tenant,arrival_ms\na,\xff\n", ":2: byte 0xff; text in UTF-8"),
        ('tenant,arrival_ms\n"' + "a" * 200_000, ":2: field larger than field limit (131072); comma-separated values"),
    ],
)  # fmt: skip
def test_a_damaged_log_is_refused_with_file_and_line(log: Path, content: str | bytes, story: str) -> None:
    assert refusal(log, content).startswith(story)


def test_a_log_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^requests: .*gone.csv: no such file or directory; a file that can be read$"):
        read_requests(tmp_path / "gone.csv", TENANTS)
