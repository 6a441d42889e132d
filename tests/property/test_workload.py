"""Laws of arrivals that follow from a seed."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import islice, pairwise, takewhile
from statistics import fmean, variance

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import (
    Arrival,
    Bursty,
    Closed,
    External,
    Periodic,
    Poisson,
    Replay,
    Request,
    Source,
    Tenant,
    Work,
    Workload,
    open_rate_per_s,
)
from cotenant.errors import InputError

MS = 1_000_000
S = 1_000_000_000

periodic = st.builds(Periodic, every_ns=st.integers(5 * MS, S), jitter_ns=st.integers(0, 5 * MS), offset_ns=st.integers(0, 2 * S))
poisson = st.builds(Poisson, rate_per_s=st.floats(0.01, 100))
bursty = st.tuples(st.floats(0.5, 100), st.floats(0.01, 0.9), st.floats(0.01, 1), st.integers(5 * MS, S)).map(
    lambda given: Bursty(rate_per_s=given[0], share=given[1], peak=1 + given[2] * (1 / given[1] - 1), burst_ns=given[3])
)
replay = st.builds(
    Replay, path=st.just("a.csv"), times_ns=st.lists(st.integers(0, 4 * S), min_size=1, max_size=20).map(lambda t: tuple(sorted(t)))
)
silent = st.builds(Closed, outstanding=st.none() | st.integers(1, 9)) | st.builds(External, rate_per_s=st.none() | st.just(9.0))
arrivals = st.lists(periodic | poisson | bursty | replay | silent, min_size=1, max_size=5)
horizons_ns = st.integers(1, 4 * S)
seeds = st.integers(0, 2**63 - 1)
works = st.builds(
    Work, spread=st.floats(0, 2), exits=st.dictionaries(st.integers(0, 9), st.floats(0.01, 0.1)).map(lambda exits: tuple(exits.items()))
)
loads = st.floats(0.2, 5)


def workload(arrivals: list[Arrival], seed: int = 0, deadline_ns: int | None = None) -> Workload:
    tenants = [
        Tenant(name=f"t{i}", source=Source(model="zoo:x"), arrival=arrival, deadline_ns=deadline_ns) for i, arrival in enumerate(arrivals)
    ]
    return Workload(tenants=tuple(tenants), seed=seed)


def times_ns(arrival: Arrival, horizon_ns: int, seed: int = 0) -> list[int]:
    return [r.arrival_ns for r in workload([arrival], seed).requests(horizon_ns)]


@given(arrivals, horizons_ns, seeds)
def test_the_same_seed_gives_the_same_requests(arrivals: list[Arrival], horizon_ns: int, seed: int) -> None:
    assert workload(arrivals, seed).requests(horizon_ns) == workload(arrivals, seed).requests(horizon_ns)


@given(arrivals, horizons_ns, seeds)
def test_requests_come_in_order_within_the_horizon_numbered_from_0(arrivals: list[Arrival], horizon_ns: int, seed: int) -> None:
    requests = workload(arrivals, seed).requests(horizon_ns)
    times = [r.arrival_ns for r in requests]
    assert times == sorted(times)
    assert all(0 <= time < horizon_ns for time in times)
    assert [r.id for r in requests] == list(range(len(requests)))


@given(arrivals, horizons_ns, seeds, st.none() | st.integers(1, S))
def test_a_request_is_due_its_deadline_after_its_arrival(
    arrivals: list[Arrival], horizon_ns: int, seed: int, deadline_ns: int | None
) -> None:
    for request in workload(arrivals, seed, deadline_ns).requests(horizon_ns):
        assert request.due_ns == (None if deadline_ns is None else request.arrival_ns + deadline_ns)


@given(arrivals, arrivals, horizons_ns, seeds)
def test_one_more_tenant_at_the_end_moves_no_arrival_of_those_before(
    arrivals: list[Arrival], more: list[Arrival], horizon_ns: int, seed: int
) -> None:
    few, many = (
        [(r.tenant, r.arrival_ns) for r in workload(crew, seed).requests(horizon_ns) if int(r.tenant[1:]) < len(arrivals)]
        for crew in (arrivals, arrivals + more)
    )
    assert few == many


@given(arrivals, horizons_ns, seeds)
def test_a_stream_begins_with_what_is_listed(arrivals: list[Arrival], horizon_ns: int, seed: int) -> None:
    made = workload(arrivals, seed)
    assert tuple(takewhile(lambda r: r.arrival_ns < horizon_ns, made.stream())) == made.requests(horizon_ns)


@given(arrivals, horizons_ns, horizons_ns, seeds)
def test_a_longer_horizon_only_adds_requests(arrivals: list[Arrival], horizon_ns: int, more_ns: int, seed: int) -> None:
    short, long = (workload(arrivals, seed).requests(until_ns) for until_ns in (horizon_ns, horizon_ns + more_ns))
    assert long[: len(short)] == short


@given(periodic, horizons_ns, seeds)
def test_a_period_without_jitter_is_exact(arrival: Periodic, horizon_ns: int, seed: int) -> None:
    exact = Periodic(every_ns=arrival.every_ns, offset_ns=arrival.offset_ns)
    assert times_ns(exact, horizon_ns, seed) == list(range(arrival.offset_ns, horizon_ns, arrival.every_ns))


@given(periodic, horizons_ns, seeds)
def test_jitter_makes_each_arrival_late_by_less_than_it_says(arrival: Periodic, horizon_ns: int, seed: int) -> None:
    grid_ns = range(arrival.offset_ns, horizon_ns, arrival.every_ns)
    late_ns = [time - due for time, due in zip(times_ns(arrival, horizon_ns, seed), grid_ns, strict=False)]
    assert all(0 <= late <= arrival.jitter_ns for late in late_ns)
    assert len(grid_ns) - len(late_ns) <= 1  # a jitter is at most a period, so only the last can leave the horizon


def test_jitter_is_uniform() -> None:
    late_ns = [time % (10 * MS) for time in times_ns(Periodic(every_ns=10 * MS, jitter_ns=8 * MS), 100 * S)]
    four_errors = 4 * 8 * MS / math.sqrt(12 * len(late_ns))
    assert sum(late_ns) / len(late_ns) == pytest.approx(4 * MS, abs=four_errors)


@pytest.mark.parametrize("seed", range(5))
def test_poisson_counts_and_gaps_are_those_of_the_rate(seed: int) -> None:
    times = times_ns(Poisson(rate_per_s=50.0), 200 * S, seed)
    expected = 50 * 200
    assert abs(len(times) - expected) < 5 * math.sqrt(expected)
    gaps_s = [(b - a) / S for a, b in pairwise(times)]
    assert sum(gaps_s) / len(gaps_s) == pytest.approx(1 / 50, rel=5 / math.sqrt(expected))
    beyond_the_mean = sum(gap > 1 / 50 for gap in gaps_s) / len(gaps_s)
    assert beyond_the_mean == pytest.approx(math.exp(-1), abs=5 * math.sqrt(0.25 / len(gaps_s)))


def dispersion(arrival: Bursty, window_ns: int) -> float:
    """Return variance over mean of the requests in a window.

    Given the phases, a count is Poisson of the mean M = integral of the rate, so Var N = E M + Var M. The rate has variance
    v = share (1 - share) (peak - quiet)^2 and forgets exponentially within tau, 1 / tau = 1 / burst + 1 / quiet; so
    Var M = 2 v tau (t - tau (1 - exp(-t / tau))). (Fischer and Meier-Hellstern, 1993, section 2.)
    """
    t, tau = window_ns / S, 1 / (S / arrival.burst_ns + S / arrival.quiet_ns)
    rates = arrival.share * (1 - arrival.share) * (arrival.peak_per_s - arrival.quiet_per_s) ** 2
    return 1 + 2 * rates * tau * (t - tau * (1 - math.exp(-t / tau))) / (arrival.rate_per_s * t)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("arrival", "window_ns"),
    [
        (Bursty(rate_per_s=50.0, burst_ns=50 * MS), 2 * S),
        (Bursty(rate_per_s=50.0, burst_ns=50 * MS), S // 10),
        (Bursty(rate_per_s=50.0, peak=5.0, burst_ns=50 * MS), 2 * S),
        (Bursty(rate_per_s=100.0, peak=1.5, share=0.5, burst_ns=100 * MS), 2 * S),
    ],
)
def test_bursts_have_the_mean_and_the_dispersion_of_the_theory(arrival: Bursty, window_ns: int, seed: int) -> None:
    windows, apart_ns = 500, 5 * S // 2  # by then a window has forgotten the one before
    counts = [0] * windows
    for time_ns in times_ns(arrival, windows * apart_ns, seed):
        index, within_ns = divmod(time_ns, apart_ns)
        counts[index] += within_ns < window_ns
    expected, spread = arrival.rate_per_s * window_ns / S, variance(counts)
    assert fmean(counts) == pytest.approx(expected, abs=5 * math.sqrt(dispersion(arrival, window_ns) * expected / windows))
    kurtosis = fmean([(count - expected) ** 4 for count in counts]) / spread**2
    assert spread / expected == pytest.approx(dispersion(arrival, window_ns), rel=5 * math.sqrt((kurtosis - 1) / windows))
    assert dispersion(arrival, window_ns) > 1.5


def test_bursts_that_take_all_leave_nothing_between() -> None:
    arrival = Bursty(rate_per_s=1000.0, peak=10.0, share=0.1, burst_ns=10 * MS)
    gaps_ns = [later - earlier for earlier, later in pairwise(times_ns(arrival, 100 * S))]
    assert arrival.quiet_per_s == 0
    # The mean gap between bursts is 90 ms, within one 0.1 ms: e^-100 for one of 10 ms.
    between = [gap_ns for gap_ns in gaps_ns if gap_ns > 10 * MS]
    assert len(between) > 500
    assert fmean(between) == pytest.approx(100 * MS, rel=5 / math.sqrt(len(between)))  # exponential, so 10 ms and then 90 more


@given(replay, horizons_ns, seeds)
def test_a_replay_is_what_was_recorded_before_the_horizon(arrival: Replay, horizon_ns: int, seed: int) -> None:
    assert times_ns(arrival, horizon_ns, seed) == [time for time in arrival.times_ns if time < horizon_ns]


@given(silent, horizons_ns)
def test_closed_loops_and_users_have_no_arrivals_written_down(arrival: Arrival, horizon_ns: int) -> None:
    assert times_ns(arrival, horizon_ns) == []


@given(arrivals, seeds)
def test_nothing_arrives_within_no_time(arrivals: list[Arrival], seed: int) -> None:
    assert workload(arrivals, seed).requests(0) == ()


def test_another_seed_gives_other_requests() -> None:
    assert times_ns(Poisson(rate_per_s=50.0), S, 1) != times_ns(Poisson(rate_per_s=50.0), S, 2)


def test_without_any_horizon_there_is_no_last_request() -> None:
    with pytest.raises(ValueError, match="horizon"):
        workload([Poisson(rate_per_s=1.0)]).requests()


def test_more_requests_than_can_be_listed_are_refused_before_they_are_drawn() -> None:
    with pytest.raises(InputError) as refusal:
        workload([Closed(), Poisson(rate_per_s=1e6)]).requests(20 * S)
    assert str(refusal.value) == "tenants[1].arrival: 20000000 requests; at most 10000000 within the horizon"


def test_more_bursts_than_can_be_drawn_are_refused() -> None:
    with pytest.raises(InputError, match=r"^tenants\[0\]\.arrival: 20000000 bursts; at most"):
        workload([Bursty(rate_per_s=100.0, burst_ns=10_000)]).requests(1000 * S)


def varied(tenants: tuple[Tenant, ...], work: Work) -> tuple[Tenant, ...]:
    return tuple(replace(tenant, work=work) for tenant in tenants)


@given(arrivals, works, horizons_ns, seeds)
def test_work_that_varies_moves_no_arrival(arrivals: list[Arrival], work: Work, horizon_ns: int, seed: int) -> None:
    made = workload(arrivals, seed)
    plain, drawn = made.requests(horizon_ns), replace(made, tenants=varied(made.tenants, work)).requests(horizon_ns)
    assert tuple(replace(request, work_scale=1.0, exit_stage=None) for request in drawn) == plain
    assert all(request.work_scale > 0 for request in drawn)
    assert {request.exit_stage for request in drawn} <= {None, *(segment for segment, _ in work.exits)}


@given(arrivals, works, works, horizons_ns, seeds)
def test_exits_change_no_work_and_work_no_exit(arrivals: list[Arrival], work: Work, other: Work, horizon_ns: int, seed: int) -> None:
    made = workload(arrivals, seed)
    both, alone, exits = (
        replace(made, tenants=varied(made.tenants, kind)).requests(horizon_ns)
        for kind in (work, replace(work, exits=other.exits), replace(work, spread=other.spread))
    )
    assert [request.work_scale for request in both] == [request.work_scale for request in alone]
    assert [request.exit_stage for request in both] == [request.exit_stage for request in exits]


@pytest.mark.parametrize("spread", [0.1, 0.3, 1.0])
def test_work_has_mean_1_and_the_spread_that_it_says(spread: float) -> None:
    count = 40_000
    made = workload([Periodic(every_ns=MS)])
    scales = [r.work_scale for r in replace(made, tenants=varied(made.tenants, Work(spread=spread))).requests(count * MS)]
    assert len(scales) == count
    assert fmean(scales) == pytest.approx(1, abs=5 * spread / math.sqrt(count))
    logs = [math.log(scale) for scale in scales]  # normal, so that their variance is off by sqrt(2 / count) of it
    assert variance(logs) == pytest.approx(math.log(1 + spread**2), rel=5 * math.sqrt(2 / count))


def test_requests_leave_as_often_as_their_exits_say() -> None:
    count, exits = 40_000, ((3, 0.1), (0, 0.25))
    made = workload([Periodic(every_ns=MS)])
    left = [r.exit_stage for r in replace(made, tenants=varied(made.tenants, Work(exits=exits))).requests(count * MS)]
    for stage, probability in (*exits, (None, 0.65)):
        assert left.count(stage) / count == pytest.approx(probability, abs=5 * math.sqrt(0.25 / count))


def nth(made: Workload, tenant: str, horizon_ns: int) -> list[Request]:
    return [request for request in made.requests(horizon_ns) if request.tenant == tenant]


@given(st.lists(periodic | poisson | replay | silent, min_size=1, max_size=5), works, loads, horizons_ns, seeds)
def test_at_another_load_the_same_requests_come_sooner_or_later(
    arrivals: list[Arrival], work: Work, load: float, horizon_ns: int, seed: int
) -> None:
    plain = workload(arrivals, seed, deadline_ns=MS)
    plain = replace(plain, tenants=varied(plain.tenants, work))
    for tenant in plain.tenants:
        before, after = nth(plain, tenant.name, horizon_ns), nth(plain.scaled(load), tenant.name, horizon_ns)
        for earlier, later in zip(before, after, strict=False):
            # Periods, offsets and instants are rounded to whole ns: half a one for each period before, and two at the ends.
            assert abs(later.arrival_ns * load - earlier.arrival_ns) <= (0.5 * len(before) + 3) * max(load, 1) + 2
            assert (later.work_scale, later.exit_stage) == (earlier.work_scale, earlier.exit_stage)
            assert later.due_ns == later.arrival_ns + MS


@given(bursty, st.floats(1, 5), horizons_ns, seeds)
def test_at_a_higher_load_each_request_of_a_burst_comes_no_later(arrival: Bursty, load: float, horizon_ns: int, seed: int) -> None:
    plain = workload([arrival], seed)
    before, after = plain.requests(horizon_ns), plain.scaled(load).requests(horizon_ns)
    assert len(after) >= len(before)
    assert all(later.arrival_ns <= earlier.arrival_ns + 1 for earlier, later in zip(before, after, strict=False))


@given(arrivals, loads)
def test_a_load_multiplies_every_open_rate_and_no_closed_loop(arrivals: list[Arrival], load: float) -> None:
    for plain, loaded in zip(arrivals, workload(arrivals).scaled(load).tenants, strict=True):
        rate = open_rate_per_s(plain)
        if rate is None:
            assert loaded.arrival == plain
        elif not isinstance(plain, Replay):  # whose mean is over a second at least
            assert open_rate_per_s(loaded.arrival) == pytest.approx(rate * load, rel=1e-6)


@given(arrivals, seeds)
def test_a_load_of_1_changes_nothing(arrivals: list[Arrival], seed: int) -> None:
    assert workload(arrivals, seed).scaled(1.0) == workload(arrivals, seed)


@pytest.mark.parametrize("load", [0.0, -1.0, math.nan, math.inf, -math.inf, 1e-9, 1e9])
def test_a_load_that_cannot_be_is_refused(load: float) -> None:
    with pytest.raises(InputError, match=r"^load: .*; a factor of 0\.000001 to 1000000$"):
        workload([Poisson(rate_per_s=1.0)]).scaled(load)


def test_a_load_beyond_what_can_arrive_is_refused_with_its_tenant() -> None:
    with pytest.raises(InputError, match=r"^tenants\[1\]\.arrival\.every: 1ns; 1us or longer$"):
        workload([Closed(), Periodic(every_ns=MS)]).scaled(1e6)


def test_a_rate_of_next_to_nothing_has_no_request_and_an_end() -> None:
    assert list(islice(workload([Poisson(rate_per_s=5e-324)]).stream(), 1)) == []


@pytest.mark.parametrize(("field", "value"), [("horizon_ns", 0), ("horizon_ns", -1), ("seed", -1), ("seed", 2**63), ("tenants", ())])
def test_a_workload_that_cannot_be_is_refused(field: str, value: object) -> None:
    good: dict[str, object] = {"tenants": workload([Closed()]).tenants}
    with pytest.raises(InputError):
        Workload(**{**good, field: value})  # type: ignore[arg-type]


def test_two_tenants_of_one_name_are_refused() -> None:
    twin = workload([Closed()]).tenants[0]
    with pytest.raises(InputError, match=r"^tenants\[1\].name: t0; a name of its own; it is taken$"):
        Workload(tenants=(twin, twin))
