"""Figures of merit against values worked out by hand."""

from __future__ import annotations

import math

import pytest

from cotenant.describe import Objective, Plan, Promise
from cotenant.trace import Tally, antt, critical, fairness, least_p, miss_ratio, progress, quantile_ns, sla, stp
from cotenant.units import NS_PER_S


def counted(tenant: str, in_window: int = 0, latencies_ns: tuple[int, ...] = (), with_due: int = 0, missed: int = 0) -> Tally:
    return Tally(
        tenant=tenant, window_ns=NS_PER_S, asked=in_window, done=in_window, dropped=0, failed=0, in_window=in_window,
        with_due=with_due, missed=missed, latencies_ns=latencies_ns,
    )  # fmt: skip


def plan(**solo_rates_per_s: float) -> Plan:
    promises = tuple(Promise(tenant=name, rate_per_s=0.0, solo_rate_per_s=rate) for name, rate in solo_rates_per_s.items())
    return Plan(shares=(), promises=promises, prices=(), objective=Objective.PROPORTIONAL, value=0.0, bound=0.0)


def test_ninety_nine_of_a_hundred_are_no_later_than_the_ninety_ninth() -> None:
    assert quantile_ns(range(1, 101), 0.99) == 99


def test_a_binary_fraction_does_not_move_a_quantile() -> None:
    # 0.07 x 100 is 7.000000000000001 in floating point: an eighth request would be asked for.
    assert quantile_ns(range(1, 101), 0.07) == 7


def test_the_median_of_two_is_the_lower() -> None:
    assert quantile_ns((1, 3), 0.5) == 1


def test_without_requests_there_is_no_quantile() -> None:
    assert quantile_ns((), 0.5) is None


@pytest.mark.parametrize("q", [0.0, -0.1, 1.1])
def test_a_quantile_beyond_0_to_1_is_refused(q: float) -> None:
    with pytest.raises(ValueError, match="more than 0, at most 1"):
        quantile_ns((1,), q)


def test_progress_is_the_rate_over_the_solo_rate() -> None:
    assert progress([counted("a", 5), counted("b", 3)], plan(a=10.0, b=4.0)) == {"a": 0.5, "b": 0.75}


def test_a_tenant_that_cannot_be_served_alone_makes_no_progress() -> None:
    assert progress([counted("a", 5)], plan(a=0.0)) == {"a": 0.0}


def test_throughput_and_turnaround_of_two_halves() -> None:
    # Two programs at half speed each: STP 1, ANTT 2 (Eyerman and Eeckhout, 2008).
    p = {"a": 0.5, "b": 0.5}
    assert (stp(p), antt(p), fairness(p), least_p(p)) == (1.0, 2.0, 1.0, 0.5)


def test_a_tenant_that_stands_still_has_an_infinite_turnaround_and_no_fairness() -> None:
    p = {"a": 1.0, "b": 0.0}
    assert math.isinf(antt(p))
    assert fairness(p) == 0.0


def test_progress_in_proportion_to_the_shares_is_fair() -> None:
    assert fairness({"a": 0.6, "b": 0.2}, {"a": 3.0, "b": 1.0}) == pytest.approx(1.0)
    assert fairness({"a": 0.6, "b": 0.2}) == pytest.approx(1 / 3)


def test_misses_are_shares_of_the_requests_with_a_deadline() -> None:
    some = [counted("a", with_due=3, missed=1), counted("b", with_due=1, missed=1), counted("c", in_window=100)]
    assert (miss_ratio(some), sla(some)) == (0.5, 0.5)


def test_without_deadlines_nothing_is_missed() -> None:
    assert (miss_ratio([counted("a")]), sla([counted("a")])) == (0.0, 1.0)


def test_the_critical_tenant_is_the_worst_of_the_first_rank() -> None:
    found = [counted("a", 1, (5,)), counted("b", 1, (7,)), counted("c", 1, (9,))]
    assert critical(found, {"a": 0, "b": 0, "c": 1}) == "b"


def test_a_critical_tenant_never_answered_is_worse_than_a_slow_one() -> None:
    assert critical([counted("a", 1, (5,)), counted("b")], {"a": 0, "b": 0}) == "b"
