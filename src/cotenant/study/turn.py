"""What came of one way's turn in one round."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from cotenant.study.rounds import Measured
from cotenant.trace import Tally, Usage, quantile_ns, tallies
from cotenant.units import NS_PER_MS, NS_PER_US


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispatching:
    """Say what lanes' threads took beside engines: in CPU time by segment, and as a share of the lanes' time, in [0, 1]."""

    segments: int
    median_us: float
    mean_us: float
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """Sum up a turn; `others` and `used` are shares, in [0, 1], of the lanes' time: what others took, and what served took in the window.

    `tallies` are in the crew's order; `stp_ort` is over the rates alone of that round.
    """

    round: int
    others: float
    tries: int
    used: float | None
    stp_ort: float
    tallies: tuple[Tally, ...]
    dispatching: Dispatching | None = None


def turn_of(measured: Measured, tenants: Sequence[str], alone_per_s: Mapping[str, float], lanes: int) -> Turn:
    """Sum up what was measured in one turn."""
    counted, usage = tallies(measured.trace, tenants), measured.trace.usage
    given_ns = lanes * measured.trace.stop_ns
    return Turn(
        round=measured.round,
        others=measured.others,
        tries=measured.tries,
        used=None if usage is None else min(usage.cpu_ns / given_ns, 1.0),
        stp_ort=stp_ort(counted, alone_per_s),
        tallies=counted,
        dispatching=None if usage is None else _dispatching(usage, given_ns),
    )


def stp_ort(counted: Sequence[Tally], alone_per_s: Mapping[str, float]) -> float:
    """Add up the rates over the rates alone."""
    return sum(t.rate_per_s / alone_per_s[t.tenant] for t in counted)


def turn_json(turn: Turn) -> dict[str, Any]:
    """Return a turn as `compare --json` prints it."""
    return {
        "round": turn.round,
        "others": turn.others,
        "tries": turn.tries,
        "used": turn.used,
        "stp_ort": turn.stp_ort,
        **_dispatching_json(turn.dispatching),
        "tenants": {t.tenant: _tally_json(t) for t in turn.tallies},
    }


def medians(turns: Sequence[Turn]) -> dict[str, float | None]:
    """Return the medians over turns of what was used and of what dispatching took; None where that was not measured."""
    told = [{"used": turn.used, **_dispatching_json(turn.dispatching)} for turn in turns]
    known = {key: [one[key] for one in told if one.get(key) is not None] for key in ("used", *_KEYS)}
    return {key: median(values) if values else None for key, values in known.items()}


_KEYS = ("dispatch_us_per_segment", "dispatch_mean_us", "dispatch_share")


def _dispatching_json(found: Dispatching | None) -> dict[str, Any]:
    if found is None:
        return {}
    figures = (found.median_us, found.mean_us, found.share)
    return {"segments": found.segments, **dict(zip(_KEYS, figures, strict=True))}


def _dispatching(usage: Usage, given_ns: int) -> Dispatching | None:
    if usage.dispatch_median_ns is None or usage.dispatch_mean_ns is None:
        return None
    return Dispatching(
        segments=usage.segments,
        median_us=usage.dispatch_median_ns / NS_PER_US,
        mean_us=usage.dispatch_mean_ns / NS_PER_US,
        share=min(usage.dispatch_ns / given_ns, 1.0),
    )


def _tally_json(counted: Tally) -> dict[str, Any]:
    quantiles_ns = {name: quantile_ns(counted.latencies_ns, q) for name, q in (("p50_ms", 0.50), ("p99_ms", 0.99))}
    return {
        "asked": counted.asked,
        "done": counted.done,
        "missed": counted.missed,
        "dropped": counted.dropped,
        "failed": counted.failed,
        "lost": counted.lost,
        "rate_per_s": counted.rate_per_s,
        **{name: None if time_ns is None else time_ns / NS_PER_MS for name, time_ns in quantiles_ns.items()},
    }
