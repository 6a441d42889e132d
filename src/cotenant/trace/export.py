"""A trace as ui.perfetto.dev opens it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO

from cotenant.describe import Outcome
from cotenant.errors import InputError
from cotenant.trace.spans import Climate, Ending, Span, Trace
from cotenant.units import NS_PER_US

MC_PER_DEGREE, KHZ_PER_MHZ = 1000, 1000

Event = dict[str, Any]

REQUESTS_PID = 1


def export(trace: Trace, path: Path) -> None:
    """Write Chrome's trace-event format (JSON object form); InputError, naming the path, if the file cannot be written.

    A processor is a process, a lane a thread, a span a slice; arrivals, missed deadlines and requests that were not answered are
    instants on a thread per tenant; frequency, temperature and throttling are counters, which are shown as lines.
    """
    try:
        with path.open("w", encoding="utf-8") as file:
            _write(trace, file, path)
    except OSError as error:
        raise InputError(str(path), error.strerror or error, "a file that can be written, on a disk with room") from error


def _write(trace: Trace, file: TextIO, path: Path) -> None:
    """Write the whole, or leave no part of it: half a file opens nowhere."""
    try:
        file.writelines(_lines(trace))
        file.flush()
    except OSError:
        if path.is_file():  # not a pipe or a device
            path.unlink()
        raise


def events(trace: Trace) -> Iterator[Event]:
    """List the events: names first, then slices, then instants; `ts` and `dur` in microseconds."""
    pids = {name: REQUESTS_PID + 1 + index for index, name in enumerate(sorted({s.processor for s in trace.spans}))}
    tids = {name: 1 + index for index, name in enumerate(sorted({e.tenant for e in trace.endings}))}
    yield from _names(trace, pids, tids)
    options = {e.request: e.option for e in trace.endings}
    for span in trace.spans:
        yield from _slices(span, pids[span.processor], options.get(span.request, ""))
    for ending in trace.endings:
        yield from _instants(ending, tids[ending.tenant])
    for climate in trace.climate:
        yield from _counters(climate)


def _lines(trace: Trace) -> Iterator[str]:
    about = {"platform": trace.platform, "policy": trace.policy, "seed": trace.seed, **dict(trace.versions)}
    yield f'{{"displayTimeUnit": "ms", "otherData": {json.dumps(about)}, "traceEvents": ['
    before = "\n"
    for event in events(trace):
        yield before + json.dumps(event)
        before = ",\n"
    yield "\n]}\n"


def _names(trace: Trace, pids: dict[str, int], tids: dict[str, int]) -> Iterator[Event]:
    yield _named("process_name", REQUESTS_PID, 0, "requests")
    for tenant, tid in tids.items():
        yield _named("thread_name", REQUESTS_PID, tid, tenant)
    for processor, pid in pids.items():
        yield _named("process_name", pid, 0, processor)
        for lane in sorted({lane for s in trace.spans if s.processor == processor for lane in s.lanes}):
            yield _named("thread_name", pid, lane + 1, f"lane {lane}")


def _named(what: str, pid: int, tid: int, name: str) -> Event:
    return {"ph": "M", "name": what, "pid": pid, "tid": tid, "args": {"name": name}}


def _slices(span: Span, pid: int, option: str) -> Iterator[Event]:
    args = {"request": span.request, "segment": span.segment, "option": option, "outcome": span.outcome.value}
    args |= {"cpu_us": span.cpu_ns / NS_PER_US, "share": span.share}
    for lane in span.lanes:
        yield {
            "ph": "X",
            "name": span.tenant,
            "cat": "segment",
            "pid": pid,
            "tid": lane + 1,
            "ts": span.start_ns / NS_PER_US,
            "dur": (span.stop_ns - span.start_ns) / NS_PER_US,
            "args": args,
        }


def _instants(ending: Ending, tid: int) -> Iterator[Event]:
    args: Event = {"request": ending.request, "option": ending.option}
    yield _instant("arrival", ending.arrival_ns, tid, args)
    if ending.outcome is not Outcome.DONE:
        end_ns = ending.arrival_ns if ending.finish_ns is None else ending.finish_ns
        yield _instant(ending.outcome.value if ending.outcome else "lost", end_ns, tid, {**args, "reason": ending.reason})
    elif ending.due_ns is not None and ending.finish_ns is not None and ending.finish_ns > ending.due_ns:
        yield _instant("missed", ending.due_ns, tid, args)


def _instant(name: str, at_ns: int, tid: int, args: Event) -> Event:
    return {"ph": "i", "s": "t", "name": name, "cat": "request", "pid": REQUESTS_PID, "tid": tid, "ts": at_ns / NS_PER_US, "args": args}


def _counters(climate: Climate) -> Iterator[Event]:
    """List what the kernel showed at an instant."""
    told = (
        ("slowest lane (MHz)", climate.slowest_khz, KHZ_PER_MHZ),
        ("hottest sensor (degrees C)", climate.hottest_mc, MC_PER_DEGREE),
        ("throttled (times)", climate.throttles, 1),
    )
    for name, value, unit in told:
        if value is not None:
            yield {"ph": "C", "name": name, "pid": REQUESTS_PID, "tid": 0, "ts": climate.at_ns / NS_PER_US, "args": {"": value / unit}}
