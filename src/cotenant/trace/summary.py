"""What `run` says at the end."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from cotenant.describe import Plan, Tenant
from cotenant.trace.metrics import least_p, progress, quantile_ns, stp
from cotenant.trace.spans import Trace
from cotenant.trace.tally import Tally, tallies
from cotenant.units import NS_PER_MS, NS_PER_S

FidelityOf = Callable[[str, str], float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """Sum up one tenant: counts, rates, quantiles of the latency of what was done.

    `p` is rate / solo rate; p50_ms and p99_ms are None where nothing was done; `fidelity` is the least of the options that answered;
    `dropped_for` says of the dropped how many were so for which reason.
    """

    rank: int
    asked: int
    done: int
    dropped: int
    failed: int
    lost: int
    promised_per_s: float
    rate_per_s: float
    p: float
    p50_ms: float | None
    p99_ms: float | None
    missed: int
    fidelity: float | None
    option: str
    dropped_for: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Sum up a run; `tenants` in the crew's order."""

    platform: str
    seconds: float
    stp: float
    least_p: float
    tenants: tuple[tuple[str, Row], ...]


def summarise(trace: Trace, plan: Plan, tenants: Sequence[Tenant]) -> Summary:
    """Sum up one run of a plan."""
    counted = tallies(trace, [t.name for t in tenants])
    return rows(counted, plan, tenants, fidelity_by_plan(plan), trace.platform)


def rows(counted: Sequence[Tally], plan: Plan, tenants: Sequence[Tenant], fidelity: FidelityOf, platform: str) -> Summary:
    """Sum up tallies, one per tenant and in the tenants' order, of one window or of several pooled."""
    p = progress(counted, plan)
    made = tuple((t.name, _row(count, t, plan, p[t.name], fidelity)) for count, t in zip(counted, tenants, strict=True))
    seconds = max((count.window_ns for count in counted), default=0) / NS_PER_S
    return Summary(platform=platform, seconds=seconds, stp=stp(p), least_p=least_p(p), tenants=made)


def fidelity_by_plan(plan: Plan) -> FidelityOf:
    """Look up a (tenant, option name) among the options of a plan; None for a stranger."""
    known: Mapping[tuple[str, str], float | None] = {(s.option.tenant, s.option.name): s.option.fidelity for s in plan.shares}
    return lambda tenant, option: known.get((tenant, option))


def as_json(summary: Summary) -> dict[str, Any]:
    """Return what `run --json` prints."""
    return {**asdict(summary), "tenants": {name: {**asdict(row), "dropped_for": dict(row.dropped_for)} for name, row in summary.tenants}}


def _row(count: Tally, tenant: Tenant, plan: Plan, p: float, fidelity: FidelityOf) -> Row:
    promised = {promise.tenant: promise.rate_per_s for promise in plan.promises}
    return Row(
        rank=tenant.rank,
        asked=count.asked,
        done=count.done,
        dropped=count.dropped,
        failed=count.failed,
        lost=count.lost,
        promised_per_s=promised.get(tenant.name, 0.0),
        rate_per_s=count.rate_per_s,
        p=p,
        p50_ms=_ms(quantile_ns(count.latencies_ns, 0.50)),
        p99_ms=_ms(quantile_ns(count.latencies_ns, 0.99)),
        missed=count.missed,
        fidelity=_least([fidelity(tenant.name, option) for option, _ in count.options]),
        option=count.option,
        dropped_for=count.dropped_for,
    )


def _ms(latency_ns: int | None) -> float | None:
    return None if latency_ns is None else latency_ns / NS_PER_MS


def _least(values: Sequence[float | None]) -> float | None:
    """Return the least; None if one of them is unknown, or there are none."""
    known = [value for value in values if value is not None]
    return min(known) if known and len(known) == len(values) else None
