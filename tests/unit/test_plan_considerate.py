"""What holds a lane for too long is not offered where its tenant has something shorter."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cotenant.describe import Option, Platform, Preemption, Tenant
from cotenant.plan.considerate import considerate
from cotenant.units import NS_PER_MS
from tests.plan_cases import closed, opened, option, platform

WHOLE, SHORT = option("big", 40), option("small", 10)
STEP = WHOLE.chain[0]
SEGMENTS = replace(
    WHOLE, chain=tuple(replace(STEP, segment=index, duration_ns=11 * NS_PER_MS) for index in range(4)), latency_ns=44 * NS_PER_MS
)


def offered(big: Tenant, small: Tenant, *options: Option, board: Platform | None = None) -> tuple[list[Option], list[str]]:
    found = {"big": (options, ()), "small": ((SHORT,), ())}
    kept, refused = considerate((big, small), found, board or board_of(Preemption.SEGMENT))["big"]
    return kept, [refusal.reason for refusal in refused]


def board_of(preemption: Preemption) -> Platform:
    board = platform(2)
    return replace(board, processors=tuple(replace(p, preemption=preemption) for p in board.processors))


def due(name: str, deadline_ms: int, rank: int) -> Tenant:
    return replace(opened(name, 5), rank=rank, deadline_ns=deadline_ms * NS_PER_MS)


def test_a_whole_network_gives_way_to_its_segments_where_another_cannot_wait_for_it() -> None:
    kept, reasons = offered(closed("big", 1), due("small", 30, 1), WHOLE, SEGMENTS)
    assert kept == [SEGMENTS]
    assert reasons == ["it would hold its lane for 40 ms, and small can wait for 20 ms"]


@pytest.mark.parametrize("small", [due("small", 50, 1), due("small", 30, 2), closed("small", 1)], ids=["waits", "goes after", "has none"])
def test_it_stays_where_nobody_is_pressed_by_it(small: Tenant) -> None:
    assert offered(closed("big", 1), small, WHOLE, SEGMENTS) == ([WHOLE, SEGMENTS], [])


def test_it_stays_where_there_is_nothing_shorter() -> None:
    assert offered(closed("big", 1), due("small", 30, 1), WHOLE) == ([WHOLE], [])


def test_of_two_that_hold_it_too_long_the_one_stays_that_holds_it_much_shorter() -> None:
    kept, reasons = offered(closed("big", 1), due("small", 20, 1), WHOLE, SEGMENTS)
    assert kept == [SEGMENTS]
    assert reasons == ["it would hold its lane for 40 ms, and small can wait for 10 ms"]


def test_two_stay_that_hold_it_about_as_long_or_other_lanes() -> None:
    little = replace(SEGMENTS, chain=tuple(replace(step, processor="little") for step in SEGMENTS.chain))
    halves = replace(WHOLE, chain=tuple(replace(STEP, segment=index, duration_ns=21 * NS_PER_MS) for index in range(2)))
    for other in (little, halves):
        assert offered(closed("big", 1), due("small", 20, 1), WHOLE, other) == ([WHOLE, other], [])


def test_what_a_floor_of_accuracy_may_need_stays() -> None:
    exact, short = replace(WHOLE, accuracy=0.76), replace(SEGMENTS, accuracy=0.71)
    big = closed("big", 1)
    judged = replace(big, source=replace(big.source, samples="inputs.npy", labels="labels.npy"), accuracy_floor=0.75)
    assert offered(judged, due("small", 30, 1), exact, short) == ([exact, short], [])
    assert offered(big, due("small", 30, 1), exact, short)[0] == [short]


@pytest.mark.parametrize(("preemption", "rank", "kept"), [(Preemption.CLASS, 0, 2), (Preemption.CLASS, 1, 1), (Preemption.INSTANT, 1, 2)])
def test_who_interrupts_waits_for_nobody(preemption: Preemption, rank: int, kept: int) -> None:
    assert len(offered(closed("big", 1), due("small", 30, rank), WHOLE, SEGMENTS, board=board_of(preemption))[0]) == kept
