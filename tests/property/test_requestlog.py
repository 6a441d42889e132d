"""Laws of logs: any is read or refused in one line, and what is written is read."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cotenant.describe import External, Request, Source, Tenant
from cotenant.describe.requestlog import read_requests
from cotenant.errors import InputError

files = settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])

TENANTS = tuple(Tenant(name=name, source=Source(model="zoo:x"), arrival=External()) for name in ("a", "b"))
COLUMNS = ["tenant", "arrival", "arrival_ms", "due_ns", "deadline_s", "rank", "priority", "work_scale", "exit_stage", "size", ""]
cells = st.sampled_from(["a", "b", "c", "", "0", "1", "-1", "1.5", "1e400", "nan", "sNaN", '"', "0x1"]) | st.text(max_size=5)

requests = st.lists(
    st.builds(
        Request, id=st.just(0), tenant=st.sampled_from("ab"), arrival_ns=st.integers(0, 10**18),
        due_ns=st.none() | st.integers(10**18 + 1, 2 * 10**18), work_scale=st.floats(0.001, 1000), exit_stage=st.none() | st.integers(0, 9),
    ), min_size=1, max_size=20,
)  # fmt: skip


def read_or_refused(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    try:
        assert read_requests(path, TENANTS)
    except InputError as error:
        line = str(error)
        assert line.startswith(f"requests: {path}:")
        assert line.isprintable()


@given(header=st.lists(st.sampled_from(COLUMNS), max_size=5), rows=st.lists(st.lists(cells, max_size=5), max_size=4))
@files
def test_any_sheet_is_read_or_refused_in_one_line(tmp_path: Path, header: list[str], rows: list[list[str]]) -> None:
    text = StringIO()
    csv.writer(text).writerows([["tenant", "arrival_ms", *header], *(["a", "1", *row] for row in rows), *rows])
    read_or_refused(tmp_path / "log.csv", text.getvalue().encode("utf-8", "surrogatepass"))


@given(content=st.binary())
@files
def test_any_bytes_are_read_or_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    read_or_refused(tmp_path / "log.csv", content)
    read_or_refused(tmp_path / "log.csv", b"tenant,arrival_ms\n" + content)


@given(given=requests)
@files
def test_a_log_written_is_the_log_read(tmp_path: Path, given: list[Request]) -> None:
    path = tmp_path / "log.csv"
    lines = [f"{r.tenant},{r.arrival_ns},{_cell(r.due_ns)},{r.work_scale!r},{_cell(r.exit_stage)}" for r in given]
    path.write_text("tenant,arrival_ns,due_ns,work_scale,exit_stage\n" + "\n".join(lines))
    in_order = sorted(given, key=lambda r: (r.arrival_ns, r.tenant))
    assert [(r.tenant, r.arrival_ns, r.due_ns, r.work_scale, r.exit_stage) for r in read_requests(path, TENANTS)] == [
        (r.tenant, r.arrival_ns, r.due_ns, r.work_scale, r.exit_stage) for r in in_order
    ]


def _cell(number: int | None) -> str:
    return "" if number is None else str(number)
