"""The ledger: what ended since an instant is the end of what happened."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Outcome
from cotenant.live.ledger import Ledger, split

START_NS = 10**12


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(1, 3)), max_size=20), st.integers(0, 1000))
def test_a_trace_since_an_instant_has_what_ended_then_or_later(requests: list[tuple[int, int]], since_ns: int) -> None:
    ledger, now_ns = Ledger(tenants=("a",), start_ns=START_NS), START_NS
    for number, (length_ns, segments) in enumerate(requests):
        ledger.arrived(number, "a", now_ns, None, "option")
        for segment in range(segments):
            ledger.started(number, segment, "cpu", (0,), now_ns)
            now_ns += length_ns
            if segment < segments - 1:
                ledger.stepped(number, now_ns, length_ns)
        if number % 5 != 4:
            ledger.ended(number, now_ns, Outcome.DONE, cpu_ns=length_ns)
    whole, part = (ledger.trace(10**6, "here", "fifo", 0, since) for since in (0, since_ns))
    assert part == replace(
        whole,
        spans=tuple(span for span in whole.spans if span.stop_ns >= since_ns),
        endings=tuple(ending for ending in whole.endings if ending.finish_ns is None or ending.finish_ns >= since_ns),
    )


@given(st.lists(st.lists(st.integers(1, 9), min_size=1, max_size=4), min_size=1, max_size=3), st.booleans())
def test_no_cpu_time_is_lost_where_a_segment_ends_though_it_was_suspended(segments: list[list[int]], ends_suspended: bool) -> None:
    """A suspended thread may use what its core has left over, and end."""
    ledger, now_ns = Ledger(tenants=("a",), start_ns=START_NS), START_NS
    ledger.arrived(0, "a", now_ns, None, "option")
    for segment, pieces in enumerate(segments):
        ledger.started(0, segment, "cpu", (0,), now_ns)
        for piece, length_ns in enumerate(pieces):
            if piece > 0:
                ledger.resumed(0, now_ns)
            now_ns += length_ns
            if ends_suspended or piece < len(pieces) - 1:
                ledger.suspended(0, now_ns)
        if segment < len(segments) - 1:
            ledger.stepped(0, now_ns, sum(pieces))
    ledger.ended(0, now_ns, Outcome.DONE, cpu_ns=sum(segments[-1]))
    found: dict[int, int] = {}
    for span in ledger.trace(10**6, "here", "fifo", 0).spans:
        found[span.segment] = found.get(span.segment, 0) + span.cpu_ns
    assert found == {segment: sum(pieces) for segment, pieces in enumerate(segments)}


@given(st.lists(st.tuples(st.integers(0, 50), st.booleans()), min_size=1, max_size=8), st.integers(0, 1000))
def test_what_a_lane_tells_of_several_segments_is_shared_by_their_length(segments: list[tuple[int, bool]], cpu_ns: int) -> None:
    ledger, now_ns = Ledger(tenants=("a",), start_ns=START_NS), START_NS
    ledger.arrived(0, "a", now_ns, None, "option")
    ledger.started(0, 0, "cpu", (0,), now_ns)
    for number, (length_ns, is_suspended) in enumerate(segments):
        now_ns += length_ns
        if is_suspended:
            ledger.suspended(0, now_ns)
            now_ns += 7
            ledger.resumed(0, now_ns)
        if number < len(segments) - 1:
            ledger.passed(0, number + 1, now_ns)
    ledger.ended(0, now_ns, Outcome.FAILED, cpu_ns=cpu_ns)
    spans = ledger.trace(10**6, "here", "fifo", 0).spans
    lengths_ns = [span.stop_ns - span.start_ns for span in spans]
    assert sum(lengths_ns) == sum(length_ns for length_ns, _ in segments)
    assert sum(span.cpu_ns for span in spans) == cpu_ns
    if sum(lengths_ns) > 0:
        assert all(abs(span.cpu_ns - cpu_ns * one_ns / sum(lengths_ns)) <= 1 for span, one_ns in zip(spans, lengths_ns, strict=True))
    assert [span.outcome for span in spans] == [Outcome.DONE] * (len(spans) - 1) + [Outcome.FAILED]


@given(st.integers(0, 10**9), st.lists(st.integers(0, 100), min_size=1))
def test_parts_are_in_proportion_and_lose_nothing(whole: int, by: list[int]) -> None:
    parts = split(whole, by)
    assert sum(parts) == whole
    assert all(part >= 0 for part in parts)
