"""When requests come: open patterns, closed loops, or the user's own code."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.errors import InputError
from cotenant.units import MAX_PER_S, NS_PER_S, NS_PER_US, duration_text

_MAX_OUTSTANDING = 1_000_000
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
class Replay:
    """Arrivals read from a file: instants from the start, in order."""

    path: str
    times_ns: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.times_ns:
            raise InputError("arrival.trace", self.path, "at least one arrival")
        if self.times_ns[0] < 0 or any(a > b for a, b in zip(self.times_ns, self.times_ns[1:], strict=False)):
            raise InputError("arrival.trace", self.path, "instants of 0 or more, in order")

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


Arrival = Periodic | Poisson | Replay | Closed | External


def open_rate_per_s(arrival: Arrival) -> float | None:
    """Return the mean rate of an open arrival; None for a closed loop or an external tenant without a rate."""
    match arrival:
        case Closed():
            return None
        case Periodic() | Poisson() | Replay() | External():
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
        case Periodic() | Poisson() | Replay():
            return None
