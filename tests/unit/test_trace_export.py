"""A trace as Perfetto takes it."""

from __future__ import annotations

import errno
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest

from cotenant.describe import Outcome
from cotenant.errors import InputError
from cotenant.trace import Climate, Ending, Span, Trace, export

PHASES = {"M", "X", "i"}


def example() -> Trace:
    span = Span(request=0, tenant="a", segment=0, processor="cpu", lanes=(0, 1), start_ns=1_500, stop_ns=4_000, cpu_ns=2_000)
    done = Ending(request=0, tenant="a", arrival_ns=1_000, due_ns=3_000, finish_ns=4_000, outcome=Outcome.DONE, option="x")
    lost = Ending(request=1, tenant="a", arrival_ns=2_000, due_ns=None, finish_ns=None, outcome=None)
    return Trace(spans=(span,), endings=(done, lost), stop_ns=5_000, platform="p", policy="rank", versions=(("cotenant", "1"),))


def exported(trace: Trace, folder: Path) -> dict[str, Any]:
    export(trace, folder / "out.json")
    document: dict[str, Any] = json.loads((folder / "out.json").read_text())
    return document


def test_every_event_has_what_the_format_demands(tmp_path: Path) -> None:
    for event in exported(example(), tmp_path)["traceEvents"]:
        assert event["ph"] in PHASES
        assert {"name", "pid", "tid"} <= event.keys()
        assert event["ph"] == "M" or "ts" in event
        assert event["ph"] != "X" or event["dur"] >= 0


def test_a_span_is_a_slice_on_each_of_its_lanes_in_microseconds(tmp_path: Path) -> None:
    slices = [e for e in exported(example(), tmp_path)["traceEvents"] if e["ph"] == "X"]
    assert [(e["ts"], e["dur"], e["name"]) for e in slices] == [(1.5, 2.5, "a")] * 2
    assert len({(e["pid"], e["tid"]) for e in slices}) == 2


def test_processors_are_processes_and_lanes_are_threads_by_name(tmp_path: Path) -> None:
    names = [e for e in exported(example(), tmp_path)["traceEvents"] if e["ph"] == "M"]
    told = {(e["name"], e["args"]["name"]) for e in names}
    assert {("process_name", "cpu"), ("thread_name", "lane 0"), ("thread_name", "lane 1"), ("thread_name", "a")} <= told


def test_a_missed_deadline_and_a_lost_request_are_seen(tmp_path: Path) -> None:
    instants = [(e["name"], e["ts"]) for e in exported(example(), tmp_path)["traceEvents"] if e["ph"] == "i"]
    assert instants == [("arrival", 1.0), ("missed", 3.0), ("arrival", 2.0), ("lost", 2.0)]


def test_frequency_heat_and_throttling_are_counters_and_what_is_not_shown_is_none(tmp_path: Path) -> None:
    seen = (Climate(at_ns=0, slowest_khz=1_500_000, hottest_mc=45_500, throttles=2), Climate(at_ns=1_000_000_000, hottest_mc=46_000))
    counters = [e for e in exported(replace(example(), climate=seen), tmp_path)["traceEvents"] if e["ph"] == "C"]
    told = [(e["name"].split()[0], e["ts"], *e["args"].values()) for e in counters]
    assert told == [("slowest", 0.0, 1500.0), ("hottest", 0.0, 45.5), ("throttled", 0.0, 2.0), ("hottest", 1e6, 46.0)]
    assert all({"pid", "tid", "name"} <= e.keys() for e in counters)


def test_an_empty_trace_is_still_a_document(tmp_path: Path) -> None:
    empty = Trace(spans=(), endings=(), stop_ns=1, platform="p", policy="rank")
    assert [e["ph"] for e in exported(empty, tmp_path)["traceEvents"]] == ["M"]


def test_a_name_with_quotes_survives(tmp_path: Path) -> None:
    odd = Trace(spans=(), endings=(), stop_ns=1, platform='a "b"\n', policy="rank")
    assert exported(odd, tmp_path)["otherData"]["platform"] == 'a "b"\n'


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device that is always full")
def test_a_full_disk_is_refused_in_one_line_with_the_path() -> None:
    with pytest.raises(InputError) as caught:
        export(example(), Path("/dev/full"))
    assert str(caught.value).startswith("/dev/full: ")
    assert "\n" not in str(caught.value)


def test_a_folder_that_is_not_there_is_refused_with_its_path(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"none/out\.json"):
        export(example(), tmp_path / "none" / "out.json")


def full(*_: object, **__: object) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_half_a_trace_is_not_left_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["cotenant.trace.export"], "_lines", full)  # the package has a function of that name
    with pytest.raises(InputError, match="No space left"):
        export(example(), tmp_path / "out.json")
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_opened_stays_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "out.json").write_text("mine")
    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", full)
        with pytest.raises(InputError):
            export(example(), tmp_path / "out.json")
    assert (tmp_path / "out.json").read_text() == "mine"
