"""Round robin: every tenant in turn."""

from __future__ import annotations

from tests.policy_cases import Net, case, served, spans


def test_tenants_take_turns_segment_by_segment() -> None:
    nets = (Net(name="a", segments=(10, 10, 10)), Net(name="b", segments=(10, 10, 10)))
    run = served("round_robin", case(nets, (("a", 1), ("b", 1))))
    assert [row[0] for row in spans(run)] == ["a", "b", "a", "b", "a", "b"]


def test_a_tenant_with_many_requests_gets_no_more_turns_than_one_with_few() -> None:
    """Between two of a's turns there is one of b's, as long as b has requests: first come first served would end a's four first."""
    nets = (Net(name="a", segments=(10,)), Net(name="b", segments=(10,)))
    run = served("round_robin", case(nets, (("a", 1), ("a", 1), ("a", 1), ("a", 1), ("b", 2), ("b", 2))))
    assert [row[0] for row in spans(run)] == ["a", "b", "a", "b", "a", "a"]


def test_whoever_was_idle_the_longest_goes_first_whatever_the_rank() -> None:
    """c runs at 1, b at 11, a at 21; all ask again meanwhile: the same turn comes again."""
    nets = (Net(name="a", segments=(10,)), Net(name="b", segments=(10,), rank=1), Net(name="c", segments=(10,), rank=2))
    run = served("round_robin", case(nets, (("c", 1), ("b", 2), ("a", 12), ("c", 13), ("b", 13), ("a", 22))))
    assert [row[0] for row in spans(run)] == ["c", "b", "a", "c", "b", "a"]
