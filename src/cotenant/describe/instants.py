"""Instants at which an arrival's requests come, drawn one by one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from cotenant.describe.arrival import Arrival, Bursty, Closed, External, Periodic, Poisson, Replay
from cotenant.describe.draws import endless
from cotenant.units import NS_PER_S


def instants_ns(arrival: Arrival, until_ns: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield the instants before `until_ns`, in order; none for closed and external tenants.

    A later end only adds instants. And at another rate the same draws make the same pattern, faster or slower (common random
    numbers), so that loads can be compared request by request.
    """
    match arrival:
        case Periodic():
            instants = _periodic_ns(arrival, rng)
        case Poisson(rate_per_s=rate_per_s):
            instants = _poisson_ns(NS_PER_S / rate_per_s, rng)
        case Bursty():
            instants = _bursty_ns(arrival, until_ns, rng)
        case Replay(times_ns=times_ns):
            instants = iter(times_ns)
        case Closed() | External():
            return iter(())
    return map(int, itertools.takewhile(lambda time_ns: time_ns < until_ns, instants))


def _periodic_ns(arrival: Periodic, rng: np.random.Generator) -> Iterator[float]:
    grid_ns = itertools.count(arrival.offset_ns, arrival.every_ns)
    if not arrival.jitter_ns:
        return grid_ns
    widths = arrival.jitter_ns + 1
    return (time_ns + min(int(uniform * widths), arrival.jitter_ns) for time_ns, uniform in zip(grid_ns, endless(rng.random), strict=False))


def _poisson_ns(mean_ns: float, rng: np.random.Generator) -> Iterator[float]:
    return (units * mean_ns for units in itertools.accumulate(endless(rng.standard_exponential)))


def _bursty_ns(arrival: Bursty, until_ns: int, rng: np.random.Generator) -> Iterator[float]:
    """Let each gap of mean 1 run down at the rate of the phase; phases come from a generator of their own."""
    gaps = endless(rng.standard_exponential)
    now_ns, left = 0.0, next(gaps)
    for length_ns, per_ns in _phases(arrival, rng.spawn(1)[0]):
        if now_ns >= until_ns:
            return
        end_ns = now_ns + length_ns
        while left < (end_ns - now_ns) * per_ns:
            now_ns += left / per_ns
            yield now_ns
            left = next(gaps)
        left -= (end_ns - now_ns) * per_ns
        now_ns = max(now_ns, end_ns)


def _phases(arrival: Bursty, rng: np.random.Generator) -> Iterator[tuple[float, float]]:
    """Yield lengths in nanoseconds with rates per nanosecond, bursts and what is between by turns, from any moment of a long past on."""
    burst = float(arrival.burst_ns), arrival.peak_per_s / NS_PER_S
    quiet = arrival.quiet_ns, arrival.quiet_per_s / NS_PER_S
    turns = (burst, quiet) if rng.random() < arrival.share else (quiet, burst)
    for units, (mean_ns, per_ns) in zip(endless(rng.standard_exponential), itertools.cycle(turns), strict=False):
        yield units * mean_ns, per_ns
