"""What a comparison says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from cotenant.describe import Plan, Platform, Tenant
from cotenant.study.bootstrap import Interval, paired_ratio, quantile_ratio
from cotenant.study.reference import References, reference_json
from cotenant.study.rounds import Measured
from cotenant.study.turn import Turn, medians, stp_ort, turn_json, turn_of
from cotenant.study.way import Way
from cotenant.trace import Summary, Tally, as_json, pooled, quantile_ns, rows, tallies

PLANNED = "planned"
CRITICAL_Q = 0.99


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Sum up one way over all rounds; `disturbed` lists rounds kept although others took CPU, `repeats` counts those measured again.

    `turns` has each round by itself.
    """

    summary: Summary
    stp_ort: float
    disturbed: tuple[int, ...]
    repeats: int
    turns: tuple[Turn, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ratio:
    """Set planned over another way: of stp_ort, and of the p99 of the critical tenant, the one for which planned does worst.

    Intervals are of 95 %; None where there are too few rounds or requests to tell.
    """

    critical: str | None
    stp_ort: float | None
    stp_ort_ci95: Interval | None
    critical_p99: float | None
    critical_p99_ci95: Interval | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Hold a comparison on so many `lanes`, with what it is judged by."""

    rounds: int
    lanes: int
    references: References
    ways: tuple[tuple[str, Served], ...]
    ratios: tuple[tuple[str, Ratio], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rounds:
    """Hold one way's tallies: by round, then by tenant in the crew's order."""

    tallies: tuple[tuple[Tally, ...], ...]

    def of(self, tenant: str) -> tuple[Tally, ...]:
        """Return one tenant's tallies, round by round."""
        return tuple(t for tallied in self.tallies for t in tallied if t.tenant == tenant)

    def pooled(self) -> tuple[Tally, ...]:
        """Add up the rounds."""
        return tuple(pooled(parts) for parts in zip(*self.tallies, strict=True))


def rounds_of(way: str, measured: Sequence[Measured], tenants: Sequence[Tenant]) -> Rounds:
    """Count every round of a way."""
    names = [t.name for t in tenants]
    return Rounds(tallies=tuple(tallies(m.trace, names) for m in sorted(measured, key=lambda m: m.round) if m.way == way))


def served(
    way: Way, measured: Sequence[Measured], plan: Plan, tenants: Sequence[Tenant], platform: Platform, references: References
) -> Served:
    """Sum up one way: counts and quantiles pooled over the rounds, repeats and rounds disturbed told."""
    own = sorted((m for m in measured if m.way == way.name), key=lambda m: m.round)
    counted = rounds_of(way.name, own, tenants).pooled()
    names = [t.name for t in tenants]
    return Served(
        summary=rows(counted, plan, tenants, way.fidelity, platform.name),
        stp_ort=stp_ort(counted, references.whole.rates),
        disturbed=tuple(sorted(m.round for m in own if m.disturbed)),
        repeats=sum(m.tries - 1 for m in own),
        turns=tuple(turn_of(m, names, references.rounds[m.round].rates, platform.lanes) for m in own),
    )


def ratio(planned: Rounds, other: Rounds, tenants: Sequence[Tenant], alone: Mapping[str, float], rng: np.random.Generator) -> Ratio:
    """Set the rounds of planned over those of another way, paired."""
    over, under = ([stp_ort(counted, alone) for counted in way.tallies] for way in (planned, other))
    first = min(t.rank for t in tenants)
    p99 = {t.name: _p99_ratio(planned, other, t.name) for t in tenants if t.rank == first}
    known = {name: value for name, value in p99.items() if value is not None}
    worst = max(known, key=lambda name: known[name], default=None)
    return Ratio(
        critical=worst,
        stp_ort=sum(over) / sum(under) if sum(under) > 0 else None,
        stp_ort_ci95=paired_ratio(over, under, rng),
        critical_p99=None if worst is None else known[worst],
        critical_p99_ci95=None if worst is None else quantile_ratio(_latencies(planned, worst), _latencies(other, worst), CRITICAL_Q, rng),
    )


def report_json(report: Report) -> dict[str, Any]:
    """Return what `compare --json` prints."""
    return {
        "rounds": report.rounds,
        "lanes": report.lanes,
        **reference_json(report.references.whole),
        "references": [reference_json(reference) for reference in report.references.rounds],
        "ways": {name: _served_json(way) for name, way in report.ways},
        "ratios": {name: asdict(found) for name, found in report.ratios},
    }


def _served_json(way: Served) -> dict[str, Any]:
    head = {"stp_ort": way.stp_ort, "disturbed": list(way.disturbed), "repeats": way.repeats}
    return {**as_json(way.summary), **head, **medians(way.turns), "rounds": [turn_json(turn) for turn in way.turns]}


def _p99_ratio(planned: Rounds, other: Rounds, tenant: str) -> float | None:
    over, under = (quantile_ns(pooled(way.of(tenant)).latencies_ns, CRITICAL_Q) for way in (planned, other))
    return None if over is None or not under else over / under


def _latencies(way: Rounds, tenant: str) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    return [np.asarray(t.latencies_ns, dtype=np.int64) for t in way.of(tenant)]
