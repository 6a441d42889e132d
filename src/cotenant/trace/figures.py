"""The figures of one simulated run, from its columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cotenant.trace.columns import NEVER_NS, OUTCOMES, REASONS, Columns
from cotenant.trace.metrics import antt, fairness, stp
from cotenant.units import NS_PER_MS, NS_PER_S

_DONE = next(code for code, outcome in enumerate(OUTCOMES) if outcome is not None and outcome.value == "done")


@dataclass(frozen=True, slots=True, kw_only=True)
class Alone:
    """Say how a tenant fares alone: `latency_ns` of one request; `rate_per_s` flat out for a closed loop, None for open arrivals."""

    latency_ns: float
    rate_per_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """Hold what one run comes to.

    `p` is normalised progress: time alone over mean latency of what was done, or a closed loop's rate over its rate alone (Eyerman
    and Eeckhout, 2008), of tenants that asked; `stp` its sum, `antt` the mean of its inverses, `fairness` its least over its greatest.
    `sla` is the share of requests with a deadline that were done by it. `latencies_ms` are those of what was done, by tenant, in
    ascending order; `dropped` counts the requests that were dropped, by reason.
    """

    sla: float
    stp: float
    antt: float
    fairness: float
    p99_ms: float | None
    miss_by_rank: tuple[tuple[int, float], ...]
    p: tuple[tuple[str, float], ...]
    latencies_ms: tuple[NDArray[np.float64], ...]
    dropped: tuple[tuple[str, int], ...] = ()


def figures(columns: Columns, alone: Mapping[str, Alone], ranks: Sequence[int]) -> Figures:
    """Work out the figures of a run; `ranks` are those of `columns.tenants`."""
    endings = columns.endings
    done = endings["outcome"] == _DONE
    with_due = endings["due_ns"] < NEVER_NS
    missed = with_due & ~(done & (endings["finish_ns"] <= endings["due_ns"]))
    latencies = tuple(
        np.sort((endings["finish_ns"] - endings["arrival_ns"])[done & (endings["tenant"] == index)]) / NS_PER_MS
        for index in range(len(columns.tenants))
    )
    asked = np.bincount(endings["tenant"], minlength=len(latencies))
    p = {
        name: _progress(alone[name], latencies[index], done_per_s(columns, index))
        for index, name in enumerate(columns.tenants)
        if asked[index] > 0
    }
    everyone = np.sort(np.concatenate(latencies)) if latencies else np.empty(0)
    return Figures(
        sla=1.0 - _share(missed, with_due),
        stp=stp(p),
        antt=antt(p),
        fairness=fairness(p),
        p99_ms=float(everyone[-(-99 * len(everyone) // 100) - 1]) if len(everyone) else None,
        miss_by_rank=_by_rank(missed, with_due, np.asarray(ranks)[endings["tenant"]]),
        p=tuple(p.items()),
        latencies_ms=latencies,
        dropped=_dropped(endings["outcome"]),
    )


def done_per_s(columns: Columns, tenant: int) -> float:
    """Return the rate at which a tenant's requests (by its index) were done until the horizon."""
    endings = columns.endings
    done = (endings["outcome"] == _DONE) & (endings["tenant"] == tenant) & (endings["finish_ns"] < columns.stop_ns)
    return int(np.sum(done)) * NS_PER_S / columns.stop_ns


def _progress(alone: Alone, latencies_ms: NDArray[np.float64], rate_per_s: float) -> float:
    if alone.rate_per_s is not None:
        return rate_per_s / alone.rate_per_s
    return alone.latency_ns / NS_PER_MS / float(latencies_ms.mean()) if len(latencies_ms) else 0.0


def _share(part: NDArray[np.bool_], whole: NDArray[np.bool_]) -> float:
    return int(part.sum()) / int(whole.sum()) if whole.any() else 0.0


def _dropped(outcomes: NDArray[np.int64]) -> tuple[tuple[str, int], ...]:
    counted = np.bincount(outcomes, minlength=len(REASONS)).tolist()
    return tuple((reason, count) for reason, count in zip(REASONS, counted, strict=True) if reason and count)


def _by_rank(missed: NDArray[np.bool_], with_due: NDArray[np.bool_], ranks: NDArray[np.int64]) -> tuple[tuple[int, float], ...]:
    return tuple((int(rank), _share(missed & (ranks == rank), with_due & (ranks == rank))) for rank in np.unique(ranks[with_due]))
