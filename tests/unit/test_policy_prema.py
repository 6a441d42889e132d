"""PREMA: tokens, threshold, the shortest; the whole processor for one."""

from __future__ import annotations

import pytest

from cotenant.describe import Preemption
from cotenant.dispatch.state import READY, ProcessorRow, SlotRow, StageRow
from cotenant.policy import Scene
from cotenant.policy.prema import prema
from tests.policy_cases import Net, case, finishes, served, spans


def scene(now_ns: int, *waiting: tuple[int, int, int]) -> Scene:
    """Show requests of one segment that wait: rank, arrival, time alone."""
    stages = [StageRow(segment_ns=ns, remaining_ns=ns, others=i, other_count=1) for i, (_, _, ns) in enumerate(waiting)]
    slots = [
        SlotRow(request=i, position=i, state=READY, rank=rank, arrival_ns=at, alone_ns=ns, segment_ns=ns, remaining_ns=ns)
        for i, (rank, at, ns) in enumerate(waiting)
    ]
    heads = list(range(len(waiting)))
    return Scene(
        now_ns, slots, heads, len(heads), [], 0, [], [ProcessorRow(lanes=1, free=1)], [], stages, heads,
        [value for _, value in prema.params], [0.0] * prema.notes,
    )  # fmt: skip


def ordered(view: Scene) -> list[int]:
    prema.prepare(view)
    return sorted(view.ready, key=lambda slot: prema.order(view.slots[slot], view))


def test_the_most_tokens_rounded_down_to_a_priority_are_the_threshold() -> None:
    """At 100: 3 (1 + 50/30) = 8 tokens, so the threshold is 3; 1 (1 + 20/10) = 3 reaches it, 1 (1 + 5/5) = 2 does not, however short."""
    view = scene(100, (1, 50, 30), (2, 80, 10), (2, 95, 5))
    assert ordered(view) == [1, 0, 2]
    assert view.notes == [3.0]


@pytest.mark.parametrize(("waited_ns", "threshold"), [(0, 1.0), (199, 1.0), (200, 3.0), (799, 3.0), (800, 9.0), (100_000, 9.0)])
def test_waiting_lifts_the_threshold_from_priority_to_priority(waited_ns: int, threshold: float) -> None:
    """The last rank alone: 1 + waited / 100 tokens."""
    view = scene(waited_ns, (5, 0, 100))
    prema.prepare(view)
    assert view.notes == [threshold]


def test_a_short_job_of_the_first_rank_goes_before_a_shorter_one_of_the_last_until_that_has_waited_enough() -> None:
    """The first rank always has 9. The last, of 10 ns, has them after 80."""
    assert ordered(scene(179, (0, 179, 50), (2, 100, 10))) == [0, 1]
    assert ordered(scene(180, (0, 180, 50), (2, 100, 10))) == [1, 0]


def test_one_request_has_the_whole_processor() -> None:
    nets = tuple(Net(name=name, segments=(80,), widths=(2, 1, 4, 8)) for name in "ab")
    run = served("prema", case(nets, (("a", 0), ("b", 0)), lanes=8))
    assert spans(run) == [("a", 0, 20, 8), ("b", 20, 40, 8)]


def test_the_widest_step_is_taken_where_none_has_all_lanes() -> None:
    nets = (Net(name="a", segments=(80,), widths=(1, 2)),)
    assert spans(served("prema", case(nets, (("a", 0), ("a", 0)), lanes=5))) == [("a", 0, 40, 2), ("a", 0, 40, 2)]


@pytest.mark.parametrize(
    ("segments", "params", "low", "high"),
    [
        ((90, 10), {}, 100, 150),  # 50/100 of the low one's time for 10/50 of the high one's: drain
        ((90, 10), {"drain": 0.0}, 150, 140),
        ((10, 90), {}, 150, 60),  # 50/100 for 90/50: checkpoint
    ],
)
def test_what_runs_is_drained_where_that_delays_the_two_less(
    segments: tuple[int, ...], params: dict[str, float], low: int, high: int
) -> None:
    nets = (Net(name="low", segments=segments, rank=2), Net(name="high", segments=(50,)))
    assert finishes(served("prema", case(nets, (("low", 0), ("high", 5))), **params)) == [("low", low), ("high", high)]


def test_what_runs_is_interrupted_at_once_where_the_processor_can() -> None:
    """At 5 the low one has 95 left: 50/100 against 95/50."""
    nets = (Net(name="low", segments=(100,), rank=2), Net(name="high", segments=(50,)))
    run = served("prema", case(nets, (("low", 0), ("high", 5)), preemption=Preemption.INSTANT))
    assert finishes(run) == [("low", 150), ("high", 55)]


def test_ranks_map_to_the_three_priorities_as_told() -> None:
    """With MoCA's ranks: 0 to 2 high, 3 to 8 medium. The first of two that arrive now has 9 tokens, or 3 like the other."""
    view = scene(0, (2, 0, 50), (3, 0, 10))
    assert ordered(view) == [1, 0]
    assert ordered(view._replace(params=[9.0, 3.0, 1.0, 2.0, 8.0, 1.0])) == [0, 1]
