"""Bandwidth over time, from a run's columns."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from cotenant.describe import Platform
from cotenant.trace.columns import Columns
from cotenant.trace.report import Bandwidth, Draw
from cotenant.units import NS_PER_S

Numbers = NDArray[np.float64]


def bandwidth(columns: Columns, platform: Platform) -> tuple[Bandwidth, ...]:
    """Return what each tenant drew of every memory of known bandwidth.

    A span draws what its segment takes alone times its share, evenly: how that changed within the span is not kept.
    """
    memory_of = {p.name: p.memory for p in platform.processors}
    known = {m.name: m.bandwidth_bytes_per_s for m in platform.memories if m.bandwidth_bytes_per_s is not None}
    return tuple(
        Bandwidth(memory=name, capacity_bytes_per_s=capacity, draws=tuple(_draws(columns, name, memory_of)))
        for name, capacity in known.items()
    )


def _draws(columns: Columns, memory: str, memory_of: Mapping[str, str]) -> Iterator[Draw]:
    spans = columns.spans
    beside = np.array([memory_of[stop.processor] == memory for stop in columns.stops])
    per_ns = np.array([stop.bytes_per_ns for stop in columns.stops])
    widths = np.array([stop.width for stop in columns.stops])
    rates = per_ns[spans["position"]] * spans["share"] / widths[spans["position"]] * NS_PER_S
    tenants = columns.endings["tenant"][spans["request"]]
    for index, name in enumerate(columns.tenants):
        own = (tenants == index) & beside[spans["position"]] & (rates > 0)
        if own.any():
            yield Draw(tenant=name, points=tuple(_steps(spans["start_ns"][own], spans["stop_ns"][own], rates[own])))


def _steps(starts_ns: NDArray[np.int64], stops_ns: NDArray[np.int64], rates: Numbers) -> Iterator[tuple[int, float]]:
    times_ns = np.concatenate([starts_ns, stops_ns])
    changes = np.concatenate([rates, -rates])
    instants_ns, where = np.unique(times_ns, return_inverse=True)
    levels = np.cumsum(np.bincount(where, weights=changes))
    for time_ns, level in zip(instants_ns.tolist(), levels.tolist(), strict=True):
        yield time_ns, max(0.0, level)
