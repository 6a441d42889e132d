"""When requests come: open patterns, closed loops, or the user's own code."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from cotenant.describe.request import Request
from cotenant.errors import InputError
from cotenant.units import MAX_PER_S, NS_PER_S, NS_PER_US, duration_text

PEAK = 4.0
SHARE = 0.2
BURST_NS = NS_PER_S // 2
"""Bursts, unless told otherwise: four times the mean rate, in a fifth of the time, for half a second each."""

_MAX_OUTSTANDING = 1_000_000
_LEAST_SHARE = 1e-6
_LEAST_IN_A_BURST = 1e-5  # requests expected; bursts that hardly ever hold one are drawn in vain
_ROUNDING = 1e-9
_RATE = f"more than 0/s, at most {MAX_PER_S:.0f}/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """One request every `every_ns`, the first at `offset_ns`, each late by up to `jitter_ns` (uniform)."""

    every_ns: int
    jitter_ns: int = 0
    offset_ns: int = 0

    def __post_init__(self) -> None:
        if self.every_ns < NS_PER_US:
            raise InputError("arrival.every", duration_text(self.every_ns), "1us or longer")
        if not 0 <= self.jitter_ns <= self.every_ns:
            raise InputError("arrival.jitter", duration_text(self.jitter_ns), f"0 up to the period, {duration_text(self.every_ns)}")
        if self.offset_ns < 0:
            raise InputError("arrival.offset", duration_text(self.offset_ns), "0 or longer")

    @property
    def rate_per_s(self) -> float:
        return NS_PER_S / self.every_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisson:
    """Independent arrivals at a mean rate."""

    rate_per_s: float

    def __post_init__(self) -> None:
        if not 0 < self.rate_per_s <= MAX_PER_S:
            raise InputError("arrival.poisson", f"{self.rate_per_s}/s", _RATE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bursty:
    """Poisson arrivals at one of two rates, by turns: a Markov-modulated Poisson process of two states.

    `rate_per_s` is the mean of all; in bursts, which last `burst_ns` in the mean and take this `share` of the time, in (0, 1), the
    rate is `peak` times that, more than 1. What is left comes between bursts, so `peak` is at most 1 / `share`. Both lengths are
    exponential. InputError for what cannot be (Fischer and Meier-Hellstern, 1993, section 2).
    """

    rate_per_s: float
    peak: float = PEAK
    share: float = SHARE
    burst_ns: int = BURST_NS

    def __post_init__(self) -> None:
        if not 0 < self.rate_per_s <= MAX_PER_S:
            raise InputError("arrival.bursty", f"{self.rate_per_s}/s", _RATE)
        if not _LEAST_SHARE <= self.share < 1:
            raise InputError("arrival.share", self.share, f"at least {_LEAST_SHARE:f}, less than 1")
        if not self.peak > 1:
            raise InputError("arrival.peak", self.peak, "more than 1, times the mean rate")
        self._refuse_peaks()

    def _refuse_peaks(self) -> None:
        if self.peak * self.share > 1 + _ROUNDING:
            most = f"at most {1 / self.share:g} with a share of {self.share:g}: the rate between bursts would be negative"
            raise InputError("arrival.peak", self.peak, most)
        if not self.peak_per_s <= MAX_PER_S:
            raise InputError("arrival.peak", f"{self.peak_per_s:g}/s in bursts", f"at most {MAX_PER_S:.0f}/s")
        least_ns = max(math.ceil(_LEAST_IN_A_BURST * NS_PER_S / self.peak_per_s / NS_PER_US), 1) * NS_PER_US
        if self.burst_ns < least_ns:
            raise InputError("arrival.burst", duration_text(self.burst_ns), f"{duration_text(least_ns)} or longer at this rate")

    @property
    def peak_per_s(self) -> float:
        return self.rate_per_s * self.peak

    @property
    def quiet_per_s(self) -> float:
        """Return the rate between bursts."""
        return self.rate_per_s * max(1 - self.peak * self.share, 0.0) / (1 - self.share)

    @property
    def quiet_ns(self) -> float:
        """Return the mean length between bursts."""
        return self.burst_ns * (1 - self.share) / self.share


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Arrivals read from a file: instants from the start, in order.

    Where a log says more of requests than when they arrive, `requests` has one for each instant.
    """

    path: str
    times_ns: tuple[int, ...]
    requests: tuple[Request, ...] = ()

    def __post_init__(self) -> None:
        if not self.times_ns:
            raise InputError("arrival.trace", self.path, "at least one arrival")
        if self.times_ns[0] < 0 or any(a > b for a, b in zip(self.times_ns, self.times_ns[1:], strict=False)):
            raise InputError("arrival.trace", self.path, "instants of 0 or more, in order")
        if self.requests and tuple(request.arrival_ns for request in self.requests) != self.times_ns:
            raise InputError("arrival.trace", self.path, "a request for each instant, or none at all")

    @property
    def rate_per_s(self) -> float:
        """Return the mean rate from the first arrival to a mean gap after the last, over at least one second."""
        count = len(self.times_ns)
        gaps_ns = (self.times_ns[-1] - self.times_ns[0]) * count / max(count - 1, 1)
        return count / max(gaps_ns / NS_PER_S, 1.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Keep requests outstanding: the next arrives the instant one ends; None is one per lane (flat-out)."""

    outstanding: int | None = None

    def __post_init__(self) -> None:
        if self.outstanding is not None and not 1 <= self.outstanding <= _MAX_OUTSTANDING:
            raise InputError("arrival.closed", self.outstanding, f"1 to {_MAX_OUTSTANDING}")


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """The user's own code submits; `rate_per_s` is what to reserve for, None is as much as is fair."""

    rate_per_s: float | None = None

    def __post_init__(self) -> None:
        if self.rate_per_s is not None and not 0 < self.rate_per_s <= MAX_PER_S:
            raise InputError("arrival.external", f"{self.rate_per_s}/s", _RATE)


Open = Periodic | Poisson | Bursty | Replay
"""Arrivals that come by themselves, whoever drives."""

Arrival = Open | Closed | External


def open_rate_per_s(arrival: Arrival) -> float | None:
    """Return the mean rate of an open arrival; None for a closed loop or an external tenant without a rate."""
    match arrival:
        case Closed():
            return None
        case Periodic() | Poisson() | Bursty() | Replay() | External():
            return arrival.rate_per_s


def outstanding(arrival: Arrival, lanes: int) -> int | None:
    """Return how many requests are kept outstanding; None for an open arrival.

    An external tenant without a rate is planned as if its user kept every lane busy.
    """
    match arrival:
        case Closed():
            return lanes if arrival.outstanding is None else arrival.outstanding
        case External():
            return lanes if arrival.rate_per_s is None else None
        case Periodic() | Poisson() | Bursty() | Replay():
            return None


def scaled(arrival: Arrival, load: float) -> Arrival:
    """Multiply an open rate by `load`, more than 0: recorded and periodic instants are divided by it, jitter and offset too.

    Bursts come when they came, and last as long, with more in them. What has no rate of its own stays as it is. InputError for a
    rate that cannot be.
    """
    match arrival:
        case Periodic():
            return Periodic(
                every_ns=round(arrival.every_ns / load),
                jitter_ns=round(arrival.jitter_ns / load),
                offset_ns=round(arrival.offset_ns / load),
            )
        case Replay():
            times_ns = tuple(int(time_ns / load) for time_ns in arrival.times_ns)
            moved = tuple(_moved(request, time_ns) for request, time_ns in zip(arrival.requests, times_ns, strict=False))
            return Replay(path=arrival.path, times_ns=times_ns, requests=moved)
        case Poisson() | Bursty():
            return replace(arrival, rate_per_s=arrival.rate_per_s * load)
        case External(rate_per_s=float(rate_per_s)):
            return External(rate_per_s=rate_per_s * load)
        case Closed() | External():
            return arrival


def _moved(request: Request, arrival_ns: int) -> Request:
    """Let a request arrive at another instant, with as much time to its due one."""
    due_ns = None if request.due_ns is None else request.due_ns - request.arrival_ns + arrival_ns
    return replace(request, arrival_ns=arrival_ns, due_ns=due_ns)
