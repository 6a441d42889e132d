"""Least slack first."""

from __future__ import annotations

from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from tests.policy_cases import Net, case, finishes, served


def test_the_least_time_to_spare_goes_first_even_with_the_later_deadline() -> None:
    """a: 40 - 10 = 30 to spare. b: 60 - 50 = 10: first, though due later."""
    nets = (Net(name="a", segments=(10,), deadline_ns=40), Net(name="b", segments=(50,), deadline_ns=60))
    run = served("least_slack", case(nets, (("a", 0), ("b", 0))))
    assert finishes(run) == [("a", 60), ("b", 50)]


def test_who_has_no_deadline_goes_last_in_order_of_rank() -> None:
    nets = (
        Net(name="b", segments=(10,), rank=1),
        Net(name="a", segments=(10,), rank=0),
        Net(name="c", segments=(10,), rank=2, deadline_ns=10_000),
    )
    run = served("least_slack", case(nets, (("a", 0), ("b", 0), ("c", 0))))
    assert dict(finishes(run)) == {"c": 10, "a": 20, "b": 30}


@given(jobs=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 90)), min_size=1, max_size=4))
def test_no_order_on_one_lane_has_a_greater_least_lateness(jobs: list[tuple[int, int]]) -> None:
    """Least slack maximises the least lateness of what arrives together (Conway, Maxwell and Miller, 1967)."""
    nets = tuple(Net(name=f"t{i}", segments=(ns,), deadline_ns=ns + slack_ns) for i, (ns, slack_ns) in enumerate(jobs))
    run = served("least_slack", case(nets, tuple((net.name, 0) for net in nets)))
    best = max(min(sum(ns for ns, _ in way[: k + 1]) - sum(way[k]) for k in range(len(way))) for way in permutations(jobs))
    assert min(int(row["finish_ns"] - row["due_ns"]) for row in run.endings) == best
