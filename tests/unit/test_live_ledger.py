"""The ledger: what ended since an instant is the end of what happened."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Outcome
from cotenant.live.ledger import Ledger

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
