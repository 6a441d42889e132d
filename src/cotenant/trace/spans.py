"""What happened: who ran where and when, and how every request ended."""

from __future__ import annotations

from dataclasses import dataclass

from cotenant.describe import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One segment of one request on its lanes (indices within the processor); times since the trace began.

    `cpu_ns` is the thread's own CPU time, 0 where unknown; of segments that followed one another without a decision it is measured for all,
    and shared by their length. `share` is the bandwidth granted over that asked for.
    """

    request: int
    tenant: str
    segment: int
    processor: str
    lanes: tuple[int, ...]
    start_ns: int
    stop_ns: int
    cpu_ns: int = 0
    share: float = 1.0
    outcome: Outcome = Outcome.DONE


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How one request ended; `outcome` None while it is outstanding. Times since the trace began."""

    request: int
    tenant: str
    arrival_ns: int
    due_ns: int | None
    finish_ns: int | None
    outcome: Outcome | None
    option: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Say what serving took of the CPU within the window: `cpu_ns` of all processes together.

    Of a device that dispatches, `dispatch_ns` is what of it its lanes' threads took beside engines, for so many `segments`, each
    taking `dispatch_mean_ns` on the mean and `dispatch_median_ns` in the middle; None without segments.
    """

    cpu_ns: int
    segments: int = 0
    dispatch_ns: int = 0
    dispatch_mean_ns: float | None = None
    dispatch_median_ns: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Climate:
    """Say how the machine was at one instant since the trace began: the frequency of its slowest lane, its hottest sensor, and how often
    heat had slowed its lanes down since it started; each None where the kernel does not show it.
    """

    at_ns: int
    slowest_khz: int | None = None
    hottest_mc: int | None = None
    throttles: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """Hold all spans and endings of one run over `[0, stop_ns)`, and what made them; `usage` None where nobody measured it.

    `climate` is in order of time, empty where nobody looked or nothing is shown.
    """

    spans: tuple[Span, ...]
    endings: tuple[Ending, ...]
    stop_ns: int
    platform: str
    policy: str
    seed: int = 0
    asked: tuple[tuple[str, int], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    usage: Usage | None = None
    climate: tuple[Climate, ...] = ()
