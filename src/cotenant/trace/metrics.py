"""Figures of merit, one function each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from cotenant.describe import Plan
from cotenant.trace.tally import Tally

MOST_DENOMINATOR = 10**9


def quantile_ns(latencies_ns: Sequence[int], q: float) -> int | None:
    """Return the smallest latency such that at least a share q of the requests are no later; None without requests.

    `latencies_ns` ascends; q in (0, 1]. It is the higher order statistic, never interpolated (Hyndman and Fan, 1996, type 1),
    and exact: 0.07 of 100 requests are 7, whatever binary fractions say.
    """
    if not 0 < q <= 1:
        raise ValueError(f"a quantile of {q}: more than 0, at most 1")
    if not latencies_ns:
        return None
    needed = Fraction(q).limit_denominator(MOST_DENOMINATOR) * len(latencies_ns)
    return latencies_ns[max(-(-needed.numerator // needed.denominator), 1) - 1]


def progress(tallied: Iterable[Tally], plan: Plan) -> dict[str, float]:
    """Return P of every tenant: its rate over its solo rate by the plan; it may exceed 1 by what chance served above the mean."""
    solo = {promise.tenant: promise.solo_rate_per_s for promise in plan.promises}
    return {t.tenant: t.rate_per_s / solo[t.tenant] if solo.get(t.tenant, 0) > 0 else 0.0 for t in tallied}


def stp(p: Mapping[str, float]) -> float:
    """Add up the progress of all tenants: system throughput (Eyerman and Eeckhout, 2008)."""
    return sum(p.values())


def antt(p: Mapping[str, float]) -> float:
    """Average the slowdowns 1 / P: normalised turnaround time, infinite if one stands still (Eyerman and Eeckhout, 2008).

    It is below 1 only where somebody is faster than alone as planned.
    """
    if not p:
        return 0.0
    return sum(1 / value if value > 0 else float("inf") for value in p.values()) / len(p)


def fairness(p: Mapping[str, float], shares: Mapping[str, float] | None = None) -> float:
    """Compare the least progress with the greatest, in [0, 1].

    Without `shares` it is min over max of P (Eyerman and Eeckhout, 2008); with them P is first divided by the tenant's part of all
    shares, the priorities of the MoCA paper (Kim et al., HPCA 2023). 1 with fewer than two tenants, 0 if all stand still.
    """
    total = sum(shares.values()) if shares else 1.0
    earned = [value / (shares[name] / total) if shares else value for name, value in p.items()]
    if len(earned) < 2:
        return 1.0
    return min(earned) / max(earned) if max(earned) > 0 else 0.0


def sla(tallied: Iterable[Tally]) -> float:
    """Return the share of requests with a deadline that were done by it, in [0, 1]; 1 without deadlines (Kim et al., HPCA 2023)."""
    return 1.0 - miss_ratio(tallied)


def miss_ratio(tallied: Iterable[Tally]) -> float:
    """Return the share of requests with a deadline that were late, dropped, failed or lost, in [0, 1]; 0 without deadlines."""
    counted = [(t.missed, t.with_due) for t in tallied]
    total = sum(with_due for _, with_due in counted)
    return sum(missed for missed, _ in counted) / total if total else 0.0


def least_p(p: Mapping[str, float]) -> float:
    """Return the least progress of all tenants; 0 without tenants."""
    return min(p.values(), default=0.0)


def critical(tallied: Iterable[Tally], ranks: Mapping[str, int]) -> str | None:
    """Name the worst tenant of the first rank: the one with the greatest p99; one that was never answered is worse still."""
    first = min(ranks.values(), default=0)
    p99_ns = {t.tenant: quantile_ns(t.latencies_ns, 0.99) for t in tallied if ranks.get(t.tenant) == first}
    return max(p99_ns, key=lambda name: _or_never(p99_ns[name]), default=None)


def _or_never(latency_ns: int | None) -> float:
    return float("inf") if latency_ns is None else latency_ns
