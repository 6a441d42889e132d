"""Laws of the figures of merit."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from cotenant.describe import Outcome
from cotenant.trace import Ending, Trace, antt, fairness, pooled, quantile_ns, stp, tally

LATENCIES = st.lists(st.integers(0, 10**10), min_size=1, max_size=60).map(sorted)
PROGRESS = st.dictionaries(st.text(min_size=1, max_size=3), st.floats(0.01, 1.0), min_size=1, max_size=8)


@st.composite
def endings(draw: st.DrawFn) -> tuple[Ending, ...]:
    made = []
    for number in range(draw(st.integers(0, 12))):
        arrival_ns = draw(st.integers(0, 99))
        outcome = draw(st.sampled_from([None, *Outcome]))
        finish_ns = None if outcome is None else arrival_ns + draw(st.integers(0, 99))
        due_ns = draw(st.none() | st.just(arrival_ns + 50))
        made.append(Ending(request=number, tenant="a", arrival_ns=arrival_ns, due_ns=due_ns, finish_ns=finish_ns, outcome=outcome))
    return tuple(made)


def trace(own: tuple[Ending, ...]) -> Trace:
    return Trace(spans=(), endings=own, stop_ns=100, platform="p", policy="rank")


@given(latencies=LATENCIES, hundredths=st.integers(1, 100))
def test_a_quantile_is_the_least_latency_with_enough_no_later(latencies: list[int], hundredths: int) -> None:
    enough = [x for x in latencies if 100 * sum(y <= x for y in latencies) >= hundredths * len(latencies)]
    assert quantile_ns(latencies, hundredths / 100) == min(enough)


@given(own=endings())
def test_every_request_ends_exactly_once(own: tuple[Ending, ...]) -> None:
    found = tally(trace(own), "a")
    assert found.asked == found.done + found.dropped + found.failed + found.lost == len(own)


@given(own=endings())
def test_misses_are_among_the_requests_with_a_deadline(own: tuple[Ending, ...]) -> None:
    found = tally(trace(own), "a")
    assert 0 <= found.missed <= found.with_due <= found.asked
    assert found.with_due - found.missed <= found.done


@given(one=endings(), other=endings())
def test_pooling_adds_counts_and_keeps_every_latency(one: tuple[Ending, ...], other: tuple[Ending, ...]) -> None:
    parts = [tally(trace(one), "a"), tally(trace(other), "a")]
    both = pooled(parts)
    assert (both.asked, both.lost, both.missed) == tuple(sum(n) for n in zip(*((p.asked, p.lost, p.missed) for p in parts), strict=True))
    assert both.latencies_ns == tuple(sorted(parts[0].latencies_ns + parts[1].latencies_ns))
    assert both == pooled(parts[::-1])


@given(p=PROGRESS)
def test_turnaround_is_at_least_what_the_mean_progress_allows(p: dict[str, float]) -> None:
    # The harmonic mean of the progress (1 / ANTT) never exceeds the arithmetic one (STP / n).
    assert 1 / antt(p) <= stp(p) / len(p) * (1 + 1e-12)


@given(p=PROGRESS, scale=st.floats(0.1, 1.0))
def test_fairness_does_not_depend_on_the_scale_of_progress_or_shares(p: dict[str, float], scale: float) -> None:
    slower = {name: value * scale for name, value in p.items()}
    shares = dict.fromkeys(p, scale)
    assert math.isclose(fairness(slower), fairness(p))
    assert math.isclose(fairness(p, shares), fairness(p))
    assert 0 <= fairness(p) <= 1
