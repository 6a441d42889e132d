"""What arrivals say of themselves, and which are refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cotenant.describe import Arrival, Bursty, Closed, External, Periodic, Poisson, Replay, Request, open_rate_per_s, outstanding
from cotenant.errors import InputError

MS = 1_000_000


@pytest.mark.parametrize(
    ("make", "path"),
    [
        (lambda: Periodic(every_ns=0), "arrival.every"),
        (lambda: Periodic(every_ns=-5), "arrival.every"),
        (lambda: Periodic(every_ns=999), "arrival.every"),
        (lambda: Periodic(every_ns=MS, jitter_ns=MS + 1), "arrival.jitter"),
        (lambda: Periodic(every_ns=MS, jitter_ns=-1), "arrival.jitter"),
        (lambda: Periodic(every_ns=MS, offset_ns=-1), "arrival.offset"),
        (lambda: Poisson(rate_per_s=0.0), "arrival.poisson"),
        (lambda: Poisson(rate_per_s=float("nan")), "arrival.poisson"),
        (lambda: Poisson(rate_per_s=float("inf")), "arrival.poisson"),
        (lambda: Bursty(rate_per_s=0.0), "arrival.bursty"),
        (lambda: Bursty(rate_per_s=float("nan")), "arrival.bursty"),
        (lambda: Bursty(rate_per_s=30.0, peak=1.0), "arrival.peak"),
        (lambda: Bursty(rate_per_s=30.0, peak=float("nan")), "arrival.peak"),
        (lambda: Bursty(rate_per_s=30.0, peak=float("inf")), "arrival.peak"),
        (lambda: Bursty(rate_per_s=30.0, peak=5.01), "arrival.peak"),
        (lambda: Bursty(rate_per_s=3e5), "arrival.peak"),
        (lambda: Bursty(rate_per_s=30.0, share=0.0), "arrival.share"),
        (lambda: Bursty(rate_per_s=30.0, share=1.0), "arrival.share"),
        (lambda: Bursty(rate_per_s=30.0, share=float("nan")), "arrival.share"),
        (lambda: Bursty(rate_per_s=30.0, burst_ns=0), "arrival.burst"),
        (lambda: Bursty(rate_per_s=1e-6), "arrival.burst"),
        (lambda: Replay(path="a.csv", times_ns=()), "arrival.trace"),
        (lambda: Replay(path="a.csv", times_ns=(1,), requests=(Request(id=0, tenant="a", arrival_ns=2),)), "arrival.trace"),
        (lambda: Replay(path="a.csv", times_ns=(2, 1)), "arrival.trace"),
        (lambda: Replay(path="a.csv", times_ns=(-1, 1)), "arrival.trace"),
        (lambda: Closed(outstanding=0), "arrival.closed"),
        (lambda: Closed(outstanding=10**30), "arrival.closed"),
        (lambda: External(rate_per_s=0.0), "arrival.external"),
        (lambda: External(rate_per_s=float("nan")), "arrival.external"),
    ],
)
def test_what_cannot_arrive_is_refused_with_its_path(make: Callable[[], Arrival], path: str) -> None:
    with pytest.raises(InputError) as refusal:
        make()
    assert refusal.value.path == path


def test_a_jitter_beyond_the_period_is_refused_in_units_that_people_read() -> None:
    with pytest.raises(InputError, match=r"^arrival\.jitter: 200ms; 0 up to the period, 100ms$"):
        Periodic(every_ns=100 * MS, jitter_ns=200 * MS)


def test_a_peak_that_leaves_less_than_nothing_between_bursts_is_refused_with_the_greatest() -> None:
    with pytest.raises(InputError, match=r"^arrival\.peak: 6\.0; at most 5 with a share of 0\.2: the rate between bursts would be neg"):
        Bursty(rate_per_s=30.0, peak=6.0)


def test_a_burst_in_which_next_to_nothing_arrives_is_refused_with_the_least_that_would_do() -> None:
    with pytest.raises(InputError, match=r"^arrival\.burst: 1us; 84us or longer at this rate$"):
        Bursty(rate_per_s=0.03, burst_ns=1000)  # 0.12/s in bursts: 1e-5 of a request in 83.4 us
    assert Bursty(rate_per_s=0.03, burst_ns=84_000).burst_ns == 84_000


@pytest.mark.parametrize(("peak", "share", "quiet_per_s"), [(4.0, 0.2, 7.5), (5.0, 0.2, 0.0), (2.0, 0.5, 0.0), (1.5, 0.5, 15.0)])
def test_both_rates_of_bursts_make_the_mean_rate(peak: float, share: float, quiet_per_s: float) -> None:
    arrival = Bursty(rate_per_s=30.0, peak=peak, share=share)
    assert arrival.quiet_per_s == pytest.approx(quiet_per_s)
    assert share * arrival.peak_per_s + (1 - share) * arrival.quiet_per_s == pytest.approx(30.0)
    assert arrival.burst_ns / (arrival.burst_ns + arrival.quiet_ns) == pytest.approx(share)


def test_an_open_rate_is_the_mean_rate() -> None:
    assert open_rate_per_s(Periodic(every_ns=100 * MS)) == 10
    assert open_rate_per_s(Poisson(rate_per_s=30.0)) == 30
    assert open_rate_per_s(Bursty(rate_per_s=30.0)) == 30
    assert open_rate_per_s(External(rate_per_s=4.0)) == 4


def test_a_replay_of_a_period_has_the_rate_of_the_period_wherever_it_starts() -> None:
    for start_ns in (0, 10**12):
        replay = Replay(path="a.csv", times_ns=tuple(start_ns + i * 100 * MS for i in range(50)))
        assert replay.rate_per_s == pytest.approx(10)


def test_a_short_replay_is_spread_over_a_second() -> None:
    assert Replay(path="a.csv", times_ns=(5,)).rate_per_s == 1
    assert Replay(path="a.csv", times_ns=(0, 0, 1)).rate_per_s == 3


def test_closed_and_unknown_demand_has_no_open_rate() -> None:
    assert open_rate_per_s(Closed()) is None
    assert open_rate_per_s(External()) is None


@pytest.mark.parametrize(
    ("arrival", "count"),
    [
        (Closed(), 4), (Closed(outstanding=2), 2), (External(), 4),
        (External(rate_per_s=1.0), None), (Periodic(every_ns=MS), None), (Poisson(rate_per_s=1.0), None),
        (Bursty(rate_per_s=1.0), None),
    ],
)  # fmt: skip
def test_a_closed_loop_keeps_one_request_per_lane_unless_told(arrival: Arrival, count: int | None) -> None:
    assert outstanding(arrival, lanes=4) == count
