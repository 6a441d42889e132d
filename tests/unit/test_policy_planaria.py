"""Planaria: least widths in time, then the spare lanes."""

from __future__ import annotations

from tests.policy_cases import Net, case, finishes, served, spans

WIDTHS = (2, 1, 4, 8)
"""What takes 80 ns on 2 lanes takes 160, 40 and 20 on 1, 4 and 8."""


def net(name: str, *, rank: int = 0, deadline_ns: int | None = None, segments: tuple[int, ...] = (80,)) -> Net:
    return Net(name=name, segments=segments, rank=rank, deadline_ns=deadline_ns, widths=WIDTHS)


def test_a_request_alone_has_every_lane() -> None:
    assert spans(served("planaria", case((net("a", deadline_ns=1000),), (("a", 0),), lanes=8))) == [("a", 0, 20, 8)]


def test_the_least_width_in_time_comes_first_then_the_spare_lanes() -> None:
    """a needs 4 lanes for its 50 ns, b one for its 1000. Of three to spare a's share, 4/5, rounds to no wider step: b grows to 4."""
    nets = (net("a", deadline_ns=50), net("b", deadline_ns=1000))
    run = served("planaria", case(nets, (("a", 0), ("b", 0)), lanes=8))
    assert spans(run) == [("a", 0, 40, 4), ("b", 0, 40, 4)]


def test_spare_lanes_go_by_priority_over_remaining_time() -> None:
    """Ranks 0 and 6 weigh 12 and 6. Of 7 lanes 5 are to spare: 3 and 1 more make 4 and 2, and nobody can use the last. Of 8, 4 and 2 more
    make 5 and 3, so 4 and 2 again; the last two are no wider step for a, but one for b."""
    nets = (net("a"), net("b", rank=6))
    assert spans(served("planaria", case(nets, (("a", 0), ("b", 0)), lanes=7))) == [("a", 0, 40, 4), ("b", 0, 80, 2)]
    assert spans(served("planaria", case(nets, (("a", 0), ("b", 0)), lanes=8))) == [("a", 0, 40, 4), ("b", 0, 40, 4)]


def test_where_not_all_fit_priority_over_slack_and_width_decides() -> None:
    """Both need 8 lanes; slack 20 before slack 25. b can be in time no more and is served when a is through."""
    nets = (net("a", deadline_ns=20), net("b", deadline_ns=25))
    run = served("planaria", case(nets, (("a", 0), ("b", 0)), lanes=8))
    assert spans(run) == [("a", 0, 20, 8), ("b", 20, 40, 8)]


def test_priority_outweighs_slack_in_proportion() -> None:
    """12 / (22 x 8) of rank 0 before 9 / (20 x 8) of rank 3; before 11 / (20 x 8) of rank 1 it is not."""
    for rank, first in ((3, "a"), (1, "b")):
        nets = (net("a", deadline_ns=22), net("b", rank=rank, deadline_ns=20))
        assert spans(served("planaria", case(nets, (("a", 0), ("b", 0)), lanes=8)))[0][0] == first


def test_the_hopeless_wait_while_others_have_a_use_for_the_lanes() -> None:
    nets = (net("hopeless", deadline_ns=10), net("b", rank=11, deadline_ns=1000))
    run = served("planaria", case(nets, (("hopeless", 0), ("b", 0)), lanes=8))
    assert spans(run) == [("b", 0, 20, 8), ("hopeless", 20, 40, 8)]


def test_lanes_are_allotted_anew_at_the_next_segment() -> None:
    """a has all 8 until its boundary at 20; then half, as b has."""
    nets = (net("a", segments=(80, 80)), net("b"))
    run = served("planaria", case(nets, (("a", 0), ("b", 10)), lanes=8))
    assert spans(run) == [("a", 0, 20, 8), ("a", 20, 60, 4), ("b", 20, 60, 4)]


def test_on_single_lanes_it_is_least_slack_over_priority() -> None:
    nets = tuple(Net(name=name, segments=(10,), deadline_ns=ns) for name, ns in (("a", 90), ("b", 30), ("c", 60)))
    run = served("planaria", case(nets, (("a", 0), ("b", 0), ("c", 0))))
    assert dict(finishes(run)) == {"b": 10, "c": 20, "a": 30}


def test_no_lane_idles_while_the_only_tenant_has_requests() -> None:
    """Only its head is seen when lanes are allotted; those behind it take what is left."""
    nets = (Net(name="a", segments=(10,)),)
    run = served("planaria", case(nets, (("a", 0),) * 4, lanes=4))
    assert [finish_ns for _, finish_ns in finishes(run)] == [10] * 4
