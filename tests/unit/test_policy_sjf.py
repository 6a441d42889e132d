"""Shortest remaining time first."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Preemption
from cotenant.dispatch.state import SlotRow
from cotenant.policy import Scene
from cotenant.policy.sjf import order
from tests.policy_cases import Net, case, finishes, served


@given(lengths=st.lists(st.integers(1, 50), min_size=1, max_size=5))
def test_no_order_on_one_lane_has_a_lesser_mean_waiting_time(lengths: list[int]) -> None:
    """Smith (1956): of all orders of requests that arrive together, by brute force."""
    nets = tuple(Net(name=f"t{i}", segments=(ns,)) for i, ns in enumerate(lengths))
    run = served("sjf", case(nets, tuple((net.name, 0) for net in nets)))
    waited_ns = sum(finish_ns for _, finish_ns in finishes(run)) - sum(lengths)
    assert waited_ns == min(sum(sum(way[:k]) for k in range(len(way))) for way in permutations(lengths))


@pytest.mark.parametrize(("preemption", "short", "long"), [(Preemption.INSTANT, 30, 110), (Preemption.SEGMENT, 60, 110)])
def test_a_shorter_one_interrupts_where_the_processor_can(preemption: Preemption, short: int, long: int) -> None:
    """10 ns arrive at 20 beside what has 80 left; at boundaries of 50 they wait for 50."""
    nets = (Net(name="long", segments=(50, 50)), Net(name="short", segments=(10,)))
    run = served("sjf", case(nets, (("long", 0), ("short", 20)), preemption=preemption))
    assert finishes(run) == [("long", long), ("short", short)]


def test_a_longer_one_than_what_is_left_does_not_interrupt() -> None:
    nets = (Net(name="a", segments=(50,)), Net(name="b", segments=(30,)))
    run = served("sjf", case(nets, (("a", 0), ("b", 25)), preemption=Preemption.INSTANT))
    assert finishes(run) == [("a", 50), ("b", 80)]


def test_with_pace_a_request_that_went_slower_than_expected_counts_as_longer() -> None:
    slow, other = SlotRow(remaining_ns=10, pace=2.0), SlotRow(remaining_ns=15)
    plain, paced = (Scene(0, [], [], 0, [], 0, [], [], [], [], [], [pace], []) for pace in (0.0, 1.0))
    assert order(slow, plain) < order(other, plain)
    assert order(slow, paced) > order(other, paced)
