"""Laws of arrivals that follow from a seed."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Arrival, Closed, External, Periodic, Poisson, Replay, Source, Tenant, Workload
from cotenant.errors import InputError

MS = 1_000_000
S = 1_000_000_000

periodic = st.builds(Periodic, every_ns=st.integers(5 * MS, S), jitter_ns=st.integers(0, 5 * MS), offset_ns=st.integers(0, 2 * S))
poisson = st.builds(Poisson, rate_per_s=st.floats(0.01, 100))
replay = st.builds(
    Replay, path=st.just("a.csv"), times_ns=st.lists(st.integers(0, 4 * S), min_size=1, max_size=20).map(lambda t: tuple(sorted(t)))
)
silent = st.builds(Closed, outstanding=st.none() | st.integers(1, 9)) | st.builds(External, rate_per_s=st.none() | st.just(9.0))
arrivals = st.lists(periodic | poisson | replay | silent, min_size=1, max_size=5)
horizons_ns = st.integers(1, 4 * S)
seeds = st.integers(0, 2**63 - 1)


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


@pytest.mark.parametrize(("field", "value"), [("horizon_ns", 0), ("horizon_ns", -1), ("seed", -1), ("seed", 2**63), ("tenants", ())])
def test_a_workload_that_cannot_be_is_refused(field: str, value: object) -> None:
    good: dict[str, object] = {"tenants": workload([Closed()]).tenants}
    with pytest.raises(InputError):
        Workload(**{**good, field: value})  # type: ignore[arg-type]


def test_two_tenants_of_one_name_are_refused() -> None:
    twin = workload([Closed()]).tenants[0]
    with pytest.raises(InputError, match=r"^tenants\[1\].name: t0; a name of its own; it is taken$"):
        Workload(tenants=(twin, twin))
