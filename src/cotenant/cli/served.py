"""What was served, as lines and tables; heavy to import."""

from __future__ import annotations

import sys

from cotenant.cli.screen import cell, show_table
from cotenant.describe import Judged, Plan, Tenant
from cotenant.study.bootstrap import Interval
from cotenant.study.door import Tick
from cotenant.study.report import PLANNED, Ratio, Report, Served
from cotenant.study.rounds import Measured
from cotenant.study.turn import medians
from cotenant.trace import Row, Summary

_TENANTS = (
    "tenant", "option", "rank", "fidelity", "promised/s", "served/s", "P", "p50 ms", "p99 ms", "missed", "dropped", "failed", "lost",
)  # fmt: skip


def tell_tick(tick: Tick) -> None:
    """Print how a run stands: each tenant's rate in the last second, and what went wrong so far."""
    wrong = {
        "dropped": sum(c.dropped for c in tick.counts.values()),
        "failed": sum(c.failed for c in tick.counts.values()),
        "lost": sum(c.lost for c in tick.counts.values()),
    }
    rates = "  ".join(f"{name} {rate:.1f}/s" for name, rate in tick.rates.items())
    told = "".join(f"  {count} {what}" for what, count in wrong.items() if count)
    print(f"{tick.seconds:6.0f} s  {rates}{told}", flush=True)


def tell_change(line: str) -> None:
    """Print what changes while a crew is served, or why it does not."""
    print(line, file=sys.stderr, flush=True)


def show_run(summary: Summary, plan: Plan) -> None:
    """Print a table of tenants, and the sums."""
    show_table(_TENANTS, (_tenant(name, row, plan) for name, row in summary.tenants), words=2)
    for name, row in summary.tenants:
        if row.dropped_for:
            print(f"{name} dropped " + ", ".join(f"{count}: {reason}" for reason, count in row.dropped_for))
    print(f"{summary.seconds:.1f} s on {summary.platform}: sum of P {summary.stp:.3f}, least P {summary.least_p:.3f}")


def _tenant(name: str, row: Row, plan: Plan) -> tuple[object, ...]:
    fidelity = faith(row.fidelity, {s.option.judged for s in plan.shares_of(name)})
    rates = (row.promised_per_s, row.rate_per_s, row.p, row.p50_ms, row.p99_ms)
    return (name, row.option or None, row.rank, fidelity, *rates, row.missed, row.dropped, row.failed, row.lost)


def faith(fidelity: float | None, judged: set[Judged]) -> str:
    """Write a fidelity, marked where it was judged on inputs that nobody took from life."""
    generated = fidelity is not None and Judged.GENERATED in judged
    return cell(fidelity if fidelity is None else f"{fidelity:.3f}") + (" generated" if generated else "")


def tell_period(measured: Measured, *, to_stderr: bool = False) -> None:
    """Print that a period of a comparison is over."""
    told = f", measured {measured.tries} times" if measured.tries > 1 else ""
    mark = ", disturbed" if measured.disturbed else ""
    print(
        f"round {measured.round + 1}  {measured.way}: others took {measured.others:.0%} of the CPU{told}{mark}",
        file=sys.stderr if to_stderr else None,
        flush=True,
    )


def show_comparison(report: Report, tenants: tuple[Tenant, ...]) -> None:
    """Print the ways, then planned over each of the others."""
    first = min(tenants, key=lambda t: t.rank).name
    ways = ("way", "stp_ort", "sum P", f"{first} p50 ms", f"{first} p99 ms", f"{first} missed", "lost", "used", "disturbed", "repeats")
    show_table(ways, (_way(name, served, first) for name, served in report.ways))
    whole = report.references.whole
    print(f"stp_ort: at most {whole.bound_stp:.3f} within the demands; the fairest {whole.fair_stp:.3f}")
    print(f"{_dispatching(dict(report.ways)[PLANNED])}\n")
    ratios = ("planned over", "stp_ort", "95 %", "critical p99", "95 %", "critical")
    show_table(ratios, (_ratio(name, ratio) for name, ratio in report.ratios))


def _way(name: str, served: Served, first: str) -> tuple[object, ...]:
    row = dict(served.summary.tenants)[first]
    lost = sum(r.lost for _, r in served.summary.tenants)
    used = medians(served.turns)["used"]
    figures = (served.stp_ort, served.summary.stp, row.p50_ms, row.p99_ms, row.missed, lost)
    return (name, *figures, None if used is None else f"{used:.0%}", len(served.disturbed), served.repeats)


def _dispatching(planned: Served) -> str:
    found = medians(planned.turns)
    median_us, share = found["dispatch_us_per_segment"], found["dispatch_share"]
    if median_us is None or share is None:
        return "dispatching: not measured"
    return f"dispatching: {median_us:.3g} us of CPU per segment beside the engine, {share:.2%} of the cores"


def _ratio(name: str, ratio: Ratio) -> tuple[object, ...]:
    stp_ort, p99 = (_times(ratio.stp_ort, ratio.stp_ort_ci95), _times(ratio.critical_p99, ratio.critical_p99_ci95))
    return (name, *stp_ort, *p99, ratio.critical)


def _times(value: float | None, interval: Interval | None) -> tuple[str | None, str | None]:
    between = None if interval is None else f"{interval[0]:.3g} to {interval[1]:.3g}"
    return None if value is None else f"{value:.3g}x", between
