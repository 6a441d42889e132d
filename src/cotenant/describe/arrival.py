"""When requests come: open patterns, closed loops, or the user's own code."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Periodic:
    """One request every `every_ns`, the first at `offset_ns`, each late by up to `jitter_ns` (uniform)."""

    every_ns: int
    jitter_ns: int = 0
    offset_ns: int = 0

    def __post_init__(self) -> None:
        if self.every_ns <= 0:
            raise InputError("arrival.every", f"{self.every_ns}ns", "longer than 0")
        if not 0 <= self.jitter_ns <= self.every_ns:
            raise InputError("arrival.jitter", f"{self.jitter_ns}ns", "0 up to the period")

    @property
    def rate_per_s(self) -> float:
        return 1e9 / self.every_ns


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisson:
    """Independent arrivals at a mean rate."""

    rate_per_s: float

    def __post_init__(self) -> None:
        if not self.rate_per_s > 0:
            raise InputError("arrival.poisson", f"{self.rate_per_s}/s", "more than 0/s")


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
        return len(self.times_ns) / max(self.times_ns[-1] / 1e9, 1e-9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Keep requests outstanding: the next arrives the instant one ends; None is one per lane (flat-out)."""

    outstanding: int | None = None

    def __post_init__(self) -> None:
        if self.outstanding is not None and self.outstanding < 1:
            raise InputError("arrival.closed", self.outstanding, "1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class External:
    """The user's own code submits; `rate_per_s` is what to reserve for, None is as much as is fair."""

    rate_per_s: float | None = None

    def __post_init__(self) -> None:
        if self.rate_per_s is not None and not self.rate_per_s > 0:
            raise InputError("arrival.external", f"{self.rate_per_s}/s", "more than 0/s")


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
