"""What was served, as lines and tables; heavy to import."""

from __future__ import annotations

import sys

from cotenant.cli.show import cell, show_table
from cotenant.describe import Judged, Plan
from cotenant.study.door import Tick
from cotenant.study.report import Ratio, Report, Served
from cotenant.study.rounds import Measured
from cotenant.trace import Row, Summary

_TENANTS = (
    "tenant", "rank", "option", "fidelity", "promised/s", "served/s", "P", "p50 ms", "p99 ms", "missed", "done",
    "dropped", "failed", "lost",
)  # fmt: skip
_WAYS = ("way", "stp_ort", "sum of P", "least P", "critical p50 ms", "p99 ms", "missed", "lost", "disturbed", "repeats")


def tell(tick: Tick) -> None:
    """Print how a run stands: each tenant's rate since the line before."""
    rates = "  ".join(f"{name} {rate:.1f}/s" for name, rate in tick.rates.items())
    sys.stdout.write(f"{tick.seconds:5.0f} s  {rates}\n")
    sys.stdout.flush()


def show_run(summary: Summary, plan: Plan) -> None:
    """Print a table of tenants, and the sums."""
    show_table(_TENANTS, [_tenant(name, row, plan) for name, row in summary.tenants])
    generated = any(s.option.judged is Judged.GENERATED for s in plan.shares)
    mark = "; * judged on generated inputs" if generated else ""
    sys.stdout.write(f"{summary.seconds:.1f} s on {summary.platform}: sum of P {summary.stp:.3f}, least P {summary.least_p:.3f}{mark}\n")


def _tenant(name: str, row: Row, plan: Plan) -> tuple[object, ...]:
    generated = any(s.option.judged is Judged.GENERATED for s in plan.shares_of(name) if s.option.name == row.option)
    fidelity = cell(row.fidelity) + ("*" if generated else "")
    rates = (row.promised_per_s, row.rate_per_s, row.p, row.p50_ms, row.p99_ms)
    return (name, row.rank, row.option or None, fidelity, *rates, row.missed, row.done, row.dropped, row.failed, row.lost)


def tell_period(measured: Measured) -> None:
    """Print that a period of a comparison is over, on standard error."""
    mark = f", measured {measured.tries} times" if measured.tries > 1 else ""
    disturbed = ", disturbed" if measured.disturbed else ""
    sys.stderr.write(f"round {measured.round + 1}  {measured.way}: others took {measured.others:.0%} of the CPU{mark}{disturbed}\n")


def show_comparison(report: Report) -> None:
    """Print the ways, then planned over each of the others."""
    show_table(_WAYS, [_way(name, served) for name, served in report.ways])
    show_table(("planned over", "stp_ort", "95 %", "critical p99", "95 %"), [_ratio(name, ratio) for name, ratio in report.ratios])
    sys.stdout.write(f"stp_ort at most {report.bound_stp:.2f}, at the fair optimum {report.fair_stp:.2f}\n")


def _way(name: str, served: Served) -> tuple[object, ...]:
    rows = [row for _, row in served.summary.tenants]
    first = min(row.rank for row in rows)
    critical = max((row for row in rows if row.rank == first), key=lambda row: row.p99_ms or 0.0)
    sums = (served.stp_ort, served.summary.stp, served.summary.least_p)
    counts = (critical.missed, sum(row.lost for row in rows), len(served.disturbed), served.repeats)
    return (name, *sums, critical.p50_ms, critical.p99_ms, *counts)


def _ratio(name: str, ratio: Ratio) -> tuple[object, ...]:
    return (name, ratio.stp_ort, _interval(ratio.stp_ort_ci95), ratio.critical_p99, _interval(ratio.critical_p99_ci95))


def _interval(ends: tuple[float, float] | None) -> str:
    return "-" if ends is None else f"{ends[0]:.3f} to {ends[1]:.3f}"
