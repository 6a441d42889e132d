"""A bucket lets no more start than its rate gives, and no less where something always waits."""

from __future__ import annotations

import math
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.live.pace import OFF, SAVED_NS, Bucket
from cotenant.units import NS_PER_S

RATES = st.floats(1e3, 1e12)
SIZES = st.lists(st.integers(1, 10**9), min_size=1, max_size=60)


def started(bucket: Bucket, sizes: list[int], late_ns: list[int], waiting_bytes: float | None = None) -> list[tuple[int, int]]:
    """Start one segment after the other, each so long after it may; return (now_ns, bytes) of the starts."""
    now_ns, starts = 0, []
    for index, size in enumerate(sizes):
        now_ns = bucket.ready_ns(waiting_bytes or size, now_ns) + late_ns[index % len(late_ns)]
        bucket.charge(size, now_ns)
        starts.append((now_ns, size))
    return starts


@given(RATES, SIZES, st.lists(st.integers(0, 10**9), min_size=1, max_size=5))
def test_over_any_window_no_more_bytes_start_than_the_rate_gives_and_the_burst(rate: float, sizes: list[int], late_ns: list[int]) -> None:
    bucket = Bucket.of(rate, max(sizes), 0)
    starts = started(bucket, sizes, late_ns)
    for first in range(len(starts)):
        for (at_ns, _), moved in zip(starts[first:], accumulate(size for _, size in starts[first:]), strict=True):
            most = rate * (at_ns - starts[first][0]) / NS_PER_S + max(bucket.burst_bytes, *sizes)
            assert moved <= most * (1 + 1e-6)


@given(
    st.floats(1e6, 1e8),
    st.lists(st.integers(10**5, 10**6), min_size=1, max_size=8),
    st.lists(st.floats(0.0, 0.9), min_size=1, max_size=5),
)
def test_where_something_always_waits_the_rate_is_held_within_2_percent(rate: float, sizes: list[int], late: list[float]) -> None:
    """Lanes come late by a part of what the shortest takes, up to what is saved up, and wait for the bytes of the largest."""
    bucket, shortest_ns = Bucket.of(rate, max(sizes), 0), min(sizes) / rate * NS_PER_S
    late_ns = [int(min(part * shortest_ns, SAVED_NS)) for part in late]
    starts = started(bucket, [sizes[index % len(sizes)] for index in range(4000)], late_ns, waiting_bytes=max(sizes))
    moved, span_ns = sum(size for _, size in starts[1:]), starts[-1][0] - starts[0][0]
    assert moved > 99 * bucket.burst_bytes
    assert moved * NS_PER_S / span_ns == pytest.approx(rate, rel=0.02)


@given(SIZES, st.integers(0, 10**12))
def test_without_a_rate_everything_may_start_at_once(sizes: list[int], now_ns: int) -> None:
    bucket = Bucket.of(OFF, max(sizes), now_ns)
    for size in sizes:
        assert bucket.ready_ns(size, now_ns) == now_ns
        bucket.charge(size, now_ns)


@given(RATES, RATES, st.integers(1, 10**9))
def test_another_rate_counts_from_its_own_instant(before: float, after: float, size: int) -> None:
    bucket = Bucket.of(before, size, 0)
    bucket.charge(3 * size, 0)
    bucket.fill_at(after, size, 0)
    assert bucket.ready_ns(size, 0) == pytest.approx(4 * size / after * NS_PER_S, rel=1e-9, abs=2)


def test_a_segment_larger_than_the_burst_starts_when_the_bucket_is_full_and_leaves_debt() -> None:
    bucket = Bucket(rate_bytes_per_s=1e9, burst_bytes=100.0, at_ns=0)
    assert bucket.ready_ns(1000, 0) == 100
    bucket.charge(1000, 100)
    assert bucket.ready_ns(100, 100) == 100 + 1000


@given(RATES, st.integers(1, 10**9))
def test_who_has_not_started_anything_for_long_may_start_no_more_than_the_burst_at_once(rate: float, size: int) -> None:
    bucket = Bucket.of(rate, size, 0)
    now_ns = math.ceil(2 * bucket.burst_bytes / rate * NS_PER_S)
    started_at_once = 0
    while bucket.ready_ns(size, now_ns) == now_ns and started_at_once < 10**4:
        bucket.charge(size, now_ns)
        started_at_once += 1
    assert started_at_once in {int(bucket.burst_bytes / size), 10**4}


@given(st.floats(1e6, 1e8))
def test_a_lane_that_is_late_now_and_then_costs_nothing(rate: float) -> None:
    """Segments take a millisecond of the pace each; each hundredth comes as late as is saved up."""
    size = max(1, round(rate / 1000))
    starts = started(Bucket.of(rate, size, 0), [size] * 4000, [SAVED_NS] + [0] * 99)
    held = size * (len(starts) - 1) * NS_PER_S / (starts[-1][0] - starts[0][0])
    assert held == pytest.approx(rate, rel=0.02)
