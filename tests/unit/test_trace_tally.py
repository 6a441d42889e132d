"""What became of requests: counted from a trace, nothing in passing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from cotenant.describe import Outcome
from cotenant.trace import Ending, Trace, pooled, tallies, tally
from cotenant.units import NS_PER_S

DONE = Outcome.DONE


def ending(number: int, finish_ns: int | None, outcome: Outcome | None = DONE, due_ns: int | None = None, option: str = "o") -> Ending:
    return Ending(request=number, tenant="a", arrival_ns=number, due_ns=due_ns, finish_ns=finish_ns, outcome=outcome, option=option)


def trace(*endings: Ending, asked: tuple[tuple[str, int], ...] = ()) -> Trace:
    return Trace(spans=(), endings=endings, stop_ns=NS_PER_S, platform="p", policy="rank", asked=asked)


def test_a_request_without_an_outcome_is_lost_once_the_run_is_over() -> None:
    found = tally(trace(ending(0, 5), ending(1, None, None)), "a")
    assert (found.asked, found.done, found.lost) == (2, 1, 1)


def test_a_request_that_left_no_ending_is_lost_by_the_drivers_own_count() -> None:
    found = tally(trace(ending(0, 5), asked=(("a", 3),)), "a")
    assert (found.asked, found.lost) == (3, 2)


def test_a_rate_counts_only_what_finished_within_the_window() -> None:
    found = tally(trace(ending(0, NS_PER_S - 1), ending(1, NS_PER_S)), "a")
    assert (found.done, found.rate_per_s) == (2, 1.0)


@pytest.mark.parametrize(
    ("case", "missed"),
    [
        (ending(0, 9, due_ns=9), 0),
        (ending(0, 10, due_ns=9), 1),
        (ending(0, 1, Outcome.DROPPED, due_ns=9), 1),
        (ending(0, 1, Outcome.FAILED, due_ns=9), 1),
        (ending(0, None, None, due_ns=9), 1),
        (ending(0, 10**9), 0),
    ],
)
def test_a_deadline_is_missed_by_whatever_is_not_done_by_it(case: Ending, missed: int) -> None:
    assert tally(trace(case), "a").missed == missed


def test_the_most_used_option_is_named() -> None:
    found = tally(trace(ending(0, 1, option="x"), ending(1, 2, option="y"), ending(2, 3, option="y")), "a")
    assert found.option == "y"


def test_a_tenant_that_nobody_asked_has_a_tally_of_nothing() -> None:
    (found,) = tallies(trace(), ["a"])
    assert (found.asked, found.lost, found.rate_per_s, found.option) == (0, 0, 0.0, "")


def test_tallies_of_several_tenants_do_not_see_each_other() -> None:
    both = trace(ending(0, 5), replace(ending(1, 6), tenant="b"))
    assert tallies(both, ["b", "a"]) == (tally(both, "b"), tally(both, "a"))


def test_what_is_pooled_drains_into_no_other_window() -> None:
    first = tally(trace(ending(0, NS_PER_S + 1)), "a")
    second = tally(trace(ending(0, 1)), "a")
    both = pooled([first, second])
    assert (both.done, both.in_window, both.rate_per_s) == (2, 1, 0.5)
    assert both.latencies_ns == (1, NS_PER_S + 1)


def test_drops_are_pooled_by_reason() -> None:
    one, other = (tally(trace(replace(ending(0, 5, Outcome.DROPPED), reason=reason)), "a") for reason in ("too late", "queue full"))
    assert pooled([one, other, one]).dropped_for == (("queue full", 1), ("too late", 2))


def test_tallies_of_different_tenants_are_not_pooled() -> None:
    one = tally(trace(), "a")
    with pytest.raises(ValueError, match="one tenant"):
        pooled([one, replace(one, tenant="b")])
