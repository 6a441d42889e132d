"""Fixed partitions: first come first served, and in rounds as MoCA's artifact."""

from __future__ import annotations

from tests.policy_cases import Net, case, finishes, served, spans


def test_a_request_keeps_its_lanes_to_its_end() -> None:
    """The first rank arrives at 5 and waits at every boundary of what has begun."""
    nets = (Net(name="a", segments=(10, 10), rank=5), Net(name="b", segments=(10,), rank=0))
    run = served("static_partition", case(nets, (("a", 0), ("b", 5))))
    assert spans(run) == [("a", 0, 10, 1), ("a", 10, 20, 1), ("b", 20, 30, 1)]


def test_every_request_has_its_planned_lanes_though_others_are_idle() -> None:
    nets = (Net(name="a", segments=(10,), widths=(2, 1, 4, 8)),)
    assert spans(served("static_partition", case(nets, (("a", 0),), lanes=8))) == [("a", 0, 10, 2)]


def test_whoever_comes_during_a_round_waits_for_all_of_it() -> None:
    """b ends at 10 and leaves a lane idle until a ends at 100."""
    nets = (Net(name="a", segments=(100,)), Net(name="b", segments=(10,)), Net(name="c", segments=(10,)))
    asked = (("a", 0), ("b", 0), ("c", 5))
    strict = served("static_partition", case(nets, asked, lanes=2), as_published=1, look_ns=0)
    assert dict(finishes(strict)) == {"a": 100, "b": 10, "c": 110}
    looking = served("static_partition", case(nets, asked, lanes=2), as_published=1, look_ns=5)
    assert dict(finishes(looking)) == {"a": 100, "b": 10, "c": 20}, "a round that looks 5 ns ahead has a place for it"
    refusing = served("static_partition", case(nets, asked, lanes=2), as_published=1, look_ns=5, joins=0)
    assert dict(finishes(refusing)) == {"a": 100, "b": 10, "c": 110}


def test_a_round_goes_by_priority_plus_waiting_over_time_alone() -> None:
    """When x ends at 100: a -2 + 50/10 = 3, b 0 + 10/10 = 1, c 0 + 80/40 = 2."""
    nets = (
        Net(name="x", segments=(100,)),
        Net(name="a", segments=(10,), rank=2),
        Net(name="b", segments=(10,)),
        Net(name="c", segments=(40,)),
    )
    asked = (("x", 0), ("c", 20), ("a", 50), ("b", 90))
    run = served("static_partition", case(nets, asked), as_published=1, look_ns=0)
    assert [row[0] for row in spans(run)] == ["x", "a", "c", "b"]


def test_full_lists_end_a_round() -> None:
    """Two servers, lists of one: c is not planned though it was there. With lists of two it is, on the server of b."""
    nets = (Net(name="a", segments=(100,)), Net(name="b", segments=(10,)), Net(name="c", segments=(10,)))
    asked = (("a", 0), ("b", 0), ("c", 0))
    short = served("static_partition", case(nets, asked, lanes=2), as_published=1, look_ns=0, depth=1, passes=1)
    assert dict(finishes(short)) == {"a": 100, "b": 10, "c": 110}
    longer = served("static_partition", case(nets, asked, lanes=2), as_published=1, look_ns=0, depth=2, passes=1)
    assert dict(finishes(longer)) == {"a": 100, "b": 10, "c": 20}


def test_time_alone_in_the_score_is_that_on_one_lane() -> None:
    """At 100, both planned on 2 lanes: a waited 50 / 20 on one = 2.5, less its rank 1; b waited 40, is not divisible: 40 / 20 = 2."""
    nets = (
        Net(name="x", segments=(100,), widths=(2,)),
        Net(name="a", segments=(10,), widths=(2, 1), rank=1),
        Net(name="b", segments=(20,), widths=(2,)),
    )
    run = served("static_partition", case(nets, (("x", 0), ("a", 50), ("b", 60)), lanes=2), as_published=1, look_ns=0)
    assert [row[0] for row in spans(run)] == ["x", "b", "a"], "with the time on two lanes a would go first: 50 / 10 - 1 = 4"
