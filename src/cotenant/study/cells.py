"""What the runs of a policy at a load come to, seed by seed and on the mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from cotenant.study.bootstrap import LEVEL, bounded_mean
from cotenant.trace.figures import Figures
from cotenant.trace.report import Cell, Fate, Interval

_QUANTILES = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)


def cell(policy: str, load: float, runs: Sequence[Figures], tenants: Sequence[str], *, drawn: bool = True) -> Cell:
    """Sum up the runs of one policy at one load; without intervals where nothing is `drawn`, so that every seed gives the same run."""

    def interval(values: Sequence[float]) -> Interval | None:
        return mean_interval(values) if drawn else None

    p99 = [f.p99_ms for f in runs if f.p99_ms is not None]
    return Cell(
        policy=policy,
        load=load,
        sla=_mean([f.sla for f in runs]),
        stp=_mean([f.stp for f in runs]),
        antt=_mean([f.antt for f in runs]),
        fairness=_mean([f.fairness for f in runs]),
        p99_ms=_mean(p99) if p99 else None,
        miss_by_rank=tuple(_misses(runs)),
        fates=tuple(_fates(runs, tenants)),
        sla_ci95=interval([f.sla for f in runs]),
        stp_ci95=interval([f.stp for f in runs]),
        antt_ci95=interval([f.antt for f in runs]),
        fairness_ci95=interval([f.fairness for f in runs]),
        p99_ms_ci95=interval(p99),
        dropped=tuple(_dropped(runs)),
    )


def _misses(runs: Sequence[Figures]) -> Iterator[tuple[int, float]]:
    ranks = sorted({rank for f in runs for rank, _ in f.miss_by_rank})
    for rank in ranks:
        yield rank, _mean([ratio for f in runs for own, ratio in f.miss_by_rank if own == rank])


def _dropped(runs: Sequence[Figures]) -> Iterator[tuple[str, float]]:
    for reason in sorted({reason for f in runs for reason, _ in f.dropped}):
        yield reason, _mean([float(dict(f.dropped).get(reason, 0)) for f in runs])


def _fates(runs: Sequence[Figures], tenants: Sequence[str]) -> Iterator[Fate]:
    for index, tenant in enumerate(tenants):
        latencies = np.concatenate([f.latencies_ms[index] for f in runs])
        slow = [1 / value for f in runs for name, value in f.p if name == tenant and value > 0]
        marks = tuple((q, float(np.quantile(latencies, q, method="inverted_cdf"))) for q in _QUANTILES) if len(latencies) else ()
        yield Fate(tenant=tenant, slowdown=_mean(slow) if slow else None, latencies_ms=marks)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def mean_interval(values: Sequence[float]) -> Interval | None:
    """Bound a mean at 95 % by Student's t over independent runs; None with fewer than two, or one that is infinite."""
    return bounded_mean(values, LEVEL)
