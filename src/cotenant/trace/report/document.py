"""What the page is told: plain values that JSON can hold."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from cotenant.describe import Outcome
from cotenant.trace.frame import plain
from cotenant.trace.report.run import Bandwidth, Run
from cotenant.trace.report.sweep import Sweep
from cotenant.trace.spans import Ending, Span, Trace

MOST_EVENTS = 3_000  # of a kind in one run: about what a browser redraws while one drags


def document(sweep: Sweep, runs: Sequence[Run], made_on: date) -> dict[str, Any]:
    """Return everything that the page shows; infinite numbers become None, times are whole nanoseconds.

    ValueError for a run of a tenant that is not of the sweep.
    """
    index = {member.name: position for position, member in enumerate(sweep.tenants)}
    told: dict[str, Any] = plain(asdict(sweep))
    return {**told, "policies": list(sweep.policies), "made_on": made_on.isoformat(), "runs": [_run(run, index) for run in runs]}


def _run(run: Run, index: Mapping[str, int]) -> dict[str, Any]:
    trace = run.trace
    _refuse_strangers(run, index)
    slices = _slices(trace, index)
    stop_ns = _window_ns(run, slices)
    return {
        "policy": run.policy,
        "load": run.load,
        "seed": trace.seed,
        "stop_ns": trace.stop_ns,
        "window_ns": stop_ns,
        "spans": len(trace.spans),
        "spans_shown": sum(span.start_ns < stop_ns for span in trace.spans),
        "requests": [_request(e, index) for e in _by_arrival(trace) if e.arrival_ns < stop_ns],
        "processors": [
            {"name": name, "lanes": _lanes(trace, name), "slices": [s for s in own if s[3] < stop_ns]} for name, own in slices.items()
        ],
        "bandwidth": [_bandwidth(drawn, index, stop_ns) for drawn in run.bandwidth],
    }


def _refuse_strangers(run: Run, index: Mapping[str, int]) -> None:
    named = {s.tenant for s in run.trace.spans} | {e.tenant for e in run.trace.endings}
    named |= {draw.tenant for drawn in run.bandwidth for draw in drawn.draws if draw.tenant is not None}
    if strangers := named - index.keys():
        raise ValueError(f"a run of {run.policy} at load {run.load} has tenants that are not of the crew: {sorted(strangers)}")


def _window_ns(run: Run, slices: Mapping[str, Sequence[Sequence[Any]]]) -> int:
    """Return the instant up to which there are at most MOST_EVENTS of each kind on show."""
    kinds: list[list[int]] = [[s[3] for s in own] for own in slices.values()]
    kinds.append([e.arrival_ns for e in _by_arrival(run.trace)])
    kinds += [[at_ns for at_ns, _ in draw.points] for drawn in run.bandwidth for draw in drawn.draws]
    return max(1, min([run.trace.stop_ns, *(starts[MOST_EVENTS] for starts in kinds if len(starts) > MOST_EVENTS)]))


def _by_arrival(trace: Trace) -> list[Ending]:
    return sorted(trace.endings, key=lambda e: (e.arrival_ns, e.request))


def _slices(trace: Trace, index: Mapping[str, int]) -> dict[str, list[list[Any]]]:
    """List every processor's spans by start: tenant, first and last lane, start, stop, request, segment, share, missed."""
    missed = {e.request for e in trace.endings if _missed(e)}
    found: dict[str, list[list[Any]]] = {name: [] for name in sorted({s.processor for s in trace.spans})}
    for span in sorted(trace.spans, key=lambda s: (s.start_ns, s.request)):
        for first, last in _neighbours(span.lanes):
            found[span.processor].append([index[span.tenant], first, last, *_facts(span), int(span.request in missed)])
    return found


def _facts(span: Span) -> tuple[int, int, int, int, float]:
    return span.start_ns, span.stop_ns, span.request, span.segment, span.share


def _neighbours(lanes: Iterable[int]) -> list[tuple[int, int]]:
    """Join lanes that lie side by side: each pair is the first and the last of a block."""
    blocks: list[tuple[int, int]] = []
    for lane in sorted(lanes):
        if blocks and blocks[-1][1] == lane - 1:
            blocks[-1] = (blocks[-1][0], lane)
        else:
            blocks.append((lane, lane))
    return blocks


def _lanes(trace: Trace, processor: str) -> int:
    return 1 + max(lane for span in trace.spans if span.processor == processor for lane in span.lanes)


def _request(ending: Ending, index: Mapping[str, int]) -> list[Any]:
    """List tenant, request, arrival, due, finish, outcome, missed, reason."""
    outcome = ending.outcome.value if ending.outcome else "outstanding"
    times = (ending.arrival_ns, ending.due_ns, ending.finish_ns)
    return [index[ending.tenant], ending.request, *times, outcome, int(_missed(ending)), ending.reason]


def _missed(ending: Ending) -> bool:
    """Count as the SLA does: a request with a deadline that was not done by it."""
    if ending.due_ns is None:
        return False
    return ending.outcome is not Outcome.DONE or ending.finish_ns is None or ending.finish_ns > ending.due_ns


def _bandwidth(drawn: Bandwidth, index: Mapping[str, int], stop_ns: int) -> dict[str, Any]:
    draws = [
        {
            "tenant": None if draw.tenant is None else index[draw.tenant],
            "points": [[at_ns, bytes_per_s] for at_ns, bytes_per_s in draw.points if at_ns < stop_ns],
        }
        for draw in drawn.draws
    ]
    return {"memory": drawn.memory, "capacity_bytes_per_s": plain(drawn.capacity_bytes_per_s), "draws": draws}
