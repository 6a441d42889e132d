"""Who rests starts nothing, loses nothing, and keeps nobody else waiting."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Preemption
from cotenant.dispatch import Dispatcher
from cotenant.policy import policies
from tests.property.dispatch_crews import MS, board, option, shares, tenant
from tests.property.dispatch_rests import Rested

TENANTS = (tenant("a", 0), tenant("b", 1), tenant("c", 2))
PLAN = shares(
    (option("a", ("p0", 1, 2 * MS)), 50.0), (option("b", ("p0", 1, 3 * MS), ("p0", 1, MS)), 50.0), (option("c", ("p0", 2, MS)), 5.0)
)
NAMES = st.sampled_from(("rank_edf", "rank", "fifo", "fewest_late", "round_robin"))
ARRIVALS = st.lists(st.tuples(st.integers(0, 30).map(lambda ms: ms * MS), st.integers(0, 2)), max_size=20)
PACED = st.dictionaries(st.integers(0, 2), st.tuples(st.integers(0, 20 * MS), st.integers(1, 9 * MS)), max_size=3)


def rested(name: str, preemption: Preemption, arrivals: list[tuple[int, int]], paced: Mapping[int, tuple[int, int]]) -> Rested:
    dispatcher = Dispatcher(TENANTS, PLAN, board((2,), preemption), policies.get(name))
    served = Rested(dispatcher=dispatcher, paced=paced, deadlines_ns=(None, None, None))
    served.serve(arrivals)
    dispatcher.validate(1 << 60)
    return served


@given(NAMES, st.sampled_from(list(Preemption)), ARRIVALS, PACED)
def test_nobody_starts_at_rest_and_everybody_ends(
    name: str, preemption: Preemption, arrivals: list[tuple[int, int]], paced: dict[int, tuple[int, int]]
) -> None:
    served = rested(name, preemption, arrivals, paced)
    assert sorted(served.ended) == sorted(tenant for _, tenant in arrivals)
    for tenant_, since_ns, until_ns in served.rests:
        early = [at_ns for at_ns, who, _ in served.starts if who == tenant_ and since_ns < at_ns < until_ns]
        assert tenant_ == 0 or not early, "whoever rests starts nothing"


@given(NAMES, ARRIVALS, st.integers(1, 9 * MS))
def test_one_segment_starts_at_a_time_of_whoever_is_paced(name: str, arrivals: list[tuple[int, int]], rest_ns: int) -> None:
    served = rested(name, Preemption.SEGMENT, arrivals, {1: (0, rest_ns)})
    starts_ns = [at_ns for at_ns, who, _ in served.starts if who == 1]
    assert all(later - earlier >= rest_ns for earlier, later in pairwise(starts_ns))


@given(NAMES, ARRIVALS, PACED)
def test_rank_0_never_rests(name: str, arrivals: list[tuple[int, int]], paced: dict[int, tuple[int, int]]) -> None:
    first = [arrival for arrival in arrivals if arrival[1] == 0]
    free, never = rested(name, Preemption.CLASS, first, {}), rested(name, Preemption.CLASS, first, {0: (0, 9 * MS)})
    assert free.starts == never.starts


@given(NAMES, ARRIVALS)
def test_lanes_go_to_others_while_one_rests(name: str, arrivals: list[tuple[int, int]]) -> None:
    """With one at rest from the start to the end, the others are served as if it had never come."""
    others = [arrival for arrival in arrivals if arrival[1] != 2]
    alone = rested(name, Preemption.SEGMENT, others, {})
    beside = rested(name, Preemption.SEGMENT, [*others, (0, 2)], {2: (0, 10_000 * MS)})
    served = [(at_ns, who) for at_ns, who, _ in beside.starts]
    assert [start for start in served if start[1] != 2] == [(at_ns, who) for at_ns, who, _ in alone.starts]
    assert [at_ns for at_ns, who in served if who == 2] == [10_000 * MS]


def test_one_decision_starts_one_segment_of_whoever_is_paced_though_several_of_its_queues_have_heads() -> None:
    plan = shares((option("b", ("p0", 1, MS)), 10.0), (option("b", ("p0", 1, 2 * MS)), 10.0))
    dispatcher = Dispatcher((tenant("b", 1),), plan, board((2,), Preemption.SEGMENT), policies.get("rank"))
    dispatcher.rest(0, 1, paced=True)
    for request in range(2):
        dispatcher.arrive(request, 0, 1, None)
    assert dispatcher.lineup.steps[dispatcher.stage(0)] != dispatcher.lineup.steps[dispatcher.stage(1)]
    assert len(dispatcher.decide(2)) == 1
    dispatcher.rest(0, 3, paced=True)
    assert len(dispatcher.decide(3)) == 1


def test_who_is_roused_may_interrupt_what_began_meanwhile() -> None:
    plan = shares((option("b", ("p0", 1, MS)), 10.0), (option("c", ("p0", 1, 9 * MS)), 10.0))
    dispatcher = Dispatcher((tenant("b", 1), tenant("c", 2)), plan, board((1,), Preemption.INSTANT), policies.get("rank"))
    dispatcher.rest(0, 3 * MS, paced=False)
    dispatcher.arrive(0, 0, 0, None)
    dispatcher.arrive(1, 1, 0, None)
    assert [decision.request for decision in dispatcher.decide(0)] == [1]
    assert not dispatcher.decide(MS)
    assert dispatcher.wake_ns(MS) == 3 * MS
    assert [decision.request for decision in dispatcher.decide(3 * MS)] == [1, 0], "one is set aside, the other starts"
